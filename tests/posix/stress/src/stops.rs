//! `SIGSTOP` for processes whose threads are busy on all CPUs.

use crate::ensure;
use crate::sys::{Outcome, child, kill, now, shared, wait};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

const ROUNDS: u64 = 60;
const THREADS: usize = 4;
/// Milliseconds within which a process must have stopped, and be going on.
const LATEST: u64 = 1000;

pub fn busy_threads() -> Outcome {
    let counters = shared::<THREADS>();
    let busy = child(|| {
        std::thread::scope(|scope| {
            for counter in counters {
                scope.spawn(|| count(counter));
            }
        });
        1
    })?;
    let outcome = (0..ROUNDS).try_for_each(|round| stop_and_go(busy, counters, round));
    kill(busy, libc::SIGKILL);
    wait(busy);
    outcome
}

/// Counts, without calls and with some.
fn count(counter: &AtomicU64) -> ! {
    loop {
        let turns = counter.fetch_add(1, SeqCst);
        if turns.is_multiple_of(4096) {
            // SAFETY: it is a call without pointers.
            unsafe { libc::getppid() };
        }
    }
}

fn sum(counters: &[AtomicU64]) -> u64 {
    counters.iter().map(|counter| counter.load(SeqCst)).sum()
}

fn stop_and_go(busy: i32, counters: &[AtomicU64], round: u64) -> Outcome {
    let before = sum(counters);
    spin(LATEST, || sum(counters) > before);
    ensure!(sum(counters) > before, "round {round}: it does not go on");
    spin(round % 7, || false);
    let start = now();
    kill(busy, libc::SIGSTOP);
    let mut status = 0;
    // SAFETY: the status is this function's own.
    let waited = unsafe { libc::waitpid(busy, &raw mut status, libc::WUNTRACED) };
    let late = (now() - start) / 1_000_000;
    ensure!(waited == busy && libc::WIFSTOPPED(status), "round {round}: {waited}, {status:#x}");
    let turns = || counters.iter().map(|counter| counter.load(SeqCst)).collect::<Vec<_>>();
    let stopped = turns();
    spin(2, || false);
    let after = turns();
    ensure!(after == stopped, "round {round}: it had stopped at {stopped:?}, and is at {after:?}");
    ensure!(late < LATEST, "round {round}: stopped after {late} ms");
    kill(busy, libc::SIGCONT);
    Ok(())
}

/// Waits without giving up the CPU.
fn spin(milliseconds: u64, until: impl Fn() -> bool) {
    let end = now() + milliseconds * 1_000_000;
    while now() < end && !until() {
        std::hint::spin_loop();
    }
}
