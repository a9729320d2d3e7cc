//! How fast the time stamp counter counts, and the local APIC's timer.
//!
//! Whatever counts at a known frequency (`sources.rs`) is read at the beginning and at the end of one
//! short window, together with the two. A CPU that knows its crystal's frequency (CPUID leaf 15h) is
//! more precise than any of them. No single one is trusted: the first that another agrees with counts.

use super::super::cpu::features;
use super::sources::{self, SOURCES, Source};
use super::{Clock, apic, now};
use crate::boot::BootInfo;
use arrayvec::ArrayVec;

/// What most machines come near to, for one on which nothing can be measured.
const FALLBACK: u64 = 2_000_000_000;

/// The window is a millisecond.
const WINDOWS_PER_SECOND: u64 = 1000;
/// What differs by more than one in this many disagrees.
const AGREEMENT: u64 = 100;

/// What all counters read at one moment.
struct Moment {
    stamp: u64,
    /// Time stamps that it took to read the others.
    took: u64,
    apic: u64,
    counts: [u64; SOURCES],
}

/// Measures, which takes a millisecond.
pub(super) fn measure(info: &BootInfo) -> Clock {
    let sources = sources::find(info);
    apic::timer_by_count(None);
    apic::set_count(u32::MAX);
    let first = moment(&sources);
    if let Some(source) = sources.first() {
        wait(source, first.counts[0]);
    }
    let last = moment(&sources);
    apic::set_count(0);
    let stamps = (last.stamp - first.stamp).max(1);
    let by = |(nth, source): (usize, &Source)| {
        let counts = source.between(first.counts[nth], last.counts[nth]);
        (stamps * source.frequency).checked_div(counts)
    };
    let measured = sources.iter().enumerate().filter_map(by);
    let frequency = decide(&from_crystal().into_iter().chain(measured).collect());
    Clock { frequency, apic_ratio: (last.apic.wrapping_sub(first.apic) << 32) / stamps }
}

/// Waits for the end of the window by one source; how often it is asked is bounded, should it stop.
fn wait(source: &Source, from: u64) {
    let window = source.frequency / WINDOWS_PER_SECOND;
    (0..sources::PATIENCE)
        .take_while(|_| source.between(from, source.read()) < window)
        .for_each(|_| core::hint::spin_loop());
}

/// Reads all counters, some times over, and keeps what took the least time: an SMI or a hypervisor that
/// interferes does not count.
fn moment(sources: &[Source]) -> Moment {
    let attempt = || {
        let before = now();
        let apic = u64::from(u32::MAX - apic::timer_count());
        let mut counts = [0; SOURCES];
        counts.iter_mut().zip(sources).for_each(|(count, source)| *count = source.read());
        let after = now();
        Moment { stamp: before.midpoint(after), took: after - before, apic, counts }
    };
    (1..4).fold(attempt(), |best, _| {
        let next = attempt();
        if next.took < best.took { next } else { best }
    })
}

/// The frequency to use of those that were found, the most precise first, and a warning where that is a
/// choice.
fn decide(found: &ArrayVec<u64, { SOURCES + 1 }>) -> u64 {
    let agree = |one: u64, other: u64| one.abs_diff(other) <= one / AGREEMENT;
    let Some(&first) = found.first() else {
        crate::warn!("nothing to measure the clock with; taking it to run at {FALLBACK} Hz");
        return FALLBACK;
    };
    if found.iter().all(|&other| agree(first, other)) {
        return first;
    }
    let backed = |&&one: &&u64| found.iter().filter(|&&other| agree(one, other)).count() > 1;
    let chosen = *found.iter().find(backed).unwrap_or(&first);
    crate::warn!("the timers disagree on the clock's frequency, {found:?}; taking {chosen} Hz");
    chosen
}

/// What CPUID says exactly: the crystal's frequency and the ratio to it (SDM vol. 3, 19.7.3).
fn from_crystal() -> Option<u64> {
    let [divisor, factor, crystal, _] = features::cpuid(0x15);
    let frequency = u64::from(crystal) * u64::from(factor);
    frequency.checked_div(divisor.into()).filter(|&frequency| frequency > 0)
}
