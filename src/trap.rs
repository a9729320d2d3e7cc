//! Where every exception and interrupt arrives.

use crate::arch::{self, TrapFrame};
use crate::kernel::{self, Next};
use crate::panic::{self, Doing};
use crate::units::Cause;

/// Called by `trap.S` with the interrupted code's registers, which are restored when it returns.
#[unsafe(no_mangle)]
extern "C" fn trap_entry(frame: &mut TrapFrame) {
    let next = match frame.cause() {
        Cause::Fault(fault) if arch::probe::recover(frame, fault) => Next::Resume,
        cause @ (Cause::Fault(_) | Cause::Exception(_)) => panic::unexpected(frame, cause),
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
        Next::Resume => {}
        Next::Stop => arch::cpu::park(),
    }
}
