//! The registers of threads that are suspended: read, replaced, and kept within bounds.

use crate::Test;
use crate::check::{call, fails, holds, same, works};
use crate::support::{KERNEL, NOWHERE, World, idle_thread, in_background, pages, until};
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use rt::abi::{Call, Error, FPU_BYTES, REGISTERS, RegisterSet, THREAD_FPU};
use rt::arch::{ARGUMENTS, PROGRAM_COUNTER, STACK_POINTER};
use rt::object::{Halted, Registers, ThreadState};
use rt::{Object, Thread};

pub const TESTS: &[Test] = &[
    ("registers", general),
    ("registers-bounds", bounds),
    ("registers-fpu", fpu),
    ("registers-of-others", busy),
];

const GENERAL: u64 = RegisterSet::General as u64;
const FPU: u64 = RegisterSet::Fpu as u64;
const ALL: u64 = RegisterSet::All as u64;

/// Where the processor's flags are, bits that user code must not set, and bits that it may.
#[cfg(target_arch = "aarch64")]
const FLAGS: (usize, u64, u64) = (33, 0x1f | 0xf << 6 | 1 << 20, 0xf << 28);
#[cfg(target_arch = "x86_64")]
const FLAGS: (usize, u64, u64) = (17, 3 << 12 | 1 << 14 | 1 << 17, 0x8d5);

fn general(_: &World) {
    static SUM: AtomicU64 = AtomicU64::new(0);
    extern "C" fn entry(a: u64, b: u64, c: u64) -> ! {
        SUM.store(a * 100 + b * 10 + c, Relaxed);
        rt::thread::exit()
    }
    let stack = pages(4);
    let thread = idle_thread();
    let mut all = [0u64; REGISTERS];
    let at = all.as_mut_ptr() as u64;
    works(call(Call::RegistersGet, &[thread.raw(), GENERAL, at]));
    same((all[PROGRAM_COUNTER], all[STACK_POINTER]), (NOWHERE, NOWHERE));
    all[PROGRAM_COUNTER] = entry as extern "C" fn(u64, u64, u64) -> ! as usize as u64;
    all[STACK_POINTER] = stack.end() - 8 * u64::from(cfg!(target_arch = "x86_64"));
    for (place, value) in ARGUMENTS.into_iter().zip([1, 2, 3]) {
        all[place] = value;
    }
    works(call(Call::RegistersSet, &[thread.raw(), GENERAL, at]));
    let wanted = all;
    works(call(Call::RegistersGet, &[thread.raw(), GENERAL, at]));
    same(all[PROGRAM_COUNTER], wanted[PROGRAM_COUNTER]);
    same(ARGUMENTS.map(|place| all[place]), ARGUMENTS.map(|place| wanted[place]));
    works(call(Call::ThreadResume, &[thread.raw()]));
    until(|| thread.info().is_ok_and(|info| info.state == ThreadState::Ended));
    same(SUM.load(Relaxed), 123);
}

/// What would make a thread more than user code is not taken.
fn bounds(_: &World) {
    let thread = idle_thread();
    let mut all = Halted::Suspended(&thread).general().expect("its registers");
    let (flags, forbidden, allowed) = FLAGS;
    let before = all[flags];
    all[flags] |= forbidden | allowed;
    works(call(Call::RegistersSet, &[thread.raw(), GENERAL, all.as_ptr() as u64]));
    let mut after = Halted::Suspended(&thread).general().expect("its registers");
    same(after[flags] & forbidden, before & forbidden);
    same(after[flags] & allowed, allowed);
    // Clearing what user code must have changes nothing either.
    after[flags] = 0;
    works(call(Call::RegistersSet, &[thread.raw(), GENERAL, after.as_ptr() as u64]));
    let cleared = Halted::Suspended(&thread).general().expect("its registers")[flags];
    same(cleared & (forbidden | 1 << 9), before & (forbidden | 1 << 9));
    let at = all.as_ptr() as u64;
    for which in [Call::RegistersGet, Call::RegistersSet] {
        for set in [3, u64::MAX] {
            fails(call(which, &[thread.raw(), set, at]), Error::Invalid);
        }
        // It has no floating point registers.
        for set in [FPU, ALL] {
            fails(call(which, &[thread.raw(), set, at]), Error::Invalid);
        }
        for address in [NOWHERE, KERNEL, u64::MAX - 20] {
            fails(call(which, &[thread.raw(), GENERAL, address]), Error::BadAddress);
        }
    }
    thread.kill().expect("its end");
}

fn fpu(_: &World) {
    let flags = THREAD_FPU | 5;
    let thread = Thread::create(&rt::process(), NOWHERE, NOWHERE, 0, 0, flags);
    let thread = thread.expect("a thread");
    let page = pages(1);
    works(call(Call::RegistersGet, &[thread.raw(), FPU, page.address()]));
    // A byte of a vector register: v1 on AArch64, xmm1 on x86-64.
    let place = if cfg!(target_arch = "aarch64") { 16 } else { 160 + 16 };
    let byte = page.pointer::<u8>(place);
    // SAFETY: the page is mapped for writing.
    unsafe { byte.write_volatile(0x5a) };
    works(call(Call::RegistersSet, &[thread.raw(), FPU, page.address()]));
    // SAFETY: as before.
    unsafe { byte.write_volatile(0) };
    works(call(Call::RegistersGet, &[thread.raw(), FPU, page.address()]));
    // SAFETY: as before.
    same(unsafe { byte.read_volatile() }, 0x5a);
    // Of both sets at once, those of floating point come second.
    let mut room = MaybeUninit::<Registers>::uninit();
    let all = Halted::Suspended(&thread).read(&mut room).expect("its registers");
    same((all.general[PROGRAM_COUNTER], all.fpu[place as usize]), (NOWHERE, 0x5a));
    (all.general[ARGUMENTS[0]], all.fpu[place as usize]) = (7, 8);
    Halted::Suspended(&thread).write(all).expect("room for registers");
    let all = Halted::Suspended(&thread).read(&mut room).expect("its registers");
    same((all.general[ARGUMENTS[0]], all.fpu[place as usize]), (7, 8));
    for which in [Call::RegistersGet, Call::RegistersSet] {
        let last = page.end() - FPU_BYTES as u64 + 8;
        fails(call(which, &[thread.raw(), FPU, last]), Error::BadAddress);
        fails(call(which, &[thread.raw(), ALL, last]), Error::BadAddress);
    }
    thread.kill().expect("its end");
}

/// Only of those that are suspended.
fn busy(_: &World) {
    let waiting = in_background(|| rt::time::sleep_for_ever());
    let all = [0u64; REGISTERS];
    let attempt = |which| call(which, &[waiting.thread.raw(), GENERAL, all.as_ptr() as u64]);
    fails(attempt(Call::RegistersGet), Error::Busy);
    fails(attempt(Call::RegistersSet), Error::Busy);
    holds(waiting.thread.kill().is_ok());
    until(|| waiting.has_ended());
}
