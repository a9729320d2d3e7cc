//! Pipes, with a name or without.

use super::{Events, File, Open};
use crate::errno::{Errno, Result};
use crate::process::quota::heap_has;
use crate::server::Call;
use crate::user::Transfer;
use crate::wait::Waiters;
use alloc::boxed::Box;
use alloc::rc::Rc;
use core::cell::{Cell, RefCell};
use linux_raw_sys::general::{O_ACCMODE, O_RDONLY, O_RDWR, O_WRONLY};
use linux_raw_sys::ioctl::FIONREAD;

/// Bytes that fit.
pub const CAPACITY: usize = 65536;
/// Bytes that are written as a whole.
pub const ATOMIC: u64 = 4096;

/// What is between those who write and those who read.
pub struct Pipe {
    ring: RefCell<Ring>,
    readers: Cell<u32>,
    writers: Cell<u32>,
    /// How many of each there ever were: whoever opens a FIFO waits for the other side.
    pub opened: [Cell<u32>; 2],
    waiters: Waiters,
}

#[derive(Default)]
struct Ring {
    bytes: Option<Box<[u8]>>,
    start: usize,
    length: usize,
}

impl Pipe {
    /// An empty one without ends.
    pub fn new() -> Rc<Pipe> {
        Rc::new(Pipe {
            ring: RefCell::default(),
            readers: Cell::new(0),
            writers: Cell::new(0),
            opened: Default::default(),
            waiters: Waiters::default(),
        })
    }

    /// An end of it, as the flags of an opening say which.
    pub fn end(self: &Rc<Pipe>, flags: u32) -> Rc<PipeEnd> {
        let (reads, writes) = sides(flags);
        if reads {
            self.readers.set(self.readers.get() + 1);
            self.opened[0].set(self.opened[0].get().wrapping_add(1));
        }
        if writes {
            self.writers.set(self.writers.get() + 1);
            self.opened[1].set(self.opened[1].get().wrapping_add(1));
        }
        self.waiters.wake();
        Rc::new(PipeEnd(self.clone()))
    }

    /// How many read, and how many write.
    pub fn ends(&self) -> (u32, u32) {
        (self.readers.get(), self.writers.get())
    }

    /// Puts bytes back that were read just now: there is room.
    pub fn put_back(&self, unread: &[u8]) {
        let mut ring = self.ring.borrow_mut();
        let Ring { bytes: Some(bytes), start, length } = &mut *ring else { return };
        for &byte in unread.iter().rev() {
            *start = (*start + CAPACITY - 1) % CAPACITY;
            bytes[*start] = byte;
            *length += 1;
        }
    }

    /// Bytes that are in it.
    pub fn length(&self) -> usize {
        self.ring.borrow().length
    }

    /// Who waits for a change.
    pub fn waiters(&self) -> &Waiters {
        &self.waiters
    }
}

fn sides(flags: u32) -> (bool, bool) {
    let mode = flags & O_ACCMODE;
    (matches!(mode, O_RDONLY | O_RDWR), matches!(mode, O_WRONLY | O_RDWR))
}

/// An end of a pipe.
pub struct PipeEnd(pub Rc<Pipe>);

impl File for PipeEnd {
    fn read(&self, _: &Open, _: &mut u64, to: &mut Transfer<'_>) -> Result<()> {
        if to.left == 0 {
            return Ok(());
        }
        let mut ring = self.0.ring.borrow_mut();
        if ring.length == 0 {
            return if self.0.writers.get() == 0 { Ok(()) } else { Err(Errno::EAGAIN) };
        }
        let Ring { bytes: Some(bytes), start, length } = &mut *ring else { return Ok(()) };
        while *length > 0 && to.left > 0 {
            let end = (*start + *length).min(CAPACITY);
            let moved = to.put(&bytes[*start..end])?;
            *start = (*start + moved) % CAPACITY;
            *length -= moved;
            if moved == 0 {
                break;
            }
        }
        if *length == 0 {
            *start = 0;
        }
        drop(ring);
        self.0.waiters.wake();
        Ok(())
    }

    fn write(&self, _: &Open, _: &mut u64, from: &mut Transfer<'_>) -> Result<()> {
        if self.0.readers.get() == 0 {
            return Err(Errno::EPIPE);
        }
        if from.left == 0 {
            return Ok(());
        }
        let mut ring = self.0.ring.borrow_mut();
        let room = CAPACITY - ring.length;
        let whole = from.left + from.done <= ATOMIC;
        if room == 0 || whole && (room as u64) < from.left {
            return Err(Errno::EAGAIN);
        }
        let Ring { bytes, start, length } = &mut *ring;
        if bytes.is_none() {
            heap_has(CAPACITY)?;
        }
        let bytes = bytes.get_or_insert_with(|| alloc::vec![0; CAPACITY].into_boxed_slice());
        while *length < CAPACITY && from.left > 0 {
            let begin = (*start + *length) % CAPACITY;
            let end = (begin + CAPACITY - *length).min(CAPACITY);
            let moved = from.take(&mut bytes[begin..end])?;
            *length += moved;
            if moved == 0 {
                break;
            }
        }
        drop(ring);
        self.0.waiters.wake();
        if from.left > 0 { Err(Errno::EAGAIN) } else { Ok(()) }
    }

    fn ready(&self, open: &Open) -> Events {
        let (reads, writes) = sides(open.flags.get());
        let length = self.0.ring.borrow().length;
        let mut events = Events::empty();
        if reads {
            events.set(Events::IN | Events::RDNORM, length > 0);
            events.set(Events::HUP, self.0.writers.get() == 0);
        }
        if writes {
            let room = CAPACITY - length;
            events.set(Events::OUT | Events::WRNORM, room >= ATOMIC as usize);
            events.set(Events::ERR, self.0.readers.get() == 0);
        }
        events
    }

    fn waiters(&self) -> Option<&Waiters> {
        Some(&self.0.waiters)
    }

    fn ioctl(&self, call: &Call, _: &Open, request: u32, argument: u64) -> Result {
        match request {
            FIONREAD => call.process().put(argument, &(self.0.length() as u32)).map(|()| 0),
            _ => Err(Errno::ENOTTY),
        }
    }

    fn closed(&self, open: &Open) {
        let (reads, writes) = sides(open.flags.get());
        self.0.readers.set(self.0.readers.get() - u32::from(reads));
        self.0.writers.set(self.0.writers.get() - u32::from(writes));
        self.0.waiters.wake();
    }
}
