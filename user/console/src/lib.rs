//! How one speaks to the driver of the serial port.
//!
//! Bytes go through two rings, one for each direction, in memory that outlives the driver and that its supervisor
//! gives to both sides. Whoever changes a ring, by writing or by reading, signals the other side. A driver that takes
//! another's place goes on where that stopped: its client notices nothing.
#![no_std]

use core::cell::Cell;
use rt::ring::{self, Reader, Writer};
use rt::service::{Grants, Kept};
use rt::time::{SECOND, now};
use rt::{Error, Port, Timer};

/// What the service is called, and the memory with the rings.
pub const NAME: &str = "console";
/// See above.
pub const RINGS: &str = "rings";
/// What the client signals at the driver's port.
pub const CHANGED: u64 = 1;
/// What the driver signals at its client's port.
pub const NEWS: u64 = 2;
/// What a timer signals at the client's port: it is to look whether the driver [sends](Client::look).
pub const LOOK: u64 = 16;

/// The page where the ring of bytes that were received begins.
const RECEIVED: u64 = 0;
/// The page where the ring of bytes to be sent begins.
const TO_SEND: u64 = ring::PAGES;
/// How long the driver may send nothing of what there is to send.
const PATIENCE: u64 = SECOND;

/// The client's side.
#[derive(Debug)]
pub struct Client {
    driver: &'static Port,
    received: Reader,
    to_send: Writer,
    /// Bytes that were written, and those that were sent when that was looked at last.
    written: Cell<u64>,
    sent: Cell<u64>,
    timer: Timer,
    /// Whether the timer is set.
    is_watched: Cell<bool>,
}

impl Client {
    /// That of a service which was given the memory and a bell of the driver; none if there is no driver.
    pub fn open(grants: &Grants) -> Result<Option<Client>, Error> {
        let Some(Kept { memory, .. }) = grants.find_kept(RINGS) else { return Ok(None) };
        let received = Reader::new(memory, RECEIVED)?;
        let to_send = Writer::new(memory, TO_SEND)?;
        Ok(Some(Client {
            driver: grants.bell(NAME),
            received,
            to_send,
            written: Cell::default(),
            sent: Cell::default(),
            timer: Timer::create(grants.port(), LOOK)?,
            is_watched: Cell::default(),
        }))
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
            self.written.set(self.written.get() + count as u64);
            if !self.is_watched.replace(true) {
                self.timer.set(now() + PATIENCE)?;
            }
            self.driver.signal(CHANGED)?;
        }
        Ok(count)
    }

    /// Looks whether the driver sends, when the timer has said so, and tells one that has something to send. Whether it
    /// has sent nothing since it was looked at last.
    pub fn look(&self) -> Result<bool, Error> {
        let pending = self.pending()? as u64;
        self.is_watched.set(pending > 0);
        if pending > 0 {
            self.timer.set(now() + PATIENCE)?;
            self.driver.signal(CHANGED)?;
        }
        let sent = self.written.get().saturating_sub(pending);
        Ok(self.sent.replace(sent) == sent && pending > 0)
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
