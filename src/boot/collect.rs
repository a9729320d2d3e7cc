//! What every kind of firmware says: RAM, what in it is taken, a command line, an initial RAM disk. Each
//! claim is held against what can be; what cannot is left out, with a note.

use super::info::{BootInfo, MAX_REGIONS, Regions};
use super::regions;
use super::text::prefix;
use crate::units::PhysAddr;

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
        match self.initrd.clone() {
            Some(initrd) if regions::contains(&self.memory, &initrd) => {
                regions::reserve(&mut self.reserved, initrd);
            }
            Some(initrd) => {
                self.note(format_args!("initrd {initrd:?}: not in memory, ignored"));
                self.initrd = None;
            }
            None => {}
        }
        regions::order_reserved(&mut self.reserved);
    }
}
