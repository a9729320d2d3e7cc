//! What `boot.S` hands to Rust, and how a CPU is made ready for traps.

use super::cpu::{self, Letter, features};
use super::trap::descriptors;
use super::user;
use crate::boot::PhysRange;
use crate::layout::IMAGE_BASE;
use crate::units::{CpuId, PhysAddr};
use core::arch::global_asm;
use core::mem::offset_of;

global_asm!(
    include_str!("boot.S"),
    load_offset = const IMAGE_BASE.cast_signed(),
    letter = sym cpu::LETTER,
    root = const offset_of!(Letter, root),
    stack_top = const offset_of!(Letter, stack_top),
    id = const offset_of!(Letter, id),
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
    /// Where the image was loaded.
    pub(in crate::arch) base: PhysAddr,
}

const _: () = assert!(size_of::<Handoff>() == 24);

/// Where the code lies that runs before there is an upper half, and the first page tables, which
/// serve again when CPUs are started.
pub(super) fn entry_code() -> PhysRange {
    unsafe extern "C" {
        static __boot_start: u8;
        static __boot_end: u8;
    }
    PhysAddr(&raw const __boot_start as u64)..PhysAddr(&raw const __boot_end as u64)
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
