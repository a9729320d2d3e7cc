//! Clocks, sleeping, timers.

use crate::sys::{BAD, value};
use crate::{check, sys};
use libc::*;

const SOON: timespec = timespec { tv_sec: 0, tv_nsec: 5_000_000 };
const NEVER: timespec = timespec { tv_sec: 0, tv_nsec: 0 };
const WRONG: [timespec; 3] = [
    timespec { tv_sec: 0, tv_nsec: -1 },
    timespec { tv_sec: 0, tv_nsec: 1_000_000_000 },
    timespec { tv_sec: -1, tv_nsec: 0 },
];

pub fn run() {
    let mut now = NEVER;
    for clock in [CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_PROCESS_CPUTIME_ID, 99, -1]
    {
        check!(&format!("clock_gettime {clock}"), SYS_clock_gettime, clock, &mut now);
        check!(&format!("clock_getres {clock}"), SYS_clock_getres, clock, &mut now);
    }
    check!("clock_gettime bad address", SYS_clock_gettime, CLOCK_MONOTONIC, BAD);
    check!("clock_getres without room", SYS_clock_getres, CLOCK_MONOTONIC, 0);
    check!("clock_settime of CLOCK_MONOTONIC", SYS_clock_settime, CLOCK_MONOTONIC, &SOON);
    check!("gettimeofday", SYS_gettimeofday, &mut now, 0);
    check!("gettimeofday bad address", SYS_gettimeofday, BAD, 0);
    sleeping();
    timers();
    intervals();
}

fn elapsed(work: impl FnOnce()) -> i64 {
    let (mut before, mut after) = (NEVER, NEVER);
    sys!(SYS_clock_gettime, CLOCK_MONOTONIC, &mut before);
    work();
    sys!(SYS_clock_gettime, CLOCK_MONOTONIC, &mut after);
    (after.tv_sec - before.tv_sec) * 1_000_000_000 + after.tv_nsec - before.tv_nsec
}

fn sleeping() {
    let slept = elapsed(|| {
        check!("nanosleep", SYS_nanosleep, &SOON, 0);
    });
    value("long enough", slept >= SOON.tv_nsec);
    for wrong in &WRONG {
        check!("nanosleep wrong time", SYS_nanosleep, wrong, 0);
    }
    check!("nanosleep bad address", SYS_nanosleep, BAD, 0);
    check!(
        "clock_nanosleep in the past",
        SYS_clock_nanosleep,
        CLOCK_MONOTONIC,
        TIMER_ABSTIME,
        &SOON,
        0
    );
    check!("clock_nanosleep", SYS_clock_nanosleep, CLOCK_REALTIME, 0, &SOON, 0);
    check!("clock_nanosleep unknown clock", SYS_clock_nanosleep, 99, 0, &SOON, 0);
    check!(
        "clock_nanosleep of this thread's time",
        SYS_clock_nanosleep,
        CLOCK_THREAD_CPUTIME_ID,
        0,
        &SOON,
        0
    );
    check!("sched_yield", SYS_sched_yield);
}

fn timers() {
    let mut timer = 0i32;
    check!("timer_create unknown clock", SYS_timer_create, 99, 0, &mut timer);
    check!("timer_create bad address", SYS_timer_create, CLOCK_MONOTONIC, 0, BAD);
    // SAFETY: plain integers.
    let mut event: sigevent = unsafe { std::mem::zeroed() };
    event.sigev_notify = SIGEV_NONE;
    check!("timer_create", SYS_timer_create, CLOCK_MONOTONIC, &mut event, &mut timer);
    let once = itimerspec { it_interval: NEVER, it_value: SOON };
    let later = itimerspec { it_interval: NEVER, it_value: timespec { tv_sec: 99, tv_nsec: 0 } };
    let mut left = once;
    check!("timer_settime", SYS_timer_settime, timer, 0, &later, 0);
    check!("timer_gettime", SYS_timer_gettime, timer, &mut left);
    value("it runs", left.it_value.tv_sec > 0);
    check!("timer_getoverrun", SYS_timer_getoverrun, timer);
    let wrong = itimerspec { it_interval: NEVER, it_value: WRONG[1] };
    check!("timer_settime wrong time", SYS_timer_settime, timer, 0, &wrong, 0);
    check!("timer_delete", SYS_timer_delete, timer);
    check!("timer_delete again", SYS_timer_delete, timer);
    check!("timer_settime of none", SYS_timer_settime, timer, 0, &once, 0);
    event.sigev_notify = 77;
    check!(
        "timer_create unknown notice",
        SYS_timer_create,
        CLOCK_MONOTONIC,
        &mut event,
        &mut timer
    );
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = 99;
    check!(
        "timer_create unknown signal",
        SYS_timer_create,
        CLOCK_MONOTONIC,
        &mut event,
        &mut timer
    );
    event.sigev_signo = SIGUSR1;
    let mask: u64 = 1 << (SIGUSR1 - 1);
    sys!(SYS_rt_sigprocmask, SIG_BLOCK, &mask, 0, 8);
    check!("timer_create", SYS_timer_create, CLOCK_MONOTONIC, &mut event, &mut timer);
    check!("timer_settime", SYS_timer_settime, timer, 0, &once, 0);
    check!("rt_sigtimedwait", SYS_rt_sigtimedwait, &mask, 0, 0, 8);
}

fn intervals() {
    let mut timer = itimerval {
        it_interval: timeval { tv_sec: 0, tv_usec: 0 },
        it_value: timeval { tv_sec: 0, tv_usec: 5000 },
    };
    let mask: u64 = 1 << (SIGALRM - 1);
    sys!(SYS_rt_sigprocmask, SIG_BLOCK, &mask, 0, 8);
    check!("setitimer", SYS_setitimer, ITIMER_REAL, &timer, 0);
    check!("rt_sigtimedwait", SYS_rt_sigtimedwait, &mask, 0, 0, 8);
    check!("getitimer", SYS_getitimer, ITIMER_REAL, &mut timer);
    value("it has ended", (timer.it_value.tv_sec, timer.it_value.tv_usec));
    timer.it_value.tv_usec = 1_000_000;
    check!("setitimer wrong time", SYS_setitimer, ITIMER_REAL, &timer, 0);
    check!("setitimer unknown", SYS_setitimer, 9, &timer, 0);
}
