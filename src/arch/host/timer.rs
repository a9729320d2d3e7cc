//! Time that passes when a test says so.

use crate::boot::BootInfo;
use crate::units::{Nanos, PhysAddr, VirtAddr};
use std::cell::Cell;

thread_local! {
    static NOW: Cell<u64> = const { Cell::new(0) };
    static DEADLINE: Cell<Option<u64>> = const { Cell::new(None) };
}

/// The frequency of `now`, in Hz: a tick is a nanosecond.
pub fn init(_info: &BootInfo, _map: &mut dyn FnMut(PhysAddr, u64) -> Option<VirtAddr>) -> u64 {
    1_000_000_000
}

/// Prepares the timer of this CPU.
pub fn init_cpu() {}

/// The counter.
pub fn now() -> u64 {
    NOW.get()
}

/// Asks for an interrupt when the counter reaches `deadline`.
pub fn arm(deadline: u64) {
    DEADLINE.set(Some(deadline));
}

/// Asks for none.
pub fn disarm() {
    DEADLINE.set(None);
}

/// Lets time pass; true if the deadline has been reached, which is then forgotten.
pub fn advance(by: Nanos) -> bool {
    NOW.set(NOW.get() + by.0);
    let due = DEADLINE.get().is_some_and(|deadline| deadline <= NOW.get());
    if due {
        disarm();
    }
    due
}
