//! Waiting for many: poll, select, epoll, and descriptors that count and time.

use crate::sys::{BAD, close, file, pipe, unlink, value};
use crate::{check, sys};
use libc::*;

pub fn run() {
    polls();
    selects();
    epolls();
    counters();
    timers();
    signal_descriptors();
}

const NOW: timespec = timespec { tv_sec: 0, tv_nsec: 0 };
const SOON: timespec = timespec { tv_sec: 0, tv_nsec: 10_000_000 };
const WRONG: timespec = timespec { tv_sec: 0, tv_nsec: 1_000_000_000 };

fn polls() {
    let [reader, writer] = pipe();
    let regular = file(c"f", b"x");
    let fds = [reader, writer, regular as i32, 999, -1];
    let mut polls = fds.map(|fd| pollfd { fd, events: POLLIN | POLLOUT, revents: 0 });
    check!("ppoll", SYS_ppoll, &mut polls, 5, &NOW, 0, 8);
    value("what is ready", polls.map(|poll| poll.revents));
    sys!(SYS_write, writer, b"x".as_slice(), 1);
    check!("ppoll with a byte", SYS_ppoll, &mut polls, 2, &SOON, 0, 8);
    value("what is ready", polls.map(|poll| poll.revents));
    close(writer as isize);
    check!("ppoll without the writer", SYS_ppoll, &mut polls, 1, &SOON, 0, 8);
    value("what is ready", polls[0].revents);
    let mut byte = 0u8;
    sys!(SYS_read, reader, &mut byte, 1);
    check!("ppoll of an ended pipe", SYS_ppoll, &mut polls, 1, &SOON, 0, 8);
    value("what is ready", polls[0].revents);
    check!("ppoll of nothing", SYS_ppoll, 0, 0, &SOON, 0, 8);
    check!("ppoll bad address", SYS_ppoll, BAD, 1, &SOON, 0, 8);
    check!("ppoll wrong time", SYS_ppoll, &mut polls, 1, &WRONG, 0, 8);
    check!("ppoll wrong size of mask", SYS_ppoll, &mut polls, 1, &NOW, BAD, 4);
    close(reader as isize);
    let [reader, writer] = pipe();
    close(reader as isize);
    polls[0].fd = writer;
    check!("ppoll without the reader", SYS_ppoll, &mut polls, 1, &SOON, 0, 8);
    value("what is ready", polls[0].revents);
    close(writer as isize);
    close(regular);
    unlink(c"f");
}

fn selects() {
    let [reader, writer] = pipe();
    let mut set = [0u64; 16];
    let bits = 1 << reader | 1 << writer;
    let select = |what: &str, set: &mut [u64; 16], in_set: u64, out_set: u64| {
        let (mut input, mut output) = (*set, *set);
        (input[0], output[0]) = (in_set, out_set);
        check!(what, SYS_pselect6, writer + 1, &mut input, &mut output, 0, &SOON, 0);
        value("what is ready", (input[0] == 1 << reader, output[0] == 1 << writer));
    };
    select("pselect6", &mut set, bits, bits);
    sys!(SYS_write, writer, b"x".as_slice(), 1);
    select("pselect6 with a byte", &mut set, 1 << reader, 0);
    set[0] = 1 << 40;
    check!("pselect6 of a bad descriptor", SYS_pselect6, 64, &mut set, 0, 0, &NOW, 0);
    check!("pselect6 of -1", SYS_pselect6, -1, 0, 0, 0, &NOW, 0);
    check!("pselect6 of nothing", SYS_pselect6, 0, 0, 0, 0, &SOON, 0);
    check!("pselect6 wrong time", SYS_pselect6, 0, 0, 0, 0, &WRONG, 0);
    close(reader as isize);
    close(writer as isize);
}

fn epolls() {
    check!("epoll_create1 unknown flags", SYS_epoll_create1, 1);
    let epoll = sys!(SYS_epoll_create1, EPOLL_CLOEXEC);
    let [reader, writer] = pipe();
    let regular = file(c"f", b"x");
    let event = |events: i32| epoll_event { events: events as u32, u64: 77 };
    let control = |what: &str, operation: i32, fd: isize, events: i32| {
        check!(what, SYS_epoll_ctl, epoll, operation, fd, &event(events));
    };
    let mut found = [epoll_event { events: 0, u64: 0 }; 4];
    let mut wait = |what: &str| {
        let count = check!(what, SYS_epoll_pwait, epoll, &mut found, 4, 10, 0, 8);
        if count > 0 {
            let (events, data) = (found[0].events, found[0].u64);
            value("what it says", (events, data));
        }
    };
    let (reader, writer) = (reader as isize, writer as isize);
    control("epoll_ctl ADD", EPOLL_CTL_ADD, reader, EPOLLIN);
    control("epoll_ctl ADD again", EPOLL_CTL_ADD, reader, EPOLLIN);
    control("epoll_ctl MOD of what is not in it", EPOLL_CTL_MOD, writer, EPOLLIN);
    control("epoll_ctl DEL of what is not in it", EPOLL_CTL_DEL, writer, 0);
    control("epoll_ctl ADD of a file", EPOLL_CTL_ADD, regular, EPOLLIN);
    control("epoll_ctl ADD of a bad descriptor", EPOLL_CTL_ADD, 999, EPOLLIN);
    control("epoll_ctl ADD of itself", EPOLL_CTL_ADD, epoll, EPOLLIN);
    control("epoll_ctl unknown", 9, reader, EPOLLIN);
    wait("epoll_pwait of nothing");
    sys!(SYS_write, writer, b"x".as_slice(), 1);
    wait("epoll_pwait, level");
    wait("epoll_pwait again");
    control("epoll_ctl MOD, edge", EPOLL_CTL_MOD, reader, EPOLLIN | EPOLLET);
    wait("epoll_pwait, edge");
    wait("epoll_pwait again");
    sys!(SYS_write, writer, b"x".as_slice(), 1);
    wait("epoll_pwait after one more byte");
    control("epoll_ctl MOD, once", EPOLL_CTL_MOD, reader, EPOLLIN | EPOLLONESHOT);
    wait("epoll_pwait, once");
    wait("epoll_pwait again");
    close(writer);
    control("epoll_ctl MOD", EPOLL_CTL_MOD, reader, 0);
    wait("epoll_pwait without the writer");
    close(reader);
    wait("epoll_pwait after all is closed");
    let mut none = [epoll_event { events: 0, u64: 0 }];
    check!("epoll_pwait with room for 0", SYS_epoll_pwait, epoll, &mut none, 0, 0, 0, 8);
    check!("epoll_pwait bad address", SYS_epoll_pwait, epoll, BAD, 1, 0, 0, 8);
    check!("epoll_pwait of a file", SYS_epoll_pwait, regular, &mut none, 1, 0, 0, 8);
    close(epoll);
    close(regular);
    unlink(c"f");
}

