//! How a virtio device is spoken to: over MMIO, as it is now and as it was before version 1.0, or over PCI
//! (virtio 1.2, 4.1 and 4.2).

mod mmio;
mod pci;

use crate::queue::Queue;
use alloc::boxed::Box;
use rt::Error;
use rt::service::Grants;

/// Bits of the status: seen, to be driven, driven, agreed on features; in need of a reset (2.1).
const SEEN: u8 = 1;
const DRIVER: u8 = 2;
const DRIVEN: u8 = 4;
const AGREED: u8 = 8;
const BROKEN: u8 = 64;

/// The device is as version 1.0 says.
const VERSION_1: u64 = 1 << 32;
/// How often to look, with a nap between, until a reset has been done.
const RESET: u32 = 1_000;

/// Why a device cannot be driven.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// It is not there.
    Gone,
    /// It is, and does not do what it should.
    Broken,
}

/// Where a queue is in physical memory, and how many descriptors it has.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// How many descriptors.
    pub length: u16,
    /// Where they are.
    pub descriptors: u64,
    /// The ring of what is to be done.
    pub available: u64,
    /// The ring of what has been done.
    pub used: u64,
}

/// A device.
pub trait Transport {
    /// Whether there is one.
    fn is_there(&self) -> bool;
    /// Whether it is one of before 1.0, which knows neither of features above 31 nor of [`AGREED`].
    fn is_legacy(&self) -> bool {
        false
    }
    /// Its status. Zero resets it, which has happened when that is what it says.
    fn status(&self) -> u8;
    /// Sets it.
    fn set_status(&self, status: u8);
    /// What it can do.
    fn features(&self) -> u64;
    /// What of that is wanted.
    fn accept(&self, features: u64);
    /// Where its first queue is; `false` if that is too long for it.
    fn set_queue(&self, place: &Place) -> bool;
    /// There is something new in the queue.
    fn notify(&self);
    /// Takes back that it interrupts.
    fn quiet(&self);
    /// Four bytes of its own configuration.
    fn config(&self, at: u64) -> u32;
}

/// The one that a service was given.
pub fn open(grants: &Grants) -> Result<Box<dyn Transport>, Error> {
    match grants.windows().nth(1) {
        None => Ok(Box::new(mmio::Mmio::open(grants.window())?)),
        Some(_) => Ok(Box::new(pci::Pci::open(grants)?)),
    }
}

impl dyn Transport {
    /// Resets the device, so that it stops whatever a predecessor had it do, and has it use a queue (3.1.1); which
    /// of the features that are wanted it has.
    pub fn begin(&self, queue: &mut Queue, wanted: u64) -> Result<u64, Trouble> {
        self.try_begin(queue, wanted).ok_or_else(|| self.trouble())
    }

    fn try_begin(&self, queue: &mut Queue, wanted: u64) -> Option<u64> {
        if !self.is_there() {
            return None;
        }
        self.set_status(0);
        within(RESET, || self.status() == 0).then_some(())?;
        queue.clear();
        self.set_status(SEEN);
        self.set_status(SEEN | DRIVER);
        let wanted = if self.is_legacy() { wanted } else { wanted | VERSION_1 };
        let features = self.features() & wanted;
        self.accept(features);
        let mut status = SEEN | DRIVER;
        if !self.is_legacy() {
            status |= AGREED;
            self.set_status(status);
            (self.status() & AGREED != 0).then_some(())?;
        }
        self.set_queue(&queue.place()).then_some(())?;
        self.set_status(status | DRIVEN);
        Some(features)
    }

    /// Whether it is driven, and works.
    pub fn works(&self) -> bool {
        let status = self.status();
        status & BROKEN == 0 && status & DRIVEN != 0
    }

    /// Why one that is silent is that.
    fn trouble(&self) -> Trouble {
        if self.is_there() { Trouble::Broken } else { Trouble::Gone }
    }
}

/// Looks so often, with a nap between, whether something is done.
pub fn within(tries: u32, mut is_done: impl FnMut() -> bool) -> bool {
    for _ in 0..tries {
        if is_done() {
            return true;
        }
        rt::time::nap();
    }
    false
}
