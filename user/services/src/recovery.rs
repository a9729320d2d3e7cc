//! How long it took until services served again, many times over: what half, and nearly all, stayed below.
//!
//! Times are counted in eight buckets for each power of two, so what is told of them is at most an eighth too much.
//! The longest is exact.

use alloc::boxed::Box;
use core::fmt;

/// Buckets of a power of two, as a power of two.
const FINE: u32 = 3;
/// Buckets of all.
const BUCKETS: usize = (64 - FINE as usize + 1) << FINE;

/// Times in nanoseconds.
#[derive(Clone, Debug)]
pub struct Times {
    counts: Box<[u32; BUCKETS]>,
    longest: u64,
}

impl Default for Times {
    fn default() -> Times {
        Times { counts: Box::new([0; BUCKETS]), longest: 0 }
    }
}

impl Times {
    /// One more.
    pub fn note(&mut self, time: u64) {
        self.counts[bucket(time)] += 1;
        self.longest = self.longest.max(time);
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.counts.iter().copied().map(u64::from).sum()
    }

    /// What so many of a hundred took at most.
    pub fn percentile(&self, percent: u64) -> u64 {
        let wanted = (self.count() * percent).div_ceil(100);
        let mut seen = 0;
        let found = self.counts.iter().position(|&count| {
            seen += u64::from(count);
            seen >= wanted
        });
        found.map_or(0, last).min(self.longest)
    }
}

/// Where a time is counted.
fn bucket(time: u64) -> usize {
    let octave = (time | 1).ilog2().saturating_sub(FINE);
    ((octave as usize) << FINE) + (time >> octave) as usize
}

/// The longest time of a bucket.
fn last(bucket: usize) -> u64 {
    let octave = (bucket >> FINE).saturating_sub(1);
    let first = (bucket - (octave << FINE)) as u64;
    (first << octave) + ((1 << octave) - 1)
}

/// How many, then what half and 99 of a hundred took at most, then the longest.
impl fmt::Display for Times {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (half, most) = (self.percentile(50), self.percentile(99));
        write!(out, "{:>6} {half:>12} {most:>12} {:>12}", self.count(), self.longest)
    }
}
