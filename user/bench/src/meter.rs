//! How a figure is taken: a batch of many rounds by the clock, less what the same rounds take without
//! the kernel, divided by their number; the median of several batches.
//!
//! With one instruction a nanosecond, as the emulator counts, a figure is the instructions that the
//! kernel executes for one round.

use rt::abi::{Call, FOREVER};
use rt::arch::{DEADLINE, Registers, no_syscall, syscall};
use rt::println;
use rt::time::now;

/// Rounds of a batch.
pub const ROUNDS: u64 = 1000;
/// Batches.
const BATCHES: usize = 11;

/// How a call is made: truly, or not at all. The code around it is the same.
pub trait Way {
    /// Makes the call of this number.
    fn call(number: Call, registers: &mut Registers);
}

/// Makes the call.
pub struct Real;

/// Leaves the call out.
pub struct Without;

impl Way for Real {
    #[inline(always)]
    fn call(number: Call, registers: &mut Registers) {
        // SAFETY: the figures name memory of their own.
        unsafe { syscall(number as u64, registers) };
    }
}

impl Way for Without {
    #[inline(always)]
    fn call(number: Call, registers: &mut Registers) {
        no_syscall(number as u64, registers);
    }
}

/// Registers with these first, and a deadline that never comes.
#[inline(always)]
pub fn registers<const N: usize>(first: [u64; N]) -> Registers {
    let mut all = [0; 10];
    all[..N].copy_from_slice(&first);
    all[DEADLINE] = FOREVER;
    all
}

/// The time that something takes.
pub fn time(what: impl FnOnce()) -> u64 {
    let begin = now();
    what();
    now() - begin
}

/// Prints a figure: what a batch takes beyond what it would without the kernel, for each of `count`.
pub fn figure(name: &str, count: u64, batch: impl FnMut() -> u64) {
    println!("bench {name} {}", median(count, batch));
}

/// The median of what batches take, for each of `count`.
pub fn median(count: u64, mut batch: impl FnMut() -> u64) -> u64 {
    // The first warms up what is filled on the way.
    batch();
    let mut taken: [u64; BATCHES] = core::array::from_fn(|_| batch());
    taken.sort_unstable();
    (taken[BATCHES / 2] + count / 2) / count
}
