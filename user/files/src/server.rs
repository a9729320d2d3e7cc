//! The side that answers.

use crate::{Attributes, Failure, MOST, Node, Operation, Result, Space, word, words};
use alloc::vec::Vec;
use rt::abi::{Arrival, FOREVER};
use rt::message::{Message, Received};
use rt::object::{lease_read, lease_write};
use rt::{Error, Port};

/// Bytes that a request has beside those of a file.
const HEAD: usize = 512;

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

impl Entry {
    /// As it is in a message: three words and the name, padded to words.
    fn encode(&self) -> Vec<u8> {
        let length = (self.name.len() as u64) << 32 | u64::from(self.mode);
        let head: [u8; 24] = words([self.next, self.node, length]);
        let mut bytes = [&head, self.name.as_slice()].concat();
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    /// The first of several, and the rest.
    pub(crate) fn decode(bytes: &[u8]) -> Option<(Entry, &[u8])> {
        let (next, node, length) = (word(bytes, 0)?, word(bytes, 1)?, word(bytes, 2)?);
        let end = 24 + (length >> 32) as usize;
        let name = bytes.get(24..end)?.to_vec();
        let rest = bytes.get(end.next_multiple_of(8)..).unwrap_or(&[]);
        Some((Entry { name, node, mode: length as u32, next }, rest))
    }
}

/// A file system, for [`serve`]. What it does not have is [`Failure::Unsupported`].
pub trait FileSystem {
    /// The file of a name that is neither `.` nor `..`.
    fn lookup(&mut self, directory: Node, name: &[u8]) -> Result<Attributes>;
    /// What a file is.
    fn stat(&mut self, node: Node) -> Result<Attributes>;
    /// Bytes of a file from a place on; how many there are.
    fn read(&mut self, node: Node, at: u64, bytes: &mut [u8]) -> Result<usize>;
    /// The first entry at or after a place.
    fn entry(&mut self, directory: Node, place: u64) -> Result<Option<Entry>>;
    /// How much room there is.
    fn space(&mut self) -> Result<Space>;
    /// Mode, owner and times become those.
    fn set(&mut self, _node: Node, _attributes: &Attributes) -> Result<()> {
        Err(Failure::ReadOnly)
    }
    /// Puts bytes at a place; how many.
    fn write(&mut self, _node: Node, _at: u64, _bytes: &[u8]) -> Result<usize> {
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
    /// Nobody knows a file any more: one without a name can go.
    fn release(&mut self, _node: Node) {}
}

/// Answers requests until the port is no more.
pub fn serve(port: &Port, files: &mut impl FileSystem) -> Error {
    let mut bytes = alloc::vec![0; HEAD + MOST];
    let mut answer = None;
    loop {
        let received = match answer.take() {
            Some(answer) => port.reply_receive(&answer, FOREVER),
            None => port.receive(FOREVER),
        };
        match received {
            Ok(received) if received.arrival == Arrival::Call => {
                answer = Some(match request(&received, files, &mut bytes) {
                    Ok((length, count)) => Message::new(0).words(&[length, count]),
                    Err(failure) => Message::new(failure as u32),
                });
            }
            Ok(_) => {}
            Err(error) => return error,
        }
    }
}

/// Does what is asked for: bytes that were written to the window, and how many were taken.
fn request(
    received: &Received,
    files: &mut impl FileSystem,
    buffer: &mut [u8],
) -> Result<(u64, u64)> {
    let [given, room, ..] = received.words;
    let given = buffer.get_mut(..given as usize).ok_or(Failure::Invalid)?;
    lease_read(None, 0, 0, given).map_err(|_| Failure::Invalid)?;
    let operation = Operation::of(received.label()).ok_or(Failure::Unsupported)?;
    let (Some(first), Some(second)) = (word(given, 0), word(given, 1)) else {
        return Err(Failure::Invalid);
    };
    if operation == Operation::Read {
        let window = buffer.get_mut(..room as usize).ok_or(Failure::Invalid)?;
        let count = files.read(first, second, window)?;
        return put(&buffer[..count]).map(|()| (count as u64, 0));
    }
    let bytes = &given[16..];
    let (told, count) = match operation {
        Operation::Lookup => (files.lookup(first, bytes)?.encode().to_vec(), 0),
        Operation::Stat => (files.stat(first)?.encode().to_vec(), 0),
        Operation::Write => (Vec::new(), files.write(first, second, bytes)?),
        Operation::List => (list(files, first, second, room as usize)?, 0),
        Operation::Target => (files.target(first)?, 0),
        Operation::Space => (files.space()?.encode().to_vec(), 0),
        Operation::Create => {
            let attributes = Attributes::decode(bytes)?;
            let (name, target) = two(&bytes[Attributes::BYTES..])?;
            (files.create(first, name, &attributes, target)?.encode().to_vec(), 0)
        }
        _ => {
            change(files, operation, [first, second], bytes)?;
            (Vec::new(), 0)
        }
    };
    let told = &told[..told.len().min(room as usize)];
    put(told)?;
    Ok((told.len() as u64, count as u64))
}

/// What gives nothing.
fn change(
    files: &mut impl FileSystem,
    operation: Operation,
    [first, second]: [u64; 2],
    bytes: &[u8],
) -> Result<()> {
    match operation {
        Operation::Set => files.set(first, &Attributes::decode(bytes)?),
        Operation::Link => files.link(first, second, bytes),
        Operation::Unlink => files.unlink(first, bytes),
        Operation::Rename => {
            let (name, new) = two(bytes)?;
            files.rename(first, name, second, new)
        }
        Operation::Truncate => files.truncate(first, second),
        Operation::Sync => files.sync(),
        Operation::Release => {
            files.release(first);
            Ok(())
        }
        _ => Err(Failure::Unsupported),
    }
}

/// Two names with a NUL between.
fn two(bytes: &[u8]) -> Result<(&[u8], &[u8])> {
    let at = bytes.iter().position(|&byte| byte == 0).ok_or(Failure::Invalid)?;
    Ok((&bytes[..at], &bytes[at + 1..]))
}

/// As many entries as fit.
fn list(files: &mut impl FileSystem, node: Node, mut at: u64, room: usize) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    while let Some(entry) = files.entry(node, at)? {
        let bytes = entry.encode();
        if all.len() + bytes.len() > room.min(MOST) {
            break;
        }
        all.extend(bytes);
        at = entry.next;
    }
    Ok(all)
}

fn put(bytes: &[u8]) -> Result<()> {
    if bytes.is_empty() {
        return Ok(());
    }
    lease_write(None, 1, 0, bytes).map_err(|_| Failure::Invalid)
}
