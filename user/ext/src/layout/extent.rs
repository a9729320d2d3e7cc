//! Nodes of extent trees: the root is in the inode, the others have a block each.
//!
//! A node begins with a header; its entries are in the order of the file's blocks. Those of leaves are
//! extents, those of other nodes lead to a node that begins with the same block of the file.

use super::checksum::crc32c;
use super::superblock::Shape;
use super::{put_u16, put_u32, u16_at, u32_at};

const MAGIC: u16 = 0xf30a;
/// Bytes of the header, and of each entry.
const ENTRY: usize = 12;
/// Levels that there are at most above the leaves.
pub const DEEPEST: u16 = 5;
/// Blocks of an extent at most; more say that it was never written.
pub const LONGEST: u32 = 32768;

/// Blocks of a file that follow one another on the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Extent {
    /// The first in the file.
    pub logical: u32,
    /// How many.
    pub count: u32,
    /// The first on the disk.
    pub block: u64,
    /// Whether they were ever written: otherwise they are read as zeros.
    pub written: bool,
}

impl Extent {
    /// The first block of the file after it.
    pub fn end(&self) -> u64 {
        u64::from(self.logical) + u64::from(self.count)
    }

    /// What is left of it from a block of the file on.
    pub fn from(&self, logical: u32) -> Extent {
        let skipped = logical - self.logical;
        let (count, block) = (self.count - skipped, self.block + u64::from(skipped));
        Extent { logical, count, block, ..*self }
    }

    /// Whether another goes on where it ends, and both can be one.
    pub fn goes_on(&self, next: &Extent) -> bool {
        let longest = if self.written { LONGEST } else { LONGEST - 1 };
        self.end() == u64::from(next.logical)
            && self.block + u64::from(self.count) == next.block
            && self.written == next.written
            && self.count + next.count <= longest
    }
}

/// What a node's header says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    /// Entries, and how many there can be.
    pub entries: usize,
    /// See above.
    pub room: usize,
    /// Levels below.
    pub depth: u16,
}

/// Reads the header of a node, if it makes sense.
pub fn header(node: &[u8]) -> Option<Header> {
    let (entries, room) = (u16_at(node, 2).into(), u16_at(node, 4).into());
    let depth = u16_at(node, 6);
    let fits = entries <= room && (room + 1) * ENTRY <= node.len() && depth <= DEEPEST;
    (u16_at(node, 0) == MAGIC && fits).then_some(Header { entries, room, depth })
}

/// Makes a node without entries. One in a block leaves room for its checksum.
pub fn make(node: &mut [u8], depth: u16) {
    node.fill(0);
    put_u16(node, 0, MAGIC);
    let room = node.len() / ENTRY - 1;
    put_u16(node, 4, room as u16);
    put_u16(node, 6, depth);
}

/// A node has so many levels below.
pub fn set_depth(node: &mut [u8], depth: u16) {
    put_u16(node, 6, depth);
}

/// The first block of the file that an entry is about.
pub fn key(node: &[u8], nth: usize) -> u32 {
    u32_at(node, ENTRY * (nth + 1))
}

/// That becomes another.
pub fn set_key(node: &mut [u8], nth: usize, key: u32) {
    put_u32(node, ENTRY * (nth + 1), key);
}

/// The last entry that begins at a block of the file or before it.
pub fn search(node: &[u8], header: &Header, logical: u32) -> Option<usize> {
    let (mut low, mut high) = (0, header.entries);
    while low < high {
        let middle = low.midpoint(high);
        if key(node, middle) <= logical { low = middle + 1 } else { high = middle }
    }
    low.checked_sub(1)
}

/// An extent of a leaf, if it makes sense.
pub fn extent(node: &[u8], nth: usize) -> Option<Extent> {
    let at = ENTRY * (nth + 1);
    let count = u32::from(u16_at(node, at + 4));
    let written = count <= LONGEST;
    let count = if written { count } else { count - LONGEST };
    let block = u64::from(u32_at(node, at + 8)) | u64::from(u16_at(node, at + 6)) << 32;
    let extent = Extent { logical: key(node, nth), count, block, written };
    (count > 0 && extent.end() <= 1 << 32).then_some(extent)
}

/// Writes an extent of a leaf.
pub fn put_extent(node: &mut [u8], nth: usize, extent: &Extent) {
    let at = ENTRY * (nth + 1);
    let never = if extent.written { 0 } else { LONGEST };
    put_u32(node, at, extent.logical);
    put_u16(node, at + 4, (extent.count + never) as u16);
    put_u16(node, at + 6, (extent.block >> 32) as u16);
    put_u32(node, at + 8, extent.block as u32);
}

/// The block where an entry of another node leads.
pub fn child(node: &[u8], nth: usize) -> u64 {
    let at = ENTRY * (nth + 1);
    u64::from(u32_at(node, at + 4)) | u64::from(u16_at(node, at + 8)) << 32
}

/// Writes an entry of another node.
pub fn put_child(node: &mut [u8], nth: usize, key: u32, block: u64) {
    let at = ENTRY * (nth + 1);
    put_u32(node, at, key);
    put_u32(node, at + 4, block as u32);
    put_u32(node, at + 8, (block >> 32) as u32 & 0xffff);
}

/// Makes room for an entry; whoever asks knows that there is some.
pub fn open(node: &mut [u8], header: &Header, nth: usize) {
    let end = ENTRY * (header.entries + 1);
    node.copy_within(ENTRY * (nth + 1)..end, ENTRY * (nth + 2));
    put_u16(node, 2, header.entries as u16 + 1);
}

/// Takes an entry away.
pub fn close(node: &mut [u8], header: &Header, nth: usize) {
    let end = ENTRY * (header.entries + 1);
    node.copy_within(ENTRY * (nth + 2)..end, ENTRY * (nth + 1));
    put_u16(node, 2, header.entries as u16 - 1);
}

/// Moves the entries from one on into an empty node.
pub fn divide(node: &mut [u8], header: &Header, nth: usize, other: &mut [u8]) {
    let bytes = &node[ENTRY * (nth + 1)..ENTRY * (header.entries + 1)];
    other[ENTRY..ENTRY + bytes.len()].copy_from_slice(bytes);
    put_u16(other, 2, (header.entries - nth) as u16);
    put_u16(node, 2, nth as u16);
}

/// Moves all into another node, which may be of another size and has room.
pub fn move_all(node: &[u8], header: &Header, other: &mut [u8]) {
    make(other, header.depth);
    let end = ENTRY * (header.entries + 1);
    other[ENTRY..end].copy_from_slice(&node[ENTRY..end]);
    put_u16(other, 2, header.entries as u16);
}

/// Where the checksum of a node in a block is, and what it should be.
fn sum(seed: u32, node: &[u8]) -> (usize, u32) {
    let at = (ENTRY * (usize::from(u16_at(node, 4)) + 1)).min(node.len());
    (at, crc32c(seed, &node[..at]))
}

/// Whether a node in a block has the right checksum.
pub fn is_whole(shape: &Shape, seed: u32, node: &[u8]) -> bool {
    let (at, sum) = sum(seed, node);
    !shape.sums() || u32_at(node, at) == sum
}

/// A node in a block gets the right checksum.
pub fn seal(shape: &Shape, seed: u32, node: &mut [u8]) {
    if shape.sums() {
        let (at, sum) = sum(seed, node);
        put_u32(node, at, sum);
    }
}
