//! An interrupt controller that remembers what it was asked.

use crate::boot::InterruptController;
use crate::units::CpuId;
use std::cell::RefCell;

thread_local! {
    static SENT: RefCell<Vec<CpuId>> = const { RefCell::new(Vec::new()) };
}

/// Prepares the controller.
pub fn init(_controller: &InterruptController) {}

/// Prepares this CPU's part of it.
pub fn init_cpu() {}

/// Lets one line through.
pub fn enable(_line: u32) {}

/// The interrupt on this line has been dealt with.
pub fn end(_line: u32) {}

/// Interrupts another CPU.
pub fn send_ipi(cpu: CpuId) {
    SENT.with_borrow_mut(|list| list.push(cpu));
}

/// Stops all other CPUs for good: there are none.
pub fn stop_others() {}

/// The CPUs that were interrupted since this was last asked.
pub fn take_sent() -> Vec<CpuId> {
    SENT.take()
}
