//! The end of a simulated machine is a panic of its thread, which the test catches.

use crate::arch::Exit;

/// Switches the machine off.
pub fn off() -> ! {
    panic!("the machine was switched off")
}

/// Ends the emulation with a status.
pub fn exit(status: Exit) -> ! {
    panic!("the machine ended with status {status:?}")
}
