//! The root pointer, the table of tables, and what all tables have in common: a signature, a length
//! and a checksum.

use super::{NO_ROOT, NO_TABLES};
use crate::boot::phys::{PhysRead, u32_at, u64_at};
use crate::units::PhysAddr;

/// Bytes of the header that every table has (section 5.2.6).
pub(super) const HEADER: usize = 36;
/// No table is longer; a real DSDT may have a few hundred KiB.
const MAX_TABLE: u32 = 1 << 20;

/// A table in memory, of a sane length and with the right checksum.
pub(super) struct Table<'a> {
    pub bytes: &'a [u8],
}

impl<'a> Table<'a> {
    /// The table at `at`, or what is wrong with it.
    pub fn read(memory: &'a impl PhysRead, at: PhysAddr) -> Result<Table<'a>, &'static str> {
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

    pub fn signature(&self) -> [u8; 4] {
        self.bytes.first_chunk().copied().unwrap_or_default()
    }

    /// What follows the header.
    pub fn body(&self) -> &'a [u8] {
        self.bytes.get(HEADER..).unwrap_or_default()
    }
}

/// The table of tables: an XSDT, with pointers of 8 bytes, or an RSDT, with pointers of 4.
pub(super) struct Root<'a> {
    table: Table<'a>,
    pointer: usize,
}

impl Root<'_> {
    /// Where the tables are.
    pub fn entries(&self) -> impl Iterator<Item = PhysAddr> {
        let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |sum, &b| sum << 8 | u64::from(b));
        self.table.body().chunks_exact(self.pointer).map(move |entry| PhysAddr(number(entry)))
    }
}

/// Follows the root pointer (section 5.2.5.3).
pub(super) fn root(memory: &impl PhysRead, rsdp: PhysAddr) -> Result<Root<'_>, &'static str> {
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
pub(super) fn find_root(memory: &impl PhysRead) -> Option<PhysAddr> {
    (0xe_0000..0x10_0000).step_by(16).map(PhysAddr).find(|&at| is_root(memory, at).is_some())
}

/// The first 20 bytes of a root pointer, if there is one.
fn is_root(memory: &impl PhysRead, at: PhysAddr) -> Option<&[u8]> {
    memory.bytes(at, 20).filter(|bytes| bytes.starts_with(b"RSD PTR ") && sum(bytes) == 0)
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, &byte| sum.wrapping_add(byte))
}
