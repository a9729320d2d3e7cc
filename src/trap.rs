//! Where every exception and interrupt arrives.

use crate::arch::{self, TrapFrame};
use crate::kernel::{self, Next};
use crate::panic::{self, Doing};
use crate::units::Cause;

/// Called by `trap.S` with the registers of user code, which are where its thread keeps them. Those
/// that it returns are restored.
#[unsafe(no_mangle)]
extern "C" fn user_entry(frame: &mut TrapFrame) -> *mut TrapFrame {
    let cause = frame.cause();
    panic::unexpected(frame, cause)
}

/// Called by `trap.S` with the registers of kernel code, which are on its stack. Those that it
/// returns are restored.
#[unsafe(no_mangle)]
extern "C" fn trap_entry(frame: &mut TrapFrame) -> *mut TrapFrame {
    let next = match frame.cause() {
        Cause::Fault(fault) if arch::probe::recover(frame, fault) => Next::Resume,
        cause @ (Cause::Fault(_)
        | Cause::Exception(_)
        | Cause::Native
        | Cause::Foreign
        | Cause::Fpu) => panic::unexpected(frame, cause),
        Cause::Ipi if kernel::stopping() => Next::Stop,
        interrupt => {
            let before = panic::now_doing(Doing::Interrupt);
            let next = kernel::lock().handle(arch::cpu::current(), interrupt);
            arch::interrupts::end(frame);
            panic::now_doing(before);
            next
        }
    };
    match next {
        Next::Resume => frame,
        Next::Stop => arch::cpu::park(),
    }
}
