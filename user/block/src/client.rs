//! The side that asks, for as long as the disk's service lives, whichever server that has.

use crate::requests::{Attach, Describe, Detach, Flush, PartitionAt, Read, Write};
use crate::{Extent, Failure, Geometry, MOST, Partition, Result, SECTOR};
use alloc::boxed::Box;
use protocol::Ask;
use protocol::calls::{self, Patience};
use protocol::parcel::Handle;
use rt::abi::MemoryRights;
use rt::object::{Memory, Object, Port};
use rt::time::SECOND;

/// A request that takes longer than this is complained about, however often.
const PATIENCE: Patience = Patience { late: 2 * SECOND, times: u32::MAX };

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
        self.ask(Describe {}).map(|(geometry, _)| geometry)
    }

    /// The how many-th partition of the disk, from 0.
    pub fn partition(&mut self, nth: u64) -> Result<Option<Partition>> {
        match self.ask(PartitionAt { nth }) {
            Err(Failure::OutOfRange) => Ok(None),
            partition => partition.map(Some),
        }
    }

    /// Reads sectors to a place in the memory.
    pub fn read(&mut self, extent: Extent) -> Result<()> {
        pieces(extent).try_for_each(|extent| self.ask(Read { extent }))
    }

    /// Writes sectors from a place in the memory.
    pub fn write(&mut self, extent: Extent) -> Result<()> {
        pieces(extent).try_for_each(|extent| self.ask(Write { extent }))
    }

    /// Has what was written where it stays without power.
    pub fn flush(&mut self) -> Result<()> {
        self.ask(Flush {})
    }

    /// Tells the server of the memory.
    fn attach(&mut self) -> Result<()> {
        let memory = Handle(self.memory.raw());
        calls::ask(&self.port, Attach { memory }, PATIENCE, &mut *self.complain)
    }

    /// Asks, and attaches the memory again if the server is another than before.
    fn ask<A: Ask<Failure = Failure> + Copy>(&mut self, ask: A) -> Result<A::Answer> {
        loop {
            match calls::ask(&self.port, ask, PATIENCE, &mut *self.complain) {
                Err(Failure::NotAttached) => self.attach()?,
                answer => return answer,
            }
        }
    }
}

/// Sectors, as many at a time as a request can have.
fn pieces(Extent { sector, count, offset }: Extent) -> impl Iterator<Item = Extent> {
    (0..count).step_by(MOST as usize).map(move |at| Extent {
        sector: sector + at,
        count: MOST.min(count - at),
        offset: offset + at * SECTOR,
    })
}

impl Drop for Client {
    fn drop(&mut self) {
        // A server that is not there knows of no memory.
        let _ = calls::ask(&self.port, Detach {}, Patience { times: 1, ..PATIENCE }, &mut || ());
    }
}
