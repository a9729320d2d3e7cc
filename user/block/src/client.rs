//! The side that asks, for as long as the disk's service lives, whichever server that has.

use crate::{Extent, Failure, Geometry, MOST, Partition, Result, SECTOR, label};
use alloc::boxed::Box;
use rt::Error;
use rt::abi::{MESSAGE_WORDS, MemoryRights};
use rt::message::{Answer, Message};
use rt::object::{Memory, Object, Port};
use rt::time::{MILLISECOND, SECOND, now};

/// How long a request may take before its client complains.
const PATIENCE: u64 = 2 * SECOND;
/// Servers that go away one after the other, each at once, until the service counts as given up.
const TRIES: u32 = 8;
/// What is at once.
const AT_ONCE: u64 = MILLISECOND;

/// A disk, or a partition, and the memory through which it is used.
///
/// The memory must lie in one piece. Nothing of it may be used before there is a client, for the
/// device may still be busy with what a predecessor asked for.
pub struct Client {
    port: Port,
    memory: Memory,
    complain: Box<dyn FnMut()>,
}

impl Client {
    /// Attaches a memory. `complain` is called whenever a request has taken two more seconds: it may
    /// tell somebody, who finds out whether the server hangs.
    pub fn new(port: Port, memory: &Memory, complain: impl FnMut() + 'static) -> Result<Client> {
        // Every server gets such a handle, and no more than it needs.
        let memory = memory.duplicate(
            MemoryRights::READ
                | MemoryRights::WRITE
                | MemoryRights::TRANSFER
                | MemoryRights::DUPLICATE,
        );
        let memory = memory.map_err(|_| Failure::Invalid)?;
        let mut client = Client { port, memory, complain: Box::new(complain) };
        client.attach()?;
        Ok(client)
    }

    /// How it is.
    pub fn describe(&mut self) -> Result<Geometry> {
        let answer = self.ask(label::DESCRIBE, &[])?;
        Ok(Geometry { sectors: answer.words[0], read_only: answer.words[1] != 0 })
    }

    /// The how many-th partition of the disk, from 0.
    pub fn partition(&mut self, nth: u64) -> Result<Option<Partition>> {
        let [number, first, sectors, kind, ..] = match self.ask(label::PARTITION, &[nth]) {
            Ok(answer) => answer.words,
            Err(Failure::OutOfRange) => return Ok(None),
            Err(why) => return Err(why),
        };
        Ok(Some(Partition { number: number as u8, first, sectors, kind: kind as u32 }))
    }

    /// Reads sectors to a place in the memory.
    pub fn read(&mut self, extent: Extent) -> Result<()> {
        self.transfer(label::READ, extent)
    }

    /// Writes sectors from a place in the memory.
    pub fn write(&mut self, extent: Extent) -> Result<()> {
        self.transfer(label::WRITE, extent)
    }

    /// Has what was written where it stays without power.
    pub fn flush(&mut self) -> Result<()> {
        self.ask(label::FLUSH, &[]).map(|_| ())
    }

    fn transfer(&mut self, label: u32, extent: Extent) -> Result<()> {
        let Extent { mut sector, mut count, mut offset } = extent;
        while count > 0 {
            let some = count.min(MOST);
            self.ask(label, &[sector, some, offset])?;
            (sector, count, offset) = (sector + some, count - some, offset + some * SECTOR);
        }
        Ok(())
    }

    /// Tells the server of the memory.
    fn attach(&mut self) -> Result<()> {
        let message = Message::new(label::ATTACH).handle(self.memory.raw()).copied();
        self.again(label::ATTACH, &message).map(|_| ())
    }

    /// Asks, and attaches the memory again if the server is another than before.
    fn ask(&mut self, label: u32, words: &[u64]) -> Result<Answer> {
        let message = Message::new(label).words(words);
        loop {
            match self.again(label, &message) {
                Err(Failure::NotAttached) => self.attach()?,
                answer => return answer,
            }
        }
    }

    /// Makes a call until a server has answered it.
    fn again(&mut self, label: u32, message: &Message) -> Result<Answer> {
        let (mut gone, mut nonsense) = (0, 0);
        loop {
            let began = now();
            match self.port.call(message, began + PATIENCE) {
                Ok(answer) => match read(label, &answer) {
                    Some(result) => return result.map(|()| answer),
                    None if nonsense < TRIES => nonsense += 1,
                    None => return Err(Failure::Broken),
                },
                Err(Error::PeerGone) if now() - began >= AT_ONCE => gone = 0,
                Err(Error::PeerGone) if gone < TRIES => gone += 1,
                Err(Error::PeerGone) => return Err(Failure::Gone),
                Err(Error::TimedOut) => (self.complain)(),
                Err(Error::Cancelled) => {}
                Err(_) => return Err(Failure::Broken),
            }
        }
    }
}

/// What an answer to a request says; none if no server would say that.
fn read(label: u32, answer: &Answer) -> Option<Result<()>> {
    match answer.info.label() {
        0 => makes_sense(label, &answer.words).then_some(Ok(())),
        why => Failure::of(why).map(Err),
    }
}

/// Whether these can be the words of an answer.
fn makes_sense(label: u32, &[first, second, third, fourth, ..]: &[u64; MESSAGE_WORDS]) -> bool {
    match label {
        label::DESCRIBE => first <= u64::MAX / SECTOR && second <= 1,
        label::PARTITION => {
            first <= u8::MAX.into()
                && second.checked_add(third).is_some()
                && fourth <= u32::MAX.into()
        }
        _ => [first, second, third, fourth] == [0; 4],
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // A server that is not there knows of no memory.
        let _ = self.port.call(&Message::new(label::DETACH), now() + PATIENCE);
    }
}
