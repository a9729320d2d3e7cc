//! Time that passes when a test says so, and a timer for each CPU.

use super::cpu;
use crate::boot::BootInfo;
use crate::units::{CpuId, MAX_CPUS, Nanos};
use std::cell::Cell;

thread_local! {
    static NOW: Cell<u64> = const { Cell::new(0) };
    static DEADLINES: [Cell<Option<u64>>; MAX_CPUS] = const { [const { Cell::new(None) }; MAX_CPUS] };
}

/// The frequency of `now`, in Hz: a tick is a nanosecond.
pub fn init(_info: &BootInfo) -> u64 {
    1_000_000_000
}

/// What the boot report calls it.
pub const NAME: &str = "simulated timer";

/// Prepares the timer of this CPU.
pub fn init_cpu() {}

/// The counter.
pub fn now() -> u64 {
    NOW.get()
}

pub use now as lately;

/// Asks for an interrupt of this CPU when the counter reaches `deadline`.
pub fn arm(deadline: u64) {
    set(cpu::current(), Some(deadline));
}

/// Asks for none.
pub fn disarm() {
    set(cpu::current(), None);
}

/// What the timer of a CPU is set to.
pub fn deadline(cpu: CpuId) -> Option<u64> {
    DEADLINES.with(|all| all[cpu.index()].get())
}

/// Whether the deadline of a CPU has been reached; it is forgotten then.
pub fn take_due(cpu: CpuId) -> bool {
    let due = is_due(cpu);
    if due {
        set(cpu, None);
    }
    due
}

/// Whether the deadline of a CPU has been reached.
pub fn is_due(cpu: CpuId) -> bool {
    deadline(cpu).is_some_and(|deadline| deadline <= NOW.get())
}

/// Lets time pass; true if the deadline of this CPU has been reached, which is then forgotten.
pub fn advance(by: Nanos) -> bool {
    NOW.set(NOW.get() + by.0);
    take_due(cpu::current())
}

/// As it is when the machine is switched on.
pub(super) fn reset() {
    NOW.set(0);
    DEADLINES.with(|all| all.iter().for_each(|deadline| deadline.set(None)));
}

fn set(cpu: CpuId, deadline: Option<u64>) {
    DEADLINES.with(|all| all[cpu.index()].set(deadline));
}
