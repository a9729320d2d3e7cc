//! Which parts a disk has: MBR with logical partitions, and GPT.
//!
//! A table that makes no sense is none: the disk has no partitions then, and can be used as a whole.
//! Whatever is on the disk, the partitions that are found lie on it.

use crate::{Failure, Result};
use alloc::vec::Vec;

protocol::record! {
    /// A part of a disk.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct Partition {
        /// Its number, from 1, as Linux counts.
        pub number: u8,
        /// Its first sector.
        pub first: u64,
        /// How many it has.
        pub sectors: u64,
        /// What the table says that it is for: the byte of an MBR, the first four of a GPT's type.
        pub kind: u32,
    }
}

/// Bytes of a sector.
type Sector = [u8; 512];

/// Partitions that are looked for at most.
const MOST: usize = 128;

/// Kinds of an MBR: nothing; other partitions, in their own tables; a GPT.
const EMPTY: u8 = 0;
const EXTENDED: [u8; 3] = [0x05, 0x0f, 0x85];
const PROTECTIVE: u8 = 0xee;

/// The partitions of a disk with so many sectors, by their numbers. Fails only if reading does.
pub fn partitions(
    sectors: u64,
    read: &mut dyn FnMut(u64, &mut Sector) -> Result<()>,
) -> Result<Vec<Partition>> {
    let mut sector = [0; 512];
    if sectors == 0 {
        return Ok(Vec::new());
    }
    read(0, &mut sector)?;
    let Some(table) = mbr(&sector) else { return Ok(Vec::new()) };
    let entries = || table.into_iter().flatten();
    if entries().any(|entry| entry.kind == PROTECTIVE) {
        return match gpt(1, sectors, read)? {
            Some(found) => Ok(found),
            None => Ok(gpt(sectors - 1, sectors, read)?.unwrap_or_default()),
        };
    }
    if !entries().all(|entry| entry.is_within(sectors)) {
        return Ok(Vec::new());
    }
    let is_extended = |entry: &Entry| EXTENDED.contains(&entry.kind);
    let mut found = Vec::new();
    for (number, entry) in (1..).zip(table) {
        found.extend(entry.filter(|entry| !is_extended(entry)).map(|entry| entry.at(0, number)));
    }
    if let Some(extended) = entries().find(is_extended) {
        logical(&extended, read, &mut found)?;
    }
    Ok(found)
}

/// An entry of an MBR's table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Entry {
    kind: u8,
    first: u64,
    sectors: u64,
}

impl Entry {
    /// Whether it ends before so many sectors do.
    fn is_within(&self, sectors: u64) -> bool {
        self.first + self.sectors <= sectors
    }

    /// The partition, if its first sector counts from this one.
    fn at(&self, base: u64, number: u8) -> Partition {
        let Entry { kind, first, sectors } = *self;
        Partition { number, first: base + first, sectors, kind: kind.into() }
    }
}

/// The table of an MBR. A sector with other things, such as one with which a FAT begins, is none.
fn mbr(sector: &Sector) -> Option<[Option<Entry>; 4]> {
    if sector[510..] != [0x55, 0xaa] {
        return None;
    }
    let mut table = [None; 4];
    for (place, bytes) in table.iter_mut().zip(sector[446..510].chunks_exact(16)) {
        let (first, sectors) = (u64::from(u32_at(bytes, 8)), u64::from(u32_at(bytes, 12)));
        let entry = Entry { kind: bytes[4], first, sectors };
        if entry.kind == EMPTY {
            continue;
        }
        if bytes[0] & 0x7f != 0 || first == 0 || sectors == 0 {
            return None;
        }
        *place = Some(entry);
    }
    Some(table)
}

