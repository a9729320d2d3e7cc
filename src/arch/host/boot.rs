//! A machine is handed to the kernel as a finished description.

use crate::boot::{BootInfo, PhysRange};
use crate::layout::IMAGE_BASE;
use crate::units::{CpuId, Image, PhysAddr, VirtAddr};

/// What the kernel is started with.
#[derive(Debug)]
pub struct Handoff {
    /// The machine.
    pub info: BootInfo,
    /// The counter at the first instruction.
    pub entry_time: u64,
}

/// Where the image of the kernel would lie.
const LOADED: u64 = 0x4020_0000;

/// The image of the kernel: 64 KiB of each kind.
pub fn image(_handoff: &Handoff) -> Image {
    let at = |kib: u64| VirtAddr(IMAGE_BASE + (kib << 10));
    Image {
        loaded: PhysAddr(LOADED),
        all: at(0)..at(192),
        text: at(0)..at(64),
        rodata: at(64)..at(128),
        data: at(128)..at(192),
    }
}

/// Physical memory that is reachable before there is a physical map: 2 MiB after the image.
pub fn early_window(_handoff: &Handoff) -> PhysRange {
    let end = LOADED + (192 << 10);
    PhysAddr(end)..PhysAddr(end + (2 << 20))
}

/// Prepares this CPU, and gives it its number.
pub fn init_cpu(id: CpuId) {
    super::cpu::set_current(id);
}

/// The table of function names: the test program has its own debugger.
pub fn symbols() -> &'static [u8] {
    &[]
}
