//! # virtio-blk: the driver of virtio disks
//!
//! It is given the device's registers (one window for MMIO, four for PCI), its interrupt, and 16 KiB that
//! the device reaches. The data of its clients it never sees: the device moves it from and to their
//! memory. A device that is not there, or does not work, is served all the same: whoever asks is told.
#![no_std]
#![no_main]

mod disk;
mod requests;

use block::{Geometry, Server, serve};
use disk::Disk;
use rt::service::{Grants, Line};
use rt::{Start, println};

rt::entry!(main);

fn main(start: Start) -> u64 {
    let grants = Grants::read(&start);
    let name = grants.name();
    let Some(Line { interrupt, .. }) = grants.interrupt() else {
        println!("{name}: was not given an interrupt");
        return rt::service::EXIT_NOT_GIVEN;
    };
    let transport = match virtio::open(&grants) {
        Ok(transport) => transport,
        Err(error) => {
            println!("{name}: its registers and memory cannot be used: {error:?}");
            return 1;
        }
    };
    let disk = match Disk::new(transport, interrupt, grants.dma()) {
        Ok(disk) => disk,
        Err(error) => {
            println!("{name}: its memory cannot be used: {error:?}");
            return 1;
        }
    };
    let mut server = Server::new(disk);
    match server.device().state() {
        Ok(Geometry { sectors, read_only }) => {
            let parts = server.partitions().len();
            let how = if read_only { ", can only be read" } else { "" };
            println!("{name}: {} KiB, {parts} partitions{how}", sectors / 2);
        }
        Err(why) => println!("{name}: {why:?}"),
    }
    let error = serve(grants.inbox(), server);
    println!("{name}: {error:?}");
    1
}
