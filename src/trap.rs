//! Where every exception and interrupt arrives.

use crate::abi::Call;
use crate::arch::{self, TrapFrame};
use crate::ipc::Way;
use crate::kernel::{self, Current, Guard, Next};
use crate::panic::{self, Doing};
use crate::units::{Cause, CpuId, MAX_CPUS};

const REPLY: u64 = Call::Reply as u64;
const READ: u64 = Call::ProcessRead as u64;
const WRITE: u64 = Call::ProcessWrite as u64;

/// Called by `trap.S` with the thread that this CPU runs, whose registers are where it keeps them.
#[unsafe(no_mangle)]
extern "C" fn user_entry(mut current: Current) -> ! {
    if !arch::trap::CALLS_APART {
        serve(&mut current, user_entry);
    }
    if let Some(kind) = current.thread().context.frame.refused_instruction() {
        short_way(&mut current, Way::Fault(kind), user_entry);
    }
    long_way(current)
}

/// The same for a call, where these have a way in of their own.
#[unsafe(no_mangle)]
extern "C" fn call_entry(mut current: Current) -> ! {
    serve(&mut current, call_entry);
    long_way(current)
}

/// Serves a call, if it is one.
#[inline(always)]
fn serve(current: &mut Current, again: extern "C" fn(Current) -> !) {
    let frame = &mut current.thread().context.frame;
    if frame.calls(Call::Null) {
        frame.args_mut()[0] = 0;
        Current::of(current.thread()).resume();
    } else if frame.calls(Call::Call) {
        short_way(current, Way::Call, again);
    } else if frame.calls(Call::ReplyReceive) {
        short_way(current, Way::ReplyReceive, again);
    }
    let frame = &current.thread().context.frame;
    if frame.is_native() {
        other_call(Current::of(current.thread()));
    } else if frame.is_call() {
        short_way(current, Way::Foreign, again);
        long_call(Cause::Foreign);
    }
}

/// Serves a native call that does not switch to another thread as a rule.
#[inline(never)]
extern "C" fn other_call(mut current: Current) -> ! {
    match current.thread().context.frame.number() {
        REPLY => short_way(&mut current, Way::Reply, other_call),
        READ | WRITE => short_way(&mut current, Way::Copy, other_call),
        _ => {}
    }
    long_call(Cause::Native)
}

/// Does what takes a few steps, and goes on with whoever is next; otherwise nothing happened. It begins
/// `again` when the floating point registers were to be saved.
#[inline(always)]
fn short_way(current: &mut Current, way: Way, again: extern "C" fn(Current) -> !) {
    let Some(mut kernel) = kernel::try_lock() else { return };
    let cpu = CpuId(arch::cpu::current().0 % MAX_CPUS as u8);
    if kernel.cpus[cpu.index()].fpu_on {
        with_fpu(kernel, Current::of(current.thread()), again);
    }
    if let Some(next) = kernel.short_way(cpu, current.thread(), way) {
        let next = Current::of(next);
        drop(kernel);
        next.resume();
    }
}

/// The floating point registers have to be saved first. After that they are off.
#[inline(never)]
fn with_fpu(mut kernel: Guard, current: Current, again: extern "C" fn(Current) -> !) -> ! {
    kernel.save_fpu(arch::cpu::current());
    drop(kernel);
    again(current)
}

/// A call that is not done in a few steps.
#[inline(never)]
fn long_call(cause: Cause) -> ! {
    let mut kernel = kernel::lock();
    let next = kernel.long_way(arch::cpu::current(), cause);
    proceed(kernel, next)
}

/// Whatever is not done in a few steps.
#[inline(never)]
fn long_way(mut current: Current) -> ! {
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

/// Gives up the lock and does what comes next.
#[inline(always)]
fn proceed(kernel: Guard, next: Next) -> ! {
    match next {
        Next::Run(thread) => kernel::run(kernel, thread),
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
