//! How threads share the CPUs, as far as programs have a say.

use super::fork::PRIORITY;
use super::{Process, Task};
use crate::errno::{Errno, Result};
use crate::server::Call;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::Cell;
use linux_raw_sys::general::{
    PRIO_PGRP, PRIO_PROCESS, PRIO_USER, SCHED_BATCH, SCHED_FIFO, SCHED_IDLE, SCHED_NORMAL,
    SCHED_RESET_ON_FORK, SCHED_RR,
};
use rt::abi::ANY_CPU;
use zerocopy::IntoBytes;

/// Nanoseconds of a thread's turn.
const SLICE: u64 = 10_000_000;
/// How nice one can be.
const NICE: (i32, i32) = (-20, 19);

/// What a program has said about a thread.
#[derive(Clone)]
pub struct Settings {
    /// How much it lets others go first.
    pub nice: Cell<i32>,
    /// `SCHED_*`, and the priority that goes with it.
    pub policy: Cell<(u32, u32)>,
    /// CPUs it may run on, a bit for each.
    pub cpus: Cell<u64>,
}

impl Default for Settings {
    fn default() -> Settings {
        let (nice, policy) = (Cell::new(0), Cell::new((SCHED_NORMAL, 0)));
        Settings { nice, policy, cpus: Cell::new(ANY_CPU) }
    }
}

impl Settings {
    /// Has a new thread run where its maker may.
    pub fn begin(&self, task: &Task) -> Result<()> {
        match self.cpus.get() {
            ANY_CPU => Ok(()),
            cpus => Ok(task.thread.schedule(PRIORITY, SLICE, cpus)?),
        }
    }
}

pub fn sched_yield(_: &Call) -> Result {
    Ok(0)
}

/// The thread of a number, 0 for the caller.
fn task_of(call: &Call, tid: u64) -> Result<Rc<Task>> {
    match tid as i32 {
        0 => Ok(call.task.clone()),
        ..0 => Err(Errno::EINVAL),
        tid if tid as u32 == call.task.tid.get() => Ok(call.task.clone()),
        tid => call.server.task(tid as u32).ok_or(Errno::ESRCH),
    }
}

/// Refuses whoever has nothing to do with a process.
fn permit(call: &Call, target: &Process) -> Result<()> {
    let (me, other) = (call.process().ids.borrow(), target.ids.borrow());
    let same = [other.users[0], other.users[1]].contains(&me.users[1]);
    if same || me.is_root() { Ok(()) } else { Err(Errno::EPERM) }
}

/// The CPUs that there are, a bit for each.
fn all_cpus() -> Result {
    Ok(u64::MAX >> (64 - rt::machine().cpus()?.clamp(1, 64)))
}

pub fn sched_getaffinity(call: &Call) -> Result {
    let [tid, length, at, ..] = call.args;
    if !length.is_multiple_of(8) || length == 0 {
        return Err(Errno::EINVAL);
    }
    // A thread whose number is negative is not there.
    let task = task_of(call, tid).map_err(|_| Errno::ESRCH)?;
    let cpus = task.schedule.cpus.get() & all_cpus()?;
    call.process().put(at, &cpus).map(|()| 8)
}

pub fn sched_setaffinity(call: &Call) -> Result {
    let [tid, length, at, ..] = call.args;
    let mut wish = 0u64;
    let bytes = wish.as_mut_bytes();
    let known = (length as u32 as usize).min(bytes.len());
    call.process().paid(|native| native.read(at, &mut bytes[..known]))?;
    let task = task_of(call, tid).map_err(|_| Errno::ESRCH)?;
    permit(call, &task.process)?;
    let cpus = wish & all_cpus()?;
    if cpus == 0 {
        return Err(Errno::EINVAL);
    }
    task.thread.schedule(PRIORITY, SLICE, cpus)?;
    task.schedule.cpus.set(cpus);
    Ok(0)
}

pub fn getcpu(call: &Call) -> Result {
    let [cpu, node, ..] = call.args;
    let at = call.task.thread.info()?.cpu as u32;
    call.process().put_if(cpu, &at)?;
    call.process().put_if(node, &0u32).map(|()| 0)
}

pub fn sched_getscheduler(call: &Call) -> Result {
    Ok(task_of(call, call.args[0])?.schedule.policy.get().0.into())
}

