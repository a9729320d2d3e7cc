//! Firmware of the simulated machine: it says what the test told it to say.

use super::Handoff;
use crate::boot::{BootInfo, Console};
use crate::dev::Windows;
use crate::log::Sink;

/// The standard error stream of the test program.
pub fn early_console() -> Option<&'static dyn Sink> {
    Some(&StandardError)
}

/// What the machine has.
pub fn discover(handoff: &Handoff) -> BootInfo {
    handoff.info.clone()
}

/// The console that firmware described: the same.
pub fn console(_described: Console, _map: &mut Windows<'_>) -> Option<&'static dyn Sink> {
    early_console()
}

struct StandardError;

impl Sink for StandardError {
    fn put(&self, byte: u8) {
        use std::io::Write;
        // A closed stream is no reason to stop: the log keeps the line.
        let _ = std::io::stderr().write_all(&[byte]);
    }
}
