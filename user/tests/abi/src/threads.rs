//! Threads: their beginning and end, suspending, scheduling, the TLS register.

use crate::Test;
use crate::check::{call, fails, holds, same, saw, works};
use crate::support::{KERNEL, World, idle_thread, in_background, until};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use rt::Object;
use rt::abi::{ANY_CPU, COOPERATIVE, Call, Error, PRIORITIES, THREAD_COPY, USER_END};
use rt::object::ThreadState;
use rt::thread::{Options, spawn};
use rt::time::{MILLISECOND, sleep, yield_now};

pub const TESTS: &[Test] = &[
    ("thread-create-exit", create),
    ("thread-kill", kill),
    ("thread-suspend-resume", suspend),
    ("thread-schedule", schedule),
    ("thread-priority", priority),
    ("thread-info", info),
    ("tls", tls),
    #[cfg(target_arch = "x86_64")]
    ("selectors", selectors),
];

static COUNT: AtomicU64 = AtomicU64::new(0);

fn create(_: &World) {
    let process = rt::process().raw();
    COUNT.store(0, Relaxed);
    let spawned = spawn(Options::default(), || {
        COUNT.fetch_add(1, Relaxed);
    });
    // It ends by `ThreadExit`, which does not come back.
    spawned.expect("a thread").join();
    saw(Call::ThreadExit, None);
    same(COUNT.load(Relaxed), 1);
    let attempt =
        |entry, stack, flags| call(Call::ThreadCreate, &[process, entry, stack, 0, 0, flags]);
    for flags in [PRIORITIES.into(), 0xff, 1 << 12, 1 << 63] {
        fails(attempt(0x20_0000, 0x30_0000, flags), Error::Invalid);
    }
    // Nobody has made a foreign call that it could begin like.
    fails(attempt(0, 0, THREAD_COPY | 1), Error::NotFound);
    for address in [KERNEL, USER_END, u64::MAX] {
        fails(attempt(address, 0x30_0000, 1), Error::Invalid);
    }
    let thread = works(attempt(0x20_0000, 0x30_0000, 1))[1];
    works(call(Call::ThreadKill, &[thread]));
    works(call(Call::Close, &[thread]));
}

/// Counts until it is killed.
fn endless() {
    loop {
        COUNT.fetch_add(1, Relaxed);
        yield_now();
    }
}

fn counts() -> bool {
    let before = COUNT.load(Relaxed);
    for _ in 0..20 {
        sleep(MILLISECOND);
        if COUNT.load(Relaxed) != before {
            return true;
        }
    }
    false
}

fn kill(_: &World) {
    let busy = spawn(Options::default(), endless).expect("a thread");
    until(counts);
    works(call(Call::ThreadKill, &[busy.thread.raw()]));
    until(|| busy.has_ended());
    holds(!counts());
    // One that waits, and one that never ran.
    let waiting = in_background(|| rt::time::sleep_for_ever());
    works(call(Call::ThreadKill, &[waiting.thread.raw()]));
    until(|| waiting.has_ended());
    let idle = idle_thread();
    works(call(Call::ThreadKill, &[idle.raw()]));
    until(|| idle.info().is_ok_and(|info| info.state == ThreadState::Ended));
}

fn suspend(_: &World) {
    let busy = spawn(Options::default(), endless).expect("a thread");
    until(counts);
    works(call(Call::ThreadSuspend, &[busy.thread.raw()]));
    until(|| busy.thread.info().is_ok_and(|info| info.state == ThreadState::Suspended));
    holds(!counts());
    works(call(Call::ThreadSuspend, &[busy.thread.raw()]));
    works(call(Call::ThreadResume, &[busy.thread.raw()]));
    until(counts);
    works(call(Call::ThreadResume, &[busy.thread.raw()]));
    works(call(Call::ThreadKill, &[busy.thread.raw()]));
    until(|| busy.has_ended());
}

fn schedule(_: &World) {
    let thread = idle_thread();
    let attempt =
        |priority, slice, cpus| call(Call::ThreadSchedule, &[thread.raw(), priority, slice, cpus]);
    works(attempt(3, 1_000_000, ANY_CPU));
    same(thread.info().map(|info| info.priority), Ok(3));
    works(attempt(0, COOPERATIVE, 1));
    works(attempt(1, u64::MAX, 1));
    for priority in [PRIORITIES.into(), u64::MAX] {
        fails(attempt(priority, 1_000_000, ANY_CPU), Error::Invalid);
    }
    for cpus in [0, 1 << 63] {
        fails(attempt(1, 1_000_000, cpus), Error::Invalid);
    }
    thread.kill().expect("its end");
    each_cpu();
}

