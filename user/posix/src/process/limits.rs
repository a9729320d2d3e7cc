//! Limits.

use super::info::process_of;
use crate::errno::{Errno, Result};
use crate::server::Call;
use linux_raw_sys::general::RLIMIT_NOFILE;

/// Those of the first process: soft and hard, in the order of `RLIMIT_*`.
pub const DEFAULT: [[u64; 2]; 16] = {
    let mut limits = [[u64::MAX; 2]; 16];
    limits[3] = [super::memory::STACK, u64::MAX];
    limits[4] = [0, u64::MAX];
    limits[6] = [1024, 1024];
    limits[7] = [1024, 4096];
    limits[8] = [8 << 20, 8 << 20];
    limits[11] = [1024, 1024];
    limits[12] = [819_200, 819_200];
    limits[13] = [0, 0];
    limits[14] = [0, 0];
    limits
};

/// Descriptors that a process may ever have.
const DESCRIPTORS_MOST: u64 = 1 << 20;

pub fn prlimit64(call: &Call) -> Result {
    let [pid, which, new, old, ..] = call.args;
    let wish = if new == 0 { None } else { Some(call.process().get::<[u64; 2]>(new)?) };
    let target = process_of(call, pid)?;
    if target.pid != call.process().pid {
        let (me, other) = (call.process().ids.borrow(), target.ids.borrow());
        let same = |mine: u32, all: [u32; 3]| all.iter().all(|id| *id == mine);
        let alike = same(me.users[0], other.users) && same(me.groups[0], other.groups);
        if !alike && !me.is_root() {
            return Err(Errno::EPERM);
        }
    }
    let which = which as u32 as usize;
    let before = *target.limits.borrow().get(which).ok_or(Errno::EINVAL)?;
    if let Some([soft, hard]) = wish {
        if soft > hard {
            return Err(Errno::EINVAL);
        }
        let too_many = which == RLIMIT_NOFILE as usize && hard > DESCRIPTORS_MOST;
        if too_many || hard > before[1] && !call.process().ids.borrow().is_root() {
            return Err(Errno::EPERM);
        }
        target.limits.borrow_mut()[which] = [soft, hard];
    }
    call.process().put_if(old, &before).map(|()| 0)
}

pub fn getrlimit(call: &Call) -> Result {
    let [which, old, ..] = call.args;
    let limits = call.process().limits.borrow();
    let limit = limits.get(which as u32 as usize).ok_or(Errno::EINVAL)?;
    call.process().put(old, limit).map(|()| 0)
}

pub fn setrlimit(call: &Call) -> Result {
    let [which, new, ..] = call.args;
    if new == 0 {
        return Err(Errno::EFAULT);
    }
    prlimit64(&Call { args: [0, which, new, 0, 0, 0], ..call.clone() })
}
