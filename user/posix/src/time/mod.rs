//! Clocks and sleeping.

pub mod timer;

use crate::errno::{Errno, Result};
use crate::process::{Process, Task};
use crate::server::Call;
use crate::wait::Outcome;
use alloc::rc::{Rc, Weak};
use clock::requests::Now;
use core::sync::atomic::{AtomicI64, Ordering::Relaxed};
use linux_raw_sys::general::{
    CLOCK_BOOTTIME, CLOCK_BOOTTIME_ALARM, CLOCK_MONOTONIC, CLOCK_MONOTONIC_COARSE,
    CLOCK_MONOTONIC_RAW, CLOCK_PROCESS_CPUTIME_ID, CLOCK_REALTIME, CLOCK_REALTIME_ALARM,
    CLOCK_REALTIME_COARSE, CLOCK_TAI, CLOCK_THREAD_CPUTIME_ID, TIMER_ABSTIME,
};
use protocol::calls::{self, Patience};
use rt::Port;
use rt::abi::FOREVER;

/// Nanoseconds of a second.
pub const SECOND: u64 = 1_000_000_000;
/// Nanoseconds of a step of the clocks that are coarse.
const COARSE: u64 = 4_000_000;
/// How long the service of the clock may take.
const PATIENCE: Patience = Patience { late: SECOND, times: 1 };

/// Clocks that one cannot sleep by.
const SLEEPLESS: [u32; 4] =
    [CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE];

/// How far the realtime clock is ahead of the monotonic one.
static AHEAD: AtomicI64 = AtomicI64::new(0);

/// When the call that is being served touched its first file, or 0.
static STAMP: AtomicI64 = AtomicI64::new(0);

/// Asks the service what time it is. If it does not know, 1970 was when the machine was started.
pub fn begin(service: &Port) {
    if let Ok((moment, time)) = calls::ask(service, Now {}, PATIENCE, &mut || ()) {
        AHEAD.store(time.wrapping_sub(moment) as i64, Relaxed);
    }
}

/// Nanoseconds since 1970.
pub fn realtime() -> i64 {
    (rt::time::now() as i64).saturating_add(AHEAD.load(Relaxed))
}

/// The same as files are marked with it: one moment for all that a call does.
pub fn stamp() -> i64 {
    match STAMP.load(Relaxed) {
        0 => {
            STAMP.store(realtime(), Relaxed);
            STAMP.load(Relaxed)
        }
        stamp => stamp,
    }
}

/// The next call will have another moment.
pub fn forget_stamp() {
    STAMP.store(0, Relaxed);
}

/// Sets the realtime clock.
pub fn set_realtime(nanoseconds: i64) {
    AHEAD.store(nanoseconds.saturating_sub_unsigned(rt::time::now()), Relaxed);
}

/// The moment of the monotonic clock that is one of the realtime clock.
pub fn monotonic(moment: u64) -> u64 {
    moment.saturating_add_signed(AHEAD.load(Relaxed).saturating_neg())
}

/// `struct timespec` or `struct timeval` of so many nanoseconds, with so many of them per part.
pub fn split(nanoseconds: u64, part: u64) -> [u64; 2] {
    [nanoseconds / SECOND, nanoseconds % SECOND / part]
}

/// Nanoseconds of the words of a `struct timespec` or `struct timeval`.
pub fn nanoseconds([seconds, parts]: [u64; 2], part: u64) -> Result {
    if (seconds as i64) < 0 || parts >= SECOND / part {
        return Err(Errno::EINVAL);
    }
    Ok(seconds.saturating_mul(SECOND).saturating_add(parts * part))
}

/// Nanoseconds of a `struct timespec`.
pub fn timespec(process: &Process, at: u64) -> Result {
    nanoseconds(process.get(at)?, 1)
}

/// The moment that a wait ends which a `struct timespec` limits, if there is one.
pub fn deadline(process: &Process, at: u64) -> Result {
    match at {
        0 => Ok(FOREVER),
        at => Ok(rt::time::now().saturating_add(timespec(process, at)?)),
    }
}

/// What a clock counts.
pub enum Source {
    /// Time since 1970.
    Real,
    /// Time since the start.
    Monotonic,
    /// Time that a process has run: the caller's, or the timer's.
    Process,
    /// Time that another process has run.
    Other(Weak<Process>),
    /// Time that a thread has run.
    Thread(Weak<Task>),
}

impl Source {
    /// The time.
    pub fn now(&self, process: &Process) -> Result {
        match self {
            Source::Real => Ok(realtime() as u64),
            Source::Monotonic => Ok(rt::time::now()),
            Source::Process => Ok(process.ran()),
            Source::Other(process) => Ok(process.upgrade().ok_or(Errno::EINVAL)?.ran()),
            Source::Thread(task) => Ok(task.upgrade().ok_or(Errno::EINVAL)?.thread.info()?.ran),
        }
    }

    /// Whether it goes on only while something runs.
    pub fn counts_work(&self) -> bool {
        !matches!(self, Source::Real | Source::Monotonic)
    }
}

