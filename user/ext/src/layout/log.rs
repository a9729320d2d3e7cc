//! The blocks of a journal, as jbd2 has them: big-endian.
//!
//! The first has its superblock. After it come transactions, in a circle: descriptors, each followed by
//! the blocks that it has tags for, revocations, and a block that says that all of that counts.

use super::checksum::{START, crc32c, crc32c_without};
use super::{array, big_at, put, put_big};
use alloc::vec::Vec;

const MAGIC: u32 = 0xc03b_3998;
/// What such blocks are.
const DESCRIPTOR: u32 = 1;
const COMMIT: u32 = 2;
const SUPERBLOCK_2: u32 = 4;
const REVOKE: u32 = 5;
/// Bytes at their beginning.
const HEAD: usize = 12;
/// Bytes of the superblock, and the place of its checksum.
const SUPERBLOCK: usize = 1024;
const SUPERBLOCK_SUM: usize = 0xfc;
/// Where the checksum of a commit is.
const COMMIT_SUM: usize = 16;

/// Features: revocations, wide block numbers, two kinds of checksums.
const REVOKES: u32 = 0x1;
const WIDE: u32 = 0x2;
const SUMS_2: u32 = 0x8;
const SUMS_3: u32 = 0x10;

/// What tags say of a block: its first word was the journal's number, the UUID is left out, it is the
/// last.
const ESCAPED: u32 = 1;
const SAME: u32 = 2;
const LAST: u32 = 8;

/// What a journal is like.
#[derive(Clone, Debug)]
pub struct Head {
    /// The first block of the circle, and the end.
    pub first: u32,
    /// See above.
    pub end: u32,
    /// Where the oldest transaction begins, or 0, and its number.
    pub start: u32,
    /// See above.
    pub sequence: u32,
    features: u32,
    uuid: [u8; 16],
    seed: u32,
}

/// A block that a descriptor has a tag for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tag {
    /// Where it belongs.
    pub block: u64,
    /// Whether its first word is the journal's number, and is zero here.
    pub escaped: bool,
    sum: u32,
}

/// What a block of the circle is.
#[derive(Debug)]
pub enum Block {
    /// Tags for the blocks after it.
    Tags(Vec<Tag>),
    /// Blocks that are not to be written by this transaction or one before.
    Revoked(Vec<u64>),
    /// All up to here counts.
    Commit,
}