pub fn sched_getparam(call: &Call) -> Result {
    let [tid, at, ..] = call.args;
    if at == 0 {
        return Err(Errno::EINVAL);
    }
    let priority = task_of(call, tid)?.schedule.policy.get().1;
    call.process().put(at, &priority).map(|()| 0)
}

/// The priorities of a policy.
fn priorities(policy: u32) -> Result<(u32, u32)> {
    match policy {
        SCHED_FIFO | SCHED_RR => Ok((1, 99)),
        SCHED_NORMAL | SCHED_BATCH | SCHED_IDLE => Ok((0, 0)),
        _ => Err(Errno::EINVAL),
    }
}

pub fn sched_get_priority_max(call: &Call) -> Result {
    Ok(priorities(call.args[0] as u32)?.1.into())
}

pub fn sched_get_priority_min(call: &Call) -> Result {
    Ok(priorities(call.args[0] as u32)?.0.into())
}

pub fn sched_setscheduler(call: &Call) -> Result {
    let [tid, policy, at, ..] = call.args;
    if (policy as i32) < 0 {
        return Err(Errno::EINVAL);
    }
    set_policy(call, tid, Some(policy as u32), at)
}

pub fn sched_setparam(call: &Call) -> Result {
    let [tid, at, ..] = call.args;
    set_policy(call, tid, None, at)
}

fn set_policy(call: &Call, tid: u64, policy: Option<u32>, at: u64) -> Result {
    if at == 0 || (tid as i32) < 0 {
        return Err(Errno::EINVAL);
    }
    let priority: u32 = call.process().get(at)?;
    let task = task_of(call, tid)?;
    let policy = policy.unwrap_or(task.schedule.policy.get().0);
    let (least, most) = priorities(policy & !SCHED_RESET_ON_FORK)?;
    if !(least..=most).contains(&priority) {
        return Err(Errno::EINVAL);
    }
    permit(call, &task.process)?;
    if most > 0 && !call.process().ids.borrow().is_root() {
        return Err(Errno::EPERM);
    }
    task.schedule.policy.set((policy, priority));
    Ok(0)
}

pub fn sched_rr_get_interval(call: &Call) -> Result {
    let [tid, at, ..] = call.args;
    let turn = if task_of(call, tid)?.schedule.policy.get().0 == SCHED_FIFO { 0 } else { SLICE };
    call.process().put(at, &[0, turn]).map(|()| 0)
}

/// The threads that `getpriority` and `setpriority` are about.
fn tasks_of(call: &Call, which: u64, who: u64) -> Result<Vec<Rc<Task>>> {
    let me = call.process();
    let all = |wanted: &dyn Fn(&Process) -> bool| {
        let processes = call.server.processes().into_iter();
        let tasks = processes.filter(|process| wanted(process));
        tasks.flat_map(|process| process.tasks.borrow().clone()).collect::<Vec<_>>()
    };
    let found = match which as u32 {
        PRIO_PROCESS => task_of(call, who).into_iter().collect(),
        PRIO_PGRP => {
            let group = if who as u32 == 0 { me.group.get() } else { who as u32 };
            all(&|process| process.group.get() == group)
        }
        PRIO_USER => {
            let user = if who as u32 == 0 { me.ids.borrow().users[0] } else { who as u32 };
            all(&|process| process.ids.borrow().users[0] == user)
        }
        _ => return Err(Errno::EINVAL),
    };
    if found.is_empty() { Err(Errno::ESRCH) } else { Ok(found) }
}

pub fn getpriority(call: &Call) -> Result {
    let [which, who, ..] = call.args;
    let tasks = tasks_of(call, which, who)?;
    let least = tasks.iter().map(|task| task.schedule.nice.get()).min().unwrap_or(0);
    // So that it is no error: from 1 to 40.
    Ok((20 - least) as u64)
}

pub fn setpriority(call: &Call) -> Result {
    let [which, who, nice, ..] = call.args;
    let nice = (nice as i32).clamp(NICE.0, NICE.1);
    let is_root = call.process().ids.borrow().is_root();
    let mut result = Ok(0);
    for task in tasks_of(call, which, who)? {
        if let Err(error) = permit(call, &task.process) {
            result = Err(error);
        } else if nice < task.schedule.nice.get() && !is_root {
            result = Err(Errno::EACCES);
        } else {
            task.schedule.nice.set(nice);
        }
    }
    result
}
