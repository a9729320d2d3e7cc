//! AArch64.

use super::Registers;
use crate::abi::REGISTERS;
use core::arch::{asm, global_asm};

/// `e_machine` of programs for this machine.
pub const ELF_MACHINE: u16 = crate::elf::AARCH64;

/// Where the general registers that [`RegisterSet`](crate::abi::RegisterSet) names have the
/// arguments of a program.
pub const ARGUMENTS: [usize; 8] = [0, 1, 2, 3, 4, 5, 6, 7];
/// Where they have the stack pointer.
pub const STACK_POINTER: usize = 31;
/// Where they have the program counter.
pub const PROGRAM_COUNTER: usize = 32;
/// Where they have the frame pointer.
pub const FRAME_POINTER: usize = 29;
/// Where they have the TLS register.
pub const TLS: usize = 34;
/// Where they have the result of a foreign call.
pub const RESULT: usize = 0;
/// What they are called.
pub const NAMES: [&str; REGISTERS] = [
    "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
    "x15", "x16", "x17", "x18", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27",
    "x28", "x29", "x30", "sp", "pc", "pstate", "tls",
];

// The arguments are where the first function wants them. The zeroes end a walk of the stack.
global_asm!(
    ".section .text.start, \"ax\"",
    ".global _start",
    "_start:",
    "mov x29, xzr",
    "mov x30, xzr",
    "b {begin}",
    ".text",
    begin = sym crate::start::begin,
);

global_asm!(include_str!("aarch64_memory.S"));

/// Makes the native call of this number.
///
/// # Safety
/// The kernel writes memory where the arguments say so, and the call may end whatever runs.
#[inline(always)]
pub unsafe fn syscall(number: u64, registers: &mut Registers) {
    let [r0, r1, r2, r3, r4, r5, r6, r7, r8, r9] = registers;
    // SAFETY: the kernel changes no registers but those named; as for memory, the caller answers.
    unsafe {
        asm!(
            "svc #1",
            in("x8") number,
            inout("x0") *r0, inout("x1") *r1, inout("x2") *r2, inout("x3") *r3,
            inout("x4") *r4, inout("x5") *r5, inout("x6") *r6, inout("x7") *r7,
            inout("x9") *r8, inout("x10") *r9,
            options(nostack),
        );
    }
}

/// All of [`syscall`] but for the call: what is around it can be measured.
#[inline(always)]
pub fn no_syscall(number: u64, registers: &mut Registers) {
    let [r0, r1, r2, r3, r4, r5, r6, r7, r8, r9] = registers;
    // SAFETY: it does nothing.
    unsafe {
        asm!(
            "nop",
            in("x8") number,
            inout("x0") *r0, inout("x1") *r1, inout("x2") *r2, inout("x3") *r3,
            inout("x4") *r4, inout("x5") *r5, inout("x6") *r6, inout("x7") *r7,
            inout("x9") *r8, inout("x10") *r9,
            options(nostack),
        );
    }
}

/// Makes a system call as programs of other systems do.
///
/// # Safety
/// Whoever handles this process's foreign calls may change its memory.
#[inline(always)]
pub unsafe fn foreign_syscall(number: u64, arguments: [u64; 6]) -> u64 {
    let [mut result, a1, a2, a3, a4, a5] = arguments;
    // SAFETY: only the result changes; as for memory, the caller answers.
    unsafe {
        asm!(
            "svc #0",
            in("x8") number,
            inout("x0") result, in("x1") a1, in("x2") a2, in("x3") a3, in("x4") a4, in("x5") a5,
            options(nostack),
        );
    }
    result
}

/// Stops with a fault.
pub fn trap() -> ! {
    // SAFETY: nothing comes after it.
    unsafe { asm!("brk #1", options(noreturn)) }
}

/// The address of the caller's frame record.
#[inline(always)]
pub fn frame_pointer() -> u64 {
    let frame;
    // SAFETY: it reads a register.
    unsafe { asm!("mov {}, x29", out(reg) frame, options(nomem, nostack, preserves_flags)) };
    frame
}
