//! Timers that send signals: `setitimer`, `alarm`, `timer_create`.
//!
//! A timer that counts time on the CPU is looked at when it could be over at the earliest, and again
//! then if it is not.

use super::{Source, nanoseconds, source, split};
use crate::errno::{Errno, Result};
use crate::process::{Process, Task};
use crate::server::Call;
use crate::signal::action::SIGNALS;
use crate::signal::send::send_info_to_task;
use crate::signal::{self, Info};
use alloc::collections::BTreeMap;
use alloc::rc::{Rc, Weak};
use core::cell::{Cell, RefCell};
use linux_raw_sys::general::{
    SI_TIMER, SIGALRM, SIGEV_NONE, SIGEV_SIGNAL, SIGEV_THREAD, SIGEV_THREAD_ID, SIGPROF, SIGVTALRM,
    TIMER_ABSTIME,
};
use rt::abi::FOREVER;

/// Nanoseconds between two signals of a timer at least, whatever its interval: what it misses it counts.
const PAUSE: u64 = 100_000;
/// Timers of a process at most.
const MOST: usize = 1024;
/// How often a timer that counts CPU time is looked at, at most.
const LOOK: u64 = 1_000_000;

/// What is due when, on the monotonic clock.
#[derive(Default)]
pub struct Schedule {
    due: RefCell<BTreeMap<(u64, u64), Rc<Timer>>>,
    next: Cell<u64>,
}

/// The timers of a process.
#[derive(Default)]
pub struct Timers {
    /// Those of `setitimer`.
    fixed: RefCell<[Option<Rc<Timer>>; 3]>,
    /// Those of `timer_create`.
    made: RefCell<BTreeMap<u32, Rc<Timer>>>,
    next: Cell<u32>,
}

/// Whom a timer tells.
enum Listener {
    Nobody,
    Process,
    Thread(Weak<Task>),
}

struct Timer {
    /// A number that no other timer has.
    key: u64,
    process: Weak<Process>,
    source: Source,
    listener: Listener,
    /// What it sends; of a timer that was made with its number and value in the fields.
    info: Info,
    /// When it is over, in the time of its source; 0 if it is not set.
    target: Cell<u64>,
    interval: Cell<u64>,
    /// When it is to be looked at.
    look: Cell<u64>,
    overrun: Cell<u32>,
}

impl Schedule {
    /// When something is due.
    pub fn first(&self) -> u64 {
        self.due.borrow().keys().next().map_or(FOREVER, |&(moment, _)| moment)
    }

    /// Sees to all that is due.
    pub fn ring(&self) {
        let now = rt::time::now();
        while self.first() <= now {
            let Some((_, timer)) = self.due.borrow_mut().pop_first() else { return };
            timer.look.set(0);
            timer.ring(self);
        }
    }

    fn set(&self, timer: &Rc<Timer>, now: u64) {
        self.unset(timer);
        let target = timer.target.get();
        if target != 0 && !matches!(timer.listener, Listener::Nobody) {
            let least = if timer.source.counts_work() { LOOK } else { 0 };
            let wait = target.saturating_sub(now).max(least);
            let look = rt::time::now().saturating_add(wait);
            timer.look.set(look);
            self.due.borrow_mut().insert((look, timer.key), timer.clone());
        }
    }

    fn unset(&self, timer: &Timer) {
        self.due.borrow_mut().remove(&(timer.look.take(), timer.key));
    }
}

impl Timers {
    /// Those of `timer_create` are no more; the others stay if the process does.
    pub fn forget(&self, schedule: &Schedule, all: bool) {
        let made = self.made.take();
        made.values().for_each(|timer| schedule.unset(timer));
        if all {
            self.fixed.take().iter().flatten().for_each(|timer| schedule.unset(timer));
        }
    }
}

impl Timer {
    /// Its time may be over.
    fn ring(self: &Rc<Timer>, schedule: &Schedule) {
        let Some(process) = self.process.upgrade().filter(|process| process.is_alive()) else {
            return;
        };
        let Ok(now) = self.source.now(&process) else { return };
        let (target, interval) = (self.target.get(), self.interval.get());
        if now < target {
            return schedule.set(self, now);
        }
        let times = (now - target).checked_div(interval).unwrap_or(0).saturating_add(1);
        let next = target.saturating_add(times.saturating_mul(interval));
        self.target.set(if interval == 0 { 0 } else { next.max(now.saturating_add(PAUSE)) });
        self.tell(&process, times);
        schedule.set(self, now);
    }

