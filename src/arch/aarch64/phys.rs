//! Physical memory as the kernel reaches it: mapped, as on every real machine.

pub(super) use crate::arch::mapped::pointer;
pub use crate::arch::mapped::{Objects, PhysMem};

use crate::units::PAGE_SIZE;
use core::arch::asm;

/// DCZID_EL0: `dc zva` is not allowed. Below it is the block's size.
const DZP: u64 = 1 << 4;

/// Clears a page: cache lines at a time, where the CPU lets us.
///
/// # Safety
/// A page of RAM begins there that is mapped, and the caller's to change.
pub(in crate::arch) unsafe fn zero_page(page: *mut u8) {
    let dczid: u64;
    // SAFETY: reads an identification register.
    unsafe { asm!("mrs {}, dczid_el0", out(reg) dczid, options(nomem, nostack)) };
    if dczid & DZP != 0 {
        // SAFETY: the caller's page.
        return unsafe { page.write_bytes(0, PAGE_SIZE as usize) };
    }
    // At most 2 KiB (Arm ARM D17.2.33): there are two blocks in a page.
    let block = 4u64 << (dczid & 0xf);
    // SAFETY: clears the blocks of the caller's page, up to where the next one begins.
    unsafe {
        asm!("2: dc zva, {at}", "add {at}, {at}, {block}", "dc zva, {at}", "add {at}, {at}, {block}",
             "tst {at}, #0xfff", "b.ne 2b",
             at = inout(reg) page => _, block = in(reg) block, options(nostack))
    };
}
