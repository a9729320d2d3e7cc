//! The generic timer: the virtual counter, and the deadline of each CPU's virtual timer.

use super::interrupts;
use crate::boot::BootInfo;
use aarch64_cpu::asm::barrier;
use aarch64_cpu::registers::{
    CNTFRQ_EL0, CNTKCTL_EL1, CNTV_CTL_EL0, CNTV_CVAL_EL0, CNTVCT_EL0, Readable, Writeable,
};

/// What the boot report calls it.
pub const NAME: &str = "ARM generic timer";

/// What QEMU and most boards count at, for a counter that nobody gave a frequency.
const FALLBACK_FREQUENCY: u64 = 62_500_000;

/// The frequency of `now`, in Hz.
pub fn init(info: &BootInfo) -> u64 {
    let counted = Some(CNTFRQ_EL0.get()).filter(|&frequency| frequency != 0);
    info.timer_frequency.or(counted).unwrap_or_else(|| {
        crate::warn!("nobody says how fast the counter counts; assuming {FALLBACK_FREQUENCY} Hz");
        FALLBACK_FREQUENCY
    })
}

/// Lets this CPU's timer interrupt through.
pub fn init_cpu() {
    // User code may read the virtual counter, and nothing else.
    CNTKCTL_EL1.write(CNTKCTL_EL1::EL0VCTEN::SET);
    disarm();
    interrupts::enable_timer();
}

/// The counter, which never stops, drifts or wraps.
pub fn now() -> u64 {
    // Keeps the counter from being read early.
    barrier::isb(barrier::SY);
    lately()
}

/// The counter at some moment since the trap that led here.
#[inline(always)]
pub fn lately() -> u64 {
    CNTVCT_EL0.get()
}

/// Raises this CPU's timer interrupt when the counter reaches `deadline`, at once if it has. The
/// interrupt of the deadline before is gone when this returns, and so does not come again.
pub fn arm(deadline: u64) {
    CNTV_CVAL_EL0.set(deadline);
    CNTV_CTL_EL0.set(1);
    barrier::isb(barrier::SY);
}

/// Raises none any more.
pub fn disarm() {
    CNTV_CTL_EL0.set(0);
}
