//! A request as it is made, and what comes back.

use crate::requests::{Create, Set};
use crate::{Asked, Attributes, Entry, Failure, MOST, Result, Space};
use alloc::vec::Vec;
use protocol::{Again, Ask, Parcel, Reader, Take};

/// What a file system is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    label: u32,
    again: Again,
    /// What goes along: when it is made, what it is about, and the bytes of a file from a place on.
    given: Vec<u8>,
    bytes_at: usize,
    /// Bytes that come back at most.
    room: usize,
    /// Its own number, by which the server knows it again; 0 if it needs none.
    number: u64,
}

/// Bytes of the time when a request is made, and of the first number that it is about.
const NUMBER: usize = 8;

impl Request {
    /// A request that gets attributes at most.
    pub fn of<A: Ask<Failure = Failure>>(ask: A) -> Request {
        let mut given = Vec::with_capacity(4 * NUMBER);
        given.extend_from_slice(&[0; NUMBER]);
        Parcel::of(ask).append_to(&mut given);
        let (bytes_at, room) = (given.len(), Attributes::BYTES);
        Request { label: A::LABEL, again: A::AGAIN, given, bytes_at, room, number: 0 }
    }

    /// With bytes of a file that go along.
    pub fn with(mut self, bytes: &[u8]) -> Request {
        self.given.extend_from_slice(bytes);
        self
    }

    /// With room for so many bytes, up to [`MOST`].
    pub fn room(self, room: usize) -> Request {
        Request { room: room.min(MOST), ..self }
    }

    /// With its own number, and the time when it is made, in nanoseconds since 1970.
    pub fn stamped(mut self, number: u64, now: i64) -> Request {
        self.given[..NUMBER].copy_from_slice(&now.to_le_bytes());
        Request { number, ..self }
    }

    /// Whether it changes anything, and so needs a number.
    pub fn changes(&self) -> bool {
        self.again == Again::Receipt
    }

    /// Whether it is about the same, perhaps with other bytes, attributes, or another name for what is new.
    pub fn is_like(&self, other: &Request) -> bool {
        self.label == other.label && self.about() == other.about()
    }

    /// What has to be the same.
    fn about(&self) -> &[u8] {
        match self.label {
            Set::LABEL | Create::LABEL => &self.given[NUMBER..2 * NUMBER],
            _ => &self.given[NUMBER..self.bytes_at],
        }
    }

    /// How it arrives, and what goes along.
    pub fn given(&self) -> (Asked, &[u8]) {
        let lengths = [self.given.len() as u64, self.room as u64];
        (Asked { label: self.label, lengths, number: self.number }, &self.given)
    }

    /// What comes of it when its server dies.
    #[cfg(feature = "calls")]
    pub(crate) fn again(&self) -> Again {
        self.again
    }
}

/// What a file system tells.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Tells {
    /// How many bytes were written.
    pub count: u64,
    /// The bytes that came back.
    pub bytes: Vec<u8>,
}

impl Tells {
    /// The attributes that came back.
    pub fn attributes(&self) -> Result<Attributes> {
        self.reader().take().ok_or(Failure::Broken)
    }

    /// The room that there is.
    pub fn space(&self) -> Result<Space> {
        self.reader().take().ok_or(Failure::Broken)
    }

    /// The entries that came back.
    pub fn entries(&self) -> impl Iterator<Item = Entry> {
        let mut left = self.reader();
        core::iter::from_fn(move || Entry::take(&mut left))
    }

    fn reader(&self) -> Reader<'_> {
        Reader { bytes: &self.bytes, ..Reader::default() }
    }
}
