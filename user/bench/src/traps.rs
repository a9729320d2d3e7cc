//! Faults and foreign calls, to the process that handles them and back.
//!
//! What the other process executes between two of them is known to the instruction.

use crate::meter::{ROUNDS, Real, Way, Without, figure, registers, time};
use crate::partner::{Bench, FAULT, FOREIGN, end};
use core::arch::asm;
use rt::abi::Call;
use rt::{Object, Port};

/// Instructions between two faults: the one that faults.
const BETWEEN_FAULTS: u64 = 1;
/// Instructions between two foreign calls: the call and the branch back to it.
const BETWEEN_CALLS: u64 = 2;

pub fn figures(bench: &Bench) {
    for (name, role, between) in
        [("fault-reply", FAULT, BETWEEN_FAULTS), ("foreign-syscall", FOREIGN, BETWEEN_CALLS)]
    {
        let port = Port::create(0).expect("a port");
        let subject = bench.subject(role, &port);
        let raw = port.raw();
        Real::call(Call::Receive, &mut registers([raw]));
        figure(name, ROUNDS, || {
            let itself = time(|| handle::<Without>(raw)) + ROUNDS * between;
            time(|| handle::<Real>(raw)) - itself
        });
        end(subject);
    }
}

/// Answers with nothing: a fault is then made again, and a call has the result zero.
#[inline(never)]
fn handle<W: Way>(port: u64) {
    for _ in 0..ROUNDS {
        W::call(Call::ReplyReceive, &mut registers([port, 0]));
    }
}

/// Executes an undefined instruction again and again.
pub fn fault_for_ever() {
    // SAFETY: it changes nothing.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!("2:", "udf #0", "b 2b")
    };
    // SAFETY: it changes nothing.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!("2:", "ud2", "jmp 2b")
    };
}

/// Makes foreign calls with the number zero, which is the result of each as well.
pub fn call_for_ever() {
    // SAFETY: the handler answers with nothing.
    #[cfg(target_arch = "aarch64")]
    unsafe {
        asm!("2:", "svc #0", "b 2b", in("x8") 0u64, inout("x0") 0u64 => _)
    };
    // SAFETY: the handler answers with nothing.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        asm!("2:", "syscall", "jmp 2b", inout("rax") 0u64 => _, out("rcx") _, out("r11") _)
    };
}
