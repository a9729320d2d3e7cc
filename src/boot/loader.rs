//! What the two loaders of a PC, PVH and multiboot2, say in common: a memory map in the manner of
//! the BIOS (e820), a command line, a module, and where ACPI begins.

use super::info::{BootInfo, Console, PhysRange, Regions};
use super::{Malformed, regions};
use crate::units::PhysAddr;

/// The first serial port of every PC that has one.
pub const COM1: u16 = 0x3f8;
/// The kind of entry that is RAM; all others are something else's.
const RAM: u32 = 1;

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
