//! The side that asks.

use crate::{
    Attributes, Entry, Failure, MOST, NUMBERS, Node, Operation, Result, Space, word, words,
};
use alloc::vec::Vec;
use rt::message::{Answer, Message};
use rt::{Error, Port, time};

/// How many servers may end over one request. If there is none any more, calls end at once.
const ENDS: u32 = 64;
/// How often one may be late.
const WAITS: u32 = 8;
/// Nanoseconds after which a server is late.
const PATIENCE: u64 = 6_000_000_000;

/// What a file system is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// What it is to do.
    pub operation: Operation,
    /// The numbers that it is about.
    pub numbers: [u64; 2],
    /// The bytes that go along.
    pub bytes: Vec<u8>,
    /// Bytes that come back at most.
    pub room: usize,
    /// Its own number, by which the server knows it again; 0 if it needs none.
    pub number: u64,
    /// When it is made: nanoseconds since 1970.
    pub now: i64,
}

impl Request {
    /// A request that needs no more than numbers, and gets attributes at most.
    pub fn new(operation: Operation, numbers: [u64; 2]) -> Request {
        Request {
            operation,
            numbers,
            bytes: Vec::new(),
            room: Attributes::BYTES,
            number: 0,
            now: 0,
        }
    }

    /// With bytes that go along.
    pub fn with(self, bytes: &[u8]) -> Request {
        Request { bytes: bytes.to_vec(), ..self }
    }

    /// With room for so many bytes, up to [`MOST`].
    pub fn room(self, room: usize) -> Request {
        Request { room: room.min(MOST), ..self }
    }

    /// Asks for the file of a name.
    pub fn lookup(directory: Node, name: &[u8]) -> Request {
        Request::new(Operation::Lookup, [directory, 0]).with(name)
    }

    /// Asks for a new file of a name, which leads somewhere if it is a link.
    pub fn create(directory: Node, name: &[u8], attributes: &Attributes, target: &[u8]) -> Request {
        let bytes = [&attributes.encode(), name, &[0], target].concat();
        Request::new(Operation::Create, [directory, 0]).with(&bytes)
    }

    /// Whether it is about the same, perhaps with other bytes.
    pub fn is_like(&self, other: &Request) -> bool {
        let free = matches!(self.operation, Operation::Write | Operation::Set | Operation::Create);
        (self.operation, self.numbers) == (other.operation, other.numbers)
            && (free || self.bytes == other.bytes)
    }

    /// Makes the request, and waits for the answer. Complains if that takes longer than it ever should.
    pub fn ask(&self, server: &Port, complain: impl Fn()) -> Result<Tells> {
        let [first, second] = self.numbers;
        let head: [u8; NUMBERS] = words([first, second, self.now as u64]);
        let given = [&head, self.bytes.as_slice()].concat();
        let mut bytes = alloc::vec![0; self.room];
        let message = Message::new(self.operation as u32)
            .words(&[given.len() as u64 | (bytes.len() as u64) << 32, self.number])
            .lend(&given)
            .lend_mut(&mut bytes);
        let [length, count, ..] = call(server, &message, [self.room, given.len()], complain)?.words;
        bytes.truncate(length as usize);
        Ok(Tells { count, bytes })
    }
}

/// Calls a server, which may end, and have a successor at the same port. A request for a change has a
/// number, so nothing is done twice. An answer that no server would give, such as one with more bytes than were
/// asked for, is none.
fn call(
    server: &Port,
    message: &Message<'_>,
    most: [usize; 2],
    complain: impl Fn(),
) -> Result<Answer> {
    let (mut ends, mut waits) = (0, 0);
    while ends < ENDS && waits < WAITS {
        match server.call(message, time::now().saturating_add(PATIENCE)) {
            Ok(answer) if answer.info.label() == 0 => {
                if most.iter().zip(answer.words).all(|(&most, word)| word <= most as u64) {
                    return Ok(answer);
                }
                ends += 1;
            }
            Ok(answer) => match Failure::of(answer.info.label()) {
                Some(failure) => return Err(failure),
                None => ends += 1,
            },
            Err(Error::PeerGone) => ends += 1,
            Err(Error::TimedOut) => {
                waits += 1;
                complain();
            }
            Err(_) => return Err(Failure::Broken),
        }
    }
    Err(Failure::Broken)
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
        Attributes::decode(&self.bytes)
    }

    /// The room that there is.
    pub fn space(&self) -> Result<Space> {
        Space::decode(&self.bytes)
    }

    /// The entries that came back.
    pub fn entries(&self) -> impl Iterator<Item = Entry> {
        let mut rest = self.bytes.as_slice();
        core::iter::from_fn(move || {
            let (entry, after) = Entry::decode(rest)?;
            rest = after;
            Some(entry)
        })
    }
}

impl Entry {
    /// The first of several, and the rest.
    fn decode(bytes: &[u8]) -> Option<(Entry, &[u8])> {
        let (next, node, length) = (word(bytes, 0)?, word(bytes, 1)?, word(bytes, 2)?);
        let end = 24 + (length >> 32) as usize;
        let name = bytes.get(24..end)?.to_vec();
        let rest = bytes.get(end.next_multiple_of(8)..).unwrap_or(&[]);
        Some((Entry { name, node, mode: length as u32, next }, rest))
    }
}
