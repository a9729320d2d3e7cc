//! A file system's server, and what it needs: what a supervisor does, for one disk.

use crate::Wrong;
use crate::driver::Driver;
use block::Badge;
use rt::abi::{FOREVER, MachineRights, PAGE, PortRights};
use rt::loader::Child;
use rt::object::Object;
use rt::service::{Kind, Table};
use rt::{Memory, Port};

/// What a server may use, and how urgent it is.
const QUOTA: u64 = 4 << 20;
const PRIORITY: u8 = 20;
/// Pages of the cache.
const CACHE: u64 = 512;
/// Its number as a client of the disk.
const CLIENT: u64 = 7;
const KILLED: u64 = 9;

pub struct Served<'a> {
    program: &'a [u8],
    port: Port,
    cache: (Memory, u64),
    child: Child,
    /// Its diary.
    _diary: Memory,
}

impl<'a> Served<'a> {
    /// Starts one.
    pub fn start(program: &'a [u8], disk: &Driver) -> Result<Served<'a>, Wrong> {
        let port = Port::create(4)?;
        let cache = Memory::contiguous(&rt::machine(), CACHE)?;
        let (child, diary) = start(program, disk, &port, &cache)?;
        Ok(Served { program, port, cache, child, _diary: diary })
    }

    /// Ends it, and starts another.
    pub fn kill(&mut self, disk: &Driver) -> Result<(), Wrong> {
        self.child.process.kill(KILLED)?;
        self.child.wait(FOREVER)?;
        let (child, diary) = start(self.program, disk, &self.port, &self.cache)?;
        (self.child, self._diary) = (child, diary);
        Ok(())
    }

    /// A way to it.
    pub fn connection(&self) -> Result<Port, Wrong> {
        Ok(self.port.duplicate(PortRights::SEND)?)
    }
}

fn start(
    program: &[u8],
    disk: &Driver,
    port: &Port,
    (cache, physical): &(Memory, u64),
) -> Result<(Child, Memory), Wrong> {
    let child = Child::load(program, QUOTA, PRIORITY)?;
    let child = child.with_machine(&rt::machine(), MachineRights::LOG)?;
    let mut table = Table::new("files");
    let own = child.give(port.badged(PortRights::all(), 0)?)?;
    table.add(Kind::Port, "", own, [0; 2]);
    let block = child.give(disk.connection(Badge { partition: 0, client: CLIENT })?)?;
    table.add(Kind::Client, "block", block, [0; 2]);
    let copy = Memory::from_raw(rt::object::duplicate(cache.raw(), u8::MAX, 0)?);
    table.add(Kind::Dma, "", child.give(copy)?, [*physical, CACHE * PAGE]);
    let (child, diary) = table.install(child)?;
    child.start()?;
    Ok((child, diary))
}
