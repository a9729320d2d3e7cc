//! Finding out what machine this is: a console before anything else, then what the loader says, then
//! ACPI.

use super::boot::Handoff;
use super::cpu::{self, features};
use super::interrupts::apic;
use super::phys;
use crate::boot::{BootInfo, Console, Malformed, PhysRead, acpi, multiboot2, pvh, regions};
use crate::dev::{Ns16550, Registers};
use crate::log::Sink;
use crate::units::{PhysAddr, VirtAddr};
use ::x86_64::instructions::port::Port;
use spin::Once;

/// The first serial port of every PC that has one.
const COM1: u16 = 0x3f8;

/// A UART's registers behind I/O ports, from this one on.
struct Ports(u16);

impl Registers for Ports {
    fn read(&self, register: u16) -> u8 {
        // SAFETY: a UART's ports, which are nobody else's; reading what is not there gives ones.
        unsafe { Port::new(self.0 + register).read() }
    }

    fn write(&self, register: u16, value: u8) {
        // SAFETY: as in `read`.
        unsafe { Port::new(self.0 + register).write(value) }
    }
}

static UART: Once<Option<Ns16550<Ports>>> = Once::new();

/// COM1, if it answers.
pub fn early_console() -> Option<&'static dyn Sink> {
    let uart = UART.call_once(|| Ns16550::new(Ports(COM1))).as_ref()?;
    Some(uart)
}

/// The console that firmware described: COM1 again, as there is no other.
pub fn console(
    console: Console,
    _map: &mut dyn FnMut(PhysAddr, u64) -> Option<VirtAddr>,
) -> Option<&'static dyn Sink> {
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
    let (mut info, rsdp) = match loaded {
        Ok(loaded) => (loaded.info, loaded.rsdp),
        Err(error) => (unknown_loader(error), None),
    };
    info.machine = features::brand();
    if let Err(error) = acpi::read(&FirstTables, rsdp, apic::id(), &mut info) {
        info.source = info.source.trim_end_matches(" + ACPI");
        info.note(format_args!("{error}; going on with one CPU"));
    }
    cpu::choose_trampoline(&info.memory, &info.reserved);
    cpu::reserved().into_iter().for_each(|range| regions::reserve(&mut info.reserved, range));
    regions::order_reserved(&mut info.reserved);
    info
}

fn unknown_loader(error: Malformed) -> BootInfo {
    let mut info = BootInfo::new("an unknown boot loader");
    info.console = Console::Ns16550(COM1);
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
