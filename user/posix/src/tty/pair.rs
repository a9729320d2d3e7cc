//! Pairs of terminals: what is typed is what the master writes, what is seen is what it reads.

use super::{Line, Tty, control};
use crate::errno::{Errno, Result};
use crate::file::{Events, File, Open};
use crate::fs::{Inode, New, dev};
use crate::server::{Call, Server};
use crate::user::Transfer;
use crate::wait::Waiters;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::format;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use linux_raw_sys::general::{O_CLOEXEC, O_NONBLOCK, O_RDWR, S_IFCHR, TIOCPKT_DATA};
use linux_raw_sys::ioctl::{
    FIONREAD, TIOCGPKT, TIOCGPTLCK, TIOCGPTN, TIOCGPTPEER, TIOCPKT, TIOCSPTLCK,
};

/// Bytes that wait for the master.
const CAPACITY: usize = 16384;
/// The device number of the first one.
const MAJOR: u32 = 136;
/// Pairs that there can be.
const PAIRS: u32 = 1024;

/// All pairs, by their numbers.
#[derive(Default)]
pub struct Pairs(RefCell<BTreeMap<u32, Rc<Pair>>>);

/// What is between the two.
pub struct Pair {
    /// The slave.
    pub tty: Rc<Tty>,
    queue: Rc<Queue>,
    number: u32,
    locked: Cell<bool>,
}

/// Bytes on their way to the master.
#[derive(Default)]
struct Queue(RefCell<VecDeque<u8>>);

impl Line for Rc<Queue> {
    fn room(&self) -> usize {
        CAPACITY - self.0.borrow().len()
    }

    fn put(&self, bytes: &[u8]) {
        self.0.borrow_mut().extend(bytes);
    }

    /// What the master has not read is out of the slave all the same.
    fn pending(&self) -> usize {
        0
    }
}

impl Queue {
    fn length(&self) -> usize {
        self.0.borrow().len()
    }
}

/// The number of a pair, if a device is a slave.
pub fn number(device: u64) -> Option<u32> {
    (0..PAIRS)
        .contains(&minor(device))
        .then(|| minor(device))
        .filter(|&minor| slave(minor) == device)
}

fn minor(device: u64) -> u32 {
    (device & 0xff | device >> 12 & 0xfff00) as u32
}

fn slave(number: u32) -> u64 {
    dev::number(MAJOR, number)
}

/// The directory with the slaves.
fn directory(server: &Server) -> Result<Rc<Inode>> {
    let dev = server.mounts.top(server.root.directory()?.lookup(b"dev")?);
    Ok(server.mounts.top(dev.directory()?.lookup(b"pts")?))
}

impl Pairs {
    /// Opens a new master.
    pub fn open(&self, call: &Call) -> Result<Rc<dyn File>> {
        let free = (0..PAIRS).find(|number| !self.0.borrow().contains_key(number));
        let number = free.ok_or(Errno::ENOSPC)?;
        let queue = Rc::new(Queue::default());
        let tty = Tty::new(Box::new(queue.clone()), [0, 0]);
        let pair = Rc::new(Pair { tty, queue, number, locked: Cell::new(true) });
        let pts = directory(call.server)?;
        let ids = call.process().ids.borrow();
        let (name, mode) = (format!("{number}"), S_IFCHR | 0o620);
        let (uid, gid) = (ids.fsuid, ids.fsgid);
        let new = New { name: name.as_bytes(), mode, uid, gid, device: slave(number), target: b"" };
        pts.directory()?.create(&pts, &new)?;
        self.0.borrow_mut().insert(number, pair.clone());
        Ok(Rc::new(Master { pair, server: call.server }))
    }

    /// The pair of a number.
    pub fn get(&self, number: u32) -> Option<Rc<Pair>> {
        self.0.borrow().get(&number).cloned()
    }

    /// The slave that controls a session.
    pub fn find(&self, matches: impl Fn(&Tty) -> bool) -> Option<Rc<Tty>> {
        let pairs = self.0.borrow();
        pairs.values().find(|pair| matches(&pair.tty)).map(|pair| pair.tty.clone())
    }
}

impl Pair {
    /// Opens the slave.
    pub fn open_slave(&self, call: &Call, flags: u32) -> Result<Rc<dyn File>> {
        if self.locked.get() {
            return Err(Errno::EIO);
        }
        self.tty.opened_by(call, flags);
        Ok(self.tty.open(call.server))
    }
}

