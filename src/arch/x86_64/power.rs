//! Switching off, and telling an emulator how it went.

pub use crate::arch::mapped::power::{exit, init, off, restart};

use crate::arch::Exit;
use crate::boot::Power;
use crate::dev::Windows;
use ::x86_64::instructions::port::Port;

/// QEMU's isa-debug-exit, and what is added to the status so that no exit looks like success by
/// accident: QEMU itself exits with `(value << 1) | 1`.
const DEBUG_EXIT: u16 = 0xf4;
const DEBUG_EXIT_BASE: u32 = 0x10;

/// Maps the registers that switching off needs: they are I/O ports.
pub fn map(_power: Power, _map: &mut Windows<'_>) {}

/// Switches off as ACPI says.
pub(in crate::arch) fn switch_off(power: Power) {
    if let Power::Acpi { port, value } = power {
        // SAFETY: ACPI names this register and what switches off (ACPI 6.5, 4.8.3.2).
        unsafe { Port::new(port).write(value) };
    }
}

/// Resets the machine, by the chipset's register for that, which PCs have had since the PIIX3.
pub(in crate::arch) fn reset(_power: Power) {
    const CONTROL: u16 = 0xcf9;
    const HARD_RESET: u8 = 6;
    // SAFETY: nothing comes after it.
    unsafe { Port::new(CONTROL).write(HARD_RESET) };
}

/// Ends QEMU with a status.
pub(in crate::arch) fn tell_emulator(status: Exit) {
    // SAFETY: the command line promises the device, which ends the emulator.
    unsafe { Port::new(DEBUG_EXIT).write(DEBUG_EXIT_BASE + status as u32) };
}
