//! An interrupt controller that remembers what it was asked.

use super::TrapFrame;
use crate::boot::BootInfo;
use crate::units::{CpuId, PhysAddr, VirtAddr};
use std::cell::RefCell;

thread_local! {
    static SENT: RefCell<Vec<CpuId>> = const { RefCell::new(Vec::new()) };
}

/// Prepares the controller.
pub fn init(_info: &BootInfo, _map: &mut dyn FnMut(PhysAddr, u64) -> Option<VirtAddr>) {}

/// Prepares this CPU's part of it.
pub fn init_cpu(_id: CpuId) {}

/// Lets one line through.
pub fn enable(_line: u32) {}

/// The interrupt of this frame has been served.
pub fn end(_frame: &TrapFrame) {}

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
