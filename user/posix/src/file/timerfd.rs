//! `timerfd`: how often a time has passed.

use super::{Events, File, Open};
use crate::errno::{Errno, Result};
use crate::fs::Kind;
use crate::process::Process;
use crate::server::{Call, Server};
use crate::time::{SECOND, realtime, split};
use crate::user::Transfer;
use crate::wait::Waiters;
use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::task::Wake;
use core::cell::Cell;
use core::task::Waker;
use linux_raw_sys::general::{
    CLOCK_BOOTTIME, CLOCK_BOOTTIME_ALARM, CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_REALTIME_ALARM,
    O_CLOEXEC, O_NONBLOCK, O_RDWR, TFD_CLOEXEC, TFD_NONBLOCK, TFD_TIMER_ABSTIME,
    TFD_TIMER_CANCEL_ON_SET,
};
use rt::abi::FOREVER;

/// A timer.
struct TimerFile {
    server: &'static Server,
    /// Its moments are those of the realtime clock.
    realtime: bool,
    /// The next moment that was not read, of the monotonic clock.
    next: Cell<u64>,
    /// Nanoseconds from one to the next; 0 if there is no other.
    interval: Cell<u64>,
    alarm: Cell<Option<(u64, u64)>>,
    bell: Arc<Bell>,
}

/// Wakes whoever waits for a timer.
#[derive(Default)]
struct Bell(Waiters);

impl Wake for Bell {
    fn wake(self: Arc<Bell>) {
        self.0.wake();
    }
}

impl TimerFile {
    /// Sets it to a moment, or to none.
    fn set(&self, next: u64, interval: u64) {
        self.next.set(next);
        self.interval.set(interval);
        if let Some(alarm) = self.alarm.take() {
            self.server.clock.forget(alarm);
        }
        if next != FOREVER {
            let waker = Waker::from(self.bell.clone());
            self.alarm.set(Some(self.server.clock.wake_at(next, &waker)));
        }
    }

    /// How often it has rung since it was read, and when it will ring next.
    fn rung(&self) -> (u64, u64) {
        let (now, next, interval) = (rt::time::now(), self.next.get(), self.interval.get());
        if now < next {
            return (0, next);
        }
        let Some(more) = (now - next).checked_div(interval) else { return (1, FOREVER) };
        (more + 1, next.saturating_add((more + 1).saturating_mul(interval)))
    }

    /// Writes what is left, as `struct itimerspec` has it.
    fn put(&self, process: &Process, at: u64) -> Result<()> {
        let (_, next) = self.rung();
        let left = if next == FOREVER { 0 } else { next.saturating_sub(rt::time::now()) };
        let ([a, b], [c, d]) = (split(self.interval.get(), 1), split(left, 1));
        process.put_if(at, &[a, b, c, d])
    }
}

impl Drop for TimerFile {
    fn drop(&mut self) {
        self.set(FOREVER, 0);
    }
}

impl File for TimerFile {
    fn read(&self, _: &Open, _: &mut u64, to: &mut Transfer<'_>) -> Result<()> {
        if to.left < 8 {
            return Err(Errno::EINVAL);
        }
        let (count, next) = self.rung();
        if count == 0 {
            return Err(Errno::EAGAIN);
        }
        self.set(next, self.interval.get());
        to.put(&count.to_ne_bytes()).map(|_| ())
    }

    fn ready(&self, _: &Open) -> Events {
        if self.rung().0 > 0 { Events::READ } else { Events::empty() }
    }

    fn seekable(&self) -> bool {
        true
    }

    fn waiters(&self) -> Option<&Waiters> {
        Some(&self.bell.0)
    }
}

pub fn timerfd_create(call: &Call) -> Result {
    let (clock, flags) = (call.args[0] as u32, call.args[1] as u32);
    let realtime = matches!(clock, CLOCK_REALTIME | CLOCK_REALTIME_ALARM);
    let monotonic = matches!(clock, CLOCK_MONOTONIC | CLOCK_BOOTTIME | CLOCK_BOOTTIME_ALARM);
    if flags & !(TFD_CLOEXEC | TFD_NONBLOCK) != 0 || !realtime && !monotonic {
        return Err(Errno::EINVAL);
    }
    let file = TimerFile {
        server: call.server,
        realtime,
        next: Cell::new(FOREVER),
        interval: Cell::new(0),
        alarm: Cell::new(None),
        bell: Arc::default(),
    };
    let flags = flags & (O_NONBLOCK | O_CLOEXEC);
    let open = call.server.open_anonymous(Rc::new(file), Kind::Socket, O_RDWR | flags & O_NONBLOCK);
    call.process().add_descriptor(open, flags & O_CLOEXEC != 0)
}

/// Nanoseconds of the two words of a `struct timespec`.
fn nanoseconds(seconds: u64, rest: u64) -> Result {
    if (seconds as i64) < 0 || rest >= SECOND {
        return Err(Errno::EINVAL);
    }
    Ok(seconds.saturating_mul(SECOND).saturating_add(rest))
}

pub fn timerfd_settime(call: &Call) -> Result {
    let [fd, flags, new, old, ..] = call.args;
    let process = call.process();
    let [interval, interval_rest, first, first_rest] = process.get::<[u64; 4]>(new)?;
    let (interval, first) =
        (nanoseconds(interval, interval_rest)?, nanoseconds(first, first_rest)?);
    if flags as u32 & !(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET) != 0 {
        return Err(Errno::EINVAL);
    }
    let open = process.files.get(fd)?;
    let timer = open.file.downcast::<TimerFile>().ok_or(Errno::EINVAL)?;
    let now = rt::time::now();
    let next = match flags as u32 & TFD_TIMER_ABSTIME {
        _ if first == 0 => FOREVER,
        0 => now.saturating_add(first),
        _ if timer.realtime => now.saturating_add(first.saturating_sub(realtime() as u64)),
        _ => first,
    };
    timer.put(process, old)?;
    timer.set(next, interval);
    Ok(0)
}

pub fn timerfd_gettime(call: &Call) -> Result {
    let [fd, to, ..] = call.args;
    let open = call.process().files.get(fd)?;
    let timer = open.file.downcast::<TimerFile>().ok_or(Errno::EINVAL)?;
    if to == 0 {
        return Err(Errno::EFAULT);
    }
    timer.put(call.process(), to).map(|()| 0)
}
