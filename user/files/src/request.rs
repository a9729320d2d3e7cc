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
    /// What it is about.
    fields: Parcel,
    /// The bytes of a file that go along.
    bytes: Vec<u8>,
    /// Bytes that come back at most.
    room: usize,
    /// Its own number, by which the server knows it again; 0 if it needs none.
    number: u64,
    /// When it is made: nanoseconds since 1970.
    now: i64,
}

impl Request {
    /// A request that gets attributes at most.
    pub fn of<A: Ask<Failure = Failure>>(ask: A) -> Request {
        Request {
            label: A::LABEL,
            again: A::AGAIN,
            fields: Parcel::of(ask),
            bytes: Vec::new(),
            room: Attributes::BYTES,
            number: 0,
            now: 0,
        }
    }

    /// With bytes of a file that go along.
    pub fn with(self, bytes: &[u8]) -> Request {
        Request { bytes: bytes.to_vec(), ..self }
    }

    /// With room for so many bytes, up to [`MOST`].
    pub fn room(self, room: usize) -> Request {
        Request { room: room.min(MOST), ..self }
    }

    /// With its own number, and the time when it is made, in nanoseconds since 1970.
    pub fn stamped(self, number: u64, now: i64) -> Request {
        Request { number, now, ..self }
    }

    /// Whether it changes anything, and so needs a number.
    pub fn changes(&self) -> bool {
        self.again == Again::Receipt
    }

    /// Whether it is about the same, perhaps with other bytes, attributes, or another name for what is new.
    pub fn is_like(&self, other: &Request) -> bool {
        let same = match self.label {
            Set::LABEL | Create::LABEL => {
                self.fields.words().first() == other.fields.words().first()
            }
            _ => self.fields == other.fields,
        };
        same && self.label == other.label
    }

    /// How it arrives, and the bytes that go along.
    pub fn given(&self) -> (Asked, Vec<u8>) {
        let given = [&self.now.to_le_bytes(), &*self.fields.to_bytes(), &*self.bytes].concat();
        let lengths = [given.len() as u64, self.room as u64];
        (Asked { label: self.label, lengths, number: self.number }, given)
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
