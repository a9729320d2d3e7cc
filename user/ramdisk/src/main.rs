//! # ramdisk: a disk in memory
//!
//! It is given the memory, as `disk`, which stays when it ends: for volumes without a device, and for tests.
#![no_std]
#![no_main]

use block::{Device, Failure, Geometry, Progress, Result, SECTOR, Server, Transfer, serve};
use rt::abi::{MAP_WRITE, PAGE};
use rt::service::Grants;
use rt::space::Mapping;
use rt::{Memory, Start, println};

rt::entry!(main);

fn main(start: Start) -> u64 {
    let grants = Grants::read(&start);
    let kept = grants.kept("disk");
    let disk = match Mapping::new(kept.memory, 0, kept.pages, MAP_WRITE) {
        Ok(mapping) => Disk { mapping },
        Err(error) => {
            println!("{}: its memory cannot be used: {error:?}", grants.name());
            return 1;
        }
    };
    let error = serve(grants.inbox(), Server::new(disk));
    println!("{}: {error:?}", grants.name());
    1
}

/// The disk.
struct Disk {
    mapping: Mapping,
}

impl Disk {
    fn at(&self, sector: u64) -> *mut u8 {
        self.mapping.pointer(sector * SECTOR)
    }
}

impl Device for Disk {
    type Memory = Memory;
    type Area = Mapping;

    fn geometry(&self) -> Result<Geometry> {
        Ok(Geometry { sectors: self.mapping.pages() * (PAGE / SECTOR), read_only: false })
    }

    fn attach(&mut self, memory: Memory) -> Result<(Mapping, u64)> {
        let pages = memory.info().map_err(|_| Failure::Invalid)?.pages;
        let mapping = Mapping::new(&memory, 0, pages, MAP_WRITE).map_err(|_| Failure::Invalid)?;
        Ok((mapping, pages * PAGE))
    }

    fn begin(&mut self, _: usize, area: &Mapping, transfer: Transfer) -> Progress {
        let (from, to, bytes) = match transfer {
            Transfer::Read(extent) => {
                (self.at(extent.sector), area.pointer(extent.offset), extent.bytes())
            }
            Transfer::Write(extent) => {
                (area.pointer(extent.offset), self.at(extent.sector), extent.bytes())
            }
            Transfer::Flush => return Progress::Done(Ok(())),
        };
        // SAFETY: both are within mappings that live, as the server has checked, and are nobody's
        // references; the memories are different ones, or else it is their owner who mixes them up.
        unsafe { core::ptr::copy(from, to, bytes as usize) };
        Progress::Done(Ok(()))
    }

    fn ended(&mut self) -> Option<(usize, Result<()>)> {
        None
    }

    fn give_up(&mut self) {}

    fn read_now(&mut self, sector: u64, bytes: &mut [u8; SECTOR as usize]) -> Result<()> {
        // SAFETY: as above.
        unsafe { core::ptr::copy(self.at(sector), bytes.as_mut_ptr(), bytes.len()) };
        Ok(())
    }
}