/// Adds the logical partitions within an extended one. In front of each is a table, which has it, and
/// where the next table is: that counts from the beginning of the extended one.
fn logical(
    extended: &Entry,
    read: &mut dyn FnMut(u64, &mut Sector) -> Result<()>,
    found: &mut Vec<Partition>,
) -> Result<()> {
    let mut at = 0;
    let mut sector = [0; 512];
    for number in 5..MOST as u8 {
        read(extended.first + at, &mut sector)?;
        let Some([own, next, ..]) = mbr(&sector) else { break };
        let Some(own) = own.filter(|own| own.is_within(extended.sectors - at)) else { break };
        found.push(own.at(extended.first + at, number));
        // Onwards only, so that it ends.
        let next = next.filter(|next| EXTENDED.contains(&next.kind) && next.first > at);
        match next {
            Some(next) if next.is_within(extended.sectors) => at = next.first,
            _ => break,
        }
    }
    Ok(())
}

/// The partitions of a GPT whose head is in a sector, if that is right.
fn gpt(
    head: u64,
    sectors: u64,
    read: &mut dyn FnMut(u64, &mut Sector) -> Result<()>,
) -> Result<Option<Vec<Partition>>> {
    if head >= sectors {
        return Ok(None);
    }
    let mut sector = [0; 512];
    read(head, &mut sector)?;
    let Some(table) = Table::of(&sector, head, sectors) else { return Ok(None) };
    let (mut sum, mut found) = (Crc::new(), Vec::new());
    let mut left = u64::from(table.count) * u64::from(table.size);
    let mut number = 0;
    for at in table.at.. {
        read(at, &mut sector)?;
        let bytes = left.min(512) as usize;
        sum.add(&sector[..bytes]);
        for entry in sector[..bytes].chunks_exact(table.size as usize) {
            number += 1;
            found.extend(entry_of_gpt(entry, number, sectors));
        }
        left -= bytes as u64;
        if left == 0 {
            break;
        }
    }
    Ok((sum.value() == table.sum).then_some(found))
}

/// Where the entries of a GPT are (UEFI 2.10, 5.3.2).
struct Table {
    at: u64,
    count: u32,
    size: u32,
    sum: u32,
}

impl Table {
    fn of(sector: &Sector, head: u64, sectors: u64) -> Option<Table> {
        let length = u32_at(sector, 12) as usize;
        if &sector[..8] != b"EFI PART" || !(92..=512).contains(&length) {
            return None;
        }
        let mut bytes = *sector;
        bytes[16..20].fill(0);
        let mut sum = Crc::new();
        sum.add(&bytes[..length]);
        let (at, count, size) = (u64_at(sector, 72), u32_at(sector, 80), u32_at(sector, 84));
        let taken = (u64::from(count) * u64::from(size)).div_ceil(512);
        let fits = at.checked_add(taken).is_some_and(|end| at > 0 && end <= sectors);
        // Entries may be longer than a sector, by the book; nobody has seen one.
        let sane = (1..=MOST as u32).contains(&count) && matches!(size, 128 | 256 | 512);
        let right = sum.value() == u32_at(sector, 16) && u64_at(sector, 24) == head;
        (right && sane && fits).then_some(Table { at, count, size, sum: u32_at(sector, 88) })
    }
}

fn entry_of_gpt(entry: &[u8], number: u8, sectors: u64) -> Option<Partition> {
    let (first, last) = (u64_at(entry, 32), u64_at(entry, 40));
    let used = entry[..16].iter().any(|&byte| byte != 0);
    let fits = first > 0 && first <= last && last < sectors;
    let length = (used && fits).then(|| last - first + 1)?;
    Some(Partition { number, first, sectors: length, kind: u32_at(entry, 0) })
}

/// The CRC-32 of IEEE 802.3, bit by bit: tables are short.
struct Crc(u32);

impl Crc {
    fn new() -> Crc {
        Crc(!0)
    }

    fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 ^= u32::from(byte);
            for _ in 0..8 {
                let carry = if self.0 & 1 != 0 { 0xedb8_8320 } else { 0 };
                self.0 = self.0 >> 1 ^ carry;
            }
        }
    }

    fn value(&self) -> u32 {
        !self.0
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

/// The part of a disk that a number names: 0 is the whole.
pub fn part(partitions: &[Partition], number: u8, sectors: u64) -> Result<(u64, u64)> {
    if number == 0 {
        return Ok((0, sectors));
    }
    let found = partitions.iter().find(|partition| partition.number == number);
    found.map(|found| (found.first, found.sectors)).ok_or(Failure::OutOfRange)
}
