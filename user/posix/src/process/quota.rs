//! What guests may use: a process has a quota that grows as it needs, as long as enough is left for this
//! server. Memory is promised only where it is there: a fork must be able to pay for all that it shares,
//! so a process ends for want of memory only where it touches what it has never had, and there is none.

use super::{Process, State, exit};
use crate::errno::{Errno, Result};
use crate::server::Server;
use crate::wait::Waiters;
use alloc::rc::{Rc, Weak};
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::RefCell;
use linux_raw_sys::general::SIGKILL;
use rt::Error;
use rt::abi::PAGE;

/// Bytes that a process gets beyond what it uses, at least and at most: a part of what there is.
const SPARE: [u64; 2] = [32 << 10, 512 << 10];
/// Bytes that are left for this server, at least and at most.
const RESERVE: [u64; 2] = [128 << 10, 1 << 20];
/// Bytes of which a process that has them needs no more for a page of its own.
const ENOUGH: u64 = 8 * PAGE;
/// Bytes that one call of the kernel is never given more than.
const MOST: u64 = 64 << 20;
/// Processes that have ended may be this many before it is looked whether they are gone.
const FORGOTTEN: usize = 8;

/// Bytes of a quota that are this server's own.
pub fn reserve(quota: u64) -> u64 {
    (quota / 128).clamp(RESERVE[0], RESERVE[1])
}

/// What this server may still give away.
pub fn free() -> u64 {
    rt::process()
        .info()
        .map_or(0, |info| (info.quota - info.used).saturating_sub(reserve(info.quota)))
}

/// Refuses what would take more of the heap than there is.
pub fn heap_has(bytes: usize) -> Result<()> {
    if rt::heap::has(bytes) { Ok(()) } else { Err(Errno::ENOMEM) }
}

/// What a process gets to spare, where so much is there to give away.
fn spare(free: u64) -> u64 {
    (free / 256).clamp(SPARE[0], SPARE[1]) & !(PAGE - 1)
}

/// Processes that have ended, which the kernel takes apart by and by: what they had comes back.
#[derive(Default)]
pub struct Ending {
    processes: RefCell<Vec<Rc<Process>>>,
    waiters: Waiters,
}

impl Ending {
    /// One more.
    pub fn add(&self, process: &Rc<Process>) {
        self.processes.borrow_mut().push(process.clone());
        if self.processes.borrow().len() > FORGOTTEN {
            self.forget();
        }
    }

    /// Forgets those of which nothing is left.
    pub fn forget(&self) {
        let is_left = |process: &Rc<Process>| {
            process.native.info().is_ok_and(|info| info.state != rt::object::State::Ended)
        };
        self.processes.borrow_mut().retain(is_left);
    }

    /// Whether there is any.
    fn is_any(&self) -> bool {
        self.forget();
        !self.processes.borrow().is_empty()
    }

    /// One of them is no more.
    pub fn wake(&self) {
        self.waiters.wake();
    }

    /// Whether memory that there is none of may be there soon.
    pub fn promises(&self, error: Errno) -> bool {
        error == Errno::ENOMEM && self.is_any()
    }

    /// Tries again until there is memory, or nobody is left who may give any back.
    pub async fn until<T>(&self, mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
        let attempt = || match attempt() {
            Err(error) if self.promises(error) => Err(Errno::EAGAIN),
            result => Ok(result),
        };
        self.waiters.until(attempt).await?
    }
}

impl Server {
    /// A process of a guest, which may use so many bytes, and some to spare.
    pub fn new_native(&self, bytes: u64, priority: u8) -> Result<rt::Process> {
        let free = self.free_for(bytes + SPARE[0]).ok_or(Errno::ENOMEM)?;
        Ok(rt::Process::create(bytes + spare(free).min(free - bytes), priority)?)
    }

    /// What may be given away, if that is so many bytes: what nobody uses is taken back for it.
    pub fn free_for(&self, bytes: u64) -> Option<u64> {
        if free() < bytes {
            self.room.give_back();
        }
        if free() < bytes {
            self.processes().iter().for_each(|process| process.shrink_quota(SPARE[0]));
        }
        Some(free()).filter(|&free| free >= bytes)
    }

