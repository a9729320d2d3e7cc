//! # sd: the driver of SD cards
//!
//! It is given the registers of the Raspberry Pi's host controller, and moves the data itself, a word at a
//! time: the controller cannot. So a request is done when the next is looked at, and the interrupt is not
//! used: while a card is busy the driver looks now and then, and when nobody asks for anything it sleeps.
//! Without a card it serves all the same, and says to everybody that there is none.
#![no_std]
#![no_main]

mod card;
mod host;

use block::{Device, Failure, Geometry, Progress, Result, SECTOR, Server, Transfer, serve};
use card::Card;
use host::Host;
use rt::abi::{MAP_WRITE, PAGE};
use rt::service::Grants;
use rt::space::Mapping;
use rt::{Memory, Start, println};

rt::entry!(main);

fn main(start: Start) -> u64 {
    let grants = Grants::read(&start);
    let name = grants.name();
    let host = match Host::new(grants.window()) {
        Ok(host) => host,
        Err(error) => {
            println!("{name}: its registers cannot be used: {error:?}");
            return 1;
        }
    };
    let slot = Slot { card: Card::start(&host), host };
    let server = match slot.geometry() {
        Ok(Geometry { sectors, .. }) => {
            println!("{name}: a card with {} KiB", sectors / 2);
            Server::new(slot)
        }
        Err(why) => {
            println!("{name}: no card: {why:?}");
            Server::new(slot)
        }
    };
    let error = serve(grants.inbox(), server);
    println!("{name}: {error:?}");
    1
}

/// The slot, with the card in it, or why that cannot be used.
struct Slot {
    host: Host,
    card: Result<Card>,
}

impl Slot {
    /// Does it with the card, if there is one. One that fails is started again, for whoever comes next.
    fn try_it(&mut self, act: impl FnOnce(&Card, &Host) -> Result<()>) -> Result<()> {
        let result = act(self.card.as_ref().map_err(|why| *why)?, &self.host);
        if result.is_err() {
            self.card = Card::start(&self.host);
            // If it does not start any more that is the reason.
            self.card.as_ref().map_err(|why| *why)?;
        }
        result
    }
}

impl Device for Slot {
    type Memory = Memory;
    type Area = Mapping;

    fn geometry(&self) -> Result<Geometry> {
        self.card.as_ref().map(|card| card.geometry).map_err(|why| *why)
    }

    fn attach(&mut self, memory: Memory) -> Result<(Mapping, u64)> {
        let pages = memory.info().map_err(|_| Failure::Invalid)?.pages;
        let mapping = Mapping::new(&memory, 0, pages, MAP_WRITE).map_err(|_| Failure::Invalid)?;
        Ok((mapping, pages * PAGE))
    }

    fn begin(&mut self, _: usize, area: &Mapping, transfer: Transfer) -> Progress {
        let address = |offset| area.address() + offset;
        Progress::Done(self.try_it(|card, host| match transfer {
            Transfer::Read(extent) => card.read(host, extent, address(extent.offset)),
            Transfer::Write(extent) => card.write(host, extent, address(extent.offset)),
            // A card has written when it says so.
            Transfer::Flush => Ok(()),
        }))
    }

    fn ended(&mut self) -> Option<(usize, Result<()>)> {
        None
    }

    fn give_up(&mut self) {}

    fn read_now(&mut self, sector: u64, bytes: &mut [u8; SECTOR as usize]) -> Result<()> {
        let extent = block::Extent { sector, count: 1, offset: 0 };
        let mut words = [0u32; SECTOR as usize / 4];
        let address = words.as_mut_ptr() as u64;
        self.try_it(|card, host| card.read(host, extent, address))?;
        for (bytes, word) in bytes.chunks_exact_mut(4).zip(words) {
            bytes.copy_from_slice(&word.to_ne_bytes());
        }
        Ok(())
    }
}
