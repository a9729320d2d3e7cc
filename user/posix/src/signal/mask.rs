//! What a thread blocks, and waiting for what it does or does not block.
//!
//! While one call waits something else may be blocked: `ppoll` and its like, and `rt_sigsuspend`. If the wait ends by itself the call restores the mask. If a signal ends it the signal is delivered
//! under the mask of the wait, and what the handler returns to is the one from before.

use super::Pending;
use crate::errno::{Errno, Result};
use crate::process::{Process, Task};
use crate::server::Call;
use crate::wait::Outcome;
use linux_raw_sys::general::{SIG_BLOCK, SIG_SETMASK, SIG_UNBLOCK, SIGKILL, SIGSTOP};
use zerocopy::IntoBytes;

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

/// Whether a signal waits that this mask would let through: then even a call that has no time waits
/// for it to be delivered.
pub fn lets_through(task: &Task, mask: Option<u64>) -> bool {
    let waiting = task.signals.queue.set() | task.process.signals.queue.set();
    mask.is_some_and(|mask| waiting & !mask != 0)
}

impl Pending {
    /// Begins a wait that blocks something else.
    pub fn begin_wait(&self, mask: Option<u64>) {
        if let Some(mask) = mask {
            self.saved.set(Some(self.blocked.replace(mask)));
        }
    }

    /// A wait is over: what was blocked before is blocked again, if that was something else.
    pub fn end_wait(&self) -> bool {
        let saved = self.saved.take();
        saved.inspect(|&saved| self.blocked.set(saved)).is_some()
    }
}

/// Reads a set of signals, whose size must be right.
fn get(process: &Process, at: u64, size: u64) -> Result {
    if size == 8 { process.get(at) } else { Err(Errno::EINVAL) }
}

pub fn rt_sigprocmask(call: &Call) -> Result {
    let [how, new, old, size, ..] = call.args;
    let (process, signals) = (call.process(), &call.task.signals);
    if size != 8 {
        return Err(Errno::EINVAL);
    }
    let before = signals.blocked.get();
    if new != 0 {
        let set = get(process, new, size)? & !UNBLOCKABLE;
        let blocked = match how as u32 {
            SIG_BLOCK => before | set,
            SIG_UNBLOCK => before & !set,
            SIG_SETMASK => set,
            _ => return Err(Errno::EINVAL),
        };
        signals.blocked.set(blocked);
    }
    process.put_if(old, &before).map(|()| 0)
}

pub fn rt_sigpending(call: &Call) -> Result {
    let [at, size, ..] = call.args;
    let (process, signals) = (call.process(), &call.task.signals);
    if size > 8 {
        return Err(Errno::EINVAL);
    }
    let waiting = (signals.queue.set() | process.signals.queue.set()) & signals.blocked.get();
    process.put(at, &waiting.as_bytes()[..size as usize]).map(|()| 0)
}

pub fn rt_sigsuspend(call: &Call) -> Outcome {
    let [at, size, ..] = call.args;
    match get(call.process(), at, size) {
        Ok(mask) => {
            call.task.signals.begin_wait(Some(mask & !UNBLOCKABLE));
            wait_for_handler()
        }
        Err(error) => Outcome::Done(Err(error)),
    }
}

#[cfg(target_arch = "x86_64")]
pub fn pause(_: &Call) -> Outcome {
    wait_for_handler()
}

fn wait_for_handler() -> Outcome {
    Outcome::wait_or(Errno::RESTART_WITHOUT_HANDLER, core::future::pending())
}

pub fn rt_sigtimedwait(call: &Call) -> Outcome {
    let [set, info, limit, size, ..] = call.args;
    let read = || {
        let wanted = get(call.process(), set, size)? & !UNBLOCKABLE;
        Ok((wanted, crate::time::deadline(call.process(), limit)?))
    };
    let (wanted, deadline) = match read() {
        Ok(read) => read,
        Err(error) => return Outcome::Done(Err(error)),
    };
    let task = call.task.clone();
    let take = move || {
        let queues = [&task.signals.queue, &task.process.signals.queue];
        let taken = queues.into_iter().find_map(|queue| queue.take(wanted)).ok_or(Errno::EAGAIN)?;
        if info != 0 {
            task.process.put(info, &taken.bytes())?;
        }
        Ok(taken.signal.into())
    };
    match take() {
        Err(Errno::EAGAIN) if deadline > rt::time::now() => {}
        result => return Outcome::Done(result),
    }
    let call = call.clone();
    Outcome::wait_or(Errno::EINTR, async move {
        let arrived = &call.process().signals.arrived;
        let taken = call.server.clock.limit(deadline, arrived.until(take)).await;
        taken.unwrap_or(Err(Errno::EAGAIN))
    })
}
