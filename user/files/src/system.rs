//! What a file system is for its server. Nothing in here makes calls.

use crate::{Attributes, Failure, Node, Result, Space};
use alloc::vec::Vec;
use protocol::{Parcel, Put, Reader, Take};

/// An entry of a directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its name.
    pub name: Vec<u8>,
    /// The number of what it names.
    pub node: Node,
    /// The kind of that.
    pub mode: u32,
    /// Where to go on after it.
    pub next: u64,
}

impl Put for &Entry {
    fn put(self, to: &mut Parcel) {
        [self.next, self.node, self.mode.into()].put(to);
        self.name.as_slice().put(to);
    }
}

impl Take<'_> for Entry {
    fn take(from: &mut Reader<'_>) -> Option<Entry> {
        let (next, node, mode) = (from.take()?, from.take()?, from.take()?);
        let name: &[u8] = from.take()?;
        Some(Entry { name: name.to_vec(), node, mode, next })
    }
}

/// Where bytes go that are read.
pub trait Sink {
    /// How many more it takes.
    fn room(&self) -> usize;
    /// Puts bytes, no more than there is room for, after those before.
    fn put(&mut self, bytes: &[u8]) -> Result<()>;
}

/// Where bytes come from that are written.
pub trait Source {
    /// How many more there are.
    fn left(&self) -> usize;
    /// Takes bytes, no more than are left, after those before.
    fn take(&mut self, bytes: &mut [u8]) -> Result<()>;
}

impl Source for &[u8] {
    fn left(&self) -> usize {
        self.len()
    }

    fn take(&mut self, bytes: &mut [u8]) -> Result<()> {
        let (taken, rest) = self.split_at_checked(bytes.len()).ok_or(Failure::Invalid)?;
        bytes.copy_from_slice(taken);
        *self = rest;
        Ok(())
    }
}

/// The answer to the last request for a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Receipt {
    /// The request's own number; 0 if it has none.
    pub number: u64,
    /// How many bytes were written.
    pub count: u64,
    /// How many of the bytes are told.
    pub length: usize,
    /// What is told.
    pub bytes: [u8; Receipt::MOST],
}

impl Receipt {
    /// Bytes that it tells at most.
    pub const MOST: usize = 128;

    /// One that tells so much.
    pub fn new(number: u64, count: u64, told: &[u8]) -> Receipt {
        let length = told.len().min(Receipt::MOST);
        let mut bytes = [0; Receipt::MOST];
        bytes[..length].copy_from_slice(&told[..length]);
        Receipt { number, count, length, bytes }
    }

    /// What it tells.
    pub fn told(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&self.bytes)
    }
}

/// A file system. What it does not have is [`Failure::Unsupported`].
///
/// Whatever changes it is followed by [`commit`](FileSystem::commit) if it succeeded, and by
/// [`abort`](FileSystem::abort) if not.
pub trait FileSystem {
    /// The file of a name that is neither `.` nor `..`.
    fn lookup(&mut self, directory: Node, name: &[u8]) -> Result<Attributes>;
    /// What a file is.
    fn stat(&mut self, node: Node) -> Result<Attributes>;
    /// Bytes of a file from a place on: as many as there are and there is room for.
    fn read(&mut self, node: Node, at: u64, to: &mut dyn Sink) -> Result<()>;
    /// The first entry at or after a place.
    fn entry(&mut self, directory: Node, place: u64) -> Result<Option<Entry>>;
    /// How much room there is.
    fn space(&mut self) -> Result<Space>;
    /// Mode, owner and times become those, as far as there is such a thing; what it is then.
    fn set(&mut self, _node: Node, _attributes: &Attributes) -> Result<Attributes> {
        Err(Failure::ReadOnly)
    }
    /// Puts bytes at a place; how many.
    fn write(&mut self, _node: Node, _at: u64, _from: &mut dyn Source) -> Result<usize> {
        Err(Failure::ReadOnly)
    }
    /// Makes a file, of which the attributes say kind, permissions, owner and times.
    fn create(
        &mut self,
        _directory: Node,
        _name: &[u8],
        _attributes: &Attributes,
        _target: &[u8],
    ) -> Result<Attributes> {
        Err(Failure::ReadOnly)
    }
    /// Gives a file another name.
    fn link(&mut self, _directory: Node, _node: Node, _name: &[u8]) -> Result<()> {
        Err(Failure::Unsupported)
    }
    /// Takes a name away.
    fn unlink(&mut self, _directory: Node, _name: &[u8]) -> Result<()> {
        Err(Failure::ReadOnly)
    }
    /// Moves a name, and takes the place of what has the other.
    fn rename(&mut self, _from: Node, _name: &[u8], _to: Node, _new: &[u8]) -> Result<()> {
        Err(Failure::ReadOnly)
    }
    /// Makes a file longer or shorter.
    fn truncate(&mut self, _node: Node, _size: u64) -> Result<()> {
        Err(Failure::ReadOnly)
    }
    /// Where a link leads.
    fn target(&mut self, _node: Node) -> Result<Vec<u8>> {
        Err(Failure::Unsupported)
    }
    /// Has all where it stays.
    fn sync(&mut self) -> Result<()> {
        Ok(())
    }
    /// Has all where it stays, for whoever takes the disk away now.
    fn leave(&mut self) -> Result<()> {
        self.sync()
    }
    /// Nobody knows a file any more: one without a name can go.
    fn release(&mut self, _node: Node) -> Result<()> {
        Ok(())
    }
    /// A request was made at this time, in nanoseconds since 1970: what it changes was changed then.
    fn begin(&mut self, _now: i64) {}
    /// What was told when the last change was made, if that has this number.
    fn receipt(&mut self, _number: u64) -> Option<Receipt> {
        None
    }
    /// What was changed since the last one holds, and is answered with this.
    fn commit(&mut self, _receipt: &Receipt) {}
    /// What was changed since the last commit does not hold.
    fn abort(&mut self) {}
}

/// What serves a disk that has no such file system: every request fails for the same reason.
#[derive(Clone, Copy, Debug)]
pub struct Refused(pub Failure);

impl FileSystem for Refused {
    fn lookup(&mut self, _: Node, _: &[u8]) -> Result<Attributes> {
        Err(self.0)
    }
    fn stat(&mut self, _: Node) -> Result<Attributes> {
        Err(self.0)
    }
    fn read(&mut self, _: Node, _: u64, _: &mut dyn Sink) -> Result<()> {
        Err(self.0)
    }
    fn entry(&mut self, _: Node, _: u64) -> Result<Option<Entry>> {
        Err(self.0)
    }
    fn space(&mut self) -> Result<Space> {
        Err(self.0)
    }
}
