//! A server without its port: who has attached what, who may use which sectors, who waits for what.
//!
//! Invariant: a client has at most one transfer at the device, and whatever it asks for next begins
//! when that has ended. So whoever has attached a memory, or given it up, and been answered, knows that
//! the device does not touch what it used before.

use crate::partition::{self, Partition};
use crate::requests::{Attach, Read, Write};
use crate::{Badge, Extent, Failure, Geometry, Request, Result, SECTOR, Transfer};
use alloc::vec::Vec;
use protocol::{Ask, Parcel};

/// Clients that are known at the same time. One more, and the one that was not heard of for longest
/// has to attach its memory anew.
pub const CLIENTS: usize = 16;

/// A disk, for a [`Server`].
pub trait Device {
    /// Memory, as a client sends it.
    type Memory;
    /// Memory, as the device uses it.
    type Area;

    /// How it is, if it is there and works.
    fn geometry(&self) -> Result<Geometry>;
    /// Makes a client's memory ready for use; how many bytes it has.
    fn attach(&mut self, memory: Self::Memory) -> Result<(Self::Area, u64)>;
    /// Begins a transfer that is within the disk and the area. Its slot, below [`CLIENTS`], has no other.
    fn begin(&mut self, slot: usize, area: &Self::Area, transfer: Transfer) -> Progress;
    /// The signals that it sets at the server's port have arrived.
    fn interrupt(&mut self) {}
    /// A transfer that has ended since it was begun, if there is one.
    fn ended(&mut self) -> Option<(usize, Result<()>)>;
    /// Transfers have taken too long: all of them are to end, well or not.
    fn give_up(&mut self);
    /// Reads a sector at once. Nothing else goes on.
    fn read_now(&mut self, sector: u64, bytes: &mut [u8; SECTOR as usize]) -> Result<()>;
}

/// What became of a transfer that was begun.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// It has ended.
    Done(Result<()>),
    /// [`Device::ended`] will have it.
    Later,
}

/// What a client gets: an answer as it travels, or why not.
pub type Answer = Result<Parcel>;

/// A server whose callers, while they wait, are kept as `C`.
pub struct Server<D: Device, C> {
    device: D,
    partitions: Vec<Partition>,
    /// The partitions have been read, if there are any.
    is_read: bool,
    clients: [Client<D, C>; CLIENTS],
    /// How many of them wait for the device.
    busy: usize,
    /// Counts requests.
    time: u64,
}

struct Client<D: Device, C> {
    number: u64,
    /// When it was heard of last; 0 for none.
    heard: u64,
    /// What it has attached, and how many bytes that has.
    area: Option<(D::Area, u64)>,
    /// Who waits for the device.
    waits: Option<C>,
    /// What is to be done after that, for whom. It is always the same client: it no longer waits for
    /// what it asked for before.
    next: Option<(C, Badge, Request<D::Memory>)>,
}

impl<D: Device, C> Server<D, C> {
    /// A server of a device, which reads its table of partitions.
    pub fn new(device: D) -> Server<D, C> {
        let clients = core::array::from_fn(|_| Client::none());
        let (partitions, is_read) = (Vec::new(), false);
        let mut server = Server { device, partitions, is_read, clients, busy: 0, time: 0 };
        server.read_partitions();
        server
    }

    /// Reads the table, unless it has been read. What cannot be read now may be later.
    fn read_partitions(&mut self) {
        if self.is_read || self.is_busy() {
            return;
        }
        let Ok(Geometry { sectors, .. }) = self.device.geometry() else { return };
        let device = &mut self.device;
        let found = partition::partitions(sectors, &mut |at, bytes| device.read_now(at, bytes));
        self.is_read = found.is_ok();
        self.partitions = found.unwrap_or_default();
    }

    /// The device.
    pub fn device(&mut self) -> &mut D {
        &mut self.device
    }

    /// The partitions.
    pub fn partitions(&self) -> &[Partition] {
        &self.partitions
    }

    /// Whether the device has something to do.
    pub fn is_busy(&self) -> bool {
        self.busy > 0
    }

    /// Does what a client asks for. If that takes longer, the caller is kept, and told by [`ended`](Server::ended).
    pub fn request(
        &mut self,
        badge: Badge,
        request: Request<D::Memory>,
        keep: impl FnOnce() -> C,
    ) -> Option<Answer> {
        let asks = matches!(request, Request::Describe(_) | Request::PartitionAt(_));
        if badge.partition != 0 || asks {
            self.read_partitions();
        }
        match request {
            Request::Describe(it) => return Some(self.describe(badge).map(|told| it.answer(told))),
            Request::PartitionAt(it) => {
                return Some(self.partition(it.nth).map(|told| it.answer(told)));
            }
            _ => {}
        }
        let Some(slot) = self.slot(badge.client, &request) else {
            return Some(match request {
                Request::Detach(_) => Ok(Parcel::default()),
                _ => Err(Failure::NotAttached),
            });
        };
        let client = &mut self.clients[slot];
        if client.waits.is_some() {
            client.next = Some((keep(), badge, request));
            return None;
        }
        match self.begin(slot, badge, request) {
            Progress::Done(result) => Some(result.map(Parcel::of)),
            Progress::Later => {
                self.wait(slot, keep());
                None
            }
        }
    }

