//! How pages come: a fault finds the region, has its memory provide the page, and enters it into the
//! tables. The kernel's own accesses do the first two only.

use super::super::{Id, Ram};
use super::memory::Backing;
use super::tables::{self, Change};
use super::{Memory, Region, Space, Vm};
use crate::abi::{Error, FaultKind, USER_END};
use crate::arch::{self, Entry, TableEntry};
use crate::units::{Access, Frame, LARGE_PAGE_SIZE, PAGE_SIZE};

/// A page that is there.
pub(super) struct Page {
    pub frame: Frame,
    /// What is allowed at most, and how it is reached.
    pub access: arch::Access,
    pub kind: PageKind,
}

/// What surrounds a page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum PageKind {
    /// Frames anywhere.
    Single,
    /// Its neighbours in the memory are its neighbours in RAM.
    Run,
    /// The same, in what need not be RAM.
    Window,
}

const ANY: arch::Access =
    arch::Access::USER.union(arch::Access::WRITE).union(arch::Access::EXECUTE);
const CONSTANT: arch::Access = arch::Access::USER.union(arch::Access::EXECUTE);

impl Vm {
    /// Maps what user code needs to go on after a fault, or says why there is nothing.
    pub fn fault(
        &mut self,
        ram: &mut Ram,
        space: Id<Space>,
        address: u64,
        access: Access,
    ) -> Result<(), FaultKind> {
        let at = address & !(PAGE_SIZE - 1);
        let id = self.allowed(space, at, access)?;
        let region = &self.regions[id];
        let (memory, page) = (region.memory, region.page_at(at));
        let page = self.provide(ram, memory, page, access == Access::Write);
        let entered = page.and_then(|page| self.enter_page(ram, space, id, at, page));
        entered.map_err(|error| match error {
            Error::NoMemory => FaultKind::NoMemory,
            _ => FaultKind::Bus,
        })
    }

    /// The region of an address, if it allows the access.
    #[inline(always)]
    pub(super) fn allowed(
        &self,
        space: Id<Space>,
        at: u64,
        access: Access,
    ) -> Result<Id<Region>, FaultKind> {
        if at >= USER_END {
            return Err(FaultKind::Unmapped);
        }
        let id = self.region_at(space, at).ok_or(FaultKind::Unmapped)?;
        let needed = match access {
            Access::Read => arch::Access::empty(),
            Access::Write => arch::Access::WRITE,
            Access::Execute => arch::Access::EXECUTE,
        };
        if !self.regions[id].access.contains(needed) {
            return Err(FaultKind::Permission);
        }
        Ok(id)
    }

    /// A page of a memory: made if it is not there; to be written, the memory's alone.
    #[inline]
    pub(super) fn provide(
        &mut self,
        ram: &mut Ram,
        id: Id<Memory>,
        page: u64,
        write: bool,
    ) -> Result<Page, Error> {
        let memory = &mut self.memories[id];
        if page >= memory.pages {
            return Err(Error::BadAddress);
        }
        let index = match &mut memory.backing {
            Backing::Demand(index) => index,
            Backing::Contiguous(first) => {
                let frame = Frame(first.0 + page);
                return Ok(Page { frame, access: ANY, kind: PageKind::Run });
            }
            Backing::Window { first, device } => {
                let frame = Frame(first.0 + page);
                let access = if *device { ANY | arch::Access::DEVICE } else { ANY };
                return Ok(Page { frame, access, kind: PageKind::Window });
            }
        };
        let Ram { memory: physical, frames, .. } = ram;
        let account = &mut self.accounts[memory.account];
        let slot = index.slot(page, physical, |physical| account.take_zeroed(physical, frames))?;
        let single = |frame, access| Page { frame, access, kind: PageKind::Single };
        let Some(old) = index.get(slot, physical) else {
            let frame = account.take_zeroed(physical, frames)?;
            index.set(slot, Some(frame), physical);
            memory.resident += 1;
            return Ok(single(frame, ANY));
        };
        if !frames.owners.several(old) {
            return Ok(single(old, ANY));
        }
        if !write {
            return Ok(single(old, CONSTANT));
        }
        // The page was paid for when it began to be shared.
        let new = frames.alloc().ok_or(Error::NoMemory)?;
        let from = physical.pointer(old.start()).as_ptr();
        let to = physical.pointer(new.start()).as_ptr();
        // SAFETY: two frames of RAM; the new one was just taken, and nobody writes the old one while
        // it has several owners.
        unsafe { arch::user::copy(to, from, PAGE_SIZE as usize) };
        index.set(slot, Some(new), physical);
        self.forget(ram, id, page..page + 1, Change::Clear(0, 0));
        ram.frames.give_up(old);
        Ok(single(new, ANY))
    }

    /// Enters a page into the tables, as part of a large one if it can be.
    fn enter_page(
        &mut self,
        ram: &mut Ram,
        space: Id<Space>,
        id: Id<Region>,
        at: u64,
        page: Page,
    ) -> Result<(), Error> {
        let region = &self.regions[id];
        let mut access = region.access & page.access;
        access |= page.access & arch::Access::DEVICE;
        let base = at & !(LARGE_PAGE_SIZE - 1);
        let before = (at - base) / PAGE_SIZE;
        let large = page.kind != PageKind::Single
            && !access.contains(arch::Access::EXECUTE)
            && base >= region.start
            && base + LARGE_PAGE_SIZE <= region.end()
            && page.frame.0 >= before
            && (page.frame.0 - before).is_multiple_of(tables::ENTRIES);
        if large {
            let table = self.table_of(ram, space, base, tables::LARGE)?;
            let index = tables::index(base, tables::LARGE);
            let old = tables::read(&ram.memory, table, index);
            if !old.is_present() || old.is_leaf(tables::LARGE) {
                let new = Entry::leaf(Frame(page.frame.0 - before), tables::LARGE, access);
                tables::write(&mut ram.memory, table, index, new);
                arch::tlb::publish();
                return Ok(());
            }
        }
        if access.contains(arch::Access::EXECUTE) && page.kind != PageKind::Window {
            // SAFETY: a page of RAM.
            unsafe { arch::user::publish_code(ram.memory.pointer(page.frame.start()).as_ptr()) };
        }
        let table = self.table_of(ram, space, at, tables::PAGES)?;
        let index = tables::index(at, tables::PAGES);
        let old = tables::read(&ram.memory, table, index);
        tables::write(
            &mut ram.memory,
            table,
            index,
            Entry::leaf(page.frame, tables::PAGES, access),
        );
        arch::tlb::publish();
        // The same frame with more rights than before: CPUs may remember the refusal.
        if old.is_present() {
            self.flush(space, at..at + PAGE_SIZE, false);
        }
        Ok(())
    }

    /// The table at `level` that has the entry of an address, made if it is not there. There is no
    /// large page on the way: regions that get smaller take theirs with them.
    #[inline]
    fn table_of(
        &mut self,
        ram: &mut Ram,
        space: Id<Space>,
        at: u64,
        level: u8,
    ) -> Result<Frame, Error> {
        let Space { root, account, tables, .. } = &mut self.spaces[space];
        let mut table = *root;
        for above in 0..level {
            let index = tables::index(at, above);
            let entry = tables::read(&ram.memory, table, index);
            table = if entry.is_present() {
                entry.frame()
            } else {
                let account = &mut self.accounts[*account];
                let below = account.take_zeroed(&mut ram.memory, &mut ram.frames)?;
                tables::write(&mut ram.memory, table, index, Entry::table(below));
                *tables += 1;
                below
            };
        }
        Ok(table)
    }
}
