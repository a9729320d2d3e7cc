//! Stopping processes and letting them go on, and what parents hear of their children.
//!
//! Whoever is stopped runs no more: threads that run are suspended, futures of threads that wait are
//! not polled, and a call that arrives later is made again when the process goes on.

use super::action::IGNORE;
use super::info::Info;
use super::{deliver, send};
use crate::first::INIT;
use crate::process::{Process, State, Task, exit};
use alloc::rc::Rc;
use alloc::vec::Vec;
use linux_raw_sys::general::{SA_NOCLDSTOP, SA_NOCLDWAIT, SIGCHLD, SIGCONT, SIGHUP, SIGSTOP};
use rt::object::ThreadState;

/// Nanoseconds that a CPU takes at most to let go of a thread: it is told by an interrupt, but may itself be
/// one that waits for its turn.
const LETTING_GO: u64 = 1_000_000_000;

impl Process {
    /// Whether it is stopped.
    pub fn is_stopped(&self) -> bool {
        matches!(self.state.get(), State::Stopped(_))
    }
}

/// Stops a process, unless nobody could ever let it go on.
pub fn stop(process: &Rc<Process>, signal: u32) {
    let lonely = signal != SIGSTOP && is_orphaned(process, process.group.get(), None);
    if lonely || process.is_stopped() || !process.is_alive() {
        return;
    }
    let tasks = process.tasks.borrow().clone();
    for task in &tasks {
        // One that is gone is as good.
        let _ = task.thread.suspend();
    }
    // Another CPU lets go of a thread a moment later. Nobody hears that it has stopped before it has.
    let end = rt::time::now() + LETTING_GO;
    let runs =
        |task: &Rc<Task>| task.thread.info().is_ok_and(|info| info.state == ThreadState::Running);
    while tasks.iter().any(runs) && rt::time::now() < end {}
    change(process, State::Stopped(signal));
}

/// Lets a process go on that is stopped; its parent hears of it, if that is what it is for.
pub fn go_on(process: &Rc<Process>, told: bool) {
    if !process.is_stopped() {
        return;
    }
    if told {
        change(process, State::Continued);
    } else {
        process.state.set(State::Running);
    }
    let tasks = process.tasks.borrow().clone();
    tasks.iter().for_each(deliver::go_on);
}

fn change(process: &Rc<Process>, state: State) {
    process.state.set(state);
    process.told.set(false);
    exit::tell_parent(process);
}

/// The parent hears that a child has changed.
pub fn child_changed(parent: &Rc<Process>, child: &Rc<Process>, signal: u32) {
    let quiet = child.is_alive() && parent.signals.action(SIGCHLD).has(SA_NOCLDSTOP);
    if !quiet {
        // It is the system's, which needs no room.
        let _ = send::send(parent, Info::child(signal, child));
    }
}

/// Whether a parent does not wait for its children.
pub fn reaps_children(parent: &Process) -> bool {
    let action = parent.signals.action(SIGCHLD);
    parent.pid == INIT || action.handler == IGNORE || action.has(SA_NOCLDWAIT)
}

/// Whether no process of a group has a parent in another group of its session, who could let it go
/// on; one that is about to leave does not count.
pub fn is_orphaned(process: &Process, group: u32, leaver: Option<u32>) -> bool {
    let guarded = |member: &Rc<Process>| {
        let parent = member.parent.borrow().upgrade();
        parent.is_some_and(|parent| {
            leaver != Some(parent.pid)
                && parent.group.get() != group
                && parent.session.get() == member.session.get()
        })
    };
    let counts = |member: &Rc<Process>| {
        member.group.get() == group && member.is_alive() && leaver != Some(member.pid)
    };
    !process.server.processes().iter().any(|member| counts(member) && guarded(member))
}

/// Whether a process looks after the group of another, which is not its own, in its session.
fn looks_after(process: &Process, other: &Process) -> bool {
    process.group.get() != other.group.get() && process.session.get() == other.session.get()
}

/// A process ends: its parent looks after its group no more, nor it after those of its children. Where
/// nobody does any more and somebody is stopped the group is told to go on.
pub fn orphan_groups(process: &Rc<Process>, children: &[Rc<Process>]) {
    let parent = process.parent.borrow().upgrade();
    let own = parent.is_some_and(|parent| looks_after(&parent, process));
    let theirs = children.iter().filter(|child| looks_after(process, child));
    let mut groups: Vec<u32> = own.then(|| process.group.get()).into_iter().collect();
    groups.extend(theirs.map(|child| child.group.get()));
    groups.dedup();
    for group in groups {
        let stopped = |other: &Rc<Process>| other.group.get() == group && other.is_stopped();
        let any = process.server.processes().iter().any(stopped);
        if any && is_orphaned(process, group, Some(process.pid)) {
            send::send_to_group(process.server, group, SIGHUP);
            send::send_to_group(process.server, group, SIGCONT);
        }
    }
}
