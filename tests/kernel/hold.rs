//! How long the lock is held at most, from the first trap of user code on, for `make bench-lock`: part
//! of `src/kernel/lock.rs` with the feature `lock-stats`. Only who has the lock writes here.

use crate::arch::timer;
use crate::kernel::Kernel;
use crate::mm::Id;
use crate::object::Thread;
use crate::units::Cause;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

static SINCE: AtomicU64 = AtomicU64::new(0);
/// What is being done: a native call by its number, other traps from 1000 on.
static DOING: AtomicU64 = AtomicU64::new(0);
/// The longest time, in ticks of the counter.
static LONGEST: AtomicU64 = AtomicU64::new(0);
/// What was done then.
static WORST: AtomicU64 = AtomicU64::new(0);

pub(super) fn begin() {
    SINCE.store(timer::now(), Relaxed);
}

pub(super) fn end() {
    let held = timer::now() - SINCE.load(Relaxed);
    let doing = DOING.load(Relaxed);
    if doing != 0 && held > LONGEST.load(Relaxed) {
        LONGEST.store(held, Relaxed);
        WORST.store(doing, Relaxed);
    }
}

impl Kernel {
    /// Notes what is done while the lock is held.
    pub fn note(&self, current: Option<Id<Thread>>, cause: Cause) {
        let doing = match cause {
            Cause::Native => current.map_or(0, |id| self.threads[id].context.frame.number()),
            Cause::Foreign => 1000,
            Cause::Fault(_) => 1001,
            Cause::Exception(_) | Cause::Fpu => 1002,
            _ => 1003,
        };
        DOING.store(doing, Relaxed);
    }

    /// For how many ticks the lock was held at most, in what, and the same in nanoseconds.
    pub fn longest_hold(&self) -> [u64; 4] {
        let longest = LONGEST.load(Relaxed);
        [longest, WORST.load(Relaxed), self.clock.nanos(longest).0, 0]
    }
}
