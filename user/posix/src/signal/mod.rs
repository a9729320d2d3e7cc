//! Signals: who gets which, and what that does.

pub mod frame;
pub mod mask;

use crate::errno::{Errno, Result};
use crate::process::{Process, State, Task, exit};
use crate::wait::Outcome;
use alloc::rc::Rc;
use core::cell::Cell;
use linux_raw_sys::general::{SIGCHLD, SIGSEGV};
use rt::message::Received;

/// What a process does with signals, and those that wait for any of its threads.
#[derive(Default)]
pub struct Signals {}

/// Signals that wait for one thread, and those that it blocks.
#[derive(Default)]
pub struct Pending {
    /// A bit for each.
    pub blocked: Cell<u64>,
    /// What was blocked before a wait that blocks something else.
    pub saved: Cell<Option<u64>>,
}

/// What becomes of a thread that is about to return from a call.
pub enum Verdict {
    /// It returns this.
    Return(Result),
    /// Its registers have been set.
    AsIs,
    /// It is no more.
    Gone,
    /// It is stopped, and returns this later.
    Hold(Result),
}

impl Signals {
    pub fn reset_for_exec(&self) {}
    pub fn fork(&self) -> Signals {
        Signals::default()
    }
}

impl Pending {
    pub fn forget_stack(&self) {}
}

impl Outcome {
    /// Waits until a stopped process goes on.
    pub fn stopped(_task: &Rc<Task>, result: Result) -> Outcome {
        Outcome::Done(result)
    }
}

pub fn send_to_task(_task: &Rc<Task>, _signal: u32) {}

/// Sends a signal of the system's own to a process.
pub fn send_to_process(_process: &Rc<Process>, _signal: u32) {}

/// Whether a thread blocks a signal, or its process ignores it.
pub fn is_unwanted(_task: &Task, _signal: u32) -> bool {
    false
}

pub fn child_changed(_parent: &Rc<Process>, _child: &Rc<Process>, _signal: u32) {}

pub fn reaps_children(_parent: &Rc<Process>) -> bool {
    false
}

/// `si_code` and `si_status` of a child's state.
pub fn child_code(state: State) -> (u32, u32) {
    match state {
        State::Ended(status) if status & 0x7f == 0 => (1, status >> 8),
        State::Ended(status) => (2, status & 0x7f),
        State::Stopped(signal) => (5, signal),
        State::Continued | State::Running => (6, SIGCHLD),
    }
}

/// Whether a signal waits that would end a wait.
pub fn interrupts(_task: &Rc<Task>) -> bool {
    false
}

/// Delivers what waits for a thread that is about to return, with this result if it is of a call.
pub fn before_return(task: &Rc<Task>, result: Option<Result>) -> Verdict {
    task.signals.end_wait();
    match result {
        Some(Err(Errno::RESTART | Errno::RESTART_WITHOUT_HANDLER)) => {
            Verdict::Return(Err(Errno::EINTR))
        }
        Some(result) => Verdict::Return(result),
        None => Verdict::AsIs,
    }
}

/// A fault of a guest.
pub fn fault(task: &Rc<Task>, received: &Received) -> Outcome {
    rt::println!("posix: fault of {}: {:?} {:x?}", task.tid, received.fault(), received.words);
    exit::kill(&task.process, SIGSEGV)
}
