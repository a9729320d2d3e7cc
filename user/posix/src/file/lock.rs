//! Locks on files: of whole files by `flock`, of ranges by `fcntl`.
//!
//! A file has a list of each kind. The locks of one owner never overlap: what is locked again changes,
//! and what is unlocked is cut out.

use super::Open;
use crate::errno::{Errno, Result};
use crate::process::Process;
use crate::server::Call;
use crate::wait::{Outcome, Waiters};
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use linux_raw_sys::general::{
    F_GETLK, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW, F_RDLCK, F_SETLK, F_SETLKW, F_UNLCK, F_WRLCK,
    LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN, O_PATH, SEEK_CUR, SEEK_END, SEEK_SET,
};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// Whose a lock is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    /// A process's.
    Process(u32),
    /// An opening's, by where that is in memory.
    Open(usize),
}

/// A locked range: up to its end, which is not in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lock {
    /// Whose.
    pub owner: Owner,
    /// Nobody else may have one there, not even for reading.
    pub exclusive: bool,
    /// Where it begins.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
}

/// The locks of a file.
#[derive(Default)]
pub struct Locks {
    /// Those of `flock`, and those of `fcntl`.
    lists: [RefCell<Vec<Lock>>; 2],
    waiters: Waiters,
}

/// The list of whole files.
const WHOLE: usize = 0;
/// The list of ranges.
const RANGES: usize = 1;
/// Locks that a file may have.
const MOST: usize = 1024;

/// Which processes wait for which others to unlock something.
pub type Waits = RefCell<BTreeMap<u32, u32>>;

impl Locks {
    /// A lock of somebody else that keeps this one out.
    fn conflict(&self, list: usize, wanted: &Lock) -> Option<Lock> {
        let locks = self.lists[list].borrow();
        let keeps_out = |lock: &&Lock| {
            lock.owner != wanted.owner
                && (lock.exclusive || wanted.exclusive)
                && lock.start < wanted.end
                && wanted.start < lock.end
        };
        locks.iter().find(keeps_out).copied()
    }

    /// Cuts a range of one owner out of the list.
    fn cut(&self, list: usize, owner: Owner, start: u64, end: u64) {
        let mut locks = self.lists[list].borrow_mut();
        let mut at = 0;
        while at < locks.len() {
            let lock = locks[at];
            if lock.owner != owner || lock.end <= start || end <= lock.start {
                at += 1;
                continue;
            }
            locks.swap_remove(at);
            if lock.start < start {
                locks.push(Lock { end: start, ..lock });
            }
            if end < lock.end {
                locks.push(Lock { start: end, ..lock });
            }
        }
    }

    /// Locks; `EAGAIN` if somebody else is in the way.
    fn lock(&self, list: usize, wanted: &Lock) -> Result<()> {
        if self.conflict(list, wanted).is_some() {
            return Err(Errno::EAGAIN);
        }
        if self.lists[list].borrow().len() >= MOST {
            return Err(Errno::ENOLCK);
        }
        self.cut(list, wanted.owner, wanted.start, wanted.end);
        self.lists[list].borrow_mut().push(*wanted);
        self.waiters.wake();
        Ok(())
    }

    fn unlock(&self, list: usize, owner: Owner, start: u64, end: u64) {
        self.cut(list, owner, start, end);
        self.waiters.wake();
    }

    /// Unlocks all that somebody has locked.
    pub fn release(&self, owner: Owner) {
        for list in [WHOLE, RANGES] {
            if !self.lists[list].borrow().is_empty() {
                self.unlock(list, owner, 0, u64::MAX);
            }
        }
    }
}

impl Open {
    /// It as the owner of locks.
    pub fn as_owner(&self) -> Owner {
        Owner::Open(core::ptr::from_ref(self).addr())
    }
}

pub fn flock(call: &Call) -> Outcome {
    let [fd, how, ..] = call.args;
    let how = how as u32;
    let open = match call.process().files.get(fd) {
        Ok(open) if open.flags.get() & O_PATH == 0 => open,
        _ => return Outcome::Done(Err(Errno::EBADF)),
    };
    let owner = open.as_owner();
    let exclusive = match how & !LOCK_NB {
        LOCK_SH => false,
        LOCK_EX => true,
        LOCK_UN => {
            open.inode.locks.unlock(WHOLE, owner, 0, u64::MAX);
            return Outcome::Done(Ok(0));
        }
        _ => return Outcome::Done(Err(Errno::EINVAL)),
    };
    let wanted = Lock { owner, exclusive, start: 0, end: u64::MAX };
    if open.inode.locks.conflict(WHOLE, &wanted).is_some() {
        // To have another kind of lock one gives up the one that one has.
        open.inode.locks.unlock(WHOLE, owner, 0, u64::MAX);
    }
    match open.inode.locks.lock(WHOLE, &wanted) {
        Err(Errno::EAGAIN) if how & LOCK_NB == 0 => Outcome::wait(async move {
            let locks = &open.inode.locks;
            locks.waiters.until(|| locks.lock(WHOLE, &wanted)).await.map(|()| 0)
        }),
        result => Outcome::Done(result.map(|()| 0)),
    }
}

/// `struct flock`.
#[derive(FromBytes, IntoBytes, Immutable, Clone, Copy)]
#[repr(C)]
struct Flock {
    kind: u16,
    whence: u16,
    pad: u32,
    start: i64,
    length: i64,
    pid: u32,
    pad2: u32,
}

