//! The boot information of Multiboot2 (specification 2.0, section 3.6), as GRUB hands it over.

use super::phys::{PhysRead, u32_at, u64_at};
use super::{BootInfo, Malformed};
use crate::units::PhysAddr;

/// What a multiboot2 loader leaves in `eax`.
pub const MAGIC: u32 = 0x36d7_6289;
/// Far more than a loader has to say.
const MAX_SIZE: u32 = 1 << 20;

const END: u32 = 0;
const COMMAND_LINE: u32 = 1;
const MODULE: u32 = 3;
const MEMORY_MAP: u32 = 6;
const OLD_RSDP: u32 = 14;
const NEW_RSDP: u32 = 15;

const BAD_TAG: Malformed = "malformed tag";

/// Bytes before what a tag says: its type and its size.
const TAG_HEADER: usize = 8;

/// Reads the boot information at `at`.
pub fn read(memory: &impl PhysRead, at: PhysAddr) -> Result<BootInfo, Malformed> {
    let size = memory.bytes(at, 8).and_then(|start| u32_at(start, 0)).ok_or("unreadable")?;
    if !(8..=MAX_SIZE).contains(&size) {
        return Err("its information was not found");
    }
    let tags = memory.bytes(at, size as usize).ok_or("unreadable")?;
    let mut info = BootInfo::of_pc("multiboot2 + ACPI");
    // The information itself is read once and for all here, and its memory is free afterwards.
    let mut offset = 8_usize;
    loop {
        let field = |at| u32_at(tags, offset + at).ok_or(BAD_TAG);
        let (kind, size) = (field(0)?, field(4)?);
        let end = offset.checked_add(size as usize).filter(|_| size as usize >= TAG_HEADER);
        let body = end.and_then(|end| tags.get(offset + TAG_HEADER..end)).ok_or(BAD_TAG)?;
        let body_at = PhysAddr(at.0 + (offset + TAG_HEADER) as u64);
        match kind {
            END => return info.settle_pc(),
            COMMAND_LINE => info.take_command_line(body),
            MODULE => module(&mut info, body).ok_or(BAD_TAG)?,
            MEMORY_MAP => memory_map(&mut info, body).ok_or(BAD_TAG)?,
            // These hold a copy, which is as good as the original. The new one knows more.
            OLD_RSDP => info.acpi = info.acpi.or(Some(body_at)),
            NEW_RSDP => info.acpi = Some(body_at),
            _ => {}
        }
        offset += (size as usize).next_multiple_of(8);
    }
}

fn module(info: &mut BootInfo, body: &[u8]) -> Option<()> {
    info.take_module(u32_at(body, 0)?.into(), u32_at(body, 4)?.into());
    Some(())
}

/// Entries say how long they are, so that they may grow.
fn memory_map(info: &mut BootInfo, body: &[u8]) -> Option<()> {
    let entry_size = u32_at(body, 0).filter(|&size| size >= 24)? as usize;
    for entry in body.get(8..)?.chunks_exact(entry_size) {
        info.take_map_entry(u64_at(entry, 0)?, u64_at(entry, 8)?, u32_at(entry, 16)?);
    }
    Some(())
}