/// The master.
struct Master {
    pair: Rc<Pair>,
    server: &'static Server,
}

impl Master {
    /// Whether there was a slave, and there is none any more.
    fn alone(&self) -> bool {
        self.pair.tty.opened.get() && self.pair.tty.opens.get() == 0
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        let pairs = &self.server.console.pairs;
        pairs.0.borrow_mut().remove(&self.pair.number);
        if let Ok(pts) = directory(self.server) {
            let name = format!("{}", self.pair.number);
            // A guest may have taken the name away before.
            let _ = pts.directory().and_then(|names| names.unlink(&pts, name.as_bytes()));
        }
        self.pair.tty.hang_up(self.server);
    }
}

impl File for Master {
    fn read(&self, _: &Open, _: &mut u64, to: &mut Transfer<'_>) -> Result<()> {
        let packet = &self.pair.tty.packet;
        if let Some(told @ 1..) = packet.get() {
            packet.set(Some(0));
            return to.put(&[told]).map(|_| ());
        }
        let mut queue = self.pair.queue.0.borrow_mut();
        if queue.is_empty() {
            return Err(if self.alone() { Errno::EIO } else { Errno::EAGAIN });
        }
        let head = packet.get().map(|_| TIOCPKT_DATA as u8);
        let count = (to.left as usize).saturating_sub(head.iter().len()).min(queue.len());
        let bytes: Vec<u8> = head.into_iter().chain(queue.drain(..count)).collect();
        drop(queue);
        to.put(&bytes[..bytes.len().min(to.left as usize)])?;
        self.pair.tty.advance();
        Ok(())
    }

    fn write(&self, _: &Open, _: &mut u64, from: &mut Transfer<'_>) -> Result<()> {
        let tty = &self.pair.tty;
        let mut bytes = [0; 256];
        while from.left > 0 {
            let room = tty.input.borrow().room(&tty.settings()).min(bytes.len());
            if room == 0 {
                return Err(Errno::EAGAIN);
            }
            let count = from.take(&mut bytes[..room])?;
            tty.receive(&bytes[..count]);
        }
        Ok(())
    }

    fn ready(&self, _: &Open) -> Events {
        let tty = &self.pair.tty;
        let mut events = Events::empty();
        let told = tty.packet.get().is_some_and(|told| told != 0);
        events.set(Events::READ, told || self.pair.queue.length() > 0);
        events.set(Events::PRI, told);
        events.set(Events::WRITE, tty.input.borrow().room(&tty.settings()) > 0);
        events.set(Events::HUP, self.alone());
        events
    }

    fn waiters(&self) -> Option<&Waiters> {
        Some(&self.pair.tty.waiters)
    }

    fn ioctl(&self, call: &Call, open: &Open, request: u32, argument: u64) -> Result {
        let (process, pair) = (call.process(), &self.pair);
        match request {
            TIOCGPTN => process.put(argument, &pair.number)?,
            TIOCSPTLCK => pair.locked.set(process.get::<u32>(argument)? != 0),
            TIOCGPTLCK => process.put(argument, &u32::from(pair.locked.get()))?,
            FIONREAD => process.put(argument, &(pair.queue.length() as u32))?,
            TIOCPKT => {
                let on = process.get::<u32>(argument)? != 0;
                pair.tty.packet.set(on.then(|| pair.tty.packet.get().unwrap_or(0)));
            }
            TIOCGPKT => process.put(argument, &u32::from(pair.tty.packet.get().is_some()))?,
            TIOCGPTPEER => {
                let flags = argument as u32;
                let pts = directory(call.server)?;
                let name = format!("{}", pair.number);
                let inode = pts.directory()?.lookup(name.as_bytes())?;
                let slave = Open {
                    file: pair.open_slave(call, flags)?,
                    inode,
                    flags: Cell::new(flags & O_NONBLOCK | O_RDWR),
                    position: Cell::new(0),
                    name: Some((pts, name.into_bytes())),
                };
                return process.add_descriptor(Rc::new(slave), flags & O_CLOEXEC != 0);
            }
            _ => return control::ioctl(call, open, &pair.tty, request, argument),
        }
        Ok(0)
    }
}