    /// Ends a process, so that others go on. Whether the one that needs a page is to try again: with each fault the
    /// kernel takes apart some of what has ended.
    pub fn end_the_largest(&self, in_need: &Rc<Process>) -> bool {
        if self.ending.is_any() {
            return in_need.is_alive();
        }
        let (victim, used) = self.largest().unwrap_or((in_need.clone(), 0));
        let name = victim.program.borrow().name.clone();
        let (name, pid, kib) = (String::from_utf8_lossy(&name), victim.pid, used >> 10);
        rt::println!(
            "posix: no memory is left for process {}: {name} ({pid}) is ended, which has {kib} KiB",
            in_need.pid
        );
        exit::kill(&victim, SIGKILL);
        in_need.is_alive()
    }

    /// The process that has most, of the children of one parent that have most together, and what it has: many small
    /// ones may be one program's doing. The first process is never it.
    fn largest(&self) -> Option<(Rc<Process>, u64)> {
        let used = |process: &Rc<Process>| process.native.info().map_or(0, |info| info.used);
        let others = |process: &Rc<Process>| process.is_alive() && process.pid != 1;
        let all = self.processes().into_iter().filter(others);
        let parent = |process: &Rc<Process>| Weak::as_ptr(&process.parent.borrow());
        let all: Vec<_> = all.map(|it| (parent(&it), used(&it), it)).collect();
        let together = |parent| -> u64 {
            all.iter().filter(|other| other.0 == parent).map(|other| other.1).sum()
        };
        let largest = all.iter().max_by_key(|&&(parent, used, _)| (together(parent), used));
        largest.map(|(_, used, process)| (process.clone(), *used))
    }
}

impl Process {
    /// Gives it so many bytes more than it uses, and some to spare if they are there.
    pub fn grow_quota(&self, bytes: u64) -> Result<()> {
        let info = self.native.info()?;
        let wanted = info.used.checked_add(bytes).ok_or(Errno::ENOMEM)?;
        if wanted <= info.quota {
            return Ok(());
        }
        let more = wanted - info.quota;
        let free = self.server.free_for(more).ok_or(Errno::ENOMEM)?;
        let spare = spare(free).max((info.used / 8).min(free / 8));
        Ok(self.native.set_quota(wanted + spare.min(free - more))?)
    }

    /// Takes back what it does not use, but for so many bytes.
    pub fn shrink_quota(&self, spare: u64) {
        if matches!(self.state.get(), State::Ended(_)) {
            return;
        }
        if let Ok(info) = self.native.info()
            && info.quota > info.used + spare
        {
            // What it uses in the meantime it keeps.
            let _ = self.native.set_quota(info.used + spare);
        }
    }

    /// Takes back what a program before it had.
    pub fn shrink_for_exec(&self) {
        self.shrink_quota(spare(free()));
    }

    /// Does something that the process pays for, or the file systems do, and tries again when they have
    /// been given more, each time twice as much.
    pub fn paid<T>(
        &self,
        mut attempt: impl FnMut(&rt::Process) -> core::result::Result<T, Error>,
    ) -> Result<T> {
        let mut more = SPARE[1];
        loop {
            match attempt(&self.native) {
                Err(Error::NoMemory) if more < MOST => {
                    let refilled = self.server.room.refill(ENOUGH);
                    let grow = |more| self.grow_quota(self.left() + more);
                    match grow(more).or_else(|_| grow(SPARE[0])) {
                        Err(error) if refilled.is_err() => return Err(error),
                        _ => more *= 2,
                    }
                }
                result => return Ok(result?),
            }
        }
    }

    /// Makes that a page which could not be had can be had: one of its own, or of a file system's.
    /// `ENOSPC` says that those have all that they may have.
    pub fn refill(&self, files: bool) -> Result<()> {
        if files && self.left() >= ENOUGH {
            return self.server.room.refill(ENOUGH);
        }
        self.grow_quota(self.left() + SPARE[0])
    }

    /// Bytes that it has left.
    fn left(&self) -> u64 {
        self.native.info().map_or(0, |info| info.quota - info.used)
    }
}
