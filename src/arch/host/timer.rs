//! Time that passes when a test says so.

use crate::units::Nanos;
use std::cell::Cell;

thread_local! {
    static NOW: Cell<u64> = const { Cell::new(0) };
    static DEADLINE: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Prepares the timer of the machine.
pub fn init(_timer: &crate::boot::Timer) {}

/// Prepares the timer of this CPU.
pub fn init_cpu() {}

/// The monotonic clock, in nanoseconds since power-on.
pub fn now() -> Nanos {
    Nanos(NOW.get())
}

/// Asks for an interrupt at this moment.
pub fn arm(deadline: Nanos) {
    DEADLINE.set(Some(deadline.0));
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
