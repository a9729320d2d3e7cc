//! Translation caches. On this architecture the hardware carries an invalidation to all CPUs, so a
//! shootdown is an instruction and a barrier.

use crate::units::VirtAddr;
use core::arch::asm;

/// Beyond this many pages it is cheaper to drop everything.
const MANY: u64 = 64;

/// Makes every CPU forget the translations of `pages` pages from `start` on, in every address space.
pub fn flush(start: VirtAddr, pages: u64) {
    if pages > MANY {
        return flush_all();
    }
    // SAFETY: dropping translations is always sound; the barriers order the table writes before it
    // and its completion before what follows.
    unsafe {
        asm!("dsb ishst", options(nostack));
        for page in 0..pages {
            let operand = (start.0 / 4096 + page) & ((1 << 44) - 1);
            asm!("tlbi vaae1is, {}", in(reg) operand, options(nostack));
        }
        asm!("dsb ish", "isb", options(nostack));
    }
}

/// Makes every CPU forget all translations.
pub fn flush_all() {
    // SAFETY: as in `flush`.
    unsafe { asm!("dsb ishst", "tlbi vmalle1is", "dsb ish", "isb", options(nostack)) };
}

/// Makes table entries that were empty before visible to the walkers of all CPUs.
pub fn publish() {
    // SAFETY: barriers only.
    unsafe { asm!("dsb ishst", "isb", options(nostack)) };
}

/// Answers other CPUs' requests: there are none here.
pub fn serve() {}
