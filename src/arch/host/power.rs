//! The end of a simulated machine is a panic of its thread, which the test catches.

use crate::arch::Exit;
use crate::boot::{BootInfo, Power};
use crate::dev::Windows;

/// Nothing to note here.
pub fn init(_info: &BootInfo, _emulator: bool) {}

/// No registers to map.
pub fn map(_power: Power, _map: &mut Windows<'_>) {}

/// Switches the machine off.
pub fn off() -> ! {
    panic!("the machine was switched off")
}

/// Begins again.
pub fn restart() -> ! {
    panic!("the machine was restarted")
}

/// Ends the emulation with a status.
pub fn exit(status: Exit) -> ! {
    panic!("the machine ended with status {status:?}")
}
