//! The protocol of disks, for those who ask and those who answer.
//!
//! There is one server for each disk, and nothing is copied on the way: a client *attaches* a memory
//! that lies in one piece, and its requests name places in that. Every request may be made again,
//! with the same result: a [`Client`] does so when its server dies and another follows.
//!
//! What a client may use of the disk is in the badge of its handle: a [`Badge`] names a partition, or
//! the whole, and which client it is. A client has one request at a time.
//!
//! * [`requests`] is what is asked and answered.
//! * [`Server`] is the part of a server that needs no kernel: who has attached what, who may use which
//!   sectors, who waits for what. A driver implements [`Device`].
//! * [`serve`] runs a [`Server`] on a port.
//! * [`partition`] reads MBR and GPT.
#![no_std]

extern crate alloc;

#[cfg(feature = "calls")]
mod client;
pub mod partition;
pub mod requests;
#[cfg(feature = "calls")]
mod serve;
mod server;

#[cfg(feature = "calls")]
pub use client::Client;
pub use partition::Partition;
pub use requests::{Failure, Request};
#[cfg(feature = "calls")]
pub use serve::serve;
pub use server::{Answer, Device, Progress, Server};

/// Bytes of a sector, whatever the device has.
pub const SECTOR: u64 = 512;
/// Sectors that one request reads or writes at most.
pub const MOST: u64 = 2048;

/// What a request gives.
pub type Result<T> = core::result::Result<T, Failure>;

protocol::record! {
    /// How a disk is, or a partition.
    #[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
    pub struct Geometry {
        /// How many sectors it has.
        pub sectors: u64,
        /// Whether they can only be read.
        pub read_only: bool,
    }
}

/// Who asks, and for which part of the disk: the badge of a handle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Badge {
    /// The number of a partition, or 0 for the whole disk.
    pub partition: u8,
    /// Which client: no two that are there at the same time have the same number.
    pub client: u64,
}

impl Badge {
    /// As a handle has it.
    pub const fn bits(self) -> u64 {
        self.client << 8 | self.partition as u64
    }

    /// What a handle has.
    pub const fn of(bits: u64) -> Badge {
        Badge { partition: bits as u8, client: bits >> 8 }
    }
}

/// What a device is to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transfer {
    /// Sectors go to the memory.
    Read(Extent),
    /// Sectors come from the memory.
    Write(Extent),
    /// What was written is to stay.
    Flush,
}

protocol::record! {
    /// Sectors, and where they are in a memory.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct Extent {
        /// The first.
        pub sector: u64,
        /// How many.
        pub count: u64,
        /// Where the first byte of it is in the memory.
        pub offset: u64,
    }
}

impl Extent {
    /// Bytes of it.
    pub const fn bytes(&self) -> u64 {
        self.count * SECTOR
    }

    /// The same, of a disk on which a part with so many sectors begins at `first`; and the memory has
    /// so many bytes.
    pub fn within(self, first: u64, sectors: u64, memory: u64) -> Result<Extent> {
        let Extent { sector, count, offset } = self;
        let inside = |start: u64, length: u64, all: u64| {
            start.checked_add(length).is_some_and(|end| end <= all)
        };
        let fits = (1..=MOST).contains(&count)
            && inside(sector, count, sectors)
            && inside(offset, count * SECTOR, memory)
            && offset.is_multiple_of(4);
        let sector = first.checked_add(sector).filter(|_| fits).ok_or(Failure::OutOfRange)?;
        Ok(Extent { sector, ..self })
    }
}
