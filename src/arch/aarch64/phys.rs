//! Physical memory as the kernel reaches it: all RAM lies at `PHYS_MAP` plus its address.

use crate::layout::PHYS_MAP;
use crate::units::{Frame, PAGE_SIZE, PhysAddr};
use core::ptr::NonNull;

/// The right to read and write physical memory.
#[derive(Debug)]
pub struct PhysMem(());

impl PhysMem {
    /// # Safety
    /// RAM is reachable through the physical map, and what is written through this value is written
    /// to frames that the writer owns.
    pub const unsafe fn new() -> PhysMem {
        PhysMem(())
    }

    /// One entry of a table.
    pub fn read(&self, table: Frame, index: usize) -> u64 {
        // SAFETY: `new` was promised that RAM is mapped; a table is a frame of RAM.
        unsafe { entry(table, index).read_volatile() }
    }

    /// Sets one entry of a table.
    pub fn write(&mut self, table: Frame, index: usize, bits: u64) {
        // SAFETY: as in `read`, and the writer owns the table.
        unsafe { entry(table, index).write_volatile(bits) }
    }

    /// Clears a frame.
    pub fn zero(&mut self, frame: Frame) {
        // SAFETY: the writer owns the frame.
        unsafe { pointer(frame.start()).cast::<u8>().write_bytes(0, PAGE_SIZE as usize) }
    }

    /// Where the kernel reaches a byte of RAM.
    pub fn pointer(&self, at: PhysAddr) -> NonNull<u8> {
        NonNull::new(pointer(at).cast()).expect("the physical map does not begin at zero")
    }
}

/// Where a physical address can be read and written, once it is mapped.
pub(super) fn pointer(at: PhysAddr) -> *mut u64 {
    (PHYS_MAP + at.0) as *mut u64
}

fn entry(table: Frame, index: usize) -> *mut u64 {
    pointer(PhysAddr(table.start().0 + 8 * (index as u64 & 511)))
}
