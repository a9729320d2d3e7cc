//! Switching off, and telling an emulator how it went.

use super::cpu;
use crate::arch::Exit;
use crate::boot::{BootInfo, Power};
use crate::units::{PhysAddr, VirtAddr};
use ::x86_64::instructions::port::Port;
use spin::Once;

/// QEMU's isa-debug-exit, and what is added to the status so that no exit looks like success by
/// accident: QEMU itself exits with `(value << 1) | 1`.
const DEBUG_EXIT: u16 = 0xf4;
const DEBUG_EXIT_BASE: u32 = 0x10;

/// How this machine stops.
struct Way {
    power: Power,
    /// QEMU's debug exit is there.
    emulator: bool,
}

static WAY: Once<Way> = Once::new();

/// Notes how this machine is switched off, and whether an emulator takes exit statuses.
pub fn init(info: &BootInfo, emulator: bool) {
    WAY.call_once(|| Way { power: info.power, emulator });
}

/// Maps the registers that switching off needs: they are I/O ports.
pub fn map(_map: &mut dyn FnMut(PhysAddr, u64) -> Option<VirtAddr>) {}

/// Switches off; an emulator exits with success.
pub fn off() -> ! {
    match WAY.get() {
        Some(Way { emulator: true, .. }) => exit(Exit::Success),
        Some(Way { power: Power::Acpi { port, value }, .. }) => {
            // SAFETY: ACPI names this register and what switches off (ACPI 6.5, 4.8.3.2).
            unsafe { Port::new(*port).write(*value) };
        }
        _ => {}
    }
    cpu::park()
}

/// Ends an emulator with a status, where there is one that listens; else stops this CPU.
pub fn exit(status: Exit) -> ! {
    if let Some(Way { emulator: true, .. }) = WAY.get() {
        // SAFETY: the command line promises the device, which ends the emulator.
        unsafe { Port::new(DEBUG_EXIT).write(DEBUG_EXIT_BASE + status as u32) };
    }
    cpu::park()
}