impl Flock {
    /// The range that it means.
    fn range(&self, open: &Open) -> Result<(u64, u64)> {
        let base = match u32::from(self.whence) {
            SEEK_SET => 0,
            SEEK_CUR => open.position.get() as i64,
            SEEK_END => open.inode.size() as i64,
            _ => return Err(Errno::EINVAL),
        };
        let start = base.checked_add(self.start).ok_or(Errno::EOVERFLOW)?;
        let end = match self.length {
            0 => i64::MAX,
            length => start.checked_add(length).ok_or(Errno::EOVERFLOW)?,
        };
        let (start, end) = if self.length < 0 { (end, start) } else { (start, end) };
        if start < 0 || end < 0 {
            return Err(Errno::EINVAL);
        }
        Ok((start as u64, if end == i64::MAX { u64::MAX } else { end as u64 }))
    }
}

pub fn fcntl(call: &Call, open: &Rc<Open>) -> Outcome {
    let [_, what, address, ..] = call.args;
    let what = what as u32;
    let owner = match what {
        F_GETLK | F_SETLK | F_SETLKW => Owner::Process(call.process().pid),
        F_OFD_GETLK | F_OFD_SETLK | F_OFD_SETLKW => open.as_owner(),
        _ => return Outcome::Done(Err(Errno::EINVAL)),
    };
    let read = || {
        let flock = call.process().get::<Flock>(address)?;
        if owner == open.as_owner() && flock.pid != 0 {
            return Err(Errno::EINVAL);
        }
        Ok((flock, flock.range(open)?))
    };
    let (flock, (start, end)) = match read() {
        Ok(read) => read,
        Err(error) => return Outcome::Done(Err(error)),
    };
    let exclusive = u32::from(flock.kind) == F_WRLCK;
    let wanted = Lock { owner, exclusive, start, end };
    match (what, u32::from(flock.kind)) {
        (F_GETLK | F_OFD_GETLK, F_RDLCK | F_WRLCK) => {
            Outcome::Done(tell(call, open, &wanted, flock, address))
        }
        (F_SETLK | F_SETLKW | F_OFD_SETLK | F_OFD_SETLKW, F_UNLCK) => {
            open.inode.locks.unlock(RANGES, owner, start, end);
            Outcome::Done(Ok(0))
        }
        (F_SETLK | F_SETLKW | F_OFD_SETLK | F_OFD_SETLKW, F_RDLCK | F_WRLCK) => {
            let allowed = if exclusive { open.writable() } else { open.readable() };
            match allowed.and_then(|()| open.inode.locks.lock(RANGES, &wanted)) {
                Err(Errno::EAGAIN) if matches!(what, F_SETLKW | F_OFD_SETLKW) => {
                    wait(call, open.clone(), wanted)
                }
                result => Outcome::Done(result.map(|()| 0)),
            }
        }
        _ => Outcome::Done(Err(Errno::EINVAL)),
    }
}

/// Tells who is in the way of a lock, if anybody is.
fn tell(call: &Call, open: &Open, wanted: &Lock, mut flock: Flock, address: u64) -> Result {
    match open.inode.locks.conflict(RANGES, wanted) {
        None => flock.kind = F_UNLCK as u16,
        Some(lock) => {
            flock.kind = if lock.exclusive { F_WRLCK } else { F_RDLCK } as u16;
            flock.whence = SEEK_SET as u16;
            flock.start = lock.start as i64;
            flock.length = if lock.end == u64::MAX { 0 } else { (lock.end - lock.start) as i64 };
            flock.pid = match lock.owner {
                Owner::Process(pid) => pid,
                Owner::Open(_) => u32::MAX,
            };
        }
    }
    call.process().put(address, &flock).map(|()| 0)
}

/// Waits for a lock, unless whoever has it waits for this process.
fn wait(call: &Call, open: Rc<Open>, wanted: Lock) -> Outcome {
    let (call, pid) = (call.clone(), call.process().pid);
    Outcome::wait(async move {
        let (locks, waiting) = (&open.inode.locks, Waiting { waits: &call.server.lock_waits, pid });
        let attempt = || {
            if let Some(Lock { owner: Owner::Process(other), .. }) = locks.conflict(RANGES, &wanted)
                && matches!(wanted.owner, Owner::Process(_))
            {
                waiting.begin(other)?;
            }
            locks.lock(RANGES, &wanted)
        };
        locks.waiters.until(attempt).await.map(|()| 0)
    })
}

/// A process that waits for another; it does not any more when this is dropped.
struct Waiting<'a> {
    waits: &'a Waits,
    pid: u32,
}

impl Waiting<'_> {
    /// Refuses to wait in a circle.
    fn begin(&self, other: u32) -> Result<()> {
        let mut waits = self.waits.borrow_mut();
        let mut at = other;
        for _ in 0..waits.len() + 1 {
            if at == self.pid {
                return Err(Errno::EDEADLK);
            }
            match waits.get(&at) {
                Some(&next) => at = next,
                None => break,
            }
        }
        waits.insert(self.pid, other);
        Ok(())
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.waits.borrow_mut().remove(&self.pid);
    }
}

impl Process {
    /// The process has closed a descriptor of a file: it has no locks there any more.
    pub fn forget_locks(&self, open: &Rc<Open>) {
        open.inode.locks.release(Owner::Process(self.pid));
    }

    /// The process ends: all its locks go.
    pub fn forget_all_locks(&self) {
        for number in 0..self.files.length() {
            if let Ok(open) = self.files.get(number) {
                self.forget_locks(&open);
            }
        }
    }
}
