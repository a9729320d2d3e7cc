//! How one speaks to the driver of the serial port.
//!
//! Bytes go through two rings, one for each direction, in memory that outlives the driver and that its supervisor
//! gives to both sides. Whoever changes a ring, by writing or by reading, signals the other side. A driver that takes
//! another's place goes on where that stopped: its client notices nothing.
#![no_std]

use rt::ring::{self, Reader, Writer};
use rt::service::{Grants, Kept};
use rt::{Error, Port};

/// What the service is called, and the memory with the rings.
pub const NAME: &str = "console";
/// See above.
pub const RINGS: &str = "rings";
/// What the client signals at the driver's port.
pub const CHANGED: u64 = 1;
/// What the driver signals at its client's port.
pub const NEWS: u64 = 2;

/// The page where the ring of bytes that were received begins.
const RECEIVED: u64 = 0;
/// The page where the ring of bytes to be sent begins.
const TO_SEND: u64 = ring::PAGES;

/// The client's side.
#[derive(Debug)]
pub struct Client {
    driver: &'static Port,
    received: Reader,
    to_send: Writer,
}

impl Client {
    /// That of a service which was given the memory and a bell of the driver; none if there is no driver.
    pub fn open(grants: &Grants) -> Result<Option<Client>, Error> {
        let Some(Kept { memory, .. }) = grants.find_kept(RINGS) else { return Ok(None) };
        let received = Reader::new(memory, RECEIVED)?;
        let to_send = Writer::new(memory, TO_SEND)?;
        Ok(Some(Client { driver: grants.bell(NAME), received, to_send }))
    }

    /// Takes bytes that were received; how many.
    pub fn read(&self, bytes: &mut [u8]) -> Result<usize, Error> {
        let count = self.received.read(bytes)?;
        if count > 0 {
            self.driver.signal(CHANGED)?;
        }
        Ok(count)
    }

    /// Bytes that there is room for.
    pub fn room(&self) -> Result<usize, Error> {
        self.to_send.room()
    }

    /// Sends bytes, as many as there is room for; how many.
    pub fn write(&self, bytes: &[u8]) -> Result<usize, Error> {
        let count = self.to_send.write(bytes)?;
        if count > 0 {
            self.driver.signal(CHANGED)?;
        }
        Ok(count)
    }

    /// Bytes that were written and are not sent yet.
    pub fn pending(&self) -> Result<usize, Error> {
        Ok(ring::CAPACITY as usize - self.room()?)
    }
}

/// The driver's ends of the rings: of what was received, and what is to be sent.
pub fn ends(grants: &Grants) -> Result<(Writer, Reader), Error> {
    let Kept { memory, .. } = grants.kept(RINGS);
    Ok((Writer::new(memory, RECEIVED)?, Reader::new(memory, TO_SEND)?))
}
