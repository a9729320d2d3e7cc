//! x86-64.

use super::Registers;
use crate::abi::{NATIVE, REGISTERS};
use core::arch::{asm, global_asm};

/// `e_machine` of programs for this machine.
pub const ELF_MACHINE: u16 = crate::elf::X86_64;

/// Where the general registers that [`RegisterSet`](crate::abi::RegisterSet) names have the
/// arguments of a program: rdi, rsi, rdx, r10, r8, r9.
pub const ARGUMENTS: [usize; 8] = [5, 4, 3, 10, 8, 9, 12, 13];
/// Where they have the stack pointer.
pub const STACK_POINTER: usize = 7;
/// Where they have the program counter.
pub const PROGRAM_COUNTER: usize = 16;
/// Where they have the frame pointer.
pub const FRAME_POINTER: usize = 6;
/// Where they have the TLS register.
pub const TLS: usize = 18;
/// Where they have the result of a foreign call.
pub const RESULT: usize = 0;
/// What they are called.
pub const NAMES: [&str; REGISTERS] = [
    "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12", "r13",
    "r14", "r15", "rip", "rflags", "fs", "gs",
];

// The fourth argument and the last two go to where the first function wants them. The zero ends a walk of
// the stack.
global_asm!(
    ".section .text.start, \"ax\"",
    ".global _start",
    "_start:",
    "mov rcx, r10",
    "xor ebp, ebp",
    "and rsp, -16",
    "push r13",
    "push r12",
    "call {begin}",
    ".text",
    begin = sym crate::start::begin,
);

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
            "syscall",
            in("rax") number.wrapping_add(NATIVE), out("rcx") _, out("r11") _,
            inout("rdi") *r0, inout("rsi") *r1, inout("rdx") *r2, inout("r10") *r3,
            inout("r8") *r4, inout("r9") *r5, inout("r12") *r6, inout("r13") *r7,
            inout("r14") *r8, inout("r15") *r9,
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
            in("rax") number.wrapping_add(NATIVE), out("rcx") _, out("r11") _,
            inout("rdi") *r0, inout("rsi") *r1, inout("rdx") *r2, inout("r10") *r3,
            inout("r8") *r4, inout("r9") *r5, inout("r12") *r6, inout("r13") *r7,
            inout("r14") *r8, inout("r15") *r9,
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
    let [a0, a1, a2, a3, a4, a5] = arguments;
    let mut result = number;
    // SAFETY: only the result changes; as for memory, the caller answers.
    unsafe {
        asm!(
            "syscall",
            inout("rax") result, out("rcx") _, out("r11") _,
            in("rdi") a0, in("rsi") a1, in("rdx") a2, in("r10") a3, in("r8") a4, in("r9") a5,
            options(nostack),
        );
    }
    result
}

/// Stops with a fault.
pub fn trap() -> ! {
    // SAFETY: nothing comes after it.
    unsafe { asm!("ud2", options(noreturn)) }
}

/// The address of the caller's frame record.
#[inline(always)]
pub fn frame_pointer() -> u64 {
    let frame;
    // SAFETY: it reads a register.
    unsafe { asm!("mov {}, rbp", out(reg) frame, options(nomem, nostack, preserves_flags)) };
    frame
}
