//! Threads: switching between two, and a whole life.

use crate::PRIORITY;
use crate::meter::{ROUNDS, Real, Way, Without, figure, registers, time};
use core::arch::global_asm;
use rt::Object;
use rt::abi::{Call, MAP_WRITE, THREAD_START};
use rt::space::Mapping;
use rt::thread::{Options, spawn};
use rt::time::{nap, yield_now};

/// Instructions of the thread that only ends.
const LIFE: u64 = 2;

// A thread that ends at once.
#[cfg(target_arch = "aarch64")]
global_asm!(
    "bench_short_life:",
    "mov x8, {exit}",
    "svc #1",
    exit = const Call::ThreadExit as u64,
);
#[cfg(target_arch = "x86_64")]
global_asm!(
    "bench_short_life:",
    "mov eax, {exit}",
    "syscall",
    exit = const Call::ThreadExit as u64 + rt::abi::NATIVE,
);

unsafe extern "C" {
    fn bench_short_life();
}

pub fn figures() {
    let options = Options { priority: PRIORITY, ..Options::default() };
    let other = spawn(options, || switch::<Real>(u64::MAX)).expect("a thread");
    yield_now();
    figure("yield-switch", 2 * ROUNDS, || {
        let itself = 2 * time(|| switch::<Without>(ROUNDS));
        time(|| switch::<Real>(ROUNDS)) - itself
    });
    other.thread.kill().expect("its end");
    while !other.has_ended() {
        nap();
    }
    let (process, stack) = (rt::process().raw(), Mapping::fresh(1, MAP_WRITE).expect("a page"));
    figure("thread-lifecycle", ROUNDS, || {
        let ends = (process, stack.end());
        time(|| lives::<Real>(ends)) - time(|| lives::<Without>(ends)) - LIFE * ROUNDS
    });
}

#[inline(never)]
fn switch<W: Way>(rounds: u64) {
    for _ in 0..rounds {
        W::call(Call::Yield, &mut registers([]));
    }
}

/// The new threads have a higher priority, so each has ended when its creator goes on.
#[inline(never)]
fn lives<W: Way>((process, stack): (u64, u64)) {
    let entry = bench_short_life as unsafe extern "C" fn() as usize as u64;
    let flags = THREAD_START | u64::from(PRIORITY + 1);
    for _ in 0..ROUNDS {
        let mut all = registers([process, entry, stack, 0, 0, flags]);
        W::call(Call::ThreadCreate, &mut all);
        W::call(Call::Close, &mut registers([all[1]]));
    }
}