/// A thread runs where it is allowed to.
fn each_cpu() {
    let cpus = rt::machine().cpus().expect("a figure");
    for cpu in 0..cpus {
        let options = Options { cpus: 1 << cpu, ..Options::default() };
        let busy = spawn(options, endless).expect("a thread");
        until(counts);
        same(busy.thread.info().map(|info| info.cpu), Ok(cpu));
        // It moves at once, though it never waits.
        let next = (cpu + 1) % cpus;
        works(call(Call::ThreadSchedule, &[busy.thread.raw(), 16, 1_000_000, 1 << next]));
        until(|| busy.thread.info().is_ok_and(|info| info.cpu == next));
        until(counts);
        works(call(Call::ThreadKill, &[busy.thread.raw()]));
        until(|| busy.has_ended());
    }
}

/// On one CPU the higher priority runs, until it waits.
fn priority(_: &World) {
    static ORDER: AtomicU64 = AtomicU64::new(0);
    let run = |priority, mark: u64| {
        let options = Options { priority, cpus: 1, ..Options::default() };
        let spawned = spawn(options, move || {
            let push = |order: u64| Some(order * 10 + mark);
            let _ = ORDER.fetch_update(Relaxed, Relaxed, push);
        });
        spawned.expect("a thread")
    };
    let options = Options { priority: 30, cpus: 1, ..Options::default() };
    let ceiling = spawn(options, move || {
        // Nobody of a lower priority runs here before this one ends.
        let threads = [run(10, 3), run(12, 2), run(14, 1)];
        same(ORDER.load(Relaxed), 0);
        threads.into_iter().for_each(|thread| thread.join());
    });
    ceiling.expect("a thread").join();
    same(ORDER.load(Relaxed), 123);
}

fn info(_: &World) {
    let busy = spawn(Options { priority: 7, ..Options::default() }, endless).expect("a thread");
    until(counts);
    let first = works(call(Call::ThreadInfo, &[busy.thread.raw()]));
    same(first[4], 7);
    until(counts);
    let second = works(call(Call::ThreadInfo, &[busy.thread.raw()]));
    holds(second[2] > first[2]);
    busy.thread.kill().expect("its end");
    until(|| busy.has_ended());
    let idle = idle_thread();
    same(works(call(Call::ThreadInfo, &[idle.raw()]))[1], ThreadState::Suspended as u64);
    idle.kill().expect("its end");
}

fn tls(_: &World) {
    // Each thread has its own, and keeps it whatever runs in between.
    let set = |value: u64| {
        spawn(Options::default(), move || {
            works(call(Call::TlsSet, &[value]));
            for _ in 0..50 {
                yield_now();
                same(tls_register(value), value);
            }
        })
    };
    let page = crate::support::pages(1);
    let at = page.address();
    let threads = [set(at), set(at + 8), set(at + 16)];
    threads.into_iter().for_each(|thread| thread.expect("a thread").join());
    // On AArch64 the register is nothing but a word; on x86-64 it is an address.
    if cfg!(target_arch = "x86_64") {
        for value in [KERNEL, USER_END, 1 << 63, u64::MAX] {
            fails(call(Call::TlsSet, &[value]), Error::Invalid);
        }
    }
}

/// What the TLS register of this thread has; on x86-64 the address is read at its base, so it has
/// to be one that can be read.
#[cfg(target_arch = "aarch64")]
fn tls_register(_: u64) -> u64 {
    let value;
    // SAFETY: it reads a register.
    unsafe { core::arch::asm!("mrs {}, tpidr_el0", out(reg) value) };
    value
}

/// What the TLS register of this thread has: the word at its base is given its own address first.
#[cfg(target_arch = "x86_64")]
fn tls_register(expected: u64) -> u64 {
    let value;
    // SAFETY: the word is one of the test's own, which nothing else uses.
    unsafe {
        (expected as *mut u64).write_volatile(expected);
        core::arch::asm!("mov {}, fs:[0]", out(reg) value);
    }
    value
}

/// The selectors that a thread loads are lost when it leaves its CPU: no other finds them there, or has
/// another base for them.
#[cfg(target_arch = "x86_64")]
fn selectors(_: &World) {
    let page = crate::support::pages(1);
    let base = page.address();
    let loads = spawn(Options::default(), || {
        for _ in 0..50 {
            // SAFETY: nothing in user code needs these segments; this one is that of its stack.
            unsafe {
                core::arch::asm!("mov {0:e}, ss", "mov ds, {0:e}", "mov es, {0:e}", "mov fs, {0:e}",
                    "mov gs, {0:e}", out(reg) _)
            };
            yield_now();
        }
    });
    let looks = spawn(Options::default(), move || {
        works(call(Call::TlsSet, &[base]));
        for _ in 0..50 {
            yield_now();
            let [ds, es, fs, gs]: [u32; 4];
            // SAFETY: it reads registers.
            unsafe {
                core::arch::asm!("mov {0:e}, ds", "mov {1:e}, es", "mov {2:e}, fs", "mov {3:e}, gs",
                    out(reg) ds, out(reg) es, out(reg) fs, out(reg) gs)
            };
            same([ds, es, fs, gs], [0; 4]);
            same(tls_register(base), base);
        }
    });
    [loads, looks].into_iter().for_each(|thread| thread.expect("a thread").join());
}
