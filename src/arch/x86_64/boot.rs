//! What `boot.S` hands to Rust, where the image lies, and how a CPU is made ready for traps.

use super::cpu::features;
use super::trap::descriptors;
use super::user;
use crate::boot::PhysRange;
use crate::layout::IMAGE_BASE;
use crate::units::{CpuId, Image, PhysAddr, VirtAddr};
use core::arch::global_asm;

global_asm!(
    include_str!("boot.S"),
    load_offset = const IMAGE_BASE,
    options(att_syntax)
);

/// What `boot.S` found at the first instruction.
#[repr(C)]
pub struct Handoff {
    /// What was in eax: the magic number of multiboot2, or zero from a PVH loader.
    pub(super) magic: u32,
    /// What was in ebx: where the loader's information lies.
    pub(super) information: u32,
    /// The time stamp counter at the first instruction.
    pub entry_time: u64,
}

const _: () = assert!(size_of::<Handoff>() == 16);

unsafe extern "C" {
    static __boot_start: u8;
    static __boot_end: u8;
    static __image_start: u8;
    static __text_start: u8;
    static __text_end: u8;
    static __rodata_start: u8;
    static __rodata_end: u8;
    static __symbols_start: u8;
    static __symbols_end: u8;
    static __data_start: u8;
    static __image_end: u8;
}

/// The image's sections, from the linker script: it lies where it was linked to be loaded.
pub fn image(_handoff: &Handoff) -> Image {
    let (start, end) = (place(&raw const __image_start), place(&raw const __image_end));
    Image {
        loaded: PhysAddr(start.0 - IMAGE_BASE),
        all: start..end,
        text: place(&raw const __text_start)..place(&raw const __text_end),
        rodata: place(&raw const __rodata_start)..place(&raw const __rodata_end),
        data: place(&raw const __data_start)..end,
    }
}

/// The table of function names, see `symbols`.
pub fn symbols() -> &'static [u8] {
    let start = &raw const __symbols_start;
    let size = &raw const __symbols_end as usize - start as usize;
    // SAFETY: the linker script sets this part of the read-only data aside.
    unsafe { core::slice::from_raw_parts(start, size) }
}

/// Where the code lies that runs before there is an upper half, and the first page tables, which
/// serve again when CPUs are started.
pub(super) fn entry_code() -> PhysRange {
    PhysAddr(place(&raw const __boot_start).0)..PhysAddr(place(&raw const __boot_end).0)
}

/// Physical memory that the first page tables map read-write. What lies below 1 MiB is mapped as
/// well, but belongs to firmware.
pub fn early_window(_handoff: &Handoff) -> PhysRange {
    PhysAddr(1 << 20)..PhysAddr(4 << 30)
}

/// Makes the CPU we run on ready for traps, and gives it its number.
pub fn init_cpu(id: CpuId) {
    descriptors::load(id);
    features::switch_on();
    user::init_cpu(id);
}

/// Only the address of a symbol means anything.
fn place(symbol: *const u8) -> VirtAddr {
    VirtAddr(symbol as u64)
}
