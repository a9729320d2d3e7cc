//! The simulated CPUs of each thread, of which it is one at a time.

use crate::boot::CpuInfo;
use crate::units::{CpuId, Frame, VirtAddr};
use std::cell::Cell;

/// Stacks of each CPU.
pub const STACKS: usize = 1;

thread_local! {
    static CURRENT: Cell<CpuId> = const { Cell::new(CpuId::BOOT) };
    static INTERRUPTS: Cell<bool> = const { Cell::new(false) };
    static WAITED: Cell<u64> = const { Cell::new(0) };
}

/// The CPU this runs on.
pub fn current() -> CpuId {
    CURRENT.get()
}

/// Lets this thread act as `cpu`.
pub fn set_current(cpu: CpuId) {
    CURRENT.set(cpu);
}

/// No CPU has to be started here.
///
/// # Safety
/// The tables at `root` are the kernel's, and nobody uses the stack, nor another of that CPU's.
pub unsafe fn start(
    _info: &CpuInfo,
    _id: CpuId,
    _root: Frame,
    _stack_top: VirtAddr,
) -> Result<(), &'static str> {
    Err("the CPUs of a simulated machine are there from the beginning")
}

/// Calls for nobody any more.
pub fn stop_calling(_arrived: bool) {}

/// Sleeps until an interrupt: at once over here.
pub fn wait() {
    WAITED.set(WAITED.get() + 1);
}

/// How often the CPU was put to sleep.
pub fn waited() -> u64 {
    WAITED.get()
}

/// A pause in a loop that waits for another CPU.
pub fn relax() {
    core::hint::spin_loop();
}

/// Lets interrupts in.
pub fn interrupts_on() {
    INTERRUPTS.set(true);
}

/// Keeps interrupts out.
pub fn interrupts_off() {
    INTERRUPTS.set(false);
}

/// Stops this CPU for good.
pub fn park() -> ! {
    panic!("the CPU was parked")
}

/// What the CPU has, for the boot report.
pub fn features() -> &'static str {
    "simulated"
}
