//! Translation caches. On this architecture the hardware carries an invalidation to all CPUs, so a
//! shootdown is a few instructions and a barrier.

use crate::units::{Asid, PAGE_SIZE, VirtAddr};
use core::arch::asm;
use core::ops::Range;

/// No CPU uses what the tables of `asid` had for these pages once this returns, nor, if tables went
/// too, what the walk cached of those.
pub fn flush(pages: Range<VirtAddr>, tables: bool, asid: Asid) {
    // SAFETY: a barrier only: table writes come before the invalidation.
    unsafe { asm!("dsb ishst", options(nostack)) };
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
    // SAFETY: barriers only: the invalidation is complete on all CPUs before what follows.
    unsafe { asm!("dsb ish", "isb", options(nostack)) };
}

/// No CPU uses any old translation, of any address space, once this returns.
pub fn flush_all() {
    // SAFETY: as in `flush`, with its barriers.
    unsafe { asm!("dsb ishst", "tlbi vmalle1is", "dsb ish", "isb", options(nostack)) };
}

/// No CPU uses any old translation of the lower half that belongs to `asid` once this returns.
pub fn flush_space(asid: Asid) {
    let operand = u64::from(asid.0) << 48;
    // SAFETY: as in `flush`, with its barriers.
    unsafe {
        asm!("dsb ishst", "tlbi aside1is, {}", "dsb ish", "isb", in(reg) operand, options(nostack))
    };
}

/// Entries that were empty and are no more are seen by every CPU that looks after this.
pub fn publish() {
    // SAFETY: barriers only.
    unsafe { asm!("dsb ishst", "isb", options(nostack)) };
}

/// Answers other CPUs' requests: there are none here.
pub fn serve() {}
