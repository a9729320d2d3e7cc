//! Reads what the kernel needs from ACPI: its CPUs and interrupt controllers (MADT), the PM timer
//! (FADT) and how to switch off (FADT, and the one name it wants from the DSDT).
//!
//! Every pointer is asked of [`PhysRead`], every length held against what is there, every table's
//! checksum computed. What is wrong with one table costs what that table says, and a note.
//!
//! ACPI Specification 6.5, chapter 5.

mod fadt;
mod madt;

use super::info::{BootInfo, InterruptController, LineKinds, Power};
use super::phys::{PhysRead, u32_at, u64_at};
use crate::units::PhysAddr;

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

    let rsdp = rsdp.or_else(|| find_root(memory)).ok_or(NO_ROOT)?;
    let root = root(memory, rsdp)?;
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

/// Bytes of the header that every table has (section 5.2.6).
const HEADER: usize = 36;
/// No table is longer; a real DSDT may have a few hundred KiB.
const MAX_TABLE: u32 = 1 << 20;

/// A table in memory, of a sane length and with the right checksum.
struct Table<'a> {
    bytes: &'a [u8],
}

impl<'a> Table<'a> {
    /// The table at `at`, or what is wrong with it.
    fn read(memory: &'a impl PhysRead, at: PhysAddr) -> Result<Table<'a>, &'static str> {
        let header = memory.bytes(at, HEADER).ok_or("cannot be read")?;
        let length = u32_at(header, 4).unwrap_or_default();
        if !(HEADER as u32..=MAX_TABLE).contains(&length) {
            return Err("has an impossible length");
        }
        let bytes = memory.bytes(at, length as usize).ok_or("cannot be read")?;
        if sum(bytes) != 0 {
            return Err("has a wrong checksum");
        }
        Ok(Table { bytes })
    }

    fn signature(&self) -> [u8; 4] {
        self.bytes.first_chunk().copied().unwrap_or_default()
    }

    /// What follows the header.
    fn body(&self) -> &'a [u8] {
        self.bytes.get(HEADER..).unwrap_or_default()
    }
}

/// The table of tables: an XSDT, with pointers of 8 bytes, or an RSDT, with pointers of 4.
struct Root<'a> {
    table: Table<'a>,
    pointer: usize,
}

impl Root<'_> {
    /// Where the tables are.
    fn entries(&self) -> impl Iterator<Item = PhysAddr> {
        let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |sum, &b| sum << 8 | u64::from(b));
        self.table.body().chunks_exact(self.pointer).map(move |entry| PhysAddr(number(entry)))
    }
}

/// Follows the root pointer (section 5.2.5.3).
fn root(memory: &impl PhysRead, rsdp: PhysAddr) -> Result<Root<'_>, &'static str> {
    let old = is_root(memory, rsdp).ok_or(NO_ROOT)?;
    let open = |at: u64, signature: &[u8; 4], pointer| {
        let table = Table::read(memory, PhysAddr(at)).ok()?;
        (at != 0 && table.signature() == *signature).then_some(Root { table, pointer })
    };
    // Revision 2 added the XSDT, a length and a checksum over all of it.
    let new = memory.bytes(rsdp, 36).filter(|new| old[15] >= 2 && sum(new) == 0);
    new.and_then(|new| open(u64_at(new, 24)?, b"XSDT", 8))
        .or_else(|| open(u32_at(old, 16)?.into(), b"RSDT", 4))
        .ok_or(NO_TABLES)
}

/// Looks for the root pointer where a BIOS leaves it: at 16-byte steps in its last 128 KiB.
fn find_root(memory: &impl PhysRead) -> Option<PhysAddr> {
    (0xe_0000..0x10_0000).step_by(16).map(PhysAddr).find(|&at| is_root(memory, at).is_some())
}

/// The first 20 bytes of a root pointer, if there is one.
fn is_root(memory: &impl PhysRead, at: PhysAddr) -> Option<&[u8]> {
    memory.bytes(at, 20).filter(|bytes| bytes.starts_with(b"RSD PTR ") && sum(bytes) == 0)
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, &byte| sum.wrapping_add(byte))
}
