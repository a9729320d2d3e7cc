//! How a virtio device is spoken to: over MMIO, as it is now and as it was before version 1.0, or over PCI
//! (virtio 1.2, 4.1 and 4.2).

mod mmio;
mod pci;

use alloc::boxed::Box;
use block::{Failure, Result};
use rt::Error;
use rt::service::Grants;

extern crate alloc;

/// Bits of the status: seen, to be driven, driven, agreed on features; in need of a reset (2.1).
pub const SEEN: u8 = 1;
pub const DRIVER: u8 = 2;
pub const DRIVEN: u8 = 4;
pub const AGREED: u8 = 8;
pub const BROKEN: u8 = 64;

/// Where a queue is in physical memory, and how many descriptors it has.
pub struct Place {
    pub length: u16,
    pub descriptors: u64,
    pub available: u64,
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
pub fn open(grants: &Grants) -> core::result::Result<Box<dyn Transport>, Error> {
    match grants.windows().nth(1) {
        None => Ok(Box::new(mmio::Mmio::open(grants.window())?)),
        Some(_) => Ok(Box::new(pci::Pci::open(grants)?)),
    }
}

/// Why a device that is silent is that.
pub fn why(transport: &dyn Transport) -> Failure {
    if transport.is_there() { Failure::Broken } else { Failure::Gone }
}

/// What makes of a number of tries a result.
pub fn within(tries: u32, mut is_done: impl FnMut() -> bool) -> Result<()> {
    for _ in 0..tries {
        if is_done() {
            return Ok(());
        }
        rt::time::nap();
    }
    Err(Failure::Broken)
}
