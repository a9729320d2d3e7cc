//! Physical memory as the kernel reaches it: mapped, as on every real machine.

pub(super) use crate::arch::mapped::pointer;
pub use crate::arch::mapped::{Objects, PhysMem};

use crate::units::PAGE_SIZE;
use core::arch::asm;

/// DCZID_EL0: the block's size, and above that whether `dc zva` is forbidden. With more than this there are
/// less than four blocks in a page, or none.
const USABLE: u64 = 8;

/// Clears a page: cache lines at a time, where the CPU lets us.
///
/// # Safety
/// A page of RAM begins there that is mapped, and the caller's to change.
pub(in crate::arch) unsafe fn zero_page(page: *mut u8) {
    let dczid: u64;
    // SAFETY: reads an identification register.
    unsafe { asm!("mrs {}, dczid_el0", out(reg) dczid, options(nomem, nostack)) };
    if dczid & 0x1f > USABLE {
        // SAFETY: the caller's page.
        return unsafe { page.write_bytes(0, PAGE_SIZE as usize) };
    }
    let block = 4u64 << (dczid & 0xf);
    // SAFETY: clears the blocks of the caller's page, up to where the next one begins.
    unsafe {
        asm!("2: .rept 4", "dc zva, {at}", "add {at}, {at}, {block}", ".endr",
             "tst {at}, #0xfff", "b.ne 2b",
             at = inout(reg) page => _, block = in(reg) block, options(nostack))
    };
}
