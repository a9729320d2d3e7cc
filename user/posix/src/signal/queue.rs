//! Signals that wait: for a thread, or for any thread of a process.
//!
//! Of the standard ones each waits once; real-time ones queue, up to a limit.

use super::info::Info;
use crate::errno::{Errno, Result};
use alloc::collections::VecDeque;
use core::cell::{Cell, RefCell};
use linux_raw_sys::general::{SIGBUS, SIGFPE, SIGILL, SIGRTMIN, SIGSEGV, SIGSYS, SIGTRAP};

/// The bit of a signal in a set.
pub const fn bit(signal: u32) -> u64 {
    1 << (signal - 1)
}

/// Those that the running instruction caused: they go first.
const SYNCHRONOUS: u64 =
    bit(SIGSEGV) | bit(SIGBUS) | bit(SIGILL) | bit(SIGTRAP) | bit(SIGFPE) | bit(SIGSYS);

/// Signals that wait.
#[derive(Default)]
pub struct Queue {
    set: Cell<u64>,
    infos: RefCell<VecDeque<Info>>,
}

impl Queue {
    /// Which wait.
    pub fn set(&self) -> u64 {
        self.set.get()
    }

    /// Puts a signal there, of which at most so many may be there already. A standard one without
    /// room waits all the same, but says nothing of itself.
    pub fn push(&self, info: Info, limit: u64) -> Result<()> {
        let standard = info.signal < SIGRTMIN;
        if standard && self.set.get() & bit(info.signal) != 0 {
            return Ok(());
        }
        let mut infos = self.infos.borrow_mut();
        if (infos.len() as u64) < limit {
            infos.push_back(info);
        } else if !standard && info.code != 0 {
            return Err(Errno::EAGAIN);
        }
        self.set.set(self.set.get() | bit(info.signal));
        Ok(())
    }

    /// Takes the first of those in a set.
    pub fn take(&self, wanted: u64) -> Option<Info> {
        let there = self.set.get() & wanted;
        if there == 0 {
            return None;
        }
        let first = if there & SYNCHRONOUS != 0 { there & SYNCHRONOUS } else { there };
        let signal = first.trailing_zeros() + 1;
        let mut infos = self.infos.borrow_mut();
        let at = infos.iter().position(|info| info.signal == signal);
        let info = at.and_then(|at| infos.remove(at));
        if signal < SIGRTMIN || !infos.iter().any(|info| info.signal == signal) {
            self.set.set(self.set.get() & !bit(signal));
        }
        Some(info.unwrap_or(Info::new(signal, 0, [0; 4])))
    }

    /// Drops those in a set.
    pub fn discard(&self, unwanted: u64) {
        if self.set.get() & unwanted != 0 {
            self.set.set(self.set.get() & !unwanted);
            self.infos.borrow_mut().retain(|info| unwanted & bit(info.signal) == 0);
        }
    }

    /// Looks for a signal of which this holds, and lets it be changed.
    pub fn find(&self, wanted: impl Fn(&Info) -> bool, change: impl FnOnce(&mut Info)) -> bool {
        let mut infos = self.infos.borrow_mut();
        let found = infos.iter_mut().find(|info| wanted(info));
        found.map(change).is_some()
    }
}
