//! Sending signals: to a process, to one of its threads, to a group.
//!
//! A signal that ends a process, or stops it, does that to all of its threads at once; any other waits
//! until one of them takes it. Sending never ends a process here and now, for whoever sends may be in
//! the middle of something: the process is marked, and ends when its turn comes.

use super::action::{Effect, SIGNALS, STOPPING};
use super::info::{Info, SI_KERNEL};
use super::queue::bit;
use super::{deliver, stop};
use crate::errno::{Errno, Result};
use crate::first::INIT;
use crate::process::{Process, Task};
use crate::server::{Call, Server};
use alloc::rc::Rc;
use alloc::vec::Vec;
use linux_raw_sys::general::{RLIMIT_SIGPENDING, SI_TKILL, SIGCONT, SIGKILL};

/// Sends a signal to a process: any thread of it may take it.
pub fn send(process: &Rc<Process>, info: Info) -> Result<()> {
    let nobody = process.pid == INIT || !process.is_alive();
    if nobody || !prepare(process, info.signal) {
        return Ok(());
    }
    let takes = |task: &&Rc<Task>| task.signals.blocked.get() & bit(info.signal) == 0;
    let taker = process.tasks.borrow().iter().find(takes).cloned();
    let taker = taker.as_ref();
    if at_once(process, info.signal, taker) {
        return Ok(());
    }
    process.signals.queue.push(info, limit(process))?;
    process.signals.arrived.wake();
    taker.inspect(|task| deliver::notify(task));
    Ok(())
}

/// Sends a signal to one thread.
pub fn send_info_to_task(task: &Rc<Task>, info: Info) -> Result<()> {
    let process = &task.process;
    if task.dying.get() || !prepare(process, info.signal) {
        return Ok(());
    }
    let taker = Some(task).filter(|task| task.signals.blocked.get() & bit(info.signal) == 0);
    if at_once(process, info.signal, taker) {
        return Ok(());
    }
    task.signals.queue.push(info, limit(process))?;
    process.signals.arrived.wake();
    taker.inspect(|task| deliver::notify(task));
    Ok(())
}

/// Sends a signal of the system to one thread.
pub fn send_to_task(task: &Rc<Task>, signal: u32) {
    // It is the system's, which needs no room.
    let _ = send_info_to_task(task, Info::kernel(signal));
}

/// Sends a signal of the system to a process.
pub fn send_to_process(process: &Rc<Process>, signal: u32) {
    let _ = send(process, Info::new(signal, SI_KERNEL, [0; 4]));
}

/// Whether a thread blocks a signal, or its process ignores it.
pub fn is_unwanted(task: &Task, signal: u32) -> bool {
    let ignored = matches!(task.process.signals.effect(signal), Effect::Nothing);
    ignored || task.signals.blocked.get() & bit(signal) != 0
}

/// Sends a signal of the system to all processes of a group.
pub fn send_to_group(server: &Server, group: u32, signal: u32) {
    let members = server.processes().into_iter().filter(|process| process.group.get() == group);
    for process in members {
        let _ = send(&process, Info::new(signal, SI_KERNEL, [0; 4]));
    }
}

fn limit(process: &Process) -> u64 {
    process.limits.borrow()[RLIMIT_SIGPENDING as usize][0]
}

/// What a signal does before anybody takes it; false if that is all.
fn prepare(process: &Rc<Process>, signal: u32) -> bool {
    let opposite = match signal {
        SIGCONT => STOPPING,
        signal if bit(signal) & STOPPING != 0 => bit(SIGCONT),
        _ => 0,
    };
    if opposite != 0 {
        process.signals.queue.discard(opposite);
        for task in process.tasks.borrow().iter() {
            task.signals.queue.discard(opposite);
        }
    }
    if signal == SIGCONT || signal == SIGKILL {
        stop::go_on(process, signal == SIGCONT);
    }
    process.signals.doomed.get().is_none()
}

/// Does what a signal does to all threads, or that it does nothing; false if somebody has to take it.
fn at_once(process: &Rc<Process>, signal: u32, taker: Option<&Rc<Task>>) -> bool {
    let Some(taker) = taker else { return false };
    match process.signals.effect(signal) {
        Effect::Nothing => true,
        Effect::Stop => {
            stop::stop(process, signal);
            true
        }
        Effect::End => {
            process.signals.doomed.set(Some(signal));
            taker.waker.wake_by_ref();
            true
        }
        Effect::Handle(_) => false,
    }
}

