//! What the two loaders of a PC, PVH and multiboot2, say in common: a memory map in the manner of
//! the BIOS (e820), a command line, a module, and where ACPI begins.

use super::info::{BootInfo, Console, PhysRange, Regions, Timer};
use super::{Malformed, regions};
use crate::units::PhysAddr;

/// The first serial port of a PC.
const COM1: u16 = 0x3f8;
/// The kind of entry that is RAM; all others are something else's.
const RAM: u32 = 1;

/// What a loader handed over.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The machine as far as loaders know it: memory, initrd, command line.
    pub info: BootInfo,
    /// Where ACPI's root pointer lies, if the loader says so.
    pub rsdp: Option<PhysAddr>,
}

impl Loaded {
    pub(super) fn new(source: &'static str) -> Loaded {
        let mut info = BootInfo::new(source);
        info.console = Console::Ns16550(COM1);
        info.timer = Timer::Apic { pm_timer: None };
        // The interrupt table and the data of the BIOS; and nobody should own address zero.
        info.reserved.push(PhysAddr(0)..PhysAddr(0x1000));
        Loaded { info, rsdp: None }
    }

    /// Takes an entry of the memory map. Firmware leaves empty ones, which harm nobody.
    pub(super) fn map_entry(&mut self, start: u64, size: u64, kind: u32) {
        if kind == RAM {
            self.info.take_memory(start, size);
        } else if let Ok(range) = regions::range(start, size) {
            regions::reserve(&mut self.info.reserved, range);
        }
    }

    /// Takes the command line, up to its terminator if there is one.
    pub(super) fn command_line(&mut self, bytes: &[u8]) {
        self.info.take_command_line(bytes.split(|&byte| byte == 0).next().unwrap_or_default());
    }

    /// Takes a module. The first is the initrd.
    pub(super) fn module(&mut self, start: u64, end: u64) {
        match self.info.initrd {
            None => self.info.take_initrd(start, end),
            Some(_) => {
                self.info.note(format_args!("module at {start:#x}: only the first is used"));
            }
        }
    }

    /// Puts in order what was taken. Reservations outside of memory are nobody's concern.
    pub(super) fn finish(mut self) -> Result<Loaded, Malformed> {
        let info = &mut self.info;
        info.settle(&mut Regions::new());
        if info.memory.is_empty() {
            return Err("no memory in its map");
        }
        let touches =
            |range: &PhysRange| info.memory.iter().any(|bank| regions::overlap(range, bank));
        info.reserved.retain(|range| touches(range));
        Ok(self)
    }
}
