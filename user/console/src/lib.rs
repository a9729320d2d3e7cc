//! How one speaks to the driver of the serial port.
//!
//! The client makes a memory with a ring for each direction, and calls whoever keeps the driver: with
//! the memory, a handle to its own port, and the bits to signal there. The keeper hands that on to the
//! driver, answers with the driver's port, and hands it on again to every driver that it has to start
//! later. From then on bytes go through the rings. Whoever changes one, by writing or by reading,
//! signals the other side. A new client takes the place of the one before.
#![no_std]

use rt::abi::{FOREVER, MemoryRights, PortRights};
use rt::message::Message;
use rt::object::Object;
use rt::ring::{self, Reader, Writer};
use rt::{Error, Memory, Port};

/// The label of the message that begins it. One word: the bits that the driver signals at the
/// client's port. Two handles: the memory, and that port.
pub const CONNECT: u32 = 1;
/// What the client signals at the driver's port.
pub const CHANGED: u64 = 1;
/// The page where the ring of bytes that were received begins.
pub const RECEIVED: u64 = 0;
/// The page where the ring of bytes to be sent begins.
pub const TO_SEND: u64 = ring::PAGES;
/// Pages of both.
pub const PAGES: u64 = 2 * ring::PAGES;

/// The client's side.
#[derive(Debug)]
pub struct Client {
    driver: Port,
    received: Reader,
    to_send: Writer,
}

impl Client {
    /// Begins; the driver will signal these bits at this port.
    pub fn connect(keeper: &Port, port: &Port, bits: u64) -> Result<Client, Error> {
        let memory = Memory::create(PAGES)?;
        let received = Reader::new(&memory, RECEIVED)?;
        let to_send = Writer::new(&memory, TO_SEND)?;
        let rights = PortRights::SIGNAL | PortRights::TRANSFER | PortRights::DUPLICATE;
        let own = port.duplicate(rights)?;
        let rights = MemoryRights::all() & !MemoryRights::RESIZE;
        let memory = memory.duplicate(rights)?;
        let message = Message::new(CONNECT).words(&[bits]).handle(memory.raw()).handle(own.raw());
        let answer = keeper.call(&message, FOREVER)?;
        // They have left with the message.
        let _ = (memory.into_raw(), own.into_raw());
        let &[driver] = answer.handles() else { return Err(Error::NotFound) };
        Ok(Client { driver: Port::from_raw(driver), received, to_send })
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
