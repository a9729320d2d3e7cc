//! The queue of requests that driver and device share (virtio 1.2, 2.7), with a chain of descriptors for each
//! slot that never changes its place.
//!
//! | from | what |
//! |---|---|
//! | 0 | descriptors, then the ring of what is to be done: indices of chains |
//! | one page | the ring of what has been done |
//! | two pages | for each slot the head of a request, and its status |
//! | three pages | a sector, for what the driver itself reads |
//!
//! The device is not believed: what it says to have done and was not asked for is nothing.

use crate::transport::Place;
use block::SECTOR;
use core::sync::atomic::{Ordering, fence};
use rt::Error;
use rt::abi::{MAP_WRITE, PAGE};
use rt::service::Dma;
use rt::space::Mapping;

/// Slots of clients, and one of the driver itself.
pub const SLOTS: usize = 17;
/// Descriptors of a slot: head, data, status.
const CHAIN: usize = 3;
/// Descriptors of the queue: a power of two.
const LENGTH: u16 = 64;
const _: () = assert!(SLOTS * CHAIN <= LENGTH as usize);

const AVAILABLE: u64 = 16 * LENGTH as u64;
const USED: u64 = PAGE;
const HEADS: u64 = 2 * PAGE;
const SECTOR_AT: u64 = 3 * PAGE;
/// Bytes that all of it takes.
const BYTES: u64 = 4 * PAGE;
/// Bytes of a slot's head and status, and where the status is.
const HEAD: u64 = 32;
const STATUS: u64 = 16;

/// A descriptor goes on with another; the device writes there.
const NEXT: u16 = 1;
const WRITE: u16 = 2;
/// What no device says of a request that it has done.
const UNKNOWN: u8 = 0xff;

/// A piece of memory that the device is to read, or to write.
#[derive(Clone, Copy)]
pub struct Data {
    pub physical: u64,
    pub bytes: u32,
    pub written: bool,
}

/// A request's type and first sector.
pub type Head = (u32, u64);

pub struct Queue {
    mapping: Mapping,
    physical: u64,
    /// How many requests were handed over, and how many came back; both wrap around.
    given: u16,
    taken: u16,
    /// The slots that the device works at.
    busy: [bool; SLOTS],
}

#[repr(C)]
struct Descriptor {
    address: u64,
    bytes: u32,
    flags: u16,
    next: u16,
}

impl Queue {
    /// A queue in this memory, of which the device knows nothing yet.
    pub fn new(memory: Dma) -> Result<Queue, Error> {
        if memory.bytes < BYTES || !memory.physical.is_multiple_of(PAGE) {
            return Err(Error::Invalid);
        }
        let mapping = Mapping::new(memory.memory, 0, BYTES / PAGE, MAP_WRITE)?;
        let (physical, busy) = (memory.physical, [false; SLOTS]);
        Ok(Queue { mapping, physical, given: 0, taken: 0, busy })
    }

    /// Begins anew: the device has been reset.
    pub fn clear(&mut self) {
        for at in (0..BYTES).step_by(8) {
            self.set(at, 0u64);
        }
        (self.given, self.taken) = (0, 0);
    }

    /// Where it is.
    pub fn place(&self) -> Place {
        let at = |offset| self.physical + offset;
        Place { length: LENGTH, descriptors: at(0), available: at(AVAILABLE), used: at(USED) }
    }

    /// Hands a request over. The slot is not busy.
    pub fn give(&mut self, slot: usize, (kind, sector): Head, data: Option<Data>) {
        let head = HEADS + slot as u64 * HEAD;
        self.set(head, kind);
        self.set(head + 4, 0u32);
        self.set(head + 8, sector);
        self.set(head + STATUS, UNKNOWN);
        let first = (slot * CHAIN) as u16;
        let status = first + 2;
        let next = if data.is_some() { first + 1 } else { status };
        let place = |address, bytes, flags, next| Descriptor { address, bytes, flags, next };
        self.describe(first, place(self.physical + head, 16, NEXT, next));
        if let Some(Data { physical, bytes, written }) = data {
            let flags = if written { NEXT | WRITE } else { NEXT };
            self.describe(first + 1, place(physical, bytes, flags, status));
        }
        self.describe(status, place(self.physical + head + STATUS, 1, WRITE, 0));
        self.busy[slot] = true;
        self.set(AVAILABLE + 4 + 2 * u64::from(self.given % LENGTH), first);
        self.given = self.given.wrapping_add(1);
        // The device sees the request before it sees that there is one, and that before it is told.
        fence(Ordering::SeqCst);
        self.set(AVAILABLE + 2, self.given);
        fence(Ordering::SeqCst);
    }

    /// A slot whose request has been done, with its status.
    pub fn take(&mut self) -> Option<(usize, u8)> {
        while self.get::<u16>(USED + 2) != self.taken {
            // What it says of a request is seen after that it has been done.
            fence(Ordering::SeqCst);
            let first: u32 = self.get(USED + 4 + 8 * u64::from(self.taken % LENGTH));
            self.taken = self.taken.wrapping_add(1);
            let slot = first as usize / CHAIN;
            if self.busy.get(slot) == Some(&true) {
                self.busy[slot] = false;
                return Some((slot, self.get(HEADS + slot as u64 * HEAD + STATUS)));
            }
        }
        None
    }

    /// A slot at which the device works, and now no longer does: it has been reset.
    pub fn give_up(&mut self) -> Option<usize> {
        let slot = self.busy.iter().position(|&busy| busy)?;
        self.busy[slot] = false;
        Some(slot)
    }

    /// Where the driver's own sector is in physical memory.
    pub fn sector(&self) -> u64 {
        self.physical + SECTOR_AT
    }

    /// The driver's own sector.
    pub fn copy_sector(&self, bytes: &mut [u8; SECTOR as usize]) {
        for (at, byte) in (SECTOR_AT..).zip(bytes) {
            *byte = self.get(at);
        }
    }

    fn describe(&self, nth: u16, descriptor: Descriptor) {
        self.set(u64::from(nth) * size_of::<Descriptor>() as u64, descriptor);
    }

    fn get<T: Copy>(&self, at: u64) -> T {
        // SAFETY: it is mapped, the offsets here are within and aligned, and all bits are a value.
        unsafe { self.mapping.pointer::<T>(at).read_volatile() }
    }

    fn set<T>(&self, at: u64, value: T) {
        // SAFETY: as above.
        unsafe { self.mapping.pointer::<T>(at).write_volatile(value) }
    }
}
