//! # disktest: disks and their drivers, killed in the middle of it
//!
//! It is its own supervisor: finds the machine's disk, starts its driver with what that needs, and uses
//! it. `args=` says what there is to see: `storm`, where two clients write and read while the driver is
//! killed a hundred times (`count=`), and `memory`, the same with a disk that is memory; `ends`, which writes its
//! first and last sectors; `read-only`; `broken`, a sector that cannot be read; `slow` and `stuck`, one
//! whose transfers take seconds, or for ever; `absent`, a slot without a card;
//! `gone`, a disk that is taken away; `tree`, a storm in which a file system is killed as well. What a storm
//! leaves on the disk the host looks at afterwards.
#![no_std]
#![no_main]

extern crate alloc;

mod bus;
mod driver;
mod errors;
mod figures;
mod served;
mod storm;
mod tree;

use block::{Badge, Client, Failure, Geometry};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use devices::Device;
use driver::Driver;
use rt::files::{Files, Words};
use rt::{Error, Memory, Start, println};

rt::entry!(main);

/// Pages of a client's memory.
pub const PAGES: u64 = 32;

/// What goes wrong where nothing should.
#[derive(Debug)]
pub enum Wrong {
    /// A call of the kernel.
    Kernel(Error),
    /// A request to the disk.
    Disk(Failure),
    /// A request to a file system.
    Files(files::Failure),
    /// This is not so.
    That(&'static str),
}

impl From<Error> for Wrong {
    fn from(error: Error) -> Wrong {
        Wrong::Kernel(error)
    }
}

impl From<Failure> for Wrong {
    fn from(failure: Failure) -> Wrong {
        Wrong::Disk(failure)
    }
}

impl From<files::Failure> for Wrong {
    fn from(failure: files::Failure) -> Wrong {
        Wrong::Files(failure)
    }
}

/// What has to be so.
pub fn check(is_so: bool, what: &'static str) -> Result<(), Wrong> {
    if is_so { Ok(()) } else { Err(Wrong::That(what)) }
}

fn main(start: Start) -> u64 {
    let words = Words::read();
    let which = words.get("args").unwrap_or("storm");
    match run(&start, &words, which) {
        Ok(()) => {
            println!("test disk-{which}: ok");
            0
        }
        Err(wrong) => {
            println!("test disk-{which}: FAILED: {wrong:?}");
            1
        }
    }
}

fn run(start: &Start, words: &Words, which: &str) -> Result<(), Wrong> {
    let initrd = start.initrd.as_ref().ok_or(Error::NotFound)?;
    let files = Files::new(initrd)?;
    let (device, program) = match which {
        "memory" => (Device::default(), "ramdisk"),
        _ => bus::disk(start).ok_or(Wrong::That("there is a disk"))?,
    };
    let disk = if which == "memory" { Some(storm::disk()?) } else { None };
    let file = files.program(program).ok_or(Error::NotFound)?;
    let mut driver = Driver::start(file, &device, disk)?;
    match which {
        "storm" | "memory" => storm::storm(&mut driver, words)?,
        "figures" => figures::all(&mut driver)?,
        "read-only" => errors::read_only(&driver)?,
        "broken" => errors::broken(&driver)?,
        "tree" => tree::storm(&mut driver, &files, words)?,
        "tree-figures" => tree::figures(&driver, &files, words)?,
        "ends" => errors::ends(&driver)?,
        "slow" => errors::slow(&driver)?,
        "stuck" => errors::stuck(&driver)?,
        "absent" => errors::absent(&driver)?,
        "gone" => errors::gone(&driver, &device)?,
        _ => return Err(Wrong::That("the word `args` says what to do")),
    }
    driver.kill()?;
    Ok(())
}

/// A client of a partition or the whole disk, and its memory.
pub fn client(driver: &Driver, partition: u8, number: u64) -> Result<(Client, Memory), Wrong> {
    let (memory, _) = Memory::contiguous(&rt::machine(), PAGES)?;
    let port = driver.connection(Badge { partition, client: number })?;
    let client = Client::new(port, &memory, complain)?;
    Ok((client, memory))
}

/// Complaints of clients that a request takes long.
pub static COMPLAINTS: AtomicU64 = AtomicU64::new(0);

/// Counts one.
pub fn complain() {
    COMPLAINTS.fetch_add(1, Relaxed);
}

/// How the disk is.
pub fn geometry(driver: &Driver) -> Result<Geometry, Wrong> {
    Ok(client(driver, 0, 99)?.0.describe()?)
}
