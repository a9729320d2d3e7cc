//! Finding out what machine this is: a console before anything else, then what the loader says, then
//! ACPI.

mod ns16550;

use super::boot::{Handoff, entry_code};
use super::cpu::{self, features};
use super::interrupts::apic;
use super::phys;
use crate::boot::{BootInfo, COM1, Console, Malformed, PhysRead, acpi, multiboot2, pvh, regions};
use crate::dev::Windows;
use crate::log::Sink;
use crate::units::PhysAddr;
use ns16550::Ns16550;
use spin::Once;

/// COM1, if it answers.
pub fn early_console() -> Option<&'static dyn Sink> {
    static UART: Once<Option<Ns16550>> = Once::new();
    let uart = UART.call_once(|| Ns16550::new(COM1)).as_ref()?;
    Some(uart)
}

/// The console that firmware described: COM1 again, as there is no other.
pub fn console(console: Console, _map: &mut Windows<'_>) -> Option<&'static dyn Sink> {
    match console {
        Console::Ns16550(COM1) => early_console(),
        _ => None,
    }
}

/// Reads what the loader says, and ACPI.
pub fn discover(handoff: &Handoff) -> BootInfo {
    let at = PhysAddr(handoff.information.into());
    let loaded = match handoff.magic {
        multiboot2::MAGIC => multiboot2::read(&FirstTables, at),
        _ => pvh::read(&FirstTables, at),
    };
    let mut info = loaded.unwrap_or_else(unknown_loader);
    info.machine = features::brand();
    if let Err(error) = acpi::read(&FirstTables, info.acpi, apic::id(), &mut info) {
        info.source = info.source.trim_end_matches(" + ACPI");
        info.note(format_args!("{error}; going on with one CPU"));
    }
    cpu::choose_trampoline(&info.memory, &info.reserved);
    // Below 1 MiB firmware has its own, and CPUs are started; the entry code they run as well.
    for range in [PhysAddr(0)..PhysAddr(1 << 20), entry_code()] {
        regions::reserve(&mut info.reserved, range);
    }
    regions::order_reserved(&mut info.reserved);
    info
}

fn unknown_loader(error: Malformed) -> BootInfo {
    let mut info = BootInfo::of_pc("an unknown boot loader");
    info.note(format_args!("boot loader: {error}"));
    info
}

/// Physical memory as the first page tables map it, below the registers of I/O and local APICs,
/// which are no memory.
struct FirstTables;

const FIRST_TABLES_END: u64 = 0xfec0_0000;

impl PhysRead for FirstTables {
    fn bytes(&self, at: PhysAddr, len: usize) -> Option<&[u8]> {
        at.0.checked_add(len as u64).filter(|&end| end <= FIRST_TABLES_END)?;
        // SAFETY: `boot.S` maps all of it, and nobody writes there before firmware's tables have
        // been read.
        Some(unsafe { core::slice::from_raw_parts(phys::pointer(at), len) })
    }
}
