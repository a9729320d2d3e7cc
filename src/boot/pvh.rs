//! The start information of Xen's PVH boot protocol, which QEMU, Firecracker and Cloud Hypervisor
//! speak (xen/include/public/arch-x86/hvm/start_info.h).

use super::phys::{PhysRead, u32_at, u64_at};
use super::{BootInfo, Malformed};
use crate::units::PhysAddr;

const MAGIC: u32 = 0x336e_c578;
/// Bytes of the structure in version 1; version 0 ends before the memory map.
const SIZE: usize = 56;
const MAP_ENTRY: usize = 24;
const MODULE: usize = 32;
/// More than these are not looked at.
const MAX_MAP_ENTRIES: u32 = 256;
/// The longest command line that is looked at.
const MAX_LINE: usize = 2048;

/// Reads the start information at `at`.
pub fn read(memory: &impl PhysRead, at: PhysAddr) -> Result<BootInfo, Malformed> {
    let start = memory.bytes(at, SIZE).ok_or("unreadable")?;
    let word = |offset| u32_at(start, offset).unwrap_or_default();
    let address = |offset| PhysAddr(u64_at(start, offset).unwrap_or_default());
    if word(0) != MAGIC {
        return Err("its information was not found");
    }
    if word(4) == 0 {
        return Err("no memory in its map");
    }
    let mut info = BootInfo::of_pc("PVH + ACPI");
    let (map, entries) = (address(40), word(48));
    if entries > MAX_MAP_ENTRIES {
        info.note(format_args!("memory map: {entries} entries, too many: some ignored"));
    }
    for entry in 0..entries.min(MAX_MAP_ENTRIES) {
        let bytes = item(memory, map, entry, MAP_ENTRY)?;
        let fields = (u64_at(bytes, 0), u64_at(bytes, 8), u32_at(bytes, 16));
        if let (Some(start), Some(size), Some(kind)) = fields {
            info.take_map_entry(start, size, kind);
        }
    }
    match item(memory, address(16), 0, MODULE) {
        _ if word(12) == 0 => {}
        Ok(module) => {
            let (start, size) = (u64_at(module, 0), u64_at(module, 8));
            let start = start.unwrap_or_default();
            // An end that wraps lies before the start, and is refused as such.
            info.take_module(start, start.wrapping_add(size.unwrap_or_default()));
        }
        Err(_) => info.note(format_args!("initrd: its description is unreadable, ignored")),
    }
    if address(24) != PhysAddr(0) {
        command_line(&mut info, memory, address(24));
    }
    info.acpi = Some(address(32)).filter(|&rsdp| rsdp != PhysAddr(0));
    info.settle_pc()
}

/// The `index`th item of `size` bytes in a table.
fn item(
    memory: &impl PhysRead,
    table: PhysAddr,
    index: u32,
    size: usize,
) -> Result<&[u8], Malformed> {
    let at = table.0.checked_add(u64::from(index) * size as u64).map(PhysAddr);
    at.and_then(|at| memory.bytes(at, size)).ok_or("unreadable")
}

/// The line has no length: it ends with a zero, which may be the last byte that can be read.
fn command_line(info: &mut BootInfo, memory: &impl PhysRead, at: PhysAddr) {
    let lengths = [MAX_LINE, 512, 64, 1];
    match lengths.into_iter().find_map(|length| memory.bytes(at, length)) {
        Some(bytes) => info.take_command_line(bytes),
        None => info.note(format_args!("command line: unreadable at {at:?}, ignored")),
    }
}
