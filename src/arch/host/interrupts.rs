//! An interrupt controller that remembers what it was asked.

use crate::boot::BootInfo;
use crate::units::{CpuId, PhysAddr, VirtAddr};
use std::cell::RefCell;
use std::collections::BTreeSet;

thread_local! {
    static MASKED: RefCell<BTreeSet<u32>> = const { RefCell::new(BTreeSet::new()) };
    static SENT: RefCell<Vec<CpuId>> = const { RefCell::new(Vec::new()) };
}

/// Prepares the controller.
pub fn init(_info: &BootInfo, _map: &mut dyn FnMut(PhysAddr, u64) -> Option<VirtAddr>) {}

/// Prepares this CPU's part of it.
pub fn init_cpu(_id: CpuId) {}

/// Lets one line through.
pub fn enable(_line: u32) {}

/// The interrupt of this token has been served.
pub fn end(_token: u64) {}

/// Keeps a line out.
pub fn mask(line: u32) {
    MASKED.with_borrow_mut(|lines| lines.insert(line));
}

/// Lets it through.
pub fn unmask(line: u32) {
    MASKED.with_borrow_mut(|lines| lines.remove(&line));
}

/// Whether a line is kept out.
pub fn is_masked(line: u32) -> bool {
    MASKED.with_borrow(|lines| lines.contains(&line))
}

/// How many lines there may be.
pub fn lines() -> u32 {
    64
}

/// Whether the kernel does not use a line itself.
pub fn is_free(line: u32) -> bool {
    line >= 16
}

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
