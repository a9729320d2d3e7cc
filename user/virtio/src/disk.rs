//! A virtio disk (virtio 1.2, 5.2).

use crate::requests::{Requests, SLOTS};
use alloc::boxed::Box;
use block::{Device, Extent, Failure, Geometry, Progress, Result, SECTOR, Transfer};
use rt::abi::PAGE;
use rt::service::Dma;
use rt::{Error, Interrupt, Memory};
use virtio::{Piece, Transport, Trouble, within};

extern crate alloc;

/// It can only be read; it can be told to flush.
const READ_ONLY: u64 = 1 << 5;
const FLUSH: u64 = 1 << 9;
/// Types of requests.
const READ: u32 = 0;
const WRITE: u32 = 1;
const DO_FLUSH: u32 = 4;
/// The status of one that went well.
const FINE: u8 = 0;
/// The slot of the driver itself.
const OWN: usize = SLOTS - 1;
/// How often to look, with a nap between, until a request of the driver itself has been done.
const PATIENCE: u32 = 100_000;

pub struct Disk {
    transport: Box<dyn Transport>,
    interrupt: &'static Interrupt,
    requests: Requests,
    /// How it is, or why it is not.
    state: Result<Geometry>,
    flushes: bool,
    /// Its transfers are given up: they end with this.
    given_up: Option<Failure>,
}

/// A client's memory.
pub struct Area {
    physical: u64,
    /// What keeps it there.
    _memory: Memory,
}

impl Disk {
    /// Resets the device, so that it stops whatever a predecessor had it do, and prepares it.
    pub fn new(
        transport: Box<dyn Transport>,
        interrupt: &'static Interrupt,
        memory: Dma,
    ) -> core::result::Result<Disk, Error> {
        let requests = Requests::new(memory)?;
        let state = Err(Failure::Broken);
        let mut disk =
            Disk { transport, interrupt, requests, state, flushes: false, given_up: None };
        disk.begin_anew();
        Ok(disk)
    }

    /// How it is, or why it is not.
    pub fn state(&self) -> Result<Geometry> {
        self.state
    }

    fn begin_anew(&mut self) {
        self.state = self.prepare().map_err(|trouble| match trouble {
            Trouble::Gone => Failure::Gone,
            Trouble::Broken => Failure::Broken,
        });
    }

    fn prepare(&mut self) -> core::result::Result<Geometry, Trouble> {
        let features = self.transport.begin(&mut self.requests.queue, FLUSH | READ_ONLY)?;
        self.flushes = features & FLUSH != 0;
        let config = |at| u64::from(self.transport.config(at));
        Ok(Geometry { sectors: config(0) | config(4) << 32, read_only: features & READ_ONLY != 0 })
    }

    /// Hands a transfer over, if there is a device that can do it.
    fn give(&mut self, slot: usize, physical: u64, transfer: Transfer) -> Result<()> {
        self.state?;
        if !self.transport.works() {
            // It has lost its senses, or is gone.
            self.give_up();
            self.state?;
            return Err(Failure::Broken);
        }
        let data = |extent: Extent, written| {
            let physical = physical + extent.offset;
            Some(Piece { physical, bytes: extent.bytes() as u32, written })
        };
        let (head, data) = match transfer {
            Transfer::Read(extent) => ((READ, extent.sector), data(extent, true)),
            Transfer::Write(extent) => ((WRITE, extent.sector), data(extent, false)),
            Transfer::Flush => ((DO_FLUSH, 0), None),
        };
        self.requests.give(slot, head, data);
        self.transport.notify();
        Ok(())
    }
}

impl Device for Disk {
    type Memory = Memory;
    type Area = Area;

    fn geometry(&self) -> Result<Geometry> {
        self.state
    }

    fn attach(&mut self, memory: Memory) -> Result<(Area, u64)> {
        let info = memory.info().map_err(|_| Failure::Invalid)?;
        if info.physical == 0 {
            // It does not lie in one piece.
            return Err(Failure::Invalid);
        }
        Ok((Area { physical: info.physical, _memory: memory }, info.pages * PAGE))
    }

    fn begin(&mut self, slot: usize, area: &Area, transfer: Transfer) -> Progress {
        if transfer == Transfer::Flush && !self.flushes {
            // Whatever it says to have written is where it stays.
            return Progress::Done(self.state.map(|_| ()));
        }
        match self.give(slot, area.physical, transfer) {
            Ok(()) => Progress::Later,
            Err(why) => Progress::Done(Err(why)),
        }
    }

    fn interrupt(&mut self) {
        self.transport.quiet();
        // One that cannot be had again would be a mistake of whoever gave it.
        let _ = self.interrupt.ack();
        // Where only a line's rising is heard, one that rose before it was heard again stays up.
        self.transport.quiet();
    }

    fn ended(&mut self) -> Option<(usize, Result<()>)> {
        if let Some(why) = self.given_up {
            match self.requests.give_up() {
                Some(slot) => return Some((slot, Err(why))),
                None => self.given_up = None,
            }
        }
        let (slot, status) = self.requests.take()?;
        Some((slot, if status == FINE { Ok(()) } else { Err(Failure::Broken) }))
    }

    fn give_up(&mut self) {
        self.begin_anew();
        self.given_up = Some(self.state.err().unwrap_or(Failure::Broken));
    }

    fn read_now(&mut self, sector: u64, bytes: &mut [u8; SECTOR as usize]) -> Result<()> {
        let extent = Extent { sector, count: 1, offset: 0 };
        self.give(OWN, self.requests.sector(), Transfer::Read(extent))?;
        let mut ended = None;
        let done = within(PATIENCE, || {
            ended = self.ended();
            ended.is_some()
        });
        if !done {
            self.give_up();
            ended = self.ended();
        }
        self.requests.copy_sector(bytes);
        ended.map_or(Err(Failure::Broken), |(_, result)| result)
    }
}
