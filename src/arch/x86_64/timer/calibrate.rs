//! How fast the time stamp counter counts, and the local APIC's timer.
//!
//! Every counter of known frequency that the machine has (HPET, ACPI PM timer, PIT) is read at the
//! beginning and at the end of one short window, each together with the time stamp counter. No single
//! one is trusted: the most precise one counts if the median of all agrees with it, else the median,
//! and they are named. A CPU that knows its crystal's frequency (CPUID leaf 15h) is more precise than
//! any of them.

use super::super::cpu::features::{self, Features};
use super::sources::SOURCES;
use super::sources::{self, Source};
use super::{Clock, apic, now};
use crate::boot::BootInfo;
use crate::units::{PhysAddr, VirtAddr};
use arrayvec::ArrayVec;

/// What most machines come near to, for one on which nothing can be measured.
pub(super) const FALLBACK: u64 = 2_000_000_000;

/// The window is a millisecond, or as many counts of the best source as make it precise to 0.01 %:
/// that is 3 ms of the PM timer.
const WINDOWS_PER_SECOND: u64 = 1000;
const COUNTS: u64 = 10_000;
/// Sources that differ by more than one in this many disagree.
const AGREEMENT: u64 = 100;

/// What a source, by its name, says that the frequency is.
type Estimate = (&'static str, u64);

/// A counter's value and the moment, in time stamps, at which it had it.
#[derive(Clone, Copy)]
struct Sample {
    stamp: u64,
    count: u64,
}

/// Measures. Takes 1 to 9 ms, by the best source that there is.
pub(super) fn measure(
    info: &BootInfo,
    map: &mut dyn FnMut(PhysAddr, u64) -> Option<VirtAddr>,
) -> Clock {
    apic::timer_by_count(None);
    apic::set_count(u32::MAX);
    let sources = sources::find(info, map);
    let apic_timer = || u64::from(u32::MAX - apic::timer_count());
    let first: ArrayVec<Sample, SOURCES> =
        sources.iter().map(|source| sample(|| source.read())).collect();
    let apic_first = sample(apic_timer);
    if let (Some(source), Some(from)) = (sources.first(), first.first()) {
        wait(source, from.count);
    }
    // A machine that was held up may have let the others come around.
    let passed = |best: &Source| best.nanos(best.between(first[0].count, best.read()));
    let passed = sources.first().map_or(0, passed);
    let estimates: ArrayVec<Estimate, SOURCES> = sources
        .iter()
        .zip(&first)
        .filter(|(source, _)| passed < source.nanos(source.mask))
        .filter_map(|(source, from)| estimate(source, *from))
        .collect();
    let apic_last = sample(apic_timer);
    apic::set_count(0);
    let counts = u128::from(apic_last.count.wrapping_sub(apic_first.count));
    let stamps = u128::from((apic_last.stamp - apic_first.stamp).max(1));
    Clock { frequency: decide(&estimates), apic_ratio: ((counts << 32) / stamps) as u64 }
}

/// Waits for the end of the window by one source; how often it is asked is bounded, should it stop.
fn wait(source: &Source, from: u64) {
    let window = (source.frequency / WINDOWS_PER_SECOND).max(COUNTS);
    (0..sources::PATIENCE)
        .take_while(|_| source.between(from, source.read()) < window)
        .for_each(|_| core::hint::spin_loop());
}

/// Reads a counter between two time stamps, some times over, and keeps the closest pair: an SMI or a
/// hypervisor that interferes does not count.
fn sample(read: impl Fn() -> u64) -> Sample {
    let attempt = |_| {
        let before = now();
        let count = read();
        let after = now();
        (after - before, Sample { stamp: before + (after - before) / 2, count })
    };
    let closest = (1..4)
        .map(attempt)
        .fold(attempt(0), |best, next| if next.0 < best.0 { next } else { best });
    closest.1
}

fn estimate(source: &Source, from: Sample) -> Option<Estimate> {
    let to = sample(|| source.read());
    let counts = u128::from(source.between(from.count, to.count));
    let stamps = u128::from(to.stamp.saturating_sub(from.stamp));
    let frequency =
        u64::try_from((stamps * u128::from(source.frequency)).checked_div(counts)?).ok()?;
    (frequency > 0).then_some((source.name, frequency))
}

/// The frequency to use, and a warning where that is a choice.
fn decide(estimates: &[Estimate]) -> u64 {
    let mut sorted: ArrayVec<u64, SOURCES> = estimates.iter().map(|&(_, by)| by).collect();
    sorted.sort_unstable();
    let (Some(&(_, best)), Some(low), Some(high)) =
        (estimates.first(), sorted.first(), sorted.last())
    else {
        let told = from_crystal().unwrap_or(FALLBACK);
        crate::warn!("nothing to measure the clock with; taking it to run at {told} Hz");
        return told;
    };
    let median = (sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2]) / 2;
    let agrees = |told: &u64| told.abs_diff(median) <= median / AGREEMENT;
    let chosen = from_crystal().filter(agrees).or(Some(best).filter(agrees)).unwrap_or(median);
    if high - low > median / AGREEMENT {
        crate::warn!("the timers disagree on the clock's frequency; taking {chosen} Hz");
        estimates.iter().for_each(|(name, by)| crate::warn!("  by the {name} it is {by} Hz"));
    }
    if !features::get().contains(Features::STEADY_TSC) {
        crate::debug!("this CPU does not promise that its time stamp counter counts evenly");
    }
    chosen
}

/// What CPUID says exactly: the crystal's frequency and the ratio to it (SDM vol. 3, 19.7.3).
fn from_crystal() -> Option<u64> {
    let leaf = features::cpuid(0x15);
    let frequency = u64::from(leaf.ecx) * u64::from(leaf.ebx);
    frequency.checked_div(leaf.eax.into()).filter(|&frequency| frequency > 0)
}
