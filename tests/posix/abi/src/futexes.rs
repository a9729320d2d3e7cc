//! Futexes, and threads that wait at them.

use crate::check;
use crate::sys::{BAD, call, value};
use libc::*;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const SOON: timespec = timespec { tv_sec: 0, tv_nsec: 10_000_000 };
const WRONG: timespec = timespec { tv_sec: 0, tv_nsec: -1 };

pub fn run() {
    let word = AtomicU32::new(5);
    let at = word.as_ptr();
    let private = FUTEX_PRIVATE_FLAG;
    check!("FUTEX_WAIT with another value", SYS_futex, at, FUTEX_WAIT | private, 6, 0);
    check!("FUTEX_WAIT until a time", SYS_futex, at, FUTEX_WAIT | private, 5, &SOON);
    check!("FUTEX_WAIT shared", SYS_futex, at, FUTEX_WAIT, 5, &SOON);
    check!("FUTEX_WAIT wrong time", SYS_futex, at, FUTEX_WAIT | private, 5, &WRONG);
    check!("FUTEX_WAIT unaligned", SYS_futex, at as usize + 1, FUTEX_WAIT | private, 5, 0);
    check!("FUTEX_WAIT bad address", SYS_futex, BAD, FUTEX_WAIT | private, 5, 0);
    check!("FUTEX_WAIT_BITSET of no bits", SYS_futex, at, FUTEX_WAIT_BITSET | private, 5, 0, 0, 0);
    check!(
        "FUTEX_WAIT_BITSET in the past",
        SYS_futex,
        at,
        FUTEX_WAIT_BITSET | private,
        5,
        &SOON,
        0,
        -1
    );
    check!("FUTEX_WAKE of nobody", SYS_futex, at, FUTEX_WAKE | private, 1);
    check!("FUTEX_WAKE bad address", SYS_futex, BAD, FUTEX_WAKE | private, 1);
    check!("FUTEX_WAKE unaligned", SYS_futex, at as usize + 2, FUTEX_WAKE | private, 1);
    check!("FUTEX_WAKE_BITSET of no bits", SYS_futex, at, FUTEX_WAKE_BITSET | private, 1, 0, 0, 0);
    check!("unknown", SYS_futex, at, 99, 1);
    waking();
    requeueing();
    check!("set_robust_list wrong size", SYS_set_robust_list, BAD, 1);
    check!("get_robust_list of nobody", SYS_get_robust_list, 999_999, BAD, BAD);
    value("a thread's result", std::thread::spawn(|| 42).join().ok());
    let threads: Vec<_> = (0..8).map(|n| std::thread::spawn(move || n * n)).collect();
    value(
        "eight of them",
        threads.into_iter().map(|thread| thread.join().unwrap_or(-1)).sum::<i32>(),
    );
}

/// Wakes until so many have been woken in all, as they come to wait.
fn wake(word: &AtomicU32, wanted: isize, most: usize) -> isize {
    let mut woken = 0;
    while woken < wanted {
        let operation = (FUTEX_WAKE | FUTEX_PRIVATE_FLAG) as usize;
        woken += call(SYS_futex, [word.as_ptr() as usize, operation, most, 0, 0, 0]).max(0);
        std::thread::sleep(Duration::from_millis(1));
    }
    woken
}

fn wait(word: &AtomicU32) -> isize {
    let operation = (FUTEX_WAIT | FUTEX_PRIVATE_FLAG) as usize;
    call(SYS_futex, [word.as_ptr() as usize, operation, 5, 0, 0, 0])
}

fn waking() {
    let word = AtomicU32::new(5);
    std::thread::scope(|scope| {
        let waiting: Vec<_> = (0..3).map(|_| scope.spawn(|| wait(&word))).collect();
        value("three are woken", wake(&word, 3, 1));
        value(
            "they get",
            waiting.into_iter().map(|thread| thread.join().unwrap_or(-1)).sum::<isize>(),
        );
    });
}

fn requeueing() {
    let (first, second) = (AtomicU32::new(5), AtomicU32::new(5));
    let requeue = |compared: usize| {
        let operation = (FUTEX_CMP_REQUEUE | FUTEX_PRIVATE_FLAG) as usize;
        let words = [first.as_ptr() as usize, operation, 0, 10, second.as_ptr() as usize, compared];
        call(SYS_futex, words)
    };
    crate::sys::show("FUTEX_CMP_REQUEUE with another value", requeue(6));
    crate::sys::show("FUTEX_CMP_REQUEUE of nobody", requeue(5));
    std::thread::scope(|scope| {
        let waiting: Vec<_> = (0..2).map(|_| scope.spawn(|| wait(&first))).collect();
        let mut moved = 0;
        while moved < 2 {
            moved += requeue(5).max(0);
            std::thread::sleep(Duration::from_millis(1));
        }
        value("two are moved", moved);
        value("they are woken", wake(&second, 2, 10));
        value(
            "they get",
            waiting.into_iter().map(|thread| thread.join().unwrap_or(-1)).sum::<isize>(),
        );
    });
    first.store(0, Ordering::Relaxed);
}
