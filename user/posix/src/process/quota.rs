//! What guests may use: a process has a quota that grows as it needs, as long as enough is left for this
//! server. Memory is promised only where it is there: a fork must be able to pay for all that it shares,
//! so nothing is ever ended for what another one does.

use super::Process;
use crate::errno::{Errno, Result};
use crate::fs::room::Room;
use rt::Error;

/// Bytes that a process gets beyond what it uses.
pub const STEP: u64 = 512 << 10;
/// Bytes that are left for this server.
const RESERVE: u64 = 1 << 20;

/// What this server may still give away.
pub fn free() -> u64 {
    rt::process().info().map_or(0, |info| (info.quota - info.used).saturating_sub(RESERVE))
}

/// A process of a guest, which may use so many bytes.
pub fn create(room: &Room, bytes: u64, priority: u8) -> Result<rt::Process> {
    if free() < bytes {
        room.give_back();
        if free() < bytes {
            return Err(Errno::ENOMEM);
        }
    }
    Ok(rt::Process::create(bytes, priority)?)
}

impl Process {
    /// Gives it so many bytes more than it uses, and some to spare if they are there.
    pub fn grow_quota(&self, bytes: u64) -> Result<()> {
        let info = self.native.info()?;
        let wanted = info.used.checked_add(bytes).ok_or(Errno::ENOMEM)?;
        if wanted <= info.quota {
            return Ok(());
        }
        let (more, spare) = (wanted - info.quota, STEP.max(info.used / 8));
        let mut free = free();
        if more > free {
            self.server.room.give_back();
            free = self::free();
        }
        if more > free {
            return Err(Errno::ENOMEM);
        }
        Ok(self.native.set_quota(wanted + spare.min(free - more))?)
    }

    /// Takes back what it does not use.
    pub fn shrink_quota(&self) {
        if let Ok(info) = self.native.info()
            && info.quota > info.used + STEP
        {
            // What it uses in the meantime it keeps.
            let _ = self.native.set_quota(info.used + STEP);
        }
    }

    /// Does something that the process pays for, and gives it more if it cannot, for as long as that
    /// takes it further.
    pub fn paid<T>(
        &self,
        mut attempt: impl FnMut(&rt::Process) -> core::result::Result<T, Error>,
    ) -> Result<T> {
        let mut before = 0;
        loop {
            match attempt(&self.native) {
                Err(Error::NoMemory) => {
                    let used = self.native.info()?.used;
                    if used <= before {
                        return Err(Errno::ENOMEM);
                    }
                    before = used;
                    self.grow_quota(self.shortage())?;
                }
                result => return Ok(result?),
            }
        }
    }

    /// Whether a page that could not be had can be had now.
    pub fn refill(&self) -> bool {
        self.grow_quota(self.shortage()).is_ok()
    }

    /// Bytes that are too few: all that it has left, and a step.
    fn shortage(&self) -> u64 {
        let left = self.native.info().map_or(0, |info| info.quota - info.used);
        left + STEP
    }
}