/// What the clock of a number counts. A negative number has in it whose time it is.
fn source(call: &Call, clock: u64) -> Result<Source> {
    const OF_THREAD: i32 = 4;
    const SCHEDULED: i32 = 2;
    let clock = clock as i32;
    if clock < 0 {
        let who = !(clock >> 3) as u32;
        return match clock & 7 {
            kind if kind & 3 > SCHEDULED => Err(Errno::EINVAL),
            kind if kind & OF_THREAD == 0 => match who {
                0 => Ok(Source::Process),
                who => {
                    let process = call.server.process(who).ok_or(Errno::EINVAL)?;
                    Ok(Source::Other(Rc::downgrade(&process)))
                }
            },
            _ => match who {
                0 => Ok(Source::Thread(Rc::downgrade(&call.task))),
                who => {
                    let own = |task: &Rc<Task>| Rc::ptr_eq(&task.process, &call.task.process);
                    let task = call.server.task(who).filter(own).ok_or(Errno::EINVAL)?;
                    Ok(Source::Thread(Rc::downgrade(&task)))
                }
            },
        };
    }
    match clock as u32 {
        CLOCK_REALTIME | CLOCK_REALTIME_COARSE | CLOCK_REALTIME_ALARM | CLOCK_TAI => {
            Ok(Source::Real)
        }
        CLOCK_MONOTONIC
        | CLOCK_MONOTONIC_RAW
        | CLOCK_MONOTONIC_COARSE
        | CLOCK_BOOTTIME
        | CLOCK_BOOTTIME_ALARM => Ok(Source::Monotonic),
        CLOCK_PROCESS_CPUTIME_ID => Ok(Source::Process),
        CLOCK_THREAD_CPUTIME_ID => Ok(Source::Thread(Rc::downgrade(&call.task))),
        _ => Err(Errno::EINVAL),
    }
}

/// The time of a clock.
fn read_clock(call: &Call, clock: u64) -> Result {
    match clock as u32 {
        CLOCK_MONOTONIC => Ok(rt::time::now()),
        CLOCK_REALTIME => Ok(realtime() as u64),
        _ => source(call, clock)?.now(call.process()),
    }
}

pub fn clock_gettime(call: &Call) -> Result {
    let time = read_clock(call, call.args[0])?;
    call.process().put(call.args[1], &split(time, 1)).map(|()| 0)
}

pub fn clock_getres(call: &Call) -> Result {
    source(call, call.args[0])?;
    let coarse = [CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE].contains(&(call.args[0] as u32));
    let step = if coarse { COARSE } else { 1 };
    call.process().put_if(call.args[1], &[0, step]).map(|()| 0)
}

pub fn clock_settime(call: &Call) -> Result {
    let [clock, at, ..] = call.args;
    source(call, clock)?;
    if clock as u32 != CLOCK_REALTIME {
        return Err(Errno::EINVAL);
    }
    let time = timespec(call.process(), at)?;
    set_clock(call, time)
}

fn set_clock(call: &Call, time: u64) -> Result {
    if !call.process().ids.borrow().is_root() {
        return Err(Errno::EPERM);
    }
    set_realtime(i64::try_from(time).map_err(|_| Errno::EINVAL)?);
    Ok(0)
}

pub fn gettimeofday(call: &Call) -> Result {
    let [time, zone, ..] = call.args;
    call.process().put_if(time, &split(realtime() as u64, 1000))?;
    call.process().put_if(zone, &[0u32; 2]).map(|()| 0)
}

pub fn settimeofday(call: &Call) -> Result {
    match call.args[0] {
        0 => Ok(0),
        at => {
            let time = nanoseconds(call.process().get(at)?, 1000)?;
            set_clock(call, time)
        }
    }
}

#[cfg(target_arch = "x86_64")]
pub fn time(call: &Call) -> Result {
    let seconds = realtime() as u64 / SECOND;
    call.process().put_if(call.args[0], &seconds).map(|()| seconds)
}

pub fn nanosleep(call: &Call) -> Outcome {
    let [wish, rest, ..] = call.args;
    match timespec(call.process(), wish) {
        Ok(time) => sleep(call, rt::time::now().saturating_add(time), rest),
        Err(error) => Outcome::Done(Err(error)),
    }
}

pub fn clock_nanosleep(call: &Call) -> Outcome {
    let [clock, flags, wish, rest, ..] = call.args;
    let absolute = flags as u32 & TIMER_ABSTIME != 0;
    let moment = || {
        if SLEEPLESS.contains(&(clock as u32)) {
            return Err(Errno::EOPNOTSUPP);
        }
        let now = read_clock(call, clock)?;
        let time = timespec(call.process(), wish)?;
        let left = if absolute { time.saturating_sub(now) } else { time };
        Ok(rt::time::now().saturating_add(left))
    };
    match moment() {
        Ok(moment) if absolute => sleep(call, moment, 0),
        Ok(moment) => sleep(call, moment, rest),
        Err(error) => Outcome::Done(Err(error)),
    }
}

/// Sleeps until a moment; what is left if a signal ends it goes to `rest`.
fn sleep(call: &Call, moment: u64, rest: u64) -> Outcome {
    let (server, told) = (call.server, call.clone());
    let future = async move {
        server.clock.until(moment).await;
        Ok(0)
    };
    let interrupted = move || {
        let left = moment.saturating_sub(rt::time::now());
        told.process().put_if(rest, &split(left, 1))?;
        Err(Errno::RESTART_WITHOUT_HANDLER)
    };
    Outcome::wait_with(move || Some(interrupted()), future)
}
