//! `membarrier`: after it, every thread has seen what the caller wrote before.
//!
//! A thread that waits in a call, or is stopped, has gone through the kernel, and will again before it
//! runs. One that runs is suspended for a moment.

use super::{Process, Task};
use crate::errno::Errno;
use crate::server::Call;
use crate::wait::Outcome;
use alloc::rc::Rc;
use alloc::vec::Vec;
use rt::Error;
use rt::object::Halted;

/// What can be asked for: what there is, for all processes, for those that have registered, for the
/// caller's own threads; of its own with instructions, and with restartable sequences, which there are
/// none of.
const QUERY: u64 = 0;
const GLOBAL: u64 = 1;
const GLOBAL_EXPEDITED: u64 = 2;
const REGISTER_GLOBAL_EXPEDITED: u64 = 4;
const PRIVATE_EXPEDITED: u64 = 8;
const REGISTER_PRIVATE_EXPEDITED: u64 = 16;
const SYNC_CORE: u64 = 32;
const REGISTER_SYNC_CORE: u64 = 64;
const KNOWN: u64 = 0x7f;

/// Nanoseconds until a thread that still runs is looked at again.
const PATIENCE: u64 = 20_000;

pub fn membarrier(call: &Call) -> Outcome {
    let [command, flags, ..] = call.args;
    let command = u64::from(command as u32);
    if flags as u32 != 0 {
        return Outcome::Done(Err(Errno::EINVAL));
    }
    let registered = &call.process().traits.barriers;
    let allowed = |bit: u64| if registered.get() & bit != 0 { Ok(()) } else { Err(Errno::EPERM) };
    let whom = match command {
        QUERY => return Outcome::Done(Ok(KNOWN)),
        GLOBAL => others(call, |_| true),
        GLOBAL_EXPEDITED => {
            others(call, |process| process.traits.barriers.get() & REGISTER_GLOBAL_EXPEDITED != 0)
        }
        PRIVATE_EXPEDITED | SYNC_CORE => {
            if let Err(error) = allowed(command << 1) {
                return Outcome::Done(Err(error));
            }
            others(call, |process| process.pid == call.process().pid)
        }
        REGISTER_GLOBAL_EXPEDITED | REGISTER_PRIVATE_EXPEDITED | REGISTER_SYNC_CORE => {
            registered.set(registered.get() | command);
            return Outcome::Done(Ok(0));
        }
        _ => return Outcome::Done(Err(Errno::EINVAL)),
    };
    let stopped: Vec<_> = whom.into_iter().filter_map(stop).collect();
    if stopped.iter().all(Stopped::has_stopped) {
        return Outcome::Done(Ok(0));
    }
    let call = call.clone();
    Outcome::wait_for_ever(async move {
        while !stopped.iter().all(Stopped::has_stopped) {
            call.server.clock.until(rt::time::now() + PATIENCE).await;
        }
        Ok(0)
    })
}

/// The threads but the caller's of processes of which this holds.
fn others(call: &Call, wanted: impl Fn(&Process) -> bool) -> Vec<Rc<Task>> {
    let mut tasks = Vec::new();
    for process in call.server.processes().iter().filter(|process| wanted(process)) {
        tasks.extend(process.tasks.borrow().iter().cloned());
    }
    tasks.retain(|task| task.tag != call.task.tag);
    tasks
}

/// A thread that was suspended, until this is dropped.
struct Stopped(Rc<Task>);

/// Suspends a thread that may run.
fn stop(task: Rc<Task>) -> Option<Stopped> {
    let runs = !task.signals.called.get() && !task.process.is_stopped() && !task.dying.get();
    (runs && task.thread.suspend().is_ok()).then_some(Stopped(task))
}

impl Stopped {
    /// Whether it does not run any more, or has made a call since.
    fn has_stopped(&self) -> bool {
        self.0.signals.called.get()
            || Halted::Suspended(&self.0.thread).general() != Err(Error::Busy)
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        let task = &self.0;
        // Whoever hunts it lets it go on by itself.
        if !task.process.is_stopped() && task.signals.hunted.get() == 0 && !task.dying.get() {
            // One that is gone is as good.
            let _ = task.thread.resume();
        }
    }
}
