//! The clock, which is the time stamp counter, and each CPU's deadline, which is its local APIC's
//! timer.
//!
//! Every 64-bit CPU has the counter, it has 64 bits and reading it costs next to nothing; what it does
//! not have is a frequency of its own, so that is measured (`calibrate.rs`), with
//! whatever else counts (`sources.rs`).

mod calibrate;
mod sources;

use super::interrupts::{self, apic};
use crate::boot::BootInfo;
use crate::units::Nanos;
use core::arch::asm;
use spin::Once;

/// What the boot report calls it.
pub const NAME: &str = "local APIC and TSC";

/// What has been found out about this machine's counters.
struct Clock {
    /// Of the time stamp counter, in Hz.
    frequency: u64,
    /// Counts of the local APIC's timer for one of the time stamp counter, in 2^-32ths.
    apic_ratio: u64,
}

static CLOCK: Once<Clock> = Once::new();

/// Finds out the frequency of `now`, in Hz.
pub fn init(info: &BootInfo) -> u64 {
    CLOCK.call_once(|| calibrate::measure(info)).frequency
}

/// Lets this CPU's timer interrupt through; nothing is due yet.
pub fn init_cpu() {
    apic::timer_by_count(Some(interrupts::TIMER));
    disarm();
}

/// The counter at some moment since the trap that led here.
#[inline(always)]
pub fn lately() -> u64 {
    // SAFETY: reads a counter, which every 64-bit CPU has.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// The counter, which never stops, drifts or wraps.
pub fn now() -> u64 {
    // SAFETY: a barrier, which keeps the counter from being read early (SDM vol. 2, RDTSC).
    unsafe { asm!("lfence", options(nostack, preserves_flags)) };
    lately()
}

/// Raises this CPU's timer interrupt when the counter reaches `deadline`, at once if it has. It may
/// come early, when the deadline is further away than the timer can count.
pub fn arm(deadline: u64) {
    let Some(clock) = CLOCK.get() else { return };
    let distance = u128::from(deadline.saturating_sub(now()));
    let count = ((distance * u128::from(clock.apic_ratio)) >> 32) + 1;
    apic::set_count(u32::try_from(count).unwrap_or(u32::MAX));
}

/// Raises none any more.
pub fn disarm() {
    apic::set_count(0);
}

/// Waits, once the frequency is known.
pub(super) fn wait(time: Nanos) {
    let Some(clock) = CLOCK.get() else { return };
    let ticks = u128::from(time.0) * u128::from(clock.frequency) / 1_000_000_000;
    let start = now();
    while u128::from(now() - start) < ticks {
        core::hint::spin_loop();
    }
}
