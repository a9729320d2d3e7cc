//! Who wants to know what happens to a file: `inotify`'s side of the file systems.
//!
//! A file knows who watches it, and not the other way: a watch keeps no file in memory, and ends with
//! it. What happened waits in a queue until it is read.

use super::Inode;
use super::room::{Charge, Room};
use crate::errno::{Errno, Result};
use crate::wait::Waiters;
use alloc::collections::VecDeque;
use alloc::rc::{Rc, Weak};
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::sync::atomic::AtomicUsize;
use core::sync::atomic::Ordering::Relaxed;
use linux_raw_sys::general::{
    IN_DELETE_SELF, IN_IGNORED, IN_ISDIR, IN_MASK_ADD, IN_MASK_CREATE, IN_MOVE_SELF, IN_ONESHOT,
    IN_Q_OVERFLOW, S_IFDIR,
};

/// Events that wait at most.
const MOST: usize = 16384;
/// Bytes of heap that an event or a watch is charged for.
const BYTES: u64 = 128;

/// Something that happened.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    /// The number of the watch that saw it.
    pub watch: i32,
    /// What it is: bits of `IN_*`.
    pub what: u32,
    /// The same for both halves of a renaming.
    pub cookie: u32,
    /// The name in the watched directory; empty if it happened to the watched file itself.
    pub name: Vec<u8>,
}

/// What waits to be read, and what it is about.
pub struct Queue {
    events: RefCell<VecDeque<Event>>,
    watched: RefCell<Vec<(i32, Weak<Inode>)>>,
    last: Cell<i32>,
    charge: Charge,
    waiters: Waiters,
}

/// How many watch anything.
static WATCHES: AtomicUsize = AtomicUsize::new(0);

/// Somebody watches a file.
struct Watch {
    queue: Weak<Queue>,
    number: i32,
    mask: u32,
}

impl Watch {
    fn new(queue: &Rc<Queue>, number: i32, mask: u32) -> Watch {
        WATCHES.fetch_add(1, Relaxed);
        Watch { queue: Rc::downgrade(queue), number, mask }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        WATCHES.fetch_sub(1, Relaxed);
    }
}

/// Whether somebody watches any file at all.
pub fn is_watched() -> bool {
    WATCHES.load(Relaxed) > 0
}

/// Who watches a file.
#[derive(Default)]
pub struct Watches(RefCell<Vec<Watch>>);

impl Queue {
    /// An empty one.
    pub fn new(room: &Rc<Room>) -> Rc<Queue> {
        Rc::new(Queue {
            events: RefCell::default(),
            watched: RefCell::default(),
            last: Cell::new(0),
            charge: Charge::none(room),
            waiters: Waiters::default(),
        })
    }

    /// Who waits for something to happen.
    pub fn waiters(&self) -> &Waiters {
        &self.waiters
    }

    /// What happened first.
    pub fn first(&self) -> Option<Event> {
        self.events.borrow().front().cloned()
    }

    /// That was read.
    pub fn advance(&self) {
        self.events.borrow_mut().pop_front();
        // Less is always there.
        let _ = self.account();
    }

    /// Looks at all that waits.
    pub fn sum(&self, bytes: impl Fn(&Event) -> u64) -> u64 {
        self.events.borrow().iter().map(bytes).sum()
    }

    fn account(&self) -> Result<()> {
        let things = self.events.borrow().len() + self.watched.borrow().len();
        self.charge.set(things as u64 * BYTES)
    }

