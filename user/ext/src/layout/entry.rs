//! Blocks of directories: names, each with the number of an inode.
//!
//! The entries of a block follow one another without a gap: one that goes is added to that before it.
//! With checksums, a block ends with something that looks like an unused entry and has the checksum.
//! The inner blocks of an index look like blocks that have one unused entry, so that whoever knows of
//! none finds all names.

use super::checksum::crc32c;
use super::superblock::{Shape, feature};
use super::{put, put_u16, put_u32, u16_at, u32_at};
use files::{DIRECTORY, Failure, KIND, LINK, REGULAR, Result};

/// Bytes before the name.
const HEAD: usize = 8;
/// Bytes of what has the checksum.
const TAIL: usize = 12;
/// Kinds of files, by the number that an entry has for them.
const KINDS: [u32; 8] = [0, REGULAR, DIRECTORY, 0o020_000, 0o060_000, 0o010_000, 0o140_000, LINK];

/// An entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found<'a> {
    /// Where it is in its block, and where the next is.
    pub at: usize,
    /// See above.
    pub next: usize,
    /// The inode, or 0 if it is not used.
    pub inode: u32,
    /// The kind of file, or 0 if that is not known.
    pub kind: u32,
    /// The name.
    pub name: &'a [u8],
}

/// Whether entries say the kind of file.
fn has_kinds(shape: &Shape) -> bool {
    shape.incompatible & feature::KINDS != 0
}

/// Reads the entry at a place.
pub fn read<'a>(shape: &Shape, block: &'a [u8], at: usize) -> Result<Found<'a>> {
    let length = usize::from(u16_at(block, at + 4));
    let next = at + length;
    let (name, kind) = match u16_at(block, at + 6).to_le_bytes() {
        [name, kind] if has_kinds(shape) => (usize::from(name), usize::from(kind)),
        both => (u16::from_le_bytes(both).into(), 0),
    };
    let fits =
        length >= HEAD && length.is_multiple_of(4) && next <= block.len() && HEAD + name <= length;
    if !fits {
        return Err(Failure::Broken);
    }
    let kind = KINDS.get(kind).copied().unwrap_or(0);
    let name = &block[at + HEAD..at + HEAD + name];
    Ok(Found { at, next, inode: u32_at(block, at), kind, name })
}

/// The entries of a block that are used.
pub fn all<'a>(shape: &Shape, block: &'a [u8]) -> impl Iterator<Item = Result<Found<'a>>> {
    let mut at = 0;
    core::iter::from_fn(move || {
        while at < block.len() {
            let found = read(shape, block, at);
            at = found.as_ref().map_or(block.len(), |found| found.next);
            if found.is_err() || found.is_ok_and(|found| found.inode != 0) {
                return Some(found);
            }
        }
        None
    })
}

/// Where a block's entries end.
fn end(shape: &Shape, block: &[u8]) -> usize {
    if shape.sums() { block.len() - TAIL } else { block.len() }
}

fn needed(name: &[u8]) -> usize {
    (HEAD + name.len()).next_multiple_of(4)
}

/// Makes a block without entries.
pub fn make(shape: &Shape, block: &mut [u8]) {
    block.fill(0);
    let end = end(shape, block);
    put_u16(block, 4, end as u16);
    make_tail(shape, block);
}

fn make_tail(shape: &Shape, block: &mut [u8]) {
    if shape.sums() {
        let at = block.len() - TAIL;
        put(block, at, [0, 0, 0, 0, TAIL as u8, 0, 0, 0xde]);
    }
}

/// Makes the first block of a directory.
pub fn make_first(shape: &Shape, block: &mut [u8], own: u32, parent: u32) {
    make(shape, block);
    // An empty block has room for both.
    let _ = insert(shape, block, 0, b".", own, DIRECTORY);
    let _ = insert(shape, block, 0, b"..", parent, DIRECTORY);
}

/// The first block of an index becomes one like others, as the rest of it is: that has two entries.
pub fn forget_index(shape: &Shape, block: &mut [u8]) -> Result<()> {
    let (own, parent) = {
        let own = read(shape, block, 0)?;
        (own.inode, read(shape, block, own.next)?.inode)
    };
    make_first(shape, block, own, parent);
    Ok(())
}

/// Whether a block is one of the index, but not its first.
pub fn is_inner(block: &[u8]) -> bool {
    u32_at(block, 0) == 0 && usize::from(u16_at(block, 4)) == block.len()
}

/// The first entry after which, or in place of which, there is room for another.
pub fn room(shape: &Shape, block: &[u8], name: &[u8]) -> Result<Option<usize>> {
    let (mut at, end) = (0, end(shape, block));
    while at < end {
        let found = read(shape, block, at)?;
        if found.next <= end && found.next - at >= used(&found) + needed(name) {
            return Ok(Some(at));
        }
        at = found.next;
    }
    Ok(None)
}

/// Bytes that an entry needs itself.
fn used(found: &Found) -> usize {
    if found.inode == 0 { 0 } else { needed(found.name) }
}

/// Puts an entry where there is [room].
pub fn insert(
    shape: &Shape,
    block: &mut [u8],
    mut at: usize,
    name: &[u8],
    inode: u32,
    kind: u32,
) -> Result<()> {
    let before = read(shape, block, at)?;
    let (used, next) = (used(&before), before.next);
    if used > 0 {
        put_u16(block, at + 4, used as u16);
        at += used;
    }
    let place = block.get_mut(at + HEAD..at + HEAD + name.len()).ok_or(Failure::Broken)?;
    place.copy_from_slice(name);
    put_u16(block, at + 4, (next - at) as u16);
    put_u16(block, at + 6, name.len() as u16);
    set(shape, block, at, inode, kind);
    Ok(())
}

/// An entry leads to another inode.
pub fn set(shape: &Shape, block: &mut [u8], at: usize, inode: u32, kind: u32) {
    put_u32(block, at, inode);
    if has_kinds(shape) {
        let kind = KINDS.iter().position(|&it| it == kind & KIND).unwrap_or(0);
        put(block, at + 7, [kind as u8]);
    }
}

/// Takes an entry away.
pub fn remove(shape: &Shape, block: &mut [u8], at: usize) -> Result<()> {
    let next = read(shape, block, at)?.next;
    let mut before = None;
    let mut place = 0;
    while place < at {
        let found = read(shape, block, place)?;
        (before, place) = (Some(place), found.next);
    }
    match before {
        Some(before) => put_u16(block, before + 4, (next - before) as u16),
        None => put_u32(block, at, 0),
    }
    Ok(())
}

/// Whether a block ends with a checksum.
fn has_tail(block: &[u8]) -> bool {
    let at = block.len() - TAIL;
    block[at..at + HEAD] == [0, 0, 0, 0, TAIL as u8, 0, 0, 0xde]
}

/// Whether a block has the right checksum. Those of an index have theirs elsewhere: they are believed.
pub fn is_whole(shape: &Shape, seed: u32, block: &[u8], indexed: bool) -> bool {
    if !shape.sums() {
        return true;
    }
    let at = block.len() - TAIL;
    if has_tail(block) { crc32c(seed, &block[..at]) == u32_at(block, at + HEAD) } else { indexed }
}

/// A block gets the right checksum, if it has a place for it.
pub fn seal(shape: &Shape, seed: u32, block: &mut [u8]) {
    if shape.sums() && has_tail(block) {
        let at = block.len() - TAIL;
        let sum = crc32c(seed, &block[..at]);
        put_u32(block, at + HEAD, sum);
    }
}
