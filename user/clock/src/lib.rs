//! The clock that goes on while the machine is off: how its service is asked.
//!
//! It is asked once: from then on whoever asked counts by itself.
#![no_std]

#[cfg(test)]
extern crate std;

pub mod calendar;

/// The label of the service's only request, a call without words. The answer's words are a moment of the monotonic
/// clock, and what time it was then, in nanoseconds since 1970.
pub const NOW: u32 = 1;
/// The label of its answer if the clock says nothing that makes sense.
pub const BROKEN: u32 = 1;
