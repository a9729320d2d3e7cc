//! A call with its arguments, its results and its error.

use crate::abi::{Call, Error};
use crate::arch::{DEADLINE, Registers, syscall};

/// Makes a call that waits for nothing.
#[inline(always)]
pub fn invoke<const N: usize>(call: Call, arguments: [u64; N]) -> Result<Registers, Error> {
    let mut registers = [0; 10];
    registers[..N].copy_from_slice(&arguments);
    checked(call, registers)
}

/// Makes a call that waits at most until a deadline.
#[inline(always)]
pub fn invoke_until<const N: usize>(
    call: Call,
    arguments: [u64; N],
    deadline: u64,
) -> Result<Registers, Error> {
    let mut registers = [0; 10];
    registers[..N].copy_from_slice(&arguments);
    registers[DEADLINE] = deadline;
    checked(call, registers)
}

#[inline(always)]
fn checked(call: Call, mut registers: Registers) -> Result<Registers, Error> {
    // SAFETY: the wrappers name memory that they have borrowed, or that is not this process's.
    unsafe { syscall(call as u64, &mut registers) };
    Error::check(registers[0])?;
    Ok(registers)
}
