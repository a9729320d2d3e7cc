//! What a signal handler finds on its stack: the frame of each architecture as Linux lays it out, and
//! the way back from there.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "aarch64")]
use aarch64 as machine;
#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
use x86_64 as machine;

pub use machine::{map_trampoline, restart, store};

use super::UNBLOCKABLE;
use super::action::Action;
use super::fault::force;
use super::info::Info;
use super::stack::Stack;
use crate::errno::{Errno, Result};
use crate::process::Task;
use crate::server::Call;
use crate::wait::Outcome;
use core::mem::MaybeUninit;
use linux_raw_sys::general::{SA_ONSTACK, SIGSEGV};
use rt::abi::FPU_BYTES;
use rt::arch::STACK_POINTER;
use rt::object::{Halted, Registers};

/// What a frame restores, beside the registers.
struct Restored {
    mask: u64,
    stack: Stack,
}

/// Has a handler called: puts a frame on its stack with the registers, and with what is blocked
/// again when it returns.
pub fn push(
    task: &Task,
    registers: &mut Registers,
    info: &Info,
    action: &Action,
    mask: u64,
) -> Result<()> {
    let pointer = registers.general[STACK_POINTER];
    let alternate = task.signals.stack.get();
    let top = alternate.top(pointer).filter(|_| action.has(SA_ONSTACK));
    let start = top.unwrap_or_else(|| pointer.wrapping_sub(machine::RED_ZONE));
    let at = machine::place(start);
    if top.is_none() && alternate.overflows(pointer, at) {
        return Err(Errno::EFAULT);
    }
    let saved = task.signals.stack_for_frame(pointer);
    machine::push(task, registers, (info, action), (at, start), (mask, saved))
}

pub fn rt_sigreturn(call: &Call) -> Outcome {
    if go_back(&call.task).is_err() {
        force(&call.task, Info::kernel(SIGSEGV));
    }
    Outcome::AsIs
}

/// The thread goes on as its frame says.
fn go_back(task: &Task) -> Result<()> {
    let halted = Halted::Calling(&task.thread);
    let mut room = MaybeUninit::uninit();
    let general = *halted.read(&mut room)?;
    let mut registers = Registers { general, fpu: [0; FPU_BYTES] };
    let Restored { mask, stack } = machine::pop(task, &mut registers)?;
    halted.write(&registers)?;
    task.signals.blocked.set(mask & !UNBLOCKABLE);
    // Linux does not mind a stack that cannot be set.
    let _ = task.signals.set_stack(stack, registers.general[STACK_POINTER]);
    Ok(())
}
