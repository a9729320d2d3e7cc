//! `membarrier`, with threads that run and threads that wait.

use crate::sys::{in_child, value};
use crate::{check, sys};
use libc::*;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

const GLOBAL: i32 = 1;
const GLOBAL_EXPEDITED: i32 = 2;
const REGISTER_GLOBAL_EXPEDITED: i32 = 4;
const PRIVATE: i32 = 8;
const REGISTER_PRIVATE: i32 = 16;
const SYNC_CORE: i32 = 32;
const REGISTER_SYNC_CORE: i32 = 64;

pub fn run() {
    value("what there is", sys!(SYS_membarrier, 0, 0, 0) & 0x7f);
    check!("with flags", SYS_membarrier, 0, 1, 0);
    check!("unknown", SYS_membarrier, 1 << 20, 0, 0);
    check!("two at once", SYS_membarrier, 3, 0, 0);
    check!("GLOBAL", SYS_membarrier, GLOBAL, 0, 0);
    check!("GLOBAL_EXPEDITED", SYS_membarrier, GLOBAL_EXPEDITED, 0, 0);
    check!("PRIVATE before it is registered", SYS_membarrier, PRIVATE, 0, 0);
    check!("SYNC_CORE before it is registered", SYS_membarrier, SYNC_CORE, 0, 0);
    check!("registering SYNC_CORE", SYS_membarrier, REGISTER_SYNC_CORE, 0, 0);
    check!("SYNC_CORE", SYS_membarrier, SYNC_CORE, 0, 0);
    check!("registering PRIVATE", SYS_membarrier, REGISTER_PRIVATE, 0, 0);
    check!("PRIVATE", SYS_membarrier, PRIVATE, 0, 0);
    check!("registering GLOBAL_EXPEDITED", SYS_membarrier, REGISTER_GLOBAL_EXPEDITED, 0, 0);
    let status = in_child(|| (sys!(SYS_membarrier, PRIVATE, 0, 0) != 0) as i32);
    value("a child is registered", status == 0);
    threads();
}

/// One side writes and looks, with the barrier between; the other does so without one. Not both may
/// have missed what the other wrote.
fn threads() {
    let (turn, seen, over) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let sleeper = || {
        while !over.load(Ordering::Relaxed) {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    };
    let fast = || {
        while !over.load(Ordering::Relaxed) {
            seen.store(turn.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    };
    let failed = std::thread::scope(|scope| {
        scope.spawn(sleeper);
        scope.spawn(fast);
        let failed = (1..=200).filter(|&round| {
            turn.store(round, Ordering::Relaxed);
            sys!(SYS_membarrier, if round % 2 == 0 { PRIVATE } else { SYNC_CORE }, 0, 0) != 0
        });
        let failed = failed.count();
        while seen.load(Ordering::Relaxed) != 200 {
            std::thread::yield_now();
        }
        over.store(true, Ordering::Relaxed);
        failed
    });
    value("barriers that failed", failed);
}
