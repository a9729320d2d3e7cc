//! The requests of a disk: in the queue, a chain of descriptors for each slot that never changes its place;
//! behind the queue, its head and status; then a sector, for what the driver itself reads.

use block::SECTOR;
use rt::Error;
use rt::abi::PAGE;
use rt::service::Dma;
use virtio::{OWN, Piece, Queue};

/// Slots of clients, and one of the driver itself.
pub const SLOTS: usize = 17;
/// Descriptors of a slot: head, data, status; and of all.
const CHAIN: usize = 3;
const LENGTH: u16 = 64;
const _: () = assert!(SLOTS * CHAIN <= LENGTH as usize);

const HEADS: u64 = OWN;
const SECTOR_AT: u64 = OWN + PAGE;
/// Bytes that all of it takes.
const BYTES: u64 = OWN + 2 * PAGE;
/// Bytes of a slot's head and status, of the head alone, and where the status is.
const SLOT: u64 = 32;
const HEAD: u32 = 16;
const STATUS: u64 = 16;

/// What no device says of a request that it has done.
const UNKNOWN: u8 = 0xff;

/// A request's type and first sector.
pub type Head = (u32, u64);

pub struct Requests {
    pub queue: Queue,
    /// The slots that the device works at.
    busy: [bool; SLOTS],
}

impl Requests {
    /// None yet, in this memory.
    pub fn new(memory: Dma) -> Result<Requests, Error> {
        if memory.bytes < BYTES {
            return Err(Error::Invalid);
        }
        Ok(Requests { queue: Queue::new(memory, LENGTH)?, busy: [false; SLOTS] })
    }

    /// Hands a request over. The slot is not busy.
    pub fn give(&mut self, slot: usize, (kind, sector): Head, data: Option<Piece>) {
        let at = HEADS + slot as u64 * SLOT;
        self.queue.set(at, kind);
        self.queue.set(at + 4, 0u32);
        self.queue.set(at + 8, sector);
        self.queue.set(at + STATUS, UNKNOWN);
        let first = (slot * CHAIN) as u16;
        let status = first + 2;
        let piece =
            |at, bytes, written| Piece { physical: self.queue.physical(at), bytes, written };
        let next = if data.is_some() { first + 1 } else { status };
        self.queue.describe(first, piece(at, HEAD, false), Some(next));
        if let Some(data) = data {
            self.queue.describe(first + 1, data, Some(status));
        }
        self.queue.describe(status, piece(at + STATUS, 1, true), None);
        self.busy[slot] = true;
        self.queue.give(first);
    }

    /// A slot whose request has been done, with its status.
    pub fn take(&mut self) -> Option<(usize, u8)> {
        while let Some((first, _)) = self.queue.take() {
            let slot = first as usize / CHAIN;
            if self.busy.get(slot) == Some(&true) {
                self.busy[slot] = false;
                return Some((slot, self.queue.get(HEADS + slot as u64 * SLOT + STATUS)));
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
        self.queue.physical(SECTOR_AT)
    }

    /// The driver's own sector.
    pub fn copy_sector(&self, bytes: &mut [u8; SECTOR as usize]) {
        for (at, byte) in (SECTOR_AT..).zip(bytes) {
            *byte = self.queue.get(at);
        }
    }
}
