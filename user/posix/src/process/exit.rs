//! The end of threads and processes, and waiting for it.

use super::info::put_usage;
use super::{Process, State, Task, pidfd};
use crate::errno::{Errno, Result};
use crate::first;
use crate::server::Call;
use crate::signal::action::SIGNALS;
use crate::signal::{self, Info};
use crate::wait::Outcome;
use alloc::rc::Rc;
use alloc::vec::Vec;
use linux_raw_sys::general::{SIGCHLD, WCONTINUED, WEXITED, WNOHANG, WNOWAIT, WUNTRACED};

pub fn exit(call: &Call) -> Outcome {
    if call.process().tasks.borrow().len() == 1 {
        return end(&call.task.process, (call.args[0] as u32 & 0xff) << 8);
    }
    end_task(&call.task);
    Outcome::Gone
}

pub fn exit_group(call: &Call) -> Outcome {
    end(&call.task.process, (call.args[0] as u32 & 0xff) << 8)
}

/// Ends a process by a signal.
pub fn kill(process: &Rc<Process>, signal: u32) -> Outcome {
    end(process, signal)
}

/// Ends one thread.
pub fn end_task(task: &Rc<Task>) {
    if forget_task(task) {
        // A thread that is gone already is as good.
        let _ = task.thread.kill();
        task.waiting.take();
    }
}

/// Takes a thread out of its process; false if it has been.
fn forget_task(task: &Rc<Task>) -> bool {
    if task.dying.replace(true) {
        return false;
    }
    task.process.server.forget_task(task);
    task.process.tasks.borrow_mut().retain(|other| !Rc::ptr_eq(other, task));
    crate::futex::task_ends(task);
    true
}

/// Ends all threads of a process but this, which becomes its first.
pub fn end_other_tasks(task: &Rc<Task>) {
    let others: Vec<_> = task.process.tasks.borrow().clone();
    others.iter().filter(|other| !Rc::ptr_eq(other, task)).for_each(end_task);
    task.tid.set(task.process.pid);
}

/// Ends a process with a status, as `wait` gives it.
pub fn end(process: &Rc<Process>, status: u32) -> Outcome {
    if !process.is_alive() {
        return Outcome::Gone;
    }
    let server = process.server;
    server.look_at_load();
    process.state.set(State::Ended(status));
    process.told.set(false);
    let ran = process.ran();
    server.load.ends(ran);
    let [own, children] = process.times.get();
    process.times.set([own + ran, children]);
    let tasks: Vec<_> = process.tasks.borrow().clone();
    let tasks: Vec<_> = tasks.into_iter().filter(forget_task).collect();
    let _ = process.native.kill(0);
    for task in tasks {
        task.waiting.take();
    }
    server.ending.add(process);
    process.timers.forget(&server.timers, true);
    process.forget_all_locks();
    process.files.close_all();
    // No file system is in use any more because of where it was, and what it ran.
    process.current.replace(server.root.clone());
    process.root.replace(server.root.clone());
    Rc::make_mut(&mut process.program.borrow_mut()).file = None;
    process.space.borrow_mut().clear();
    let (init, children) = (heir(process), process.children.take());
    signal::stop::orphan_groups(process, &children);
    for child in children {
        let wish = child.traits.parent_death.get();
        if wish != 0 && child.is_alive() {
            // It is the system's, which needs no room.
            let _ = signal::send(&child, Info::user(wish, process));
        }
        child.exit_signal.set(SIGCHLD);
        child.parent.replace(init.as_ref().map(Rc::downgrade).unwrap_or_default());
        if let Some(init) = &init {
            init.children.borrow_mut().push(child.clone());
            if !child.is_alive() {
                tell_parent(&child);
            }
        } else if !child.is_alive() {
            server.forget(&child);
        }
    }
    process.changed.wake();
    if process.session.get() == process.pid {
        server.session_ends(process);
    }
    tell_parent(process);
    if process.parent.borrow().upgrade().is_none() {
        server.forget(process);
    }
    if process.pid == first::LEADER {
        server.finished(status);
    }
    Outcome::Gone
}

/// Who takes over the children of a process: the next above it that wishes so, or the first of all.
fn heir(process: &Process) -> Option<Rc<Process>> {
    let above = |process: &Rc<Process>| process.parent.borrow().upgrade();
    let parent = process.parent.borrow().upgrade();
    let mut line = core::iter::successors(parent, above);
    let wishes = |process: &Rc<Process>| process.is_alive() && process.traits.subreaper.get();
    line.find(wishes).or_else(|| process.server.init())
}

/// The parent hears that a process has changed.
pub fn tell_parent(process: &Rc<Process>) {
    let parent = process.parent.borrow().upgrade();
    let Some(parent) = parent.filter(|parent| parent.is_alive()) else { return };
    let ended = !process.is_alive();
    let with = if ended { process.exit_signal.get() } else { SIGCHLD };
    if (1..=SIGNALS).contains(&with) {
        signal::child_changed(&parent, process, with);
    }
    if ended && with == SIGCHLD && signal::reaps_children(&parent) {
        parent.children.borrow_mut().retain(|child| !Rc::ptr_eq(child, process));
        process.server.forget(process);
    }
    parent.child_changed.wake();
}

/// Options for kinds of children that we do not tell apart: `__WALL`, `__WCLONE`, `__WNOTHREAD`.
const KINDS: u32 = 0xe000_0000;
/// Beside the options of `waitid`: the descriptor says that one does not wait.
const NONBLOCKING: u32 = 1 << 16;

