//! How a machine stops, and what an emulator is told of how it went. How that is done is each machine's
//! (`power.rs` there).

use crate::arch::power::{reset, switch_off, tell_emulator};
use crate::arch::{Exit, cpu};
use crate::boot::{BootInfo, Power};
use spin::Once;

/// How this machine stops.
struct Way {
    power: Power,
    /// An emulator takes exit statuses.
    emulator: bool,
}

static WAY: Once<Way> = Once::new();

/// Notes how this machine is switched off, and whether an emulator takes exit statuses.
pub fn init(info: &BootInfo, emulator: bool) {
    WAY.call_once(|| Way { power: info.power, emulator });
}

/// Switches off; an emulator exits with success.
pub fn off() -> ! {
    match WAY.get() {
        Some(Way { emulator: true, .. }) => exit(Exit::Success),
        Some(way) => switch_off(way.power),
        None => {}
    }
    cpu::park()
}

/// Begins again.
pub fn restart() -> ! {
    if let Some(way) = WAY.get() {
        reset(way.power);
    }
    cpu::park()
}

/// Ends an emulator with a status, where there is one that listens; else stops this CPU.
pub fn exit(status: Exit) -> ! {
    if let Some(Way { emulator: true, .. }) = WAY.get() {
        tell_emulator(status);
    }
    cpu::park()
}
