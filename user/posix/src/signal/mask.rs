//! What a thread blocks while one call of it waits, in place of what it blocks otherwise: `ppoll` and
//! its like, and `rt_sigsuspend`.
//!
//! If the wait ends by itself the call restores the mask. If a signal ends it the signal is delivered
//! under the mask of the wait, and what the handler returns to is the one from before.

use super::Pending;
use crate::errno::{Errno, Result};
use crate::process::Process;
use linux_raw_sys::general::{SIGKILL, SIGSTOP};

/// What cannot be blocked.
pub const UNBLOCKABLE: u64 = 1 << (SIGKILL - 1) | 1 << (SIGSTOP - 1);

/// Reads the mask of a call that waits, if it has one.
pub fn read(process: &Process, at: u64, size: u64) -> Result<Option<u64>> {
    match (at, size) {
        (0, _) => Ok(None),
        (at, 8) => Ok(Some(process.get::<u64>(at)? & !UNBLOCKABLE)),
        _ => Err(Errno::EINVAL),
    }
}

impl Pending {
    /// Begins a wait that blocks something else.
    pub fn begin_wait(&self, mask: Option<u64>) {
        if let Some(mask) = mask {
            self.saved.set(Some(self.blocked.replace(mask)));
        }
    }

    /// A wait is over: what was blocked before is blocked again.
    pub fn end_wait(&self) {
        if let Some(saved) = self.saved.take() {
            self.blocked.set(saved);
        }
    }
}
