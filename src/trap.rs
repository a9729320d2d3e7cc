//! Where every exception and interrupt arrives.

use crate::abi::Call;
use crate::arch::{self, TrapFrame};
use crate::kernel::{self, Guard, Next};
use crate::panic::{self, Doing};
use crate::units::{Cause, MAX_CPUS};

/// Called by `trap.S` with the registers of user code, which are where its thread keeps them. Those
/// that it returns are restored.
#[unsafe(no_mangle)]
extern "C" fn user_entry(frame: &mut TrapFrame) -> *mut TrapFrame {
    if frame.is_call() {
        if frame.number() == NULL && frame.is_native() {
            frame.args_mut()[0] = 0;
            return frame;
        }
        if let Some(mut kernel) = kernel::try_lock() {
            let cpu = arch::cpu::current();
            if kernel.cpus[cpu.index() % MAX_CPUS].fpu_on {
                return with_fpu(kernel, frame);
            }
            let (native, number) = (frame.is_native(), frame.number());
            if let Some(next) = kernel.short_way(cpu, native, number) {
                return &raw mut next.context.frame;
            }
        }
    }
    long_way(frame)
}

/// The same, of a thread whose floating point registers have to be saved.
#[inline(never)]
fn with_fpu(mut kernel: Guard, frame: &mut TrapFrame) -> *mut TrapFrame {
    let cpu = arch::cpu::current();
    kernel.save_fpu(cpu);
    let (native, number) = (frame.is_native(), frame.number());
    if let Some(next) = kernel.short_way(cpu, native, number) {
        return &raw mut next.context.frame;
    }
    drop(kernel);
    long_way(frame)
}

const NULL: u64 = Call::Null as u64;

/// Whatever is not done in a few steps.
#[inline(never)]
fn long_way(frame: &mut TrapFrame) -> *mut TrapFrame {
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