/// Whom one waits for.
#[derive(Clone, Copy)]
enum Whom {
    Any,
    Process(u32),
    Group(u32),
}

/// Finds a child that has changed, and takes note of it; none if there may be one later.
fn look(me: &Process, whom: Whom, options: u32) -> Result<Option<(Rc<Process>, State)>> {
    let children: Vec<_> = me.children.borrow().clone();
    let mut any = false;
    for child in children {
        let wanted = match whom {
            Whom::Any => true,
            Whom::Process(pid) => child.pid == pid,
            Whom::Group(group) => child.group.get() == group,
        };
        if !wanted {
            continue;
        }
        any = true;
        let state = child.state.get();
        let interesting = match state {
            State::Ended(_) => options & WEXITED != 0,
            State::Stopped(_) => options & WUNTRACED != 0 && !child.told.get(),
            State::Continued => options & WCONTINUED != 0 && !child.told.get(),
            State::Running => false,
        };
        if !interesting {
            continue;
        }
        if options & WNOWAIT == 0 {
            child.told.set(true);
            if let State::Ended(_) = state {
                let [own, children] = me.times.get();
                me.times.set([own, children + child.times.get().iter().sum::<u64>()]);
                me.children.borrow_mut().retain(|other| !Rc::ptr_eq(other, &child));
                me.server.forget(&child);
            }
        }
        return Ok(Some((child, state)));
    }
    if any { Ok(None) } else { Err(Errno::ECHILD) }
}

/// The status of a state, as `wait4` gives it.
fn status_of(state: State) -> u32 {
    match state {
        State::Ended(status) => status,
        State::Stopped(signal) => signal << 8 | 0x7f,
        State::Continued | State::Running => 0xffff,
    }
}

pub fn wait4(call: &Call) -> Outcome {
    let [pid, status, options, usage, ..] = call.args;
    let (pid, options) = (pid as i32, options as u32);
    if options & !(WNOHANG | WUNTRACED | WCONTINUED | KINDS) != 0 {
        return Outcome::Done(Err(Errno::EINVAL));
    }
    let whom = match pid {
        -1 => Whom::Any,
        0 => Whom::Group(call.process().group.get()),
        1.. => Whom::Process(pid as u32),
        i32::MIN => return Outcome::Done(Err(Errno::ESRCH)),
        _ => Whom::Group(pid.unsigned_abs()),
    };
    wait_for(call, whom, options | WEXITED, move |call, found| {
        let Some((child, state)) = found else { return Ok(0) };
        call.process().put_if(status, &status_of(state))?;
        if usage != 0 {
            put_usage(call.process(), usage, child.times.get()[0])?;
        }
        Ok(child.pid.into())
    })
}

pub fn waitid(call: &Call) -> Outcome {
    let [kind, id, info, options, usage, ..] = call.args;
    let options = options as u32;
    let some = options & (WEXITED | WUNTRACED | WCONTINUED) != 0;
    let known = WNOHANG | WUNTRACED | WCONTINUED | WEXITED | WNOWAIT | KINDS;
    if options & !known != 0 || !some {
        return Outcome::Done(Err(Errno::EINVAL));
    }
    let mut options = options;
    let whom = match (kind, id as u32) {
        (3, _) => match pidfd::process_of(call, id) {
            Ok((process, nonblocking)) => {
                options |= if nonblocking { NONBLOCKING } else { 0 };
                Whom::Process(process.pid)
            }
            Err(error) => return Outcome::Done(Err(error)),
        },
        (0, _) => Whom::Any,
        (1, pid) => Whom::Process(pid),
        (2, 0) => Whom::Group(call.process().group.get()),
        (2, group) => Whom::Group(group),
        _ => return Outcome::Done(Err(Errno::EINVAL)),
    };
    wait_for(call, whom, options, move |call, found| {
        let Some((child, state)) = found else {
            call.process().put_if(info, &[0u32; 3])?;
            return Ok(0);
        };
        let (code, status) = signal::child_code(state);
        let uid = child.ids.borrow().users[0];
        let mut words = [0u32; 32];
        words[..7].copy_from_slice(&[SIGCHLD, 0, code, 0, child.pid, uid, status]);
        call.process().put_if(info, &words)?;
        if usage != 0 {
            put_usage(call.process(), usage, child.times.get()[0])?;
        }
        Ok(0)
    })
}

/// Looks for a child, and waits for one if that is wished.
fn wait_for(
    call: &Call,
    whom: Whom,
    options: u32,
    then: impl Fn(&Call, Option<(Rc<Process>, State)>) -> Result + 'static,
) -> Outcome {
    match look(call.process(), whom, options) {
        Ok(None) if options & (WNOHANG | NONBLOCKING) == NONBLOCKING => {
            return Outcome::Done(Err(Errno::EAGAIN));
        }
        Ok(None) if options & WNOHANG == 0 => {}
        Ok(found) => return Outcome::Done(then(call, found)),
        Err(error) => return Outcome::Done(Err(error)),
    }
    let call = call.clone();
    Outcome::wait(async move {
        let me = call.task.process.clone();
        let attempt = || look(&me, whom, options)?.ok_or(Errno::EAGAIN);
        let found = me.child_changed.until(attempt).await?;
        then(&call, Some(found))
    })
}
