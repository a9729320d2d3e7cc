//! The clock that goes on while the machine is off.
//!
//! * [`requests`]: how its service is asked.
//! * [`calendar`]: the time as the clock of a PC has it.
#![no_std]

#[cfg(test)]
extern crate std;

pub mod calendar;
pub mod requests;
