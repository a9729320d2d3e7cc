//! When a service that has ended is started again.
//!
//! The first two times at once, then after 10 ms, then after twice as long each time, up to a second. A life in
//! which something was served begins all over. After [`LIVES`] without, it is given up.

/// Lives without anything served that a service has.
pub const LIVES: u32 = 10;
const MILLISECOND: u64 = 1_000_000;
const FIRST: u64 = 10 * MILLISECOND;
const LONGEST: u64 = 1_000 * MILLISECOND;

/// How often a service has died in vain.
#[derive(Clone, Copy, Default, Debug)]
pub struct Patience {
    deaths: u32,
}

/// What comes of a death.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Another life, after so many nanoseconds.
    Again(u64),
    /// None.
    GiveUp,
}

impl Patience {
    /// A life has ended, in which something was served, or not.
    pub fn died(&mut self, has_served: bool) -> Verdict {
        self.deaths = if has_served { 1 } else { self.deaths + 1 };
        match self.deaths {
            LIVES.. => Verdict::GiveUp,
            0..=2 => Verdict::Again(0),
            more => Verdict::Again((FIRST << (more - 3)).min(LONGEST)),
        }
    }
}
