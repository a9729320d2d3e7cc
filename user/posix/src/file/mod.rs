//! Files by descriptor: what a descriptor refers to, and the calls that use one.
//!
//! A file of any kind tries, and says `EAGAIN` where it would have to wait; it tells who waits when
//! that may have changed, and what it is ready for. Blocking, `O_NONBLOCK`, `poll` and `epoll` are all
//! made of that, here, once.

pub mod attributes;
pub mod copy;
pub mod directory;
pub mod extended;
pub mod epoll;
pub mod eventfd;
pub mod inotify;
pub mod io;
pub mod ioctl;
pub mod lock;
pub mod mounts;
mod moving;
pub mod names;
#[cfg(target_arch = "x86_64")]
pub mod old;
pub mod open;
mod options;
pub mod pipe;
pub mod poll;
pub mod regular;
pub mod seal;
pub mod signalfd;
pub mod rename;
pub mod size;
pub mod special;
pub mod stat;
pub mod timerfd;

use crate::errno::{Errno, Result};
use crate::fs::{Inode, watch};
use crate::process::quota::heap_has;
use crate::server::Call;
use crate::user::Transfer;
use crate::wait::Waiters;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::any::Any;
use core::cell::{Cell, RefCell};
use linux_raw_sys::general::{
    IN_CLOSE_NOWRITE, IN_CLOSE_WRITE, O_ACCMODE, O_NONBLOCK, O_PATH, O_RDONLY, O_RDWR, O_WRONLY,
};
use rt::Memory;

bitflags::bitflags! {
    /// What a file is ready for, with the bits of `poll`.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct Events: u32 {
        /// It can be read.
        const IN = 0x1;
        /// There is something exceptional.
        const PRI = 0x2;
        /// It can be written.
        const OUT = 0x4;
        /// Something is wrong.
        const ERR = 0x8;
        /// The other side is gone.
        const HUP = 0x10;
        /// There is no such descriptor.
        const NVAL = 0x20;
        /// It can be read.
        const RDNORM = 0x40;
        /// It can be written.
        const WRNORM = 0x100;
        /// The other side writes no more.
        const RDHUP = 0x2000;
        /// What reading waits for.
        const READ = 0x41;
        /// What writing waits for.
        const WRITE = 0x104;
        /// What a file is ready for that never waits.
        const ALWAYS = 0x145;
    }
}

/// What a descriptor refers to.
pub trait File: Any {
    /// Reads from a place on, which moves; `EAGAIN` where one would wait.
    fn read(&self, _open: &Open, _at: &mut u64, _to: &mut Transfer<'_>) -> Result<()> {
        Err(Errno::EINVAL)
    }
    /// Writes from a place on, which moves; `EAGAIN` where one would wait. What was taken from the
    /// transfer is done, even then.
    fn write(&self, _open: &Open, _at: &mut u64, _from: &mut Transfer<'_>) -> Result<()> {
        Err(Errno::EINVAL)
    }
    /// What would not wait.
    fn ready(&self, _open: &Open) -> Events {
        Events::ALWAYS
    }
    /// Who wants to know when that changes; none if it never does.
    fn waiters(&self) -> Option<&Waiters> {
        None
    }
    /// Whether it has places, so that one can seek.
    fn seekable(&self) -> bool {
        false
    }
    /// Refuses who may not read or write now, before either is tried.
    fn admit(&self, _call: &Call, _write: bool) -> Result<()> {
        Ok(())
    }
    /// How many nanoseconds a read waits for the first byte, or another, before it gives what there
    /// is; none if it waits for as long as it takes.
    fn patience(&self, _begun: bool) -> Option<u64> {
        None
    }
    /// The rest of `ioctl`.
    fn ioctl(&self, _call: &Call, _open: &Open, _request: u32, _argument: u64) -> Result {
        Err(Errno::ENOTTY)
    }
    /// How many bytes there are, where one can seek.
    fn size(&self, open: &Open) -> u64 {
        open.inode.size()
    }
    /// Has what was written where it stays.
    fn sync(&self, open: &Open) -> Result<()> {
        if open.inode.is_directory() { open.inode.sync() } else { Err(Errno::EINVAL) }
    }
    /// The memory that it is, for mapping, and the first page of it.
    fn memory(&self, _write: bool) -> Result<(Rc<Memory>, u64)> {
        Err(Errno::ENODEV)
    }
    /// A descriptor to it was closed: of all that share the `Open` the last.
    fn closed(&self, _open: &Open) {}
}

impl dyn File {
    /// The file as the kind that it is.
    pub fn downcast<T: File>(&self) -> Option<&T> {
        (self as &dyn Any).downcast_ref()
    }
}

/// An opening of a file: what descriptors share that were made from each other.
pub struct Open {
    /// What was opened.
    pub file: Rc<dyn File>,
    /// What `stat` shows of it.
    pub inode: Rc<Inode>,
    /// How: the bits of `open`, without those that matter only there.
    pub flags: Cell<u32>,
    /// Where reading or writing goes on.
    pub position: Cell<u64>,
    /// The directory and the name that it was opened by.
    pub name: Option<(Rc<Inode>, Vec<u8>)>,
}

impl Open {
    /// An opening of something.
    pub fn new(file: Rc<dyn File>, inode: Rc<Inode>, flags: u32) -> Rc<Open> {
        let (flags, position) = (Cell::new(flags), Cell::new(0));
        Rc::new(Open { file, inode, flags, position, name: None })
    }

    /// Refuses reading, if it was not opened for that.
    pub fn readable(&self) -> Result<()> {
        let allowed = matches!(self.flags.get() & O_ACCMODE, O_RDONLY | O_RDWR);
        if allowed && self.flags.get() & O_PATH == 0 { Ok(()) } else { Err(Errno::EBADF) }
    }

