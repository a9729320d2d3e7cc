//! Why calls are refused.

/// Declares the errors once: value, name, meaning.
macro_rules! errors {
    ($($(#[doc = $meaning:literal])+ $name:ident = $value:literal,)+) => {
        /// Why a call was refused. Its negative is the status.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum Error {
            $($(#[doc = $meaning])+ $name = $value,)+
        }

        impl Error {
            /// All of them, with what they mean.
            pub const ALL: &[(Error, &str)] = &[$((Error::$name, concat!($($meaning),+)),)+];
        }
    };
}

errors! {
    /// There is no such call.
    NoSuchCall = 1,
    /// The process has no such handle.
    BadHandle = 2,
    /// The handle names an object of another kind.
    WrongKind = 3,
    /// The handle lacks the right.
    NoRight = 4,
    /// An argument makes no sense.
    Invalid = 5,
    /// An address is not the caller's to use in this way.
    BadAddress = 6,
    /// The quota, or the machine's memory, does not suffice.
    NoMemory = 7,
    /// The port's queue has no room.
    Full = 8,
    /// The deadline has passed.
    TimedOut = 9,
    /// The other side is gone, or has dropped the call.
    PeerGone = 10,
    /// Another thread cancelled the wait.
    Cancelled = 11,
    /// Something is there already.
    Occupied = 12,
    /// Nothing is there.
    NotFound = 13,
    /// The object is in a state that forbids it.
    Busy = 14,
    /// This machine cannot.
    Unsupported = 15,
}

impl Error {
    /// As a call's status says it.
    pub const fn status(self) -> u64 {
        (self as i64).wrapping_neg() as u64
    }

    /// What a call's status says.
    pub fn check(status: u64) -> Result<u64, Error> {
        if (status as i64) >= 0 {
            return Ok(status);
        }
        let value = (status as i64).wrapping_neg();
        Err(Error::ALL
            .iter()
            .find(|(error, _)| *error as i64 == value)
            .map_or(Error::Invalid, |e| e.0))
    }
}
