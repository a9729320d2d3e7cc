//! Translation caches. On this architecture the hardware carries an invalidation to all CPUs, so a
//! shootdown is a few instructions and a barrier.

use crate::units::{Asid, PAGE_SIZE, VirtAddr};
use core::arch::asm;
use core::ops::Range;

/// No CPU uses what the tables of `asid` had for these pages once this returns, nor, if tables went
/// too, what the walk cached of those.
pub fn flush(pages: Range<VirtAddr>, tables: bool, asid: Asid) {
    barrier_before();
    for address in (pages.start.0..pages.end.0).step_by(PAGE_SIZE as usize) {
        let operand = (u64::from(asid.0) << 48) | (address / PAGE_SIZE);
        // SAFETY: dropping translations is always sound.
        unsafe {
            match tables {
                true => asm!("tlbi vae1is, {}", in(reg) operand, options(nostack)),
                false => asm!("tlbi vale1is, {}", in(reg) operand, options(nostack)),
            }
        }
    }
    barrier_after();
}

/// No CPU uses any old translation, of any address space, once this returns.
pub fn flush_all() {
    barrier_before();
    // SAFETY: as in `flush`.
    unsafe { asm!("tlbi vmalle1is", options(nostack)) };
    barrier_after();
}

/// No CPU uses any old translation of the lower half that belongs to `asid` once this returns.
pub fn flush_space(asid: Asid) {
    barrier_before();
    // SAFETY: as in `flush`.
    unsafe { asm!("tlbi aside1is, {}", in(reg) u64::from(asid.0) << 48, options(nostack)) };
    barrier_after();
}

/// Entries that were empty and are no more are seen by every CPU that looks after this.
pub fn publish() {
    // SAFETY: barriers only.
    unsafe { asm!("dsb ishst", "isb", options(nostack)) };
}

/// Answers other CPUs' requests: there are none here.
pub fn serve() {}

/// Table writes come before the invalidation.
fn barrier_before() {
    // SAFETY: a barrier only.
    unsafe { asm!("dsb ishst", options(nostack)) };
}

/// The invalidation is complete on all CPUs before what follows.
fn barrier_after() {
    // SAFETY: barriers only.
    unsafe { asm!("dsb ish", "isb", options(nostack)) };
}
