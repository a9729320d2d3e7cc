//! Why something that firmware or a loader left cannot be believed.

use core::fmt;

/// What is wrong with it, and where in it that is, or where in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed {
    /// As a person would say it.
    pub what: &'static str,
    /// Where, if it is not the whole.
    pub at: Option<u64>,
}

impl Malformed {
    /// All of it is.
    pub const fn new(what: &'static str) -> Malformed {
        Malformed { what, at: None }
    }

    /// It is at some place.
    pub const fn at(at: u64, what: &'static str) -> Malformed {
        Malformed { what, at: Some(at) }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)?;
        self.at.map_or(Ok(()), |at| write!(f, " at {at:#x}"))
    }
}
