//! Clocks and sleeping.

use crate::errno::{Errno, Result};
use crate::process::Process;
use crate::server::Call;
use crate::wait::Outcome;
use linux_raw_sys::general::TIMER_ABSTIME;
use rt::abi::FOREVER;

/// Nanoseconds of a second.
pub const SECOND: u64 = 1_000_000_000;

/// Nanoseconds since 1970.
pub fn realtime() -> i64 {
    rt::time::now() as i64
}

/// The moment of the monotonic clock that is one of the realtime clock.
pub fn monotonic(moment: u64) -> u64 {
    let ahead = realtime().saturating_sub_unsigned(rt::time::now());
    moment.saturating_add_signed(ahead.saturating_neg())
}

/// Something that differs from boot to boot.
pub fn seed() -> u64 {
    rt::time::now().wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// `struct timespec` or `struct timeval` of so many nanoseconds, with so many of them per part.
pub fn split(nanoseconds: u64, part: u64) -> [u64; 2] {
    [nanoseconds / SECOND, nanoseconds % SECOND / part]
}

/// Nanoseconds of a `struct timespec`.
pub fn timespec(process: &Process, at: u64) -> Result {
    let [seconds, nanoseconds] = process.get::<[u64; 2]>(at)?;
    if (seconds as i64) < 0 || nanoseconds >= SECOND {
        return Err(Errno::EINVAL);
    }
    Ok(seconds.saturating_mul(SECOND).saturating_add(nanoseconds))
}

/// The moment that a wait ends which a `struct timespec` limits, if there is one.
pub fn deadline(process: &Process, at: u64) -> Result {
    match at {
        0 => Ok(FOREVER),
        at => Ok(rt::time::now().saturating_add(timespec(process, at)?)),
    }
}

/// The time of a clock.
fn read_clock(call: &Call, clock: u64) -> Result {
    match clock as u32 {
        0 | 5 | 11 => Ok(realtime() as u64),
        1 | 4 | 6 | 7 => Ok(rt::time::now()),
        2 => Ok(call.process().ran()),
        3 => Ok(call.task.thread.info()?.ran),
        _ => Err(Errno::EINVAL),
    }
}

pub fn clock_gettime(call: &Call) -> Result {
    let time = read_clock(call, call.args[0])?;
    call.process().put(call.args[1], &split(time, 1)).map(|()| 0)
}

pub fn clock_getres(call: &Call) -> Result {
    read_clock(call, call.args[0])?;
    call.process().put_if(call.args[1], &[0u64, 1]).map(|()| 0)
}

pub fn gettimeofday(call: &Call) -> Result {
    call.process().put_if(call.args[0], &split(realtime() as u64, 1000)).map(|()| 0)
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
    let moment = || {
        let now = read_clock(call, clock)?;
        let time = timespec(call.process(), wish)?;
        let left = if flags as u32 & TIMER_ABSTIME != 0 { time.saturating_sub(now) } else { time };
        Ok(rt::time::now().saturating_add(left))
    };
    match moment() {
        Ok(moment) if flags as u32 & TIMER_ABSTIME != 0 => sleep(call, moment, 0),
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
    Outcome::Wait(crate::wait::Waiting {
        future: alloc::boxed::Box::pin(future),
        interrupted: Some(alloc::rc::Rc::new(interrupted)),
    })
}
