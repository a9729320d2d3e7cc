//! Where every exception and interrupt arrives.

use crate::abi::Call;
use crate::arch::{self, TrapFrame};
use crate::ipc::Way;
use crate::kernel::{self, Current, Guard, Next};
use crate::panic::{self, Doing};
use crate::units::{Cause, CpuId, MAX_CPUS};

/// Called by `trap.S` with the thread that this CPU runs, whose registers are where it keeps them. Those
/// that this returns are restored.
#[unsafe(no_mangle)]
extern "C" fn user_entry(mut current: Current) -> *mut TrapFrame {
    let frame = &mut current.thread().context.frame;
    // Each way has its own copy of what follows.
    match Way::of(frame) {
        Some(Way::Call) => short_way(current, Way::Call),
        Some(Way::ReplyReceive) => short_way(current, Way::ReplyReceive),
        Some(Way::Foreign) => short_way(current, Way::Foreign),
        Some(way) => short_way(current, way),
        None if frame.is_native() && frame.number() == Call::Null as u64 => {
            frame.args_mut()[0] = 0;
            frame
        }
        None => long_way(current),
    }
}

/// What takes a few steps, if this does; otherwise nothing happens, and it is done the long way.
#[inline(always)]
fn short_way(mut current: Current, way: Way) -> *mut TrapFrame {
    if let Some(mut kernel) = kernel::try_lock() {
        let cpu = CpuId(arch::cpu::current().0 % MAX_CPUS as u8);
        if kernel.cpus[cpu.index()].fpu_on {
            return with_fpu(kernel, current);
        }
        if let Some(next) = kernel.short_way(cpu, current.thread(), way) {
            return &raw mut next.context.frame;
        }
    }
    long_way(current)
}

/// The floating point registers have to be saved first. After that they are off.
#[inline(never)]
fn with_fpu(mut kernel: Guard, current: Current) -> *mut TrapFrame {
    kernel.save_fpu(arch::cpu::current());
    drop(kernel);
    user_entry(current)
}

/// Whatever is not done in a few steps.
#[inline(never)]
fn long_way(mut current: Current) -> *mut TrapFrame {
    let frame = &mut current.thread().context.frame;
    let cause = frame.cause();
    if cause == Cause::Ipi && kernel::stopping() {
        arch::cpu::park();
    }
    let acknowledged = frame.acknowledged();
    let mut kernel = kernel::lock();
    let next = kernel.long_way(arch::cpu::current(), cause);
    if cause.is_interrupt() {
        arch::interrupts::end(acknowledged);
    }
    proceed(kernel, next)
}

/// Called by `trap.S` with the registers of kernel code, which are on its stack. Those that it
/// returns are restored.
#[unsafe(no_mangle)]
extern "C" fn trap_entry(frame: &mut TrapFrame) -> *mut TrapFrame {
    let cause = frame.cause();
    match cause {
        Cause::Fault(fault) if arch::probe::recover(frame, fault) => return frame,
        Cause::Ipi if kernel::stopping() => arch::cpu::park(),
        cause if !cause.is_interrupt() => panic::unexpected(frame, cause),
        _ => {}
    }
    let acknowledged = frame.acknowledged();
    let before = panic::now_doing(Doing::Interrupt);
    let mut kernel = kernel::lock();
    let next = kernel.handle(arch::cpu::current(), cause);
    arch::interrupts::end(acknowledged);
    panic::now_doing(before);
    match next {
        Next::Resume => frame,
        next => proceed(kernel, next),
    }
}

/// Gives up the lock and does what comes next: these registers are restored.
fn proceed(mut kernel: Guard, next: Next) -> *mut TrapFrame {
    match next {
        Next::Run(thread) => &raw mut kernel.threads[thread].context.frame,
        Next::Idle => {
            drop(kernel);
            arch::user::idle()
        }
        Next::Resume | Next::Stop => {
            drop(kernel);
            arch::cpu::park()
        }
    }
}
