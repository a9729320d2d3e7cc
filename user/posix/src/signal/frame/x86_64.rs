//! x86-64: `struct rt_sigframe`, and above it the floating point registers as FXSAVE has them.

use super::{Action, Halted, Info, Registers, Restored, Result, Stack, Task};
use crate::errno::Errno;
use crate::process::Process;
use crate::signal::info;
use linux_raw_sys::general::SA_RESTORER;
use rt::abi::{FPU_BYTES, REGISTERS, USER_END};
use rt::arch::{PROGRAM_COUNTER, STACK_POINTER};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// Bytes below the stack pointer that are in use.
pub const RED_ZONE: u64 = 128;
/// `UC_SIGCONTEXT_SS` and `UC_STRICT_RESTORE_SS`.
const FLAGS: u64 = 6;
/// `cs`, `gs`, `fs`, `ss`, 16 bits each: those of 64-bit programs on Linux.
const SEGMENTS: u64 = 0x33 | 0x2b << 48;
const RAX: usize = 0;
const RDX: usize = 3;
const RSI: usize = 4;
const RDI: usize = 5;
const RFLAGS: usize = 17;
/// Direction, resume and trap flags, with which no function begins.
const CLEARED: u64 = 1 << 10 | 1 << 16 | 1 << 8;
/// Where the kernel's order of registers has r8 to r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip,
/// rflags: the order of `struct sigcontext`.
const ORDER: [usize; 18] = [8, 9, 10, 11, 12, 13, 14, 15, 5, 4, 6, 1, 3, 0, 2, 7, 16, 17];
/// Floating point registers as a function may find them: all exceptions masked.
const FRESH: [(usize, u16); 2] = [(0, 0x037f), (24, 0x1f80)];

/// `struct rt_sigframe`: the return address, `ucontext_t`, `siginfo_t`.
#[derive(FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Frame {
    restorer: u64,
    flags: u64,
    link: u64,
    stack: Stack,
    general: [u64; 18],
    segments: u64,
    error: u64,
    vector: u64,
    old_mask: u64,
    fault_address: u64,
    fpu: u64,
    reserved: [u64; 8],
    mask: u64,
    info: [u8; info::SIZE],
}

const _: () = assert!(size_of::<Frame>() == 440);

/// Has a call made again: `syscall` has two bytes, and its result is where its number was.
pub fn restart(general: &mut [u64; REGISTERS], call: (u64, u64)) {
    general[RAX] = call.0;
    general[PROGRAM_COUNTER] = general[PROGRAM_COUNTER].wrapping_sub(2);
}

/// Where floating point registers go on a stack.
fn fpu_place(start: u64) -> u64 {
    start.wrapping_sub(FPU_BYTES as u64) & !63
}

/// Where a frame goes on a stack: a function expects it as a call leaves it.
pub fn place(start: u64) -> u64 {
    (fpu_place(start).wrapping_sub(size_of::<Frame>() as u64) & !15).wrapping_sub(8)
}

pub fn push(
    task: &Task,
    registers: &mut Registers,
    (info, action): (&Info, &Action),
    (at, start): (u64, u64),
    (mask, stack): (u64, Stack),
) -> Result<()> {
    if !action.has(SA_RESTORER) || action.handler >= USER_END {
        return Err(Errno::EFAULT);
    }
    let fpu_at = fpu_place(start);
    let Registers { general, fpu } = registers;
    task.process.put(fpu_at, fpu)?;
    let fault = task.signals.fault.get();
    let frame = Frame {
        restorer: action.restorer,
        flags: FLAGS,
        link: 0,
        stack,
        general: ORDER.map(|register| general[register]),
        segments: SEGMENTS,
        error: fault.code & 0xffff_ffff,
        vector: fault.code >> 32,
        old_mask: mask,
        fault_address: fault.address,
        fpu: fpu_at,
        reserved: [0; 8],
        mask,
        info: info.bytes(),
    };
    task.process.put(at, &frame)?;
    refresh(fpu);
    general[RDI] = info.signal.into();
    general[RSI] = at + (size_of::<Frame>() - info::SIZE) as u64;
    general[RDX] = at + 8;
    general[RAX] = 0;
    general[RFLAGS] &= !CLEARED;
    general[STACK_POINTER] = at;
    general[PROGRAM_COUNTER] = action.handler;
    Ok(())
}

fn refresh(fpu: &mut [u8; FPU_BYTES]) {
    fpu.fill(0);
    for (place, word) in FRESH {
        fpu[place..place + 2].copy_from_slice(&word.to_le_bytes());
    }
}

/// What a handler is to find changed: all registers.
pub fn store(halted: Halted<'_>, registers: &Registers) -> Result<()> {
    Ok(halted.write(registers)?)
}

pub fn pop(task: &Task, registers: &mut Registers) -> Result<Restored> {
    let Registers { general, fpu } = registers;
    let frame: Frame = task.process.get(general[STACK_POINTER].wrapping_sub(8))?;
    for (register, value) in ORDER.into_iter().zip(frame.general) {
        general[register] = value;
    }
    if general[PROGRAM_COUNTER] >= USER_END {
        return Err(Errno::EFAULT);
    }
    match frame.fpu {
        0 => refresh(fpu),
        at => task.process.paid(|native| native.read(at, fpu))?,
    }
    Ok(Restored { mask: frame.mask, stack: frame.stack })
}

/// Programs for this machine have to name what their handlers return to.
pub fn map_trampoline(_process: &Process) -> Result<()> {
    Ok(())
}
