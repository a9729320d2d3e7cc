//! AArch64: `struct rt_sigframe`, and above it a record of the frame for whoever walks the stack.

use super::{Action, Halted, Info, Registers, Restored, Result, Stack, Task};
use crate::errno::Errno;
use crate::process::Process;
use crate::process::memory::{self, Area};
use crate::signal::info;
use alloc::rc::Rc;
use linux_raw_sys::general::{PROT_EXEC, PROT_READ, SA_RESTORER, SA_SIGINFO};
use rt::abi::{PAGE, REGISTERS, USER_END};
use rt::arch::{PROGRAM_COUNTER, STACK_POINTER};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes};

/// Bytes below the stack pointer that are in use.
pub const RED_ZONE: u64 = 0;
/// What a handler returns to where the program names nothing.
const TRAMPOLINE: u64 = USER_END - PAGE;
/// `mov x8, #139` (`rt_sigreturn`), `svc #0`.
const CODE: [u32; 2] = [0xd280_1168, 0xd400_0001];
const LINK: usize = 30;
/// Bytes of `struct rt_sigframe`, of which nobody uses the end.
const FRAME: u64 = 4688;
/// Bytes of the record above it.
const RECORD: u64 = 16;
/// Marks floating point registers: `FPSIMD_MAGIC`, and their size.
const FPSIMD: [u32; 2] = [0x4650_8001, 528];
/// Marks the syndrome of a fault: `ESR_MAGIC`, and its size.
const SYNDROME: [u32; 2] = [0x4553_5201, 16];

/// What is used of `struct rt_sigframe`: `siginfo_t`, then `ucontext_t`.
#[derive(FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Frame {
    info: [u8; info::SIZE],
    flags: u64,
    link: u64,
    stack: Stack,
    mask: u64,
    unused: [u64; 16],
    fault_address: u64,
    /// x0 to x30, sp, pc, pstate.
    general: [u64; 34],
    padding: u64,
    fpu_mark: [u32; 2],
    fpsr: u32,
    fpcr: u32,
    v: [u8; 512],
    syndrome_mark: [u32; 2],
    syndrome: u64,
    end: [u32; 2],
}

const _: () = assert!(size_of::<Frame>() == info::SIZE + 464 + 528 + 24);

/// Has a call made again: `svc` has four bytes, and its result is where its first argument was.
pub fn restart(general: &mut [u64; REGISTERS], call: (u64, u64)) {
    general[0] = call.1;
    general[PROGRAM_COUNTER] = general[PROGRAM_COUNTER].wrapping_sub(4);
}

/// Where a frame goes on a stack.
pub fn place(start: u64) -> u64 {
    (start.wrapping_sub(RECORD) & !15).wrapping_sub(FRAME) & !15
}

pub fn push(
    task: &Task,
    registers: &mut Registers,
    (info, action): (&Info, &Action),
    (at, start): (u64, u64),
    (mask, stack): (u64, Stack),
) -> Result<()> {
    let Registers { general, fpu } = registers;
    // In place: a copy of it would cost as much as all the rest.
    let mut frame = Frame::new_zeroed();
    let word = |at: usize| fpu[at..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
    let fault = task.signals.fault.get();
    frame.info[..size_of::<Info>()].copy_from_slice(info.as_bytes());
    frame.stack = stack;
    frame.mask = mask;
    frame.fault_address = fault.address;
    frame.general.copy_from_slice(&general[..34]);
    frame.fpu_mark = FPSIMD;
    (frame.fpcr, frame.fpsr) = (word(512), word(520));
    frame.v.copy_from_slice(&fpu[..512]);
    if fault.code != 0 {
        (frame.syndrome_mark, frame.syndrome) = (SYNDROME, fault.code);
    }
    let record = start.wrapping_sub(RECORD) & !15;
    task.process.put(at, &frame)?;
    task.process.put(record, &[general[29], general[LINK]])?;
    let context = at + info::SIZE as u64;
    let arguments = if action.has(SA_SIGINFO) { [at, context] } else { [0; 2] };
    general[0] = info.signal.into();
    if action.has(SA_SIGINFO) {
        general[1..3].copy_from_slice(&arguments);
    }
    general[29] = record;
    general[LINK] = if action.has(SA_RESTORER) { action.restorer } else { TRAMPOLINE };
    general[STACK_POINTER] = at;
    general[PROGRAM_COUNTER] = action.handler;
    Ok(())
}

/// What a handler is to find changed: the general registers.
pub fn store(halted: Halted<'_>, registers: &Registers) -> Result<()> {
    Ok(halted.write(&registers.general)?)
}

pub fn pop(task: &Task, registers: &mut Registers) -> Result<Restored> {
    let Registers { general, fpu } = registers;
    let at = general[STACK_POINTER];
    if !at.is_multiple_of(16) {
        return Err(Errno::EFAULT);
    }
    let mut frame = Frame::new_zeroed();
    task.process.paid(|native| native.read(at, frame.as_mut_bytes()))?;
    if frame.fpu_mark != FPSIMD {
        return Err(Errno::EINVAL);
    }
    fpu[..512].copy_from_slice(&frame.v);
    fpu[512..516].copy_from_slice(&frame.fpcr.to_le_bytes());
    fpu[520..524].copy_from_slice(&frame.fpsr.to_le_bytes());
    general[..34].copy_from_slice(&frame.general);
    Ok(Restored { mask: frame.mask, stack: frame.stack })
}

/// Maps what a handler returns to where the program names nothing.
pub fn map_trampoline(process: &Process) -> Result<()> {
    let mut space = process.space.borrow_mut();
    if !space.is_free(TRAMPOLINE, TRAMPOLINE + PAGE) {
        return Ok(());
    }
    let memory = memory::create(process, 1)?;
    memory.write(0, CODE.as_bytes())?;
    let area = Area::anonymous(TRAMPOLINE + PAGE, PROT_READ | PROT_EXEC, "[vdso]");
    space.map(process, TRAMPOLINE, area, &Rc::new(memory), 0, u64::MAX)
}
