//! What services are asked: one description for those who ask and those who answer.
//!
//! A service's interface is one [`protocol!`]: its version, why requests fail, and each request with its
//! fields, its answer, and what comes of it when the server dies. From that come the types of both sides,
//! and how they are written into a message and read from one. `docs/protocols.md` says how to read it.
//!
//! Two sides that were built from different descriptions never misunderstand each other: the version is half
//! of every request's label. So the check costs nothing, and holds for each server that takes another's place.
//!
//! * [`parcel`]: what is in a message, and what can be.
//! * `calls`: the same with the kernel's messages, behind the feature of that name.
#![no_std]

extern crate alloc;

#[cfg(feature = "calls")]
pub mod calls;
mod describe;
pub mod parcel;
#[cfg(feature = "calls")]
mod serve;

pub use parcel::{Parcel, Put, Reader, Take};
#[cfg(feature = "calls")]
pub use serve::serve;

/// The label of an answer that is no failure.
pub const DONE: u32 = 0;
/// Labels of failures that every protocol has: what was asked makes no sense.
pub const INVALID: u32 = 0xfffe;
/// The server speaks another version of the protocol.
pub const OTHER_VERSION: u32 = 0xffff;

/// The label of a request. Those of version `0xffff` are every service's: pings.
pub const fn label(version: u16, number: u16) -> u32 {
    (version as u32) << 16 | number as u32
}

/// What comes of a request when its server has died, and there is another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Again {
    /// It is made again: it does the same however often it is done.
    Replay,
    /// It is made again with the same number, by which a server knows what was done.
    Receipt,
    /// It is not made again: whoever asked is told that the server is gone.
    Never,
}

/// Why a request of some protocol fails.
pub trait Fails: Copy {
    /// What an answer that makes no sense counts as, and none.
    const OTHERWISE: Self;
    /// The failure of an answer's label, which is not [`DONE`].
    fn of(label: u32) -> Self;
    /// The label of its answer.
    fn label(self) -> u32;
}

/// A request, for whoever makes it.
pub trait Ask: Put {
    /// What is answered.
    type Answer: Put + for<'a> Take<'a>;
    /// Why it may not be.
    type Failure: Fails;
    /// Its label.
    const LABEL: u32;
    /// What comes of it when its server dies.
    const AGAIN: Again;

    /// The answer to it, for its server.
    fn answer(&self, answer: Self::Answer) -> Parcel {
        Parcel::of(answer)
    }

    /// What it was answered, for whoever made it: a label, and what is in the message.
    fn told(label: u32, answer: &mut Reader<'_>) -> Result<Self::Answer, Self::Failure> {
        match label {
            DONE => answer.take().ok_or(Self::Failure::OTHERWISE),
            label => Err(Self::Failure::of(label)),
        }
    }
}
