//! What the two loaders of a PC, PVH and multiboot2, say in common: a memory map in the manner of
//! the BIOS (e820), a command line, a module, and where ACPI begins.

use super::info::{BootInfo, Console, PhysRange, Regions, Timer};
use super::regions::{self, BadRange};
use super::text::prefix;
use crate::units::PhysAddr;
use core::fmt;

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

/// Why a loader's information cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LoaderError {
    /// It does not begin as it should.
    Magic,
    /// It is not, or not all, in memory that can be read.
    Unreadable(PhysAddr),
    /// A tag's size cannot be true.
    BadTag(PhysAddr),
    /// There is no RAM in its memory map, or no map.
    NoMemory,
}

impl fmt::Display for LoaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoaderError::Magic => f.write_str("boot loader: its information was not found"),
            LoaderError::Unreadable(at) => write!(f, "boot loader: unreadable at {at:?}"),
            LoaderError::BadTag(at) => write!(f, "boot loader: malformed tag at {at:?}"),
            LoaderError::NoMemory => f.write_str("boot loader: no memory in its map"),
        }
    }
}

impl Loaded {
    pub(super) fn new(source: &'static str) -> Loaded {
        let mut info = BootInfo::new(source);
        info.console = Console::Ns16550(COM1);
        info.timer = Timer::Apic { pm_timer: None, hpet: None };
        // The interrupt table and the data of the BIOS; and nobody should own address zero.
        info.reserved.push(PhysAddr(0)..PhysAddr(0x1000));
        Loaded { info, rsdp: None }
    }

    /// Takes an entry of the memory map.
    pub(super) fn map_entry(&mut self, start: u64, size: u64, kind: u32) {
        let range = match regions::range(start, size) {
            Ok(range) => range,
            // Firmware leaves empty entries, which harm nobody; this one says nothing of RAM.
            Err(_) if kind != RAM => return,
            Err(bad) => return self.bad_memory(start, bad),
        };
        if kind != RAM {
            regions::reserve(&mut self.info.reserved, range);
        } else if let Err(bad) = regions::add_memory(&mut self.info.memory, start, size) {
            self.bad_memory(start, bad);
        }
    }

    fn bad_memory(&mut self, start: u64, bad: BadRange) {
        self.info.note(format_args!("memory at {start:#x} {}: ignored", bad.text()));
    }

    /// Takes the command line, up to its terminator if there is one.
    pub(super) fn command_line(&mut self, bytes: &[u8]) {
        let line = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
        let (kept, whole) = prefix(line);
        self.info.command_line = kept;
        if !whole {
            self.info.note(format_args!("command line: cut after {} bytes", kept.len()));
        }
    }

    /// Takes a module. The first is the initrd.
    pub(super) fn module(&mut self, start: u64, end: u64) {
        let module = PhysAddr(start)..PhysAddr(end);
        if self.info.initrd.is_some() {
            self.info.note(format_args!("module at {start:#x}: only the first is used"));
        } else if module.is_empty() {
            self.info.note(format_args!("initrd {start:#x}..{end:#x}: empty, ignored"));
        } else {
            self.info.initrd = Some(module);
        }
    }

    /// Puts in order what was taken.
    pub(super) fn finish(mut self) -> Result<Loaded, LoaderError> {
        let info = &mut self.info;
        let changes = regions::order_memory(&mut info.memory);
        if info.memory.is_empty() {
            return Err(LoaderError::NoMemory);
        }
        if changes.overlaps {
            info.note(format_args!("memory banks overlap: taken as one"));
        }
        if changes.cut {
            info.note(format_args!("memory above 1 TiB: ignored"));
        }
        if let Some(initrd) = info.initrd.take_if(|one| !regions::contains(&info.memory, one)) {
            let (start, end) = (initrd.start, initrd.end);
            info.note(format_args!("initrd {start:?}..{end:?}: not in memory, ignored"));
        }
        let initrd = info.initrd.clone();
        initrd.into_iter().for_each(|initrd| regions::reserve(&mut info.reserved, initrd));
        regions::order_reserved(&mut info.reserved);
        keep_touching(&mut info.reserved, &info.memory);
        Ok(self)
    }
}

/// Forgets the reservations that lie outside of memory.
fn keep_touching(reserved: &mut Regions, memory: &[PhysRange]) {
    reserved.retain(|one| memory.iter().any(|bank| regions::overlap(one, bank)));
}
