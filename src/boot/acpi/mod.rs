//! Reads what the kernel needs from ACPI: its CPUs and interrupt controllers (MADT), the PM timer
//! (FADT) and how to switch off (FADT, and the one name it wants from the DSDT).
//!
//! Every pointer is asked of [`PhysRead`], every length held against what is there, every table's
//! checksum computed. What is wrong with one table costs what that table says, and a note.
//!
//! ACPI Specification 6.5, chapter 5.

mod fadt;
mod madt;
mod table;

use super::info::{BootInfo, InterruptController, LineKinds, Power};
use super::phys::PhysRead;
use crate::units::PhysAddr;
use table::Table;

/// Why there is no use in ACPI: no root pointer where it should be; the table of tables is not there, or
/// broken.
pub const NO_ROOT: &str = "ACPI: no root pointer";
/// See [`NO_ROOT`].
pub const NO_TABLES: &str = "ACPI: no table of tables";

/// Tables that are looked at; machines have a dozen.
const MAX_TABLES: usize = 64;
/// Where the local APIC is unless it was moved.
const LOCAL_APIC: PhysAddr = PhysAddr(0xfee0_0000);

/// Fills in what ACPI knows. `rsdp` is where the loader found the root pointer; without it, it is
/// looked for where a BIOS leaves it. `boot_cpu` is the APIC ID of the CPU that runs this. After an
/// error `info` describes a machine with that CPU alone.
pub fn read(
    memory: &impl PhysRead,
    rsdp: Option<PhysAddr>,
    boot_cpu: u32,
    info: &mut BootInfo,
) -> Result<(), &'static str> {
    info.begin_cpus(boot_cpu.into());
    info.cpus_present = 1;
    let (local, kinds) = (LOCAL_APIC, LineKinds::USUAL);
    info.interrupts = InterruptController::Apic { local, io: None, kinds };
    info.power = Power::None;

    let rsdp = rsdp.or_else(|| table::find_root(memory)).ok_or(NO_ROOT)?;
    let root = table::root(memory, rsdp)?;
    let mut has_madt = false;
    for at in root.entries().take(MAX_TABLES) {
        match Table::read(memory, at) {
            Ok(table) => match &table.signature() {
                b"APIC" if !has_madt => {
                    has_madt = true;
                    madt::read(&table, info);
                }
                b"FACP" => info.pm_timer = fadt::read(memory, &table, info),
                _ => {}
            },
            Err(bad) => info.note(format_args!("ACPI: table at {at:?} {}", bad)),
        }
    }
    if root.entries().count() > MAX_TABLES {
        info.note(format_args!("ACPI: only the first {MAX_TABLES} tables are read"));
    }
    if !has_madt {
        info.note(format_args!("ACPI: no MADT, so only this CPU is known"));
    }
    if info.power == Power::None {
        info.note(format_args!("ACPI: no known way to switch the machine off"));
    }
    Ok(())
}
