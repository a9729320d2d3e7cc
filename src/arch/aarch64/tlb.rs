//! Translation caches. On this architecture the hardware carries an invalidation to all CPUs, so a
//! shootdown is a few instructions and a barrier.

use crate::arch::Flush;
use crate::layout::PHYS_MAP;
use crate::units::{Asid, PAGE_SIZE};
use core::arch::asm;

/// Beyond this many entries it is cheaper to drop everything.
const MANY: u64 = 64;

/// No CPU uses the old translations once this returns. Addresses of the upper half are the same in
/// every address space; those of the lower belong to `asid`.
pub fn flush(stale: Flush, asid: Asid) {
    let (start, end) = (stale.pages.start.0, stale.pages.end.0);
    if (end - start) / stale.step > MANY {
        return flush_all();
    }
    let tag = if start >= PHYS_MAP { 0 } else { u64::from(asid.0) << 48 };
    let all_spaces = start >= PHYS_MAP;
    barrier_before();
    for address in (start..end).step_by(stale.step as usize) {
        let operand = tag | ((address / PAGE_SIZE) & ((1 << 44) - 1));
        // SAFETY: dropping translations is always sound. The forms without "l" drop what the walk
        // cached of the tables as well.
        unsafe {
            match (all_spaces, stale.tables) {
                (true, true) => asm!("tlbi vaae1is, {}", in(reg) operand, options(nostack)),
                (true, false) => asm!("tlbi vaale1is, {}", in(reg) operand, options(nostack)),
                (false, true) => asm!("tlbi vae1is, {}", in(reg) operand, options(nostack)),
                (false, false) => asm!("tlbi vale1is, {}", in(reg) operand, options(nostack)),
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