fn counters() {
    check!("eventfd2 unknown flags", SYS_eventfd2, 0, 2);
    let fd = sys!(SYS_eventfd2, 3, EFD_NONBLOCK);
    let mut count = 0u64;
    check!("read", SYS_read, fd, &mut count, 8);
    value("the count", count);
    check!("read of nothing", SYS_read, fd, &mut count, 8);
    check!("read of 4", SYS_read, fd, &mut count, 4);
    let (most, two) = (u64::MAX - 1, 2u64);
    check!("write", SYS_write, fd, &two, 8);
    check!("write of 4", SYS_write, fd, &two, 4);
    check!("write of too much", SYS_write, fd, &most, 8);
    check!("write of what cannot be", SYS_write, fd, &u64::MAX, 8);
    check!("read", SYS_read, fd, &mut count, 8);
    value("the count", count);
    close(fd);
    let fd = sys!(SYS_eventfd2, 2, EFD_SEMAPHORE | EFD_NONBLOCK);
    check!("read EFD_SEMAPHORE", SYS_read, fd, &mut count, 8);
    value("the count", count);
    check!("lseek", SYS_lseek, fd, 0, SEEK_SET);
    close(fd);
}

fn timers() {
    check!("timerfd_create unknown clock", SYS_timerfd_create, 99, 0);
    check!("timerfd_create unknown flags", SYS_timerfd_create, CLOCK_MONOTONIC, 1);
    let fd = sys!(SYS_timerfd_create, CLOCK_MONOTONIC, TFD_NONBLOCK);
    let mut count = 0u64;
    check!("read of one that is not set", SYS_read, fd, &mut count, 8);
    let once = itimerspec { it_interval: NOW, it_value: SOON };
    let wrong = itimerspec { it_interval: NOW, it_value: WRONG };
    check!("timerfd_settime", SYS_timerfd_settime, fd, 0, &once, 0);
    let mut polls = [pollfd { fd: fd as i32, events: POLLIN, revents: 0 }];
    check!("ppoll", SYS_ppoll, &mut polls, 1, 0, 0, 8);
    check!("read", SYS_read, fd, &mut count, 8);
    value("the count", count);
    check!("timerfd_settime wrong time", SYS_timerfd_settime, fd, 0, &wrong, 0);
    check!("timerfd_settime unknown flags", SYS_timerfd_settime, fd, 64, &once, 0);
    check!("timerfd_settime of another", SYS_timerfd_settime, 1, 0, &once, 0);
    let mut left = once;
    check!("timerfd_gettime", SYS_timerfd_gettime, fd, &mut left);
    value("what is left", (left.it_value.tv_sec, left.it_value.tv_nsec));
    close(fd);
}

fn signal_descriptors() {
    let mask: u64 = 1 << (SIGUSR1 - 1);
    sys!(SYS_rt_sigprocmask, SIG_BLOCK, &mask, 0, 8);
    check!("signalfd4 unknown flags", SYS_signalfd4, -1, &mask, 8, 1);
    check!("signalfd4 wrong size", SYS_signalfd4, -1, &mask, 4, 0);
    let fd = sys!(SYS_signalfd4, -1, &mask, 8, SFD_NONBLOCK);
    // SAFETY: plain integers.
    let mut info: signalfd_siginfo = unsafe { std::mem::zeroed() };
    check!("read of nothing", SYS_read, fd, &mut info, 128);
    sys!(SYS_kill, sys!(SYS_getpid), SIGUSR1);
    check!("read of too little", SYS_read, fd, &mut info, 64);
    check!("read", SYS_read, fd, &mut info, 128);
    value("the signal", (info.ssi_signo, info.ssi_code, info.ssi_uid));
    check!("read again", SYS_read, fd, &mut info, 128);
    close(fd);
}