    /// Refuses writing, if it was not opened for that.
    pub fn writable(&self) -> Result<()> {
        let allowed = matches!(self.flags.get() & O_ACCMODE, O_WRONLY | O_RDWR);
        if allowed && self.flags.get() & O_PATH == 0 { Ok(()) } else { Err(Errno::EBADF) }
    }

    /// Tells those who watch the file, or the directory where it was opened, what happened to it.
    #[inline]
    pub fn tell(&self, what: u32) {
        if watch::is_watched() {
            self.tell_watches(what);
        }
    }

    #[cold]
    fn tell_watches(&self, what: u32) {
        if let Some((parent, name)) = &self.name {
            parent.tell_of(name, self.inode.format(), what, 0);
        }
        self.inode.tell(what);
    }

    /// Whether it never waits.
    pub fn nonblocking(&self) -> bool {
        self.flags.get() & O_NONBLOCK != 0
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.inode.locks.release(self.as_owner());
        self.file.closed(self);
        if self.flags.get() & O_PATH == 0 {
            self.tell(if self.writable().is_ok() { IN_CLOSE_WRITE } else { IN_CLOSE_NOWRITE });
        }
    }
}

/// A descriptor.
#[derive(Clone)]
pub struct Descriptor {
    /// What it refers to.
    pub open: Rc<Open>,
    /// It is closed by `execve`.
    pub close_on_exec: bool,
}

/// The descriptors of a process, by number.
#[derive(Clone, Default)]
pub struct Descriptors {
    slots: RefCell<Vec<Option<Descriptor>>>,
    /// No number below this is free.
    lowest: Cell<usize>,
}

impl Descriptors {
    /// What a descriptor refers to.
    pub fn get(&self, number: u64) -> Result<Rc<Open>> {
        let slots = self.slots.borrow();
        let slot = slots.get(number as u32 as usize).and_then(Option::as_ref);
        slot.map(|descriptor| descriptor.open.clone()).ok_or(Errno::EBADF)
    }

    /// The descriptor itself.
    pub fn descriptor(&self, number: u64) -> Result<Descriptor> {
        let slots = self.slots.borrow();
        slots.get(number as u32 as usize).cloned().flatten().ok_or(Errno::EBADF)
    }

    /// Takes the lowest number from `first` on that is free, and below the limit.
    pub fn add(&self, first: u64, limit: u64, open: Rc<Open>, close_on_exec: bool) -> Result {
        let at = self.free(first, limit)?;
        self.make_room(at)?;
        self.slots.borrow_mut()[at] = Some(Descriptor { open, close_on_exec });
        if first as usize <= self.lowest.get() {
            self.lowest.set(at + 1);
        }
        Ok(at as u64)
    }

    /// The lowest number from `first` on that is free, and below the limit.
    pub fn free(&self, first: u64, limit: u64) -> Result<usize> {
        let first = self.lowest.get().max(first as usize);
        let free = (first..).find(|&at| !self.has(at));
        free.filter(|&at| (at as u64) < limit).ok_or(Errno::EMFILE)
    }

    /// Takes this number, and gives what it was before.
    pub fn set(
        &self,
        number: u64,
        open: Rc<Open>,
        close_on_exec: bool,
    ) -> Result<Option<Rc<Open>>> {
        self.make_room(number as usize)?;
        let mut slots = self.slots.borrow_mut();
        let old = slots[number as usize].replace(Descriptor { open, close_on_exec });
        Ok(old.map(|old| old.open))
    }

    /// Whether a number is taken.
    fn has(&self, number: usize) -> bool {
        self.slots.borrow().get(number).is_some_and(Option::is_some)
    }

    /// Makes that there is a place for a number.
    fn make_room(&self, number: usize) -> Result<()> {
        let mut slots = self.slots.borrow_mut();
        if number >= slots.len() {
            if number >= slots.capacity() {
                let most = (number + 1).max(2 * slots.len());
                heap_has(most * size_of::<Option<Descriptor>>())?;
            }
            slots.resize(number + 1, None);
        }
        Ok(())
    }

    /// Bytes of the heap that they take.
    pub fn bytes(&self) -> usize {
        self.slots.borrow().len() * size_of::<Option<Descriptor>>()
    }

    /// Says whether `execve` closes it.
    pub fn set_close_on_exec(&self, number: u64, close: bool) -> Result<()> {
        let mut slots = self.slots.borrow_mut();
        let slot = slots.get_mut(number as u32 as usize).and_then(Option::as_mut);
        slot.ok_or(Errno::EBADF)?.close_on_exec = close;
        Ok(())
    }

    /// Gives a number up.
    pub fn close(&self, number: u64) -> Result<Rc<Open>> {
        let mut slots = self.slots.borrow_mut();
        let number = number as u32 as usize;
        let slot = slots.get_mut(number).and_then(Option::take);
        self.lowest.set(self.lowest.get().min(number));
        slot.map(|descriptor| descriptor.open).ok_or(Errno::EBADF)
    }

    /// Gives up all that `execve` closes.
    pub fn close_on_exec(&self) {
        for number in 0..self.length() {
            if self.descriptor(number).is_ok_and(|descriptor| descriptor.close_on_exec) {
                drop(self.close(number));
            }
        }
    }

    /// Gives up all.
    pub fn close_all(&self) {
        self.lowest.set(0);
        let all = self.slots.take();
        drop(all);
    }

    /// The number after the highest that was ever used.
    pub fn length(&self) -> u64 {
        self.slots.borrow().len() as u64
    }
}