    /// A caller waits for the device.
    fn wait(&mut self, slot: usize, caller: C) {
        self.clients[slot].waits = Some(caller);
        self.busy += 1;
    }

    /// Tells whoever waited for transfers that have ended, and begins what was put off until then.
    pub fn ended(&mut self, tell: &mut impl FnMut(C, Answer)) {
        while let Some((slot, result)) = self.device.ended() {
            let client = &mut self.clients[slot];
            if let Some(caller) = client.waits.take() {
                self.busy -= 1;
                tell(caller, result.map(Parcel::of));
            }
            let Some((caller, badge, request)) = client.next.take() else { continue };
            match self.begin(slot, badge, request) {
                Progress::Done(result) => tell(caller, result.map(Parcel::of)),
                Progress::Later => self.wait(slot, caller),
            }
        }
    }

    /// Does what a client without a transfer asks for, as far as that concerns its memory.
    fn begin(&mut self, slot: usize, badge: Badge, request: Request<D::Memory>) -> Progress {
        match request {
            Request::Attach(Attach { memory }) => Progress::Done(self.attach(slot, memory)),
            Request::Read(Read { extent }) => self.transfer(slot, badge, Transfer::Read(extent)),
            Request::Write(Write { extent }) => self.transfer(slot, badge, Transfer::Write(extent)),
            Request::Flush(_) => self.transfer(slot, badge, Transfer::Flush),
            // Whoever detaches it: what does not need a slot was answered before.
            _ => {
                self.clients[slot] = Client::none();
                Progress::Done(Ok(()))
            }
        }
    }

    fn describe(&self, badge: Badge) -> Result<(Geometry, u64)> {
        let Geometry { sectors, read_only } = self.device.geometry()?;
        let (_, sectors) = partition::part(&self.partitions, badge.partition, sectors)?;
        Ok((Geometry { sectors, read_only }, self.partitions.len() as u64))
    }

    fn partition(&self, nth: u64) -> Result<Partition> {
        let found = usize::try_from(nth).ok().and_then(|nth| self.partitions.get(nth));
        found.copied().ok_or(Failure::OutOfRange)
    }

    fn attach(&mut self, slot: usize, memory: D::Memory) -> Result<()> {
        // First the old one goes: there may not be room for both.
        self.clients[slot].area = None;
        self.clients[slot].area = Some(self.device.attach(memory)?);
        Ok(())
    }

    fn transfer(&mut self, slot: usize, badge: Badge, transfer: Transfer) -> Progress {
        let begun = self.checked(slot, badge, transfer);
        begun.unwrap_or_else(|why| Progress::Done(Err(why)))
    }

    /// Begins a transfer, if this client may make it.
    fn checked(&mut self, slot: usize, badge: Badge, transfer: Transfer) -> Result<Progress> {
        let Geometry { sectors, read_only } = self.device.geometry()?;
        let (first, sectors) = partition::part(&self.partitions, badge.partition, sectors)?;
        let (area, bytes) = self.clients[slot].area.as_ref().ok_or(Failure::NotAttached)?;
        let within = |extent: Extent| extent.within(first, sectors, *bytes);
        let transfer = match transfer {
            Transfer::Write(_) if read_only => return Err(Failure::ReadOnly),
            Transfer::Read(extent) => Transfer::Read(within(extent)?),
            Transfer::Write(extent) => Transfer::Write(within(extent)?),
            Transfer::Flush => Transfer::Flush,
        };
        Ok(self.device.begin(slot, area, transfer))
    }

    /// The place of a client. One that attaches gets one, if there is one without a transfer.
    fn slot(&mut self, number: u64, request: &Request<D::Memory>) -> Option<usize> {
        self.time += 1;
        let known = |client: &Client<D, C>| client.heard > 0 && client.number == number;
        let slot = self.clients.iter().position(known).or_else(|| {
            let clients = self.clients.iter().enumerate();
            let free = clients.filter(|(_, client)| client.waits.is_none());
            let (slot, _) = free.min_by_key(|(_, client)| client.heard)?;
            let attaches = matches!(request, Request::Attach(_));
            attaches.then(|| self.clients[slot] = Client { number, ..Client::none() })?;
            Some(slot)
        })?;
        self.clients[slot].heard = self.time;
        Some(slot)
    }
}

impl<D: Device, C> Client<D, C> {
    fn none() -> Client<D, C> {
        Client { number: 0, heard: 0, area: None, waits: None, next: None }
    }
}