    /// Sends its signal, which says how often it rang besides.
    fn tell(&self, process: &Rc<Process>, times: u64) {
        let mut info = self.info;
        let queues = (&process.signals.queue, info);
        let same = |other: &Info| {
            other.code == SI_TIMER && (other.fields[0] as u32) == queues.1.fields[0] as u32
        };
        let count = |more: u64| u32::try_from(more).unwrap_or(u32::MAX);
        if info.code == SI_TIMER {
            let mut waiting = None;
            let change = |other: &mut Info| {
                let before = other.fields[0] >> 32;
                waiting = Some(count(before.saturating_add(times)));
                other.fields[0] =
                    other.fields[0] as u32 as u64 | u64::from(waiting.unwrap_or_default()) << 32;
            };
            let task = match &self.listener {
                Listener::Thread(task) => task.upgrade(),
                _ => None,
            };
            let queue = task.as_ref().map_or(queues.0, |task| &task.signals.queue);
            if queue.find(same, change) {
                return self.overrun.set(waiting.unwrap_or_default());
            }
            self.overrun.set(count(times - 1));
            info.fields[0] |= u64::from(self.overrun.get()) << 32;
        }
        // If there is no room for it then there are enough of them.
        let _ = match &self.listener {
            Listener::Nobody => Ok(()),
            Listener::Process => signal::send(process, info),
            Listener::Thread(task) => {
                task.upgrade().map_or(Ok(()), |task| send_info_to_task(&task, info))
            }
        };
    }

    /// What is left, and the interval, in nanoseconds.
    fn left(&self, process: &Process) -> Result<[u64; 2]> {
        let (target, now) = (self.target.get(), self.source.now(process)?);
        let left = match target {
            0 => 0,
            target if now < target => target - now,
            // Nobody has been told yet, or nobody ever will.
            _ if matches!(self.listener, Listener::Nobody) => match self.interval.get() {
                0 => 0,
                interval => interval - (now - target) % interval,
            },
            _ => 1,
        };
        Ok([left, self.interval.get()])
    }

    fn set(self: &Rc<Timer>, call: &Call, value: u64, interval: u64, absolute: bool) -> Result<()> {
        let now = self.source.now(call.process())?;
        let target = match (value, absolute) {
            (0, _) => 0,
            (value, true) => value,
            (value, false) => now.saturating_add(value),
        };
        self.target.set(target);
        self.interval.set(interval);
        self.overrun.set(0);
        call.server.timers.set(self, now);
        Ok(())
    }
}

fn new_timer(call: &Call, source: Source, listener: Listener, info: Info) -> Rc<Timer> {
    let schedule = &call.server.timers;
    Rc::new(Timer {
        key: schedule.next.replace(schedule.next.get() + 1),
        process: Rc::downgrade(&call.task.process),
        source,
        listener,
        info,
        target: Cell::new(0),
        interval: Cell::new(0),
        look: Cell::new(0),
        overrun: Cell::new(0),
    })
}

/// The timer of `setitimer` that is asked for.
fn fixed(call: &Call, which: u64) -> Result<Rc<Timer>> {
    let (signal, source) = match which as u32 {
        0 => (SIGALRM, Source::Monotonic),
        1 => (SIGVTALRM, Source::Process),
        2 => (SIGPROF, Source::Process),
        _ => return Err(Errno::EINVAL),
    };
    let mut all = call.process().timers.fixed.borrow_mut();
    let make = || new_timer(call, source, Listener::Process, Info::kernel(signal));
    Ok(all[which as u32 as usize].get_or_insert_with(make).clone())
}

fn put_timevals(call: &Call, at: u64, [left, interval]: [u64; 2]) -> Result {
    // What is left is not nothing.
    let left = if left == 0 { 0 } else { left.max(1000) };
    call.process().put_if(at, &[split(interval, 1000), split(left, 1000)]).map(|()| 0)
}

pub fn getitimer(call: &Call) -> Result {
    let timer = fixed(call, call.args[0])?;
    put_timevals(call, call.args[1], timer.left(call.process())?)
}