    /// Watches a file, or changes what is watched of it; the number of the watch.
    pub fn watch(self: &Rc<Queue>, inode: &Rc<Inode>, mask: u32) -> Result<i32> {
        let mut watches = inode.watches.0.borrow_mut();
        watches.retain(|watch| watch.queue.strong_count() > 0);
        let own = |watch: &&mut Watch| Weak::as_ptr(&watch.queue) == Rc::as_ptr(self);
        if let Some(watch) = watches.iter_mut().find(own) {
            if mask & IN_MASK_CREATE != 0 {
                return Err(Errno::EEXIST);
            }
            let before = if mask & IN_MASK_ADD != 0 { watch.mask } else { 0 };
            watch.mask = before | mask;
            return Ok(watch.number);
        }
        let number = self.last.get().checked_add(1).ok_or(Errno::ENOSPC)?;
        self.watched.borrow_mut().push((number, Rc::downgrade(inode)));
        self.account().inspect_err(|_| drop(self.watched.borrow_mut().pop()))?;
        self.last.set(number);
        watches.push(Watch::new(self, number, mask));
        Ok(number)
    }

    /// Watches a file no more.
    pub fn unwatch(&self, number: i32) -> Result<()> {
        let mut watched = self.watched.borrow_mut();
        let at = watched.iter().position(|&(other, _)| other == number).ok_or(Errno::EINVAL)?;
        let inode = watched.swap_remove(at).1.upgrade();
        drop(watched);
        if let Some(inode) = inode {
            let own = |watch: &Watch| core::ptr::eq(Weak::as_ptr(&watch.queue), self);
            inode.watches.0.borrow_mut().retain(|watch| !own(watch) || watch.number != number);
        }
        self.add(Event { watch: number, what: IN_IGNORED, cookie: 0, name: Vec::new() });
        Ok(())
    }

    /// A watch is over: what it was for is no more.
    fn forget(&self, number: i32) {
        self.watched.borrow_mut().retain(|&(other, _)| other != number);
        self.add(Event { watch: number, what: IN_IGNORED, cookie: 0, name: Vec::new() });
    }

    /// Puts an event behind the others, unless it is the same as the last.
    fn add(&self, event: Event) {
        let mut events = self.events.borrow_mut();
        if events.back() == Some(&event) {
            return;
        }
        let full = events.len() >= MOST;
        let lost = Event { watch: -1, what: IN_Q_OVERFLOW, cookie: 0, name: Vec::new() };
        if full && events.back() == Some(&lost) {
            return;
        }
        events.push_back(if full { lost } else { event });
        drop(events);
        if self.account().is_err() {
            self.events.borrow_mut().pop_back();
        }
        self.waiters.wake();
    }
}

impl Watches {
    /// Tells of what happened to a file, or in a directory to the file of a name.
    fn tell(&self, what: u32, name: &[u8], cookie: u32) {
        let mut watches = self.0.borrow_mut();
        watches.retain(|watch| {
            let Some(queue) = watch.queue.upgrade() else { return false };
            if watch.mask & what & !IN_ISDIR == 0 {
                return true;
            }
            queue.add(Event { watch: watch.number, what, cookie, name: name.to_vec() });
            let more = watch.mask & IN_ONESHOT == 0;
            if !more {
                queue.forget(watch.number);
            }
            more
        });
    }

    /// Tells that the file is no more.
    fn end(&self) {
        self.tell(IN_DELETE_SELF, b"", 0);
        for watch in self.0.take() {
            if let Some(queue) = watch.queue.upgrade() {
                queue.forget(watch.number);
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }
}

fn directory_bit(kind: u32) -> u32 {
    if kind == S_IFDIR { IN_ISDIR } else { 0 }
}

impl Inode {
    /// Tells those who watch it what happened to it.
    pub fn tell(&self, what: u32) {
        if !self.watches.is_empty() {
            let bit = if what == IN_MOVE_SELF { 0 } else { directory_bit(self.format()) };
            self.watches.tell(what | bit, b"", 0);
        }
    }

    /// Tells those who watch it, a directory, what happened to the file of a name in it, of a kind.
    pub fn tell_of(&self, name: &[u8], kind: u32, what: u32, cookie: u32) {
        if !self.watches.is_empty() {
            self.watches.tell(what | directory_bit(kind), name, cookie);
        }
    }
}

impl Drop for Inode {
    fn drop(&mut self) {
        if !self.watches.is_empty() && self.meta.links.get() == 0 {
            self.watches.end();
        }
    }
}
