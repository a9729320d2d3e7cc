//! The MADT (section 5.2.12): the CPUs and the interrupt controllers.

use super::{HEADER, LOCAL_APIC, Table};
use crate::boot::info::{BootInfo, CpuInfo, CpuStart, InterruptController, LineKinds};
use crate::boot::phys::{u32_at, u64_at};
use crate::units::PhysAddr;

const LOCAL: u8 = 0;
const IO: u8 = 1;
const OVERRIDE: u8 = 2;
const LOCAL_ADDRESS: u8 = 5;
const LOCAL_X2: u8 = 9;

/// In a CPU's flags: it is there now, and not only a socket to plug one in.
const ENABLED: u32 = 1;
/// In an override's flags, of two bits: other than edges, or high.
const LEVEL: u8 = 3 << 2;
const LOW: u8 = 3;
/// The ID that stands for all CPUs, and so for none.
const BROADCAST: u32 = 0xff;

pub(super) fn read(table: &Table<'_>, info: &mut BootInfo) {
    let mut found = Found {
        local: u32_at(table.bytes, HEADER).map_or(LOCAL_APIC, |at| PhysAddr(at.into())),
        io: None,
        kinds: LineKinds::USUAL,
        beyond: 0,
    };
    info.cpus_present = 0;
    let mut rest = table.body().get(8..).unwrap_or_default();
    while let [kind, length, ..] = *rest {
        let length = usize::from(length);
        let Some((entry, later)) = rest.split_at_checked(length).filter(|_| length >= 2) else {
            info.note(format_args!("ACPI: MADT entry of {length} bytes: the rest is ignored"));
            break;
        };
        rest = later;
        if found.entry(kind, entry, info).is_none() {
            info.note(format_args!("ACPI: MADT entry of type {kind} is cut short"));
        }
    }
    info.end_cpus("MADT", found.beyond);
    let io = found.io.map(|(_, at)| at);
    let Found { local, kinds, .. } = found;
    info.interrupts = InterruptController::Apic { local, io, kinds };
}

struct Found {
    local: PhysAddr,
    /// The I/O APIC with the lowest interrupts, and the first of those.
    io: Option<(u32, PhysAddr)>,
    kinds: LineKinds,
    /// CPUs that there is no room for.
    beyond: usize,
}

impl Found {
    /// Takes one entry. `None` if it is too short for what it is.
    fn entry(&mut self, kind: u8, entry: &[u8], info: &mut BootInfo) -> Option<()> {
        match kind {
            LOCAL => {
                let id = u32::from(*entry.get(3)?);
                let flags = u32_at(entry, 4)?;
                if id != BROADCAST {
                    self.cpu(id, flags, info);
                }
            }
            LOCAL_X2 => self.cpu(u32_at(entry, 4)?, u32_at(entry, 8)?, info),
            LOCAL_ADDRESS => self.local = PhysAddr(u64_at(entry, 4)?),
            IO => {
                let (at, first) = (PhysAddr(u32_at(entry, 4)?.into()), u32_at(entry, 8)?);
                if self.io.is_none_or(|(lowest, _)| first < lowest) {
                    self.io = Some((first, at));
                }
            }
            OVERRIDE => {
                let (line, flags) = (u32_at(entry, 4)?, *entry.get(8)?);
                let bit = 1u32.checked_shl(line).unwrap_or(0);
                let set =
                    |mask: u32, kind| mask & !bit | if flags & kind == kind { bit } else { 0 };
                let LineKinds { level, low } = self.kinds;
                self.kinds = LineKinds { level: set(level, LEVEL), low: set(low, LOW) };
            }
            _ => {}
        }
        Some(())
    }

    fn cpu(&mut self, id: u32, flags: u32, info: &mut BootInfo) {
        if flags & ENABLED == 0 {
            return;
        }
        let cpu = CpuInfo { hardware_id: id.into(), start: CpuStart::InitSipi };
        match info.is_boot_cpu(cpu.hardware_id) {
            Ok(true) => {}
            Ok(false) => self.beyond += usize::from(info.cpus.try_push(cpu).is_err()),
            Err(why) => return info.note(format_args!("ACPI: CPU {id:#x} is {why}")),
        }
        info.cpus_present += 1;
    }
}
