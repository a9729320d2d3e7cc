//! Bytes from one process to another: a ring in memory that both have mapped.
//!
//! Its first page has two counts that only grow: of the bytes that were ever written, which is the
//! [`Writer`]'s, and of those that were ever read, which is the [`Reader`]'s. Each side keeps its own
//! count for itself as well, and only shows it. What it sees of the other's is a claim: counts that are
//! further apart than the ring is long make every use of it fail, and nothing else.

use crate::abi::{Error, MAP_WRITE, PAGE};
use crate::object::Memory;
use crate::space::Mapping;
use core::cell::Cell;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use core::sync::atomic::{AtomicU8, AtomicU32};

/// Pages that a ring takes.
pub const PAGES: u64 = 5;
/// Bytes that fit; counts wrap around without a seam because it is a power of two.
pub const CAPACITY: u32 = 16384;

/// Where the two counts are, on cache lines of their own.
const WRITTEN: u64 = 0;
const READ: u64 = 64;

const _: () = assert!((PAGES - 1) * PAGE == CAPACITY as u64 && CAPACITY.is_power_of_two());

/// What both sides do with it.
#[derive(Debug)]
struct Ring(Mapping);

impl Ring {
    fn map(memory: &Memory, first: u64) -> Result<Ring, Error> {
        Mapping::new(memory, first, PAGES, MAP_WRITE).map(Ring)
    }

    fn count(&self, at: u64) -> &AtomicU32 {
        // SAFETY: it is mapped for as long as this lives, aligned, and both sides use it as an atomic.
        unsafe { AtomicU32::from_ptr(self.0.pointer(at)) }
    }

    fn byte(&self, count: u32) -> &AtomicU8 {
        // SAFETY: as above.
        unsafe { AtomicU8::from_ptr(self.0.pointer(PAGE + u64::from(count % CAPACITY))) }
    }
}

/// Bytes between two counts, if they can be true.
fn distance(written: u32, read: u32) -> Result<u32, Error> {
    let distance = written.wrapping_sub(read);
    if distance <= CAPACITY { Ok(distance) } else { Err(Error::Invalid) }
}

/// The side that writes.
#[derive(Debug)]
pub struct Writer {
    ring: Ring,
    written: Cell<u32>,
}

impl Writer {
    /// Of the ring that begins at a page of a memory, and is fresh or has lost its writer. Counts that cannot be
    /// true make it an empty one.
    pub fn new(memory: &Memory, first: u64) -> Result<Writer, Error> {
        let ring = Ring::map(memory, first)?;
        let (written, read) = (ring.count(WRITTEN), ring.count(READ).load(Relaxed));
        if distance(written.load(Relaxed), read).is_err() {
            written.store(read, Relaxed);
        }
        let written = Cell::new(written.load(Relaxed));
        Ok(Writer { ring, written })
    }

    /// Bytes that there is room for.
    pub fn room(&self) -> Result<usize, Error> {
        // Pairs with the release in `Reader::read`: those bytes are not read any more.
        let read = self.ring.count(READ).load(Acquire);
        Ok((CAPACITY - distance(self.written.get(), read)?) as usize)
    }

    /// Writes as many bytes as there is room for; how many.
    pub fn write(&self, bytes: &[u8]) -> Result<usize, Error> {
        let count = self.room()?.min(bytes.len());
        let mut written = self.written.get();
        for &byte in &bytes[..count] {
            self.ring.byte(written).store(byte, Relaxed);
            written = written.wrapping_add(1);
        }
        self.written.set(written);
        // Pairs with the acquire in `Reader::filled`: the bytes are there.
        self.ring.count(WRITTEN).store(written, Release);
        Ok(count)
    }
}

/// The side that reads.
#[derive(Debug)]
pub struct Reader {
    ring: Ring,
    read: Cell<u32>,
}

impl Reader {
    /// Of the ring that begins at a page of a memory, and is fresh or has lost its reader. Counts that cannot be
    /// true make it an empty one.
    pub fn new(memory: &Memory, first: u64) -> Result<Reader, Error> {
        let ring = Ring::map(memory, first)?;
        let (written, read) = (ring.count(WRITTEN).load(Relaxed), ring.count(READ));
        if distance(written, read.load(Relaxed)).is_err() {
            read.store(written, Relaxed);
        }
        let read = Cell::new(read.load(Relaxed));
        Ok(Reader { ring, read })
    }

    /// Bytes that can be read.
    pub fn filled(&self) -> Result<usize, Error> {
        // Pairs with the release in `Writer::write`.
        let written = self.ring.count(WRITTEN).load(Acquire);
        Ok(distance(written, self.read.get())? as usize)
    }

    /// Reads as many bytes as there are; how many.
    pub fn read(&self, bytes: &mut [u8]) -> Result<usize, Error> {
        let count = self.filled()?.min(bytes.len());
        let mut read = self.read.get();
        for byte in &mut bytes[..count] {
            *byte = self.ring.byte(read).load(Relaxed);
            read = read.wrapping_add(1);
        }
        self.read.set(read);
        // Pairs with the acquire in `Writer::room`.
        self.ring.count(READ).store(read, Release);
        Ok(count)
    }
}
