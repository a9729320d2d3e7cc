//! The clock's arithmetic: exact to a nanosecond over the whole range of the counter.

use ochre::clock::Clock;
use ochre::units::Nanos;
use proptest::prelude::*;

/// What the counter's ticks are worth, by the book.
fn exact(ticks: u64, frequency: u64) -> u128 {
    u128::from(ticks) * 1_000_000_000 / u128::from(frequency)
}

fn frequency() -> impl Strategy<Value = u64> {
    prop_oneof![1u64..=10_000_000_000, Just(62_500_000), Just(19_200_000), Just(54_000_000)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 16 } else { 4096 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nanos_are_exact_and_saturate(ticks: u64, frequency in frequency()) {
        let nanos = Clock::new(frequency).nanos(ticks).0;
        let exact = u64::try_from(exact(ticks, frequency)).unwrap_or(u64::MAX);
        prop_assert!(nanos <= exact && exact - nanos <= 1, "{nanos} for {exact}");
    }

    #[test]
    fn time_never_goes_back(ticks: u64, step in 0u64..1_000_000, frequency in frequency()) {
        let clock = Clock::new(frequency);
        prop_assert!(clock.nanos(ticks) <= clock.nanos(ticks.saturating_add(step)));
    }

    /// A deadline is never early, and no more than two ticks late.
    #[test]
    fn deadlines_are_not_early(moment in 0u64..1 << 60, frequency in frequency()) {
        let clock = Clock::new(frequency);
        let ticks = clock.ticks(Nanos(moment));
        prop_assert!(clock.nanos(ticks).0.saturating_add(1) >= moment, "early");
        if (2..u64::MAX).contains(&ticks) {
            prop_assert!(clock.nanos(ticks - 2).0 <= moment, "late");
        }
    }
}

/// A year of ticks at 54 MHz (a Pi 4's counter) is a year to the nanosecond.
#[test]
fn a_year_does_not_drift() {
    const YEAR: u64 = 365 * 24 * 3600;
    let nanos = Clock::new(54_000_000).nanos(YEAR * 54_000_000).0;
    assert!(YEAR * 1_000_000_000 - nanos <= 1, "{nanos}");
}

#[test]
fn a_counter_without_a_frequency_is_survived() {
    assert_eq!(Clock::new(0).frequency(), 1);
    assert_eq!(Clock::new(0).nanos(u64::MAX), Nanos(u64::MAX));
}

/// A moment just behind a tick, far enough from power-on for the ratio's own error to count.
#[test]
#[cfg_attr(miri, ignore = "counts for too long")]
fn a_late_moment_just_after_a_tick_is_not_early() {
    for frequency in [1_000_000, 19_200_000, 54_000_000, 62_500_000, 999_999_937] {
        let clock = Clock::new(frequency);
        for second in (0..50 * 365 * 24 * 3600u64).step_by(1_234_567) {
            for after in 0..70 {
                let moment = second * 1_000_000_000 + after;
                let exact = u128::from(moment) * u128::from(frequency);
                let ticks = u128::from(clock.ticks(Nanos(moment))) * 1_000_000_000;
                assert!(ticks > exact, "{moment} ns at {frequency} Hz");
                assert!(ticks <= exact + 2_000_000_000, "{moment} ns at {frequency} Hz");
            }
        }
    }
}