/// Whether a process may send a signal to another.
pub fn permit(sender: &Process, to: &Process, signal: u32) -> Result<()> {
    if signal > SIGNALS {
        return Err(Errno::EINVAL);
    }
    let (me, other) = (sender.ids.borrow(), to.ids.borrow());
    let mine = [me.users[0], me.users[1]];
    let same = mine.iter().any(|user| *user == other.users[0] || *user == other.users[2]);
    let session = signal == SIGCONT && sender.session.get() == to.session.get();
    if sender.pid == to.pid || me.is_root() || same || session {
        return Ok(());
    }
    Err(Errno::EPERM)
}

fn permit_and_send(call: &Call, to: &Rc<Process>, signal: u32) -> Result<()> {
    permit(call.process(), to, signal)?;
    if signal == 0 { Ok(()) } else { send(to, Info::user(signal, call.process())) }
}

pub fn kill(call: &Call) -> Result {
    let (pid, signal) = (call.args[0] as i32, call.args[1] as u32);
    let me = call.process();
    let group = match pid {
        1.. => {
            let to = find(call, pid as u32).ok_or(Errno::ESRCH)?;
            return permit_and_send(call, &to, signal).map(|()| 0);
        }
        0 => Some(me.group.get()),
        -1 => None,
        i32::MIN => return Err(Errno::ESRCH),
        _ => Some(pid.unsigned_abs()),
    };
    let wanted = |process: &Rc<Process>| match group {
        Some(group) => process.group.get() == group,
        None => process.pid != INIT && process.pid != me.pid,
    };
    let all: Vec<_> = call.server.processes().into_iter().filter(wanted).collect();
    let (mut sent, mut result) = (false, Err(Errno::ESRCH));
    for process in all {
        match permit_and_send(call, &process, signal) {
            Err(Errno::EPERM) if group.is_none() => {}
            Err(error) => result = Err(error),
            Ok(()) => sent = true,
        }
    }
    if sent { Ok(0) } else { result }
}

/// The process of a number, or that of a thread of this number.
fn find(call: &Call, pid: u32) -> Option<Rc<Process>> {
    if pid == call.process().pid {
        return Some(call.task.process.clone());
    }
    let of_task = || call.server.task(pid).map(|task| task.process.clone());
    call.server.process(pid).or_else(of_task)
}

/// The thread of a number, which is the caller most often.
fn find_task(call: &Call, tid: u32) -> Result<Rc<Task>> {
    if tid == call.task.tid.get() {
        return Ok(call.task.clone());
    }
    call.server.task(tid).ok_or(Errno::ESRCH)
}

pub fn tkill(call: &Call) -> Result {
    let [tid, signal, ..] = call.args;
    if tid as i32 <= 0 {
        return Err(Errno::EINVAL);
    }
    let task = find_task(call, tid as u32)?;
    to_task(call, &task, Info::to_thread(signal as u32, call.process()))
}

pub fn tgkill(call: &Call) -> Result {
    let [pid, tid, signal, ..] = call.args;
    let task = member(call, pid, tid)?;
    to_task(call, &task, Info::to_thread(signal as u32, call.process()))
}

/// The thread of a process.
fn member(call: &Call, pid: u64, tid: u64) -> Result<Rc<Task>> {
    if pid as i32 <= 0 || tid as i32 <= 0 {
        return Err(Errno::EINVAL);
    }
    let task = find_task(call, tid as u32)?;
    if task.process.pid == pid as u32 { Ok(task) } else { Err(Errno::ESRCH) }
}

fn to_task(call: &Call, task: &Rc<Task>, info: Info) -> Result {
    permit(call.process(), &task.process, info.signal)?;
    if info.signal != 0 {
        send_info_to_task(task, info)?;
    }
    Ok(0)
}

/// The `siginfo_t` that a program made up for a signal to a process.
pub fn made_up(call: &Call, pid: u64, at: u64) -> Result<Info> {
    let info: Info = call.process().get(at)?;
    let forged = info.code >= 0 || info.code == SI_TKILL;
    if forged && pid as u32 != call.process().pid { Err(Errno::EPERM) } else { Ok(info) }
}

pub fn rt_sigqueueinfo(call: &Call) -> Result {
    let [pid, signal, at, ..] = call.args;
    let mut info = made_up(call, pid, at)?;
    info.signal = signal as u32;
    let to = find(call, pid as u32).ok_or(Errno::ESRCH)?;
    permit(call.process(), &to, info.signal)?;
    if info.signal != 0 {
        send(&to, info)?;
    }
    Ok(0)
}

pub fn rt_tgsigqueueinfo(call: &Call) -> Result {
    let [pid, tid, signal, at, ..] = call.args;
    if pid as i32 <= 0 || tid as i32 <= 0 {
        return Err(Errno::EINVAL);
    }
    let mut info = made_up(call, pid, at)?;
    info.signal = signal as u32;
    let task = member(call, pid, tid)?;
    to_task(call, &task, info)
}
