//! The queue that driver and device share (virtio 1.2, 2.7), and memory behind it that both see.
//!
//! | from | what |
//! |---|---|
//! | 0 | descriptors, then the ring of what is to be done: indices of chains |
//! | one page | the ring of what has been done |
//! | [`OWN`] | whatever the driver has there |
//!
//! The device is not believed: what it says to have done may never have been asked for.

use crate::transport::Place;
use core::sync::atomic::{Ordering, fence};
use rt::Error;
use rt::abi::{MAP_WRITE, PAGE};
use rt::service::Dma;
use rt::space::Mapping;

/// Where the memory behind the queue begins.
pub const OWN: u64 = 2 * PAGE;

/// Descriptors of the longest queue that has room here.
const MOST: u16 = 128;
const USED: u64 = PAGE;

/// A descriptor goes on with another; the device writes there.
const NEXT: u16 = 1;
const WRITE: u16 = 2;
/// The device need not interrupt.
const NO_INTERRUPT: u16 = 1;

/// A queue, and the memory behind it.
#[derive(Debug)]
pub struct Queue {
    mapping: Mapping,
    physical: u64,
    bytes: u64,
    /// How many descriptors there are.
    length: u16,
    /// How many chains were handed over, and how many came back; both wrap around.
    given: u16,
    taken: u16,
}

/// A piece of memory that the device is to read, or to write.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    /// Where it is in physical memory.
    pub physical: u64,
    /// How long it is.
    pub bytes: u32,
    /// Whether the device writes there.
    pub written: bool,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Descriptor {
    address: u64,
    bytes: u32,
    flags: u16,
    next: u16,
}

impl Queue {
    /// A queue of so many descriptors, a power of two, in this memory. The device knows nothing of it yet.
    pub fn new(memory: Dma, length: u16) -> Result<Queue, Error> {
        assert!(length.is_power_of_two() && length <= MOST, "no length of a queue");
        let (physical, bytes) = (memory.physical, memory.bytes);
        if bytes < OWN || !bytes.is_multiple_of(PAGE) || !physical.is_multiple_of(PAGE) {
            return Err(Error::Invalid);
        }
        let mapping = Mapping::new(memory.memory, 0, bytes / PAGE, MAP_WRITE)?;
        Ok(Queue { mapping, physical, bytes, length, given: 0, taken: 0 })
    }

    /// Begins anew, with nothing but zeroes: the device has been reset.
    pub(crate) fn clear(&mut self) {
        for at in (0..self.bytes).step_by(8) {
            self.set(at, 0u64);
        }
        (self.given, self.taken) = (0, 0);
    }

    /// Where it is.
    pub(crate) fn place(&self) -> Place {
        let [descriptors, available, used] =
            [0, self.available(), USED].map(|at| self.physical(at));
        Place { length: self.length, descriptors, available, used }
    }

    /// Where the ring of what is to be done is: right behind the descriptors.
    fn available(&self) -> u64 {
        u64::from(self.length) * size_of::<Descriptor>() as u64
    }

    /// Tells the device that nobody waits for its interrupts.
    pub fn needs_no_interrupt(&self) {
        self.set(self.available(), NO_INTERRUPT);
    }

    /// Where a byte of the memory is in physical memory.
    pub fn physical(&self, at: u64) -> u64 {
        self.physical + at
    }

    /// Writes a descriptor: a piece, and the descriptor that comes after it.
    pub fn describe(&self, nth: u16, piece: Piece, next: Option<u16>) {
        assert!(nth < self.length, "no such descriptor");
        let Piece { physical: address, bytes, written } = piece;
        let flags = if written { WRITE } else { 0 } | if next.is_some() { NEXT } else { 0 };
        let descriptor = Descriptor { address, bytes, flags, next: next.unwrap_or(0) };
        self.set(u64::from(nth) * size_of::<Descriptor>() as u64, descriptor);
    }

    /// Hands over the chain of descriptors that begins with this one.
    pub fn give(&mut self, first: u16) {
        let available = self.available();
        self.set(available + 4 + 2 * u64::from(self.given % self.length), first);
        self.given = self.given.wrapping_add(1);
        // The device sees the request before it sees that there is one, and that before it is told.
        fence(Ordering::SeqCst);
        self.set(available + 2, self.given);
        fence(Ordering::SeqCst);
    }

    /// A chain that came back: the descriptor that it begins with, and how many bytes the device says to have
    /// written.
    pub fn take(&mut self) -> Option<(u32, u32)> {
        if self.get::<u16>(USED + 2) == self.taken {
            return None;
        }
        // What it says of a chain is seen after that it came back.
        fence(Ordering::SeqCst);
        let place = USED + 4 + 8 * u64::from(self.taken % self.length);
        self.taken = self.taken.wrapping_add(1);
        Some((self.get(place), self.get(place + 4)))
    }

    /// Reads from the memory.
    pub fn get<T: Copy>(&self, at: u64) -> T {
        // SAFETY: it is mapped, and all bits are a value of what is read here.
        unsafe { self.pointer::<T>(at).read_volatile() }
    }

    /// Writes to it.
    pub fn set<T: Copy>(&self, at: u64, value: T) {
        // SAFETY: it is mapped, and nobody has a reference to it.
        unsafe { self.pointer::<T>(at).write_volatile(value) }
    }

    fn pointer<T>(&self, at: u64) -> *mut T {
        let size = size_of::<T>() as u64;
        let end = at.checked_add(size).expect("an offset");
        assert!(end <= self.bytes && at.is_multiple_of(align_of::<T>() as u64), "not in the queue");
        self.mapping.pointer::<T>(at)
    }
}
