//! The clock and sleeping.

use crate::abi::{Call, FOREVER};
use crate::call::{invoke, invoke_until};

/// Nanoseconds of a second.
pub const SECOND: u64 = 1_000_000_000;
/// Nanoseconds of a millisecond.
pub const MILLISECOND: u64 = 1_000_000;

/// Nanoseconds of the monotonic clock.
pub fn now() -> u64 {
    invoke(Call::Clock, []).map_or(0, |out| out[1])
}

/// Waits until a moment of the clock.
pub fn sleep_until(deadline: u64) {
    // A wait for nothing ends when its time has come, or when somebody cancels it.
    let _ = invoke_until(Call::Receive, [0], deadline);
}

/// Waits for so many nanoseconds.
pub fn sleep(nanoseconds: u64) {
    sleep_until(now().saturating_add(nanoseconds));
}

/// Waits for ever.
pub fn sleep_for_ever() -> ! {
    loop {
        sleep_until(FOREVER);
    }
}

/// Waits for a moment, while threads of lower priorities run too.
pub fn nap() {
    sleep(20_000);
}

/// Lets other threads of the same priority run first.
pub fn yield_now() {
    // It cannot fail.
    let _ = invoke(Call::Yield, []);
}