impl Head {
    /// Reads the superblock of a journal that has so many blocks.
    pub fn read(bytes: &[u8], block: usize, blocks: u64) -> Result<Head, &'static str> {
        if big_at(bytes, 0) != MAGIC || big_at(bytes, 4) != SUPERBLOCK_2 {
            return Err("it has no superblock that is known here");
        }
        let features = big_at(bytes, 0x28);
        if features & !(REVOKES | WIDE | SUMS_2 | SUMS_3) != 0 {
            return Err("it has features that are not known here");
        }
        let uuid = array(bytes, 0x30);
        let head = Head {
            first: big_at(bytes, 0x14),
            end: big_at(bytes, 0x10),
            start: big_at(bytes, 0x1c),
            sequence: big_at(bytes, 0x18),
            features,
            uuid,
            seed: crc32c(START, &uuid),
        };
        let sums = features & (SUMS_2 | SUMS_3) != 0;
        if sums && sum_of_superblock(bytes) != big_at(bytes, SUPERBLOCK_SUM) {
            return Err("the checksum of its superblock is wrong");
        }
        let sensible = big_at(bytes, 0xc) as usize == block
            && (1..head.end).contains(&head.first)
            && u64::from(head.end) <= blocks
            && (head.start == 0 || (head.first..head.end).contains(&head.start));
        if sensible { Ok(head) } else { Err("its superblock makes no sense") }
    }

    /// What we write has checksums and wide numbers, where the file system has them.
    pub fn modernise(&mut self, sums: bool, wide: bool) {
        let sums = if sums && self.features & SUMS_2 == 0 { SUMS_3 } else { 0 };
        self.features |= sums | if wide { WIDE } else { 0 };
    }

    /// Writes what may change of the superblock.
    pub fn write(&self, bytes: &mut [u8]) {
        put_big(bytes, 0x18, self.sequence);
        put_big(bytes, 0x1c, self.start);
        put_big(bytes, 0x28, self.features);
        if self.has_sums() {
            put(bytes, 0x50, [4]);
            let sum = sum_of_superblock(bytes);
            put_big(bytes, SUPERBLOCK_SUM, sum);
        }
    }

    /// The block after one, in the circle.
    pub fn after(&self, block: u32) -> u32 {
        if block + 1 >= self.end { self.first } else { block + 1 }
    }

    fn has_sums(&self) -> bool {
        self.features & (SUMS_2 | SUMS_3) != 0
    }

    /// Bytes of a tag without the UUID.
    fn tag_bytes(&self) -> usize {
        let wide = if self.features & WIDE != 0 { 4 } else { 0 };
        match self.features {
            bits if bits & SUMS_3 != 0 => 16,
            bits if bits & SUMS_2 != 0 => 10 + wide,
            _ => 8 + wide,
        }
    }

    /// How many blocks a descriptor has tags for at most.
    pub fn tags(&self, block: usize) -> usize {
        (block - HEAD - 16 - 4) / self.tag_bytes()
    }

    /// Reads a block of the circle, if it belongs to a transaction and is whole.
    pub fn block(&self, sequence: u32, bytes: &[u8]) -> Option<Block> {
        if big_at(bytes, 0) != MAGIC || big_at(bytes, 8) != sequence {
            return None;
        }
        let last = bytes.len() - 4;
        let whole = |at| {
            let sum = crc32c_without(self.seed, bytes, at, 4);
            !self.has_sums() || sum == big_at(bytes, at)
        };
        match big_at(bytes, 4) {
            DESCRIPTOR if whole(last) => Some(Block::Tags(self.read_tags(bytes)?)),
            REVOKE if whole(last) => Some(Block::Revoked(self.read_revoked(bytes)?)),
            COMMIT if whole(COMMIT_SUM) => Some(Block::Commit),
            _ => None,
        }
    }

    fn read_tags(&self, bytes: &[u8]) -> Option<Vec<Tag>> {
        let (mut tags, mut at) = (Vec::new(), HEAD);
        let end = if self.has_sums() { bytes.len() - 4 } else { bytes.len() };
        while at + self.tag_bytes() <= end {
            let low = u64::from(big_at(bytes, at));
            let second = big_at(bytes, at + 4);
            let third = u64::from(big_at(bytes, at + 8));
            let high = if self.features & WIDE != 0 { third << 32 } else { 0 };
            let new = self.features & SUMS_3 != 0;
            let (flags, sum) = if new {
                (second, big_at(bytes, at + 12))
            } else {
                (second & 0xffff, second >> 16)
            };
            tags.push(Tag { block: low | high, escaped: flags & ESCAPED != 0, sum });
            if flags & LAST != 0 {
                return Some(tags);
            }
            at += self.tag_bytes() + if flags & SAME != 0 { 0 } else { 16 };
        }
        // Full, and nothing says which is the last.
        Some(tags)
    }

    fn read_revoked(&self, bytes: &[u8]) -> Option<Vec<u64>> {
        let wide = self.features & WIDE != 0;
        let numbers = bytes.get(16..big_at(bytes, HEAD) as usize)?;
        let number = |bytes: &[u8]| bytes.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte));
        Some(numbers.chunks_exact(if wide { 8 } else { 4 }).map(number).collect())
    }

    /// Whether a block is the one that a tag was made for.
    pub fn is_whole(&self, sequence: u32, tag: &Tag, bytes: &[u8]) -> bool {
        match self.features {
            bits if bits & SUMS_3 != 0 => self.sum(sequence, bytes) == tag.sum,
            bits if bits & SUMS_2 != 0 => self.sum(sequence, bytes) & 0xffff == tag.sum,
            _ => true,
        }
    }

    fn sum(&self, sequence: u32, bytes: &[u8]) -> u32 {
        crc32c(crc32c(self.seed, &sequence.to_be_bytes()), bytes)
    }

    /// Writes a descriptor for blocks, of which each has its number, and its bytes as they go into the
    /// journal.
    pub fn write_tags<'a>(&self, out: &mut [u8], blocks: impl Iterator<Item = (u64, &'a [u8])>) {
        self.begin(out, DESCRIPTOR);
        let (mut at, mut previous) = (HEAD, None);
        for (nth, (block, bytes)) in blocks.enumerate() {
            let escaped = if is_like_ours(bytes) { ESCAPED } else { 0 };
            let flags = escaped | if nth > 0 { SAME } else { 0 };
            let sum = self.sum_of_escaped(bytes);
            put_big(out, at, block as u32);
            if self.features & SUMS_3 != 0 {
                put_big(out, at + 12, sum);
            } else {
                let sum = if self.features & SUMS_2 != 0 { sum as u16 } else { 0 };
                put(out, at + 4, sum.to_be_bytes());
            }
            // The last four bytes of both kinds of flags are in the same place.
            put(out, at + 6, (flags as u16).to_be_bytes());
            if self.features & WIDE != 0 {
                put_big(out, at + 8, (block >> 32) as u32);
            }
            previous = Some((at + 6, flags));
            at += self.tag_bytes();
            if nth == 0 {
                put(out, at, self.uuid);
                at += 16;
            }
        }
        if let Some((at, flags)) = previous {
            put(out, at, ((flags | LAST) as u16).to_be_bytes());
        }
        self.seal(out, out.len() - 4);
    }

    fn sum_of_escaped(&self, bytes: &[u8]) -> u32 {
        let sum = crc32c(self.seed, &self.sequence.to_be_bytes());
        let hidden = if is_like_ours(bytes) { 4 } else { 0 };
        crc32c_without(sum, bytes, 0, hidden)
    }

    /// Writes the block that says that all before it counts.
    pub fn write_commit(&self, out: &mut [u8]) {
        self.begin(out, COMMIT);
        self.seal(out, COMMIT_SUM);
    }

    fn begin(&self, out: &mut [u8], kind: u32) {
        out.fill(0);
        put_big(out, 0, MAGIC);
        put_big(out, 4, kind);
        put_big(out, 8, self.sequence);
    }

    fn seal(&self, out: &mut [u8], at: usize) {
        if self.has_sums() {
            let sum = crc32c_without(self.seed, out, at, 4);
            put_big(out, at, sum);
        }
    }
}

/// Whether a block could be taken for one of the journal's own: its first word must not go into it.
pub fn is_like_ours(bytes: &[u8]) -> bool {
    big_at(bytes, 0) == MAGIC
}

/// A block gets its first word back.
pub fn restore(bytes: &mut [u8]) {
    put_big(bytes, 0, MAGIC);
}

fn sum_of_superblock(bytes: &[u8]) -> u32 {
    crc32c_without(START, &bytes[..SUPERBLOCK.min(bytes.len())], SUPERBLOCK_SUM, 4)
}
