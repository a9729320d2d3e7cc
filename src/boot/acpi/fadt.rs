//! The FADT (section 5.2.9): the power management timer, and how to switch off.

use super::Table;
use crate::boot::info::{BootInfo, Power};
use crate::boot::phys::{PhysRead, u32_at, u64_at};
use crate::units::PhysAddr;

/// Offsets, of the old field and of its extended one.
const DSDT: (usize, usize) = (40, 140);
const PM1A_CONTROL: (usize, usize) = (64, 172);
const PM_TIMER: (usize, usize) = (76, 208);

/// `SLP_EN`, and where `SLP_TYP` begins, in the PM1 control register (section 4.8.3.2.1).
const SLEEP_ENABLE: u16 = 1 << 13;
const SLEEP_TYPE_SHIFT: u32 = 10;

/// Sets how to switch off, and returns the port of the timer.
pub(super) fn read(memory: &impl PhysRead, table: &Table<'_>, info: &mut BootInfo) -> Option<u16> {
    if let Some(port) = port(table.bytes, PM1A_CONTROL) {
        let extended = u64_at(table.bytes, DSDT.1).filter(|&at| at != 0);
        let dsdt = extended.or(u32_at(table.bytes, DSDT.0).map(u64::from)).unwrap_or_default();
        match Table::read(memory, PhysAddr(dsdt)) {
            Ok(dsdt) => match soft_off(dsdt.body()) {
                Some(sleep_type) => {
                    let value = u16::from(sleep_type) << SLEEP_TYPE_SHIFT | SLEEP_ENABLE;
                    info.power = Power::Acpi { port, value };
                }
                None => info.note(format_args!("ACPI: no S5 in the DSDT")),
            },
            Err(bad) => info.note(format_args!("ACPI: the DSDT {}", bad)),
        }
    }
    port(table.bytes, PM_TIMER)
}

/// An I/O port, from an extended field (a Generic Address Structure in I/O space) or the old one.
fn port(fadt: &[u8], (old, extended): (usize, usize)) -> Option<u16> {
    let extended =
        u64_at(fadt, extended + 4).filter(|&at| at != 0 && fadt.get(extended) == Some(&1));
    let at = extended.or(u32_at(fadt, old).map(u64::from))?;
    u16::try_from(at).ok().filter(|&port| port != 0)
}

/// The sleep type of S5: the first element of the package that the DSDT names `_S5_`. Its bytes
/// (section 20.2.5) are looked for as they are, for this one name does not need an interpreter.
fn soft_off(aml: &[u8]) -> Option<u8> {
    const PACKAGE: u8 = 0x12;
    const ZERO: u8 = 0x00;
    const ONE: u8 = 0x01;
    const BYTE: u8 = 0x0a;
    let name = b"_S5_";
    let mut rest = aml;
    while let Some(at) = rest.windows(name.len()).position(|window| window == name) {
        rest = rest.get(at + name.len()..)?;
        let [PACKAGE, lead, ..] = *rest else { continue };
        // The package's length takes one byte, and as many more as its upper two bits say; the
        // number of elements follows.
        let first = 2 + usize::from(lead >> 6) + 1;
        let value = match *rest.get(first..)? {
            [ZERO, ..] => 0,
            [ONE, ..] => 1,
            [BYTE, value, ..] => value,
            _ => continue,
        };
        return (value < 8).then_some(value);
    }
    None
}