pub fn setitimer(call: &Call) -> Result {
    let [which, new, old, ..] = call.args;
    let [interval, value] = match new {
        0 => [0; 2],
        at => {
            let [interval, value] = call.process().get::<[[u64; 2]; 2]>(at)?;
            [nanoseconds(interval, 1000)?, nanoseconds(value, 1000)?]
        }
    };
    let timer = fixed(call, which)?;
    let before = timer.left(call.process())?;
    timer.set(call, value, interval, false)?;
    put_timevals(call, old, before)
}

#[cfg(target_arch = "x86_64")]
pub fn alarm(call: &Call) -> Result {
    use super::SECOND;
    let timer = fixed(call, 0)?;
    let [left, _] = timer.left(call.process())?;
    timer.set(call, u64::from(call.args[0] as u32) * SECOND, 0, false)?;
    let seconds = left.saturating_add(SECOND / 2) / SECOND;
    Ok(if left > 0 { seconds.max(1) } else { 0 })
}

pub fn timer_create(call: &Call) -> Result {
    let [clock, event, at, ..] = call.args;
    let source = source(call, clock)?;
    let timers = &call.process().timers;
    if timers.made.borrow().len() >= MOST {
        return Err(Errno::EAGAIN);
    }
    let number = timers.next.get();
    let (value, how, tid) = match event {
        0 => (number.into(), [SIGALRM, SIGEV_SIGNAL], 0),
        event => {
            let [value, how, tid] = call.process().get::<[u64; 3]>(event)?;
            (value, [how as u32, (how >> 32) as u32], tid as u32)
        }
    };
    let [signal, how] = how;
    if how != SIGEV_NONE && !(1..=SIGNALS).contains(&signal) {
        return Err(Errno::EINVAL);
    }
    let listener = match how {
        SIGEV_NONE => Listener::Nobody,
        SIGEV_SIGNAL | SIGEV_THREAD => Listener::Process,
        SIGEV_THREAD_ID => {
            let own = |task: &Rc<Task>| Rc::ptr_eq(&task.process, &call.task.process);
            let task = call.server.task(tid).filter(own).ok_or(Errno::EINVAL)?;
            Listener::Thread(Rc::downgrade(&task))
        }
        _ => return Err(Errno::EINVAL),
    };
    call.process().put(at, &number)?;
    let timer = new_timer(call, source, listener, Info::timer(signal, number, 0, value));
    timers.next.set(number.wrapping_add(1) & i32::MAX as u32);
    timers.made.borrow_mut().insert(number, timer);
    Ok(0)
}

fn made(call: &Call) -> Result<Rc<Timer>> {
    let made = call.process().timers.made.borrow();
    made.get(&(call.args[0] as u32)).cloned().ok_or(Errno::EINVAL)
}

fn put_timespecs(call: &Call, at: u64, [left, interval]: [u64; 2]) -> Result {
    call.process().put_if(at, &[split(interval, 1), split(left, 1)]).map(|()| 0)
}

pub fn timer_settime(call: &Call) -> Result {
    let [_, flags, new, old, ..] = call.args;
    if new == 0 {
        return Err(Errno::EINVAL);
    }
    let [interval, value] = call.process().get::<[[u64; 2]; 2]>(new)?;
    let [interval, value] = [nanoseconds(interval, 1)?, nanoseconds(value, 1)?];
    let timer = made(call)?;
    let before = timer.left(call.process())?;
    timer.set(call, value, interval, flags as u32 & TIMER_ABSTIME != 0)?;
    put_timespecs(call, old, before)
}

pub fn timer_gettime(call: &Call) -> Result {
    let left = made(call)?.left(call.process())?;
    call.process().put(call.args[1], &[split(left[1], 1), split(left[0], 1)]).map(|()| 0)
}

pub fn timer_getoverrun(call: &Call) -> Result {
    Ok(made(call)?.overrun.get().min(i32::MAX as u32).into())
}

pub fn timer_delete(call: &Call) -> Result {
    let timer = made(call)?;
    call.server.timers.unset(&timer);
    call.process().timers.made.borrow_mut().remove(&(call.args[0] as u32));
    Ok(0)
}
