//! Devices: what `/dev` has, and what opening one of them gives.

use super::{Inode, New};
use crate::console;
use crate::errno::{Errno, Result};
use crate::file::{Events, File, Open};
use crate::server::{Call, Server};
use crate::user::Transfer;
use alloc::rc::Rc;
use linux_raw_sys::general::{S_IFCHR, S_IFDIR, S_IFLNK};

/// The number of a device.
pub const fn number(major: u32, minor: u32) -> u64 {
    let (major, minor) = (major as u64, minor as u64);
    (major & 0xfff) << 8 | minor & 0xff | (minor & !0xff) << 12
}

const NULL: u64 = number(1, 3);
const ZERO: u64 = number(1, 5);
const FULL: u64 = number(1, 7);
const RANDOM: u64 = number(1, 8);
const URANDOM: u64 = number(1, 9);

/// Random bytes that are made at a time.
pub const RANDOM_PIECE: usize = 1024;

/// Devices by name.
const DEVICES: &[(&[u8], u64)] = &[
    (b"null", NULL),
    (b"zero", ZERO),
    (b"full", FULL),
    (b"random", RANDOM),
    (b"urandom", URANDOM),
    (b"console", console::DEVICE),
    (b"tty", console::OWN),
    (b"ptmx", console::NEW_PAIR),
];
/// Symbolic links.
const LINKS: &[(&[u8], &[u8])] = &[
    (b"fd", b"/proc/self/fd"),
    (b"stdin", b"/proc/self/fd/0"),
    (b"stdout", b"/proc/self/fd/1"),
    (b"stderr", b"/proc/self/fd/2"),
];

/// Fills `/dev`.
pub fn populate(dev: &Rc<Inode>) -> Result<()> {
    let directory = dev.directory()?;
    let new = New { name: b"", mode: S_IFCHR | 0o666, uid: 0, gid: 0, device: 0, target: b"" };
    for &(name, device) in DEVICES {
        directory.create(dev, &New { name, device, ..new })?;
    }
    directory.create(dev, &New { name: b"pts", mode: S_IFDIR | 0o755, ..new })?;
    directory.create(dev, &New { name: b"shm", mode: S_IFDIR | 0o1777, ..new })?;
    for &(name, target) in LINKS {
        directory.create(dev, &New { name, target, mode: S_IFLNK | 0o777, ..new })?;
    }
    Ok(())
}

/// Opens a character device.
pub fn open(call: &Call, device: u64, flags: u32) -> Result<Rc<dyn File>> {
    match device {
        NULL => Ok(Rc::new(Null)),
        ZERO => Ok(Rc::new(Zero)),
        FULL => Ok(Rc::new(Full)),
        RANDOM | URANDOM => Ok(Rc::new(Random(call.server))),
        _ => console::open(call, device, flags).unwrap_or(Err(Errno::ENXIO)),
    }
}

static ZEROES: [u8; 4096] = [0; 4096];

fn put_zeroes(to: &mut Transfer<'_>) -> Result<()> {
    while to.left > 0 {
        to.put(&ZEROES[..to.left.min(4096) as usize])?;
    }
    Ok(())
}

/// Nothing to read, and writing does nothing.
struct Null;

impl File for Null {
    fn read(&self, _: &Open, _: &mut u64, _: &mut Transfer<'_>) -> Result<()> {
        Ok(())
    }

    fn write(&self, _: &Open, _: &mut u64, from: &mut Transfer<'_>) -> Result<()> {
        from.skip();
        Ok(())
    }

    fn seekable(&self) -> bool {
        true
    }
}

/// Zeroes.
struct Zero;

impl File for Zero {
    fn read(&self, _: &Open, _: &mut u64, to: &mut Transfer<'_>) -> Result<()> {
        put_zeroes(to)
    }

    fn write(&self, _: &Open, _: &mut u64, from: &mut Transfer<'_>) -> Result<()> {
        from.skip();
        Ok(())
    }

    fn seekable(&self) -> bool {
        true
    }
}

/// Zeroes, and no room to write.
struct Full;

impl File for Full {
    fn read(&self, _: &Open, _: &mut u64, to: &mut Transfer<'_>) -> Result<()> {
        put_zeroes(to)
    }

    fn write(&self, _: &Open, _: &mut u64, from: &mut Transfer<'_>) -> Result<()> {
        if from.left == 0 { Ok(()) } else { Err(Errno::ENOSPC) }
    }

    fn seekable(&self) -> bool {
        true
    }
}

/// Bytes that nobody can guess. Those that are written are mixed in.
struct Random(&'static Server);

impl File for Random {
    fn read(&self, _: &Open, _: &mut u64, to: &mut Transfer<'_>) -> Result<()> {
        while to.left > 0 {
            let mut piece = [0; RANDOM_PIECE];
            let piece = &mut piece[..to.left.min(RANDOM_PIECE as u64) as usize];
            self.0.random.fill(piece);
            to.put(piece)?;
        }
        Ok(())
    }

    fn write(&self, _: &Open, _: &mut u64, from: &mut Transfer<'_>) -> Result<()> {
        while from.left > 0 {
            let mut piece = [0; RANDOM_PIECE];
            let count = from.take(&mut piece)?;
            self.0.random.mix(&piece[..count]);
        }
        Ok(())
    }

    fn ready(&self, _: &Open) -> Events {
        Events::IN | Events::OUT
    }

    fn seekable(&self) -> bool {
        true
    }
}
