//! An interrupt controller that remembers what it was asked.

use crate::boot::BootInfo;
use crate::dev::Windows;
use crate::units::{CpuId, MAX_CPUS};
use std::cell::Cell;

thread_local! {
    /// Lines that are let through, a bit each.
    static OPEN: Cell<u64> = const { Cell::new(0) };
    /// IPIs on their way to each CPU.
    static SENT: [Cell<u32>; MAX_CPUS] = const { [const { Cell::new(0) }; MAX_CPUS] };
}

/// Prepares the controller.
pub fn init(_info: &BootInfo, _map: &mut Windows<'_>) {}

/// Prepares this CPU's part of it.
pub fn init_cpu(_id: CpuId) {}

/// Lets one line through.
pub fn enable(_line: u32) {}

/// The interrupt of this token has been served.
pub fn end(_token: u64) {}

/// Keeps a line out.
pub fn mask(line: u32) {
    OPEN.set(OPEN.get() & !(1 << line));
}

/// Lets it through.
pub fn unmask(line: u32) {
    OPEN.set(OPEN.get() | 1 << line);
}

/// Whether a line is kept out, as all are at first.
pub fn is_masked(line: u32) -> bool {
    OPEN.get() >> line & 1 == 0
}

/// How many lines there may be.
pub fn lines() -> u32 {
    64
}

/// Whether the kernel does not use a line itself.
pub fn is_free(line: u32) -> bool {
    (16..lines()).contains(&line)
}

/// Interrupts another CPU.
pub fn send_ipi(cpu: CpuId) {
    SENT.with(|sent| sent[cpu.index()].set(sent[cpu.index()].get() + 1));
}

/// Stops all other CPUs for good: there are none.
pub fn stop_others() {}

/// How often a CPU was interrupted by others since this was last asked.
pub fn take_ipis(cpu: CpuId) -> u32 {
    SENT.with(|sent| sent[cpu.index()].take())
}

/// Whether an IPI is on its way to a CPU.
pub fn has_ipi(cpu: CpuId) -> bool {
    SENT.with(|sent| sent[cpu.index()].get() > 0)
}

/// As it is when the machine is switched on.
pub(super) fn reset() {
    OPEN.set(0);
    SENT.with(|sent| sent.iter().for_each(|count| count.set(0)));
}
