//! Address spaces: a root of page tables, a tag, and regions in order.

use super::super::asid::Tag;
use super::super::{Arena, FrameSource, Id, Ram};
use super::{Account, Vm};
use crate::abi::Error;
use crate::arch;
use crate::units::{Asid, CpuId, Frame, PAGE_SIZE};

/// An address space.
pub struct Space {
    pub(super) root: Frame,
    pub(super) account: Id<Account>,
    tag: Tag,
}

impl Vm {
    /// An address space that maps nothing.
    pub fn space_create(
        &mut self,
        ram: &mut Ram,
        account: Id<Account>,
    ) -> Result<Id<Space>, Error> {
        let cost = Arena::<Space>::COST + PAGE_SIZE;
        self.charge(account, cost)?;
        let space = self.spaces.reserve(ram).and_then(|()| {
            let root = ram.frames.take().ok_or(Error::NoMemory)?;
            // SAFETY: the frame was just taken for this.
            unsafe { ram.memory.zero(root) };
            arch::user::adopt(root, ram.space.table.root(), &mut ram.memory);
            self.spaces.insert(Space { root, account, tag: Tag::default() }, ram)
        });
        space.inspect_err(|_| self.uncharge(account, cost))
    }

    /// What a CPU loads to run in an address space.
    #[inline]
    pub fn enter(&mut self, cpu: CpuId, space: Id<Space>) -> (Frame, Asid) {
        let space = &mut self.spaces[space];
        let switch = self.asids.switch(cpu, &mut space.tag);
        if switch.flush_all {
            arch::tlb::flush_all();
        }
        (space.root, switch.asid)
    }
}
