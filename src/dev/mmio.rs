//! Device registers, mapped uncached: 32 bits at a time.

use crate::units::VirtAddr;

/// A window of 32-bit device registers.
#[derive(Clone, Copy, Debug)]
pub struct Mmio(VirtAddr);

impl Mmio {
    /// # Safety
    /// `base` must stay mapped as device memory for as long as the value lives, over all registers
    /// that will be used, and using them must not break memory safety.
    pub const unsafe fn new(base: VirtAddr) -> Mmio {
        Mmio(base)
    }

    /// The part of the window that begins at `offset` bytes.
    pub fn at(&self, offset: u64) -> Mmio {
        Mmio(VirtAddr(self.0.0 + offset))
    }

    /// Reads the register at `offset` bytes.
    pub fn read(&self, offset: u64) -> u32 {
        // SAFETY: `new` was promised a mapped window of device registers.
        unsafe { ((self.0.0 + offset) as *const u32).read_volatile() }
    }

    /// Writes the register at `offset` bytes.
    pub fn write(&self, offset: u64, value: u32) {
        // SAFETY: as in `read`.
        unsafe { ((self.0.0 + offset) as *mut u32).write_volatile(value) }
    }

    /// Writes the 64-bit register at `offset` bytes.
    pub fn write64(&self, offset: u64, value: u64) {
        // SAFETY: as in `read`.
        unsafe { ((self.0.0 + offset) as *mut u64).write_volatile(value) }
    }

    /// Reads the 64-bit register at `offset` bytes.
    pub fn read64(&self, offset: u64) -> u64 {
        // SAFETY: as in `read`.
        unsafe { ((self.0.0 + offset) as *const u64).read_volatile() }
    }
}
