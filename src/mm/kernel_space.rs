//! The kernel's own page table: its image, all RAM, its stacks and the devices it drives itself.
//! Built from scratch out of plain descriptions, so that a test can look at it.
//!
//! Invariant: code and read-only data cannot be written through any address, the physical map
//! included; only code can be executed; below every stack lies a page that is not mapped.

use super::page_table::MapError;
use super::{FrameSource, PageTable};
use crate::arch::{self, Access, PhysMem};
use crate::boot::{CpuInfo, PhysRange};
use crate::dev::Mmio;
use crate::layout::{self, DEVICES, MAX_STACK, PHYS_MAP, PHYS_MAP_SIZE};
use crate::units::{
    CpuId, Frame, Image, MAX_CPUS, Main, PAGE_SIZE, PhysAddr, VirtAddr, frames_touching,
};
use core::ops::Range;

/// The kernel's address space.
#[derive(Debug)]
pub struct KernelSpace {
    /// Its tables.
    pub table: PageTable,
    /// Where the next window to a device goes.
    next_window: u64,
    /// The CPUs that were given their way in.
    entered: [bool; MAX_CPUS],
}

/// The way into a kernel space: its table, and the end of a stack that is mapped in it.
#[derive(Debug)]
pub struct Gate {
    /// The table's root.
    root: Frame,
    cpu: CpuId,
    /// The end of that CPU's usual stack.
    stack_top: VirtAddr,
}

impl Gate {
    /// Uses the table from now on, on the present stack, which is in the image.
    pub fn activate(&self) {
        // SAFETY: a kernel space maps the image and all RAM where they are used.
        unsafe { arch::paging::activate(self.root) }
    }

    /// Calls up the CPU whose stack this is; it arrives at `secondary_entry` some time later.
    pub fn call_up(self, info: &CpuInfo) -> Result<(), &'static str> {
        // SAFETY: a kernel space maps the image, all RAM and this CPU's stacks where they are used,
        // and has only this one gate for it.
        unsafe { arch::cpu::start(info, self.cpu, self.root, self.stack_top) }
    }

    /// Once the table is in use, goes on with `then(main)` on the stack that is mapped there. What is on
    /// the present stack is forgotten.
    pub fn enter(self, then: extern "C" fn(Main) -> !, main: Main) -> ! {
        // SAFETY: as in `call_up`.
        unsafe { arch::paging::enter(self.stack_top, then, main) }
    }
}

impl KernelSpace {
    /// The way in for a CPU whose stacks have been mapped: there is one, for whoever asks first.
    pub fn gate(&mut self, cpu: CpuId, memory: &PhysMem) -> Option<Gate> {
        let stack_top = layout::stack_top(cpu, 0);
        for nth in 0..arch::cpu::STACKS {
            let last_page = layout::stack_top(cpu, nth).0 - PAGE_SIZE;
            self.table.query(VirtAddr(last_page), memory)?;
        }
        let used = core::mem::replace(self.entered.get_mut(cpu.index())?, true);
        (!used).then(|| Gate { root: self.table.root(), cpu, stack_top })
    }

    /// Maps the image and all RAM.
    pub fn new(
        image: &Image,
        ram: &[PhysRange],
        memory: &mut PhysMem,
        source: &mut dyn FrameSource,
    ) -> Result<KernelSpace, MapError> {
        let mut table = PageTable::new(memory, source)?;
        let parts = [
            (&image.text, Access::EXECUTE),
            (&image.rodata, Access::empty()),
            (&image.data, Access::WRITE),
        ];
        for (part, access) in parts {
            let phys = image.physical(part);
            table.map(part.start, phys, access | Access::GLOBAL, memory, source)?;
        }
        let constant = [image.physical(&image.text), image.physical(&image.rodata)];
        for bank in ram {
            map_bank(bank, &constant, &mut table, memory, source)?;
        }
        Ok(KernelSpace { table, next_window: DEVICES.start, entered: [false; MAX_CPUS] })
    }

    /// Gives `cpu` its `nth` stack: all of the upper half of its slot, as AArch64's vectors expect.
    pub fn map_stack(
        &mut self,
        cpu: CpuId,
        nth: usize,
        memory: &mut PhysMem,
        source: &mut dyn FrameSource,
    ) -> Result<(), MapError> {
        let top = layout::stack_top(cpu, nth);
        for at in (top.0 - MAX_STACK..top.0).step_by(PAGE_SIZE as usize) {
            self.table.map_fresh(VirtAddr(at), memory, source)?;
        }
        Ok(())
    }

    /// Opens a window to a device's registers, or says in the log why it could not.
    pub fn open_window(
        &mut self,
        at: PhysAddr,
        size: u64,
        memory: &mut PhysMem,
        source: &mut dyn FrameSource,
    ) -> Option<Mmio> {
        let registers = at..PhysAddr(at.0.saturating_add(size));
        let mapped = self.map_device(registers, memory, source);
        match mapped {
            // SAFETY: it stays mapped as device memory.
            Ok(base) => Some(unsafe { Mmio::new(base) }),
            Err(why) => {
                crate::warn!("no window to the device at {at:?}: {why:?}");
                None
            }
        }
    }

    /// Opens a window to a device's registers, and tells where the first of them is. A page
    /// between two windows stays unmapped.
    pub fn map_device(
        &mut self,
        registers: Range<PhysAddr>,
        memory: &mut PhysMem,
        source: &mut dyn FrameSource,
    ) -> Result<VirtAddr, MapError> {
        if registers.is_empty() || registers.end.0 > PHYS_MAP_SIZE {
            return Err(MapError::OutOfRange);
        }
        let frames = frames_touching(&registers);
        let bytes = (frames.end.0 - frames.start.0) * PAGE_SIZE;
        if bytes > DEVICES.end.saturating_sub(self.next_window) {
            return Err(MapError::OutOfRange);
        }
        let at = VirtAddr(self.next_window);
        let access = Access::WRITE | Access::DEVICE | Access::GLOBAL;
        let phys = frames.start.start()..frames.end.start();
        self.table.map(at, phys, access, memory, source)?;
        self.next_window += bytes + PAGE_SIZE;
        Ok(VirtAddr(at.0 + registers.start.0 % PAGE_SIZE))
    }
}

/// Maps a bank of RAM, and what is `constant` in it (two ranges, in order) read-only.
fn map_bank(
    bank: &PhysRange,
    constant: &[PhysRange; 2],
    table: &mut PageTable,
    memory: &mut PhysMem,
    source: &mut dyn FrameSource,
) -> Result<(), MapError> {
    if bank.end.0 > PHYS_MAP_SIZE {
        return Err(MapError::OutOfRange);
    }
    let inside = |at: PhysAddr| at.clamp(bank.start, bank.end);
    let [a, b] = constant;
    let borders = [bank.start, a.start, a.end, b.start, b.end, bank.end].map(inside);
    for (nth, border) in borders.windows(2).enumerate() {
        let access = if nth % 2 == 0 { Access::WRITE } else { Access::empty() };
        let at = VirtAddr(PHYS_MAP + border[0].0);
        table.map(at, border[0]..border[1], access | Access::GLOBAL, memory, source)?;
    }
    Ok(())
}
