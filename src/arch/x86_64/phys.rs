//! Physical memory as the kernel reaches it: mapped, as on every real machine.

pub(super) use crate::arch::mapped::pointer;
pub use crate::arch::mapped::{Objects, PhysMem};

use crate::units::PAGE_SIZE;
use core::arch::asm;

/// Clears a page. The string instructions are what a CPU does best, and cost one instruction a word
/// where instructions are counted.
///
/// # Safety
/// The page is mapped, and the caller's to change.
pub(in super::super) unsafe fn zero_page(page: *mut u8) {
    // SAFETY: the page is the caller's, and the direction flag is clear in the kernel.
    unsafe {
        asm!("rep stosq", inout("rdi") page => _, inout("rcx") PAGE_SIZE / 8 => _, in("rax") 0_u64,
             options(nostack, preserves_flags))
    }
}

/// Copies bytes.
///
/// # Safety
/// Both are mapped, do not overlap, and what is written is the caller's to change.
#[inline]
pub unsafe fn copy(to: *mut u8, from: *const u8, bytes: usize) {
    // SAFETY: the caller vouches for both, and the direction flag is clear in the kernel.
    unsafe {
        asm!("rep movsq", "mov ecx, {rest:e}", "rep movsb", rest = in(reg) bytes % 8,
             inout("rdi") to => _, inout("rsi") from => _, inout("rcx") bytes / 8 => _,
             options(nostack, preserves_flags))
    }
}
