//! The monotonic clock: from the counter's ticks to nanoseconds and back, without drift, overflow or
//! division.
//!
//! A ratio is kept as a whole part and a 64-bit fraction, so that a conversion is two multiplications
//! and is off by less than one unit over the whole range of the counter.

use crate::units::Nanos;

const NANOS_PER_SECOND: u64 = 1_000_000_000;

/// Converts between a counter and the monotonic clock, both zero at power-on.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    frequency: u64,
    nanos_per_tick: Ratio,
    ticks_per_nano: Ratio,
}

impl Clock {
    /// A clock driven by a counter of this frequency in Hz (taken as 1 if it is 0).
    pub fn new(frequency: u64) -> Clock {
        let frequency = frequency.max(1);
        Clock {
            frequency,
            nanos_per_tick: Ratio::new(NANOS_PER_SECOND, frequency),
            ticks_per_nano: Ratio::new(frequency, NANOS_PER_SECOND).rounded_up(),
        }
    }

    /// The counter's frequency in Hz.
    pub fn frequency(&self) -> u64 {
        self.frequency
    }

    /// The moment at which the counter read `ticks`.
    pub fn nanos(&self, ticks: u64) -> Nanos {
        Nanos(self.nanos_per_tick.times(ticks))
    }

    /// What the counter reads when `moment` has come: never before it.
    pub fn ticks(&self, moment: Nanos) -> u64 {
        self.ticks_per_nano.times(moment.0).saturating_add(1)
    }
}

/// `whole + fraction / 2^64`.
#[derive(Clone, Copy, Debug)]
struct Ratio {
    whole: u64,
    fraction: u64,
}

impl Ratio {
    fn new(numerator: u64, denominator: u64) -> Ratio {
        // Long division, bit by bit: what a library would need for 128 bits is never needed again.
        let (mut rest, mut fraction) = (numerator % denominator, 0);
        for _ in 0..u64::BITS {
            // What is shifted out makes it larger than any denominator.
            let bit = rest >> 63 | u64::from(rest << 1 >= denominator);
            rest = (rest << 1).wrapping_sub(bit * denominator);
            fraction = fraction << 1 | bit;
        }
        Ratio { whole: numerator / denominator, fraction }
    }

    /// The next larger one: what it gives is never too little, and by less than one too much.
    fn rounded_up(self) -> Ratio {
        Ratio { fraction: self.fraction.saturating_add(1), ..self }
    }

    /// Saturates: the end of time, 584 years in nanoseconds, is not passed.
    fn times(self, value: u64) -> u64 {
        let fraction = (u128::from(value) * u128::from(self.fraction)) >> 64;
        let whole = u128::from(value) * u128::from(self.whole);
        u64::try_from(whole + fraction).unwrap_or(u64::MAX)
    }
}
