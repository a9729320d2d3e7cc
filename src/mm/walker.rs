//! The way down through the four levels of a page table: what the kernel's own table and those of
//! user code have in common. Portable over what an [`Entry`] is.

use crate::arch::{Entry, PhysMem};
use crate::units::{Frame, PAGE_SIZE};
use core::ops::Range;

/// The level of the tables whose entries map pages.
pub(super) const PAGES: u8 = 3;
/// The level of the tables whose entries map 2 MiB.
pub(super) const LARGE: u8 = 2;
/// Entries in a table.
pub(super) const ENTRIES: u64 = 512;

/// Bytes that an entry of a table at `level` stands for.
pub(super) const fn span(level: u8) -> u64 {
    PAGE_SIZE << (9 * (PAGES - level))
}

/// Which entry of a table at `level` an address has.
pub(super) const fn index(at: u64, level: u8) -> usize {
    (at / span(level) % ENTRIES) as usize
}

#[inline(always)]
pub(super) fn read(memory: &PhysMem, table: Frame, at: usize) -> Entry {
    // SAFETY: a root, or what an entry named: a frame that was taken for a table.
    Entry::from_bits(unsafe { memory.read(table, at) })
}

#[inline(always)]
pub(super) fn write(memory: &mut PhysMem, table: Frame, at: usize, entry: Entry) {
    // SAFETY: as in `read`; the one who calls has borrowed what owns the table.
    unsafe { memory.write(table, at, entry.bits()) }
}

/// The first number of a range whose word is not zero, or its end. Zeroes come in long runs, so four are
/// looked at together behind one.
#[inline(always)]
pub(super) fn first_used(range: Range<usize>, word: impl Fn(usize) -> u64) -> usize {
    let Range { start: mut at, end } = range;
    while at < end && word(at) == 0 {
        at += 1;
        while at + 4 <= end && word(at) | word(at + 1) | word(at + 2) | word(at + 3) == 0 {
            at += 4;
        }
    }
    at
}

/// The table that the way down to an address ends in, and its level, `lowest` at most: above that, what
/// it has there is empty or a large page.
#[inline(always)]
pub(super) fn walk(memory: &PhysMem, root: Frame, at: u64, lowest: u8) -> (Frame, u8) {
    let (mut table, mut level) = (root, 0);
    while level < lowest {
        let entry = read(memory, table, index(at, level));
        if !entry.is_present() || entry.is_leaf(level) {
            break;
        }
        (table, level) = (entry.frame(), level + 1);
    }
    (table, level)
}
