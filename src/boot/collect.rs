//! What every kind of firmware says: RAM, what in it is taken, CPUs, a command line, an initial RAM disk. Each
//! claim is held against what can be; what cannot is left out, with a note.

use super::info::{BootInfo, Console, CpuInfo, CpuStart, MAX_REGIONS, PhysRange, Regions};
use super::text::prefix;
use super::{Malformed, regions};
use crate::units::{MAX_CPUS, PhysAddr};

/// The first serial port of every PC that has one.
pub const COM1: u16 = 0x3f8;
/// The kind of entry that is RAM; all others are something else's.
const RAM: u32 = 1;

impl BootInfo {
    /// Takes a bank of RAM.
    pub(super) fn take_memory(&mut self, start: u64, size: u64) {
        if let Err(bad) = regions::add_memory(&mut self.memory, start, size) {
            self.note(format_args!("memory at {start:#x} {bad}: ignored"));
        }
    }

    /// Takes a reservation.
    pub(super) fn take_reservation(&mut self, start: u64, size: u64) {
        match regions::range(start, size) {
            Ok(range) => regions::reserve(&mut self.reserved, range),
            Err(bad) => self.note(format_args!("reservation at {start:#x} {bad}: ignored")),
        }
    }

    /// Takes the command line, up to its terminator if there is one.
    pub(super) fn take_command_line(&mut self, line: &[u8]) {
        let line = line.split(|&byte| byte == 0).next().unwrap_or_default();
        let (kept, whole) = prefix(line);
        self.command_line = kept;
        if !whole {
            let (kept, all) = (kept.len(), line.len());
            self.note(format_args!("command line: cut after {kept} of {all} bytes"));
        }
    }

    /// Takes the initial RAM disk.
    pub(super) fn take_initrd(&mut self, start: u64, end: u64) {
        let initrd = PhysAddr(start)..PhysAddr(end);
        if initrd.is_empty() {
            self.note(format_args!("initrd {start:#x}..{end:#x}: empty, ignored"));
        } else {
            self.initrd = Some(initrd);
        }
    }

    /// The CPU that runs this, before firmware lists any.
    pub(super) fn begin_cpus(&mut self, hardware_id: u64) {
        self.cpus.clear();
        self.cpus.push(CpuInfo { hardware_id, start: CpuStart::Boot });
    }

    /// Whether a CPU that firmware lists is the one that runs this, and so is there already.
    pub(super) fn is_boot_cpu(&mut self, hardware_id: u64) -> Result<bool, Malformed> {
        match self.cpus.iter().position(|cpu| cpu.hardware_id == hardware_id) {
            Some(0) if !self.boot_cpu_listed => self.boot_cpu_listed = true,
            Some(_) => return Err("listed twice"),
            None => return Ok(false),
        }
        Ok(true)
    }

    /// The list of CPUs, `beyond` of which found no room, ends.
    pub(super) fn end_cpus(&mut self, list: &str, beyond: usize) {
        if !self.boot_cpu_listed {
            self.cpus_present += 1;
            let boot = self.cpus[0].hardware_id;
            self.note(format_args!("the boot CPU {boot:#x} is not in the {list}"));
        }
        if beyond > 0 {
            self.note(format_args!("{beyond} CPUs beyond the limit of {MAX_CPUS}: not used"));
        }
    }

    /// Puts in order what was taken. What must not be mapped is no memory as far as the kernel goes.
    pub(super) fn settle(&mut self, unmapped: &mut Regions) {
        let changes = regions::order_memory(&mut self.memory);
        if changes.overlaps {
            self.note(format_args!("memory banks overlap: taken as one"));
        }
        if changes.cut {
            self.note(format_args!("memory above 1 TiB: ignored"));
        }
        regions::order_reserved(unmapped);
        let pieces = regions::free(&self.memory, unmapped);
        let too_many = pieces.clone().nth(MAX_REGIONS).is_some();
        self.memory = pieces.take(MAX_REGIONS).collect();
        if too_many {
            self.note(format_args!("memory is in too many pieces: some of them ignored"));
        }
        let memory = &self.memory;
        if let Some(initrd) = self.initrd.take_if(|it| !regions::contains(memory, it)) {
            self.note(format_args!("initrd {initrd:?}: not in memory, ignored"));
        }
        if let Some(initrd) = self.initrd.clone() {
            regions::reserve(&mut self.reserved, initrd);
        }
        regions::order_reserved(&mut self.reserved);
    }
}

/// What the two loaders of a PC, PVH and multiboot2, say in common: a memory map in the manner of the BIOS
/// (e820), a command line, a module, and where ACPI begins.
impl BootInfo {
    /// What is known of every PC, whoever loaded the kernel.
    pub fn of_pc(source: &'static str) -> BootInfo {
        let mut info = BootInfo::new(source);
        info.console = Console::Ns16550(COM1);
        // The interrupt table and the data of the BIOS; and nobody should own address zero.
        info.reserved.push(PhysAddr(0)..PhysAddr(0x1000));
        info
    }

    /// Takes an entry of the memory map. Firmware leaves empty ones, which harm nobody.
    pub(super) fn take_map_entry(&mut self, start: u64, size: u64, kind: u32) {
        if kind == RAM {
            self.take_memory(start, size);
        } else if let Ok(range) = regions::range(start, size) {
            regions::reserve(&mut self.reserved, range);
        }
    }

    /// Takes a module. The first is the initrd.
    pub(super) fn take_module(&mut self, start: u64, end: u64) {
        match self.initrd {
            None => self.take_initrd(start, end),
            Some(_) => {
                self.note(format_args!("module at {start:#x}: only the first is used"));
            }
        }
    }

    /// Puts in order what was taken. Reservations outside of memory are nobody's concern.
    pub(super) fn settle_pc(mut self) -> Result<BootInfo, Malformed> {
        self.settle(&mut Regions::new());
        if self.memory.is_empty() {
            return Err("no memory in its map");
        }
        let touches =
            |range: &PhysRange| self.memory.iter().any(|bank| regions::overlap(range, bank));
        self.reserved.retain(|range| touches(range));
        Ok(self)
    }
}
