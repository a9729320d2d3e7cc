//! Page tables of user code. Unlike the kernel's own they are only a cache: entries may go at any time.

pub(super) use super::super::walker::*;

use crate::arch::{Entry, PhysMem};
use crate::units::{Frame, PAGE_SIZE};
use arrayvec::ArrayVec;
use core::ops::Range;

/// Clears the entries from `at` to `end` that are in one table, large pages as a whole; or has each page
/// keep its frame and `left` besides. If a table of pages `goes`, what is in it need not be cleared.
/// Tells where it stopped, which may be after `end`, the level of that table, and how many of its entries
/// were looked at.
#[inline(always)]
pub(super) fn change(
    memory: &mut PhysMem,
    root: Frame,
    (at, end): (u64, u64),
    left: Option<Entry>,
    goes: bool,
    changed: &mut bool,
) -> (u64, u8, u64) {
    let (table, level) = walk(memory, root, at, PAGES);
    if level < PAGES {
        return clear_large(memory, table, level, (at, end), changed);
    }
    let first = index(at, PAGES);
    if goes {
        return (at + (ENTRIES - first as u64) * PAGE_SIZE, level, 0);
    }
    let upto = (first + ((end - at) / PAGE_SIZE) as usize).min(ENTRIES as usize);
    // In every architecture's entries the frame is in the place where its address has it.
    let (kept, added) = left.map_or((0, 0), |left| (u64::MAX, left.bits()));
    let mut index = first;
    loop {
        index = first_used(index..upto, |index| read(memory, table, index).bits());
        if index >= upto {
            break;
        }
        let entry = read(memory, table, index);
        let new = Entry::from_bits(entry.frame().start().0 & kept | added);
        if new.bits() != entry.bits() {
            write(memory, table, index, new);
            *changed = true;
        }
        index += 1;
    }
    let looked = (upto - first) as u64;
    (at + looked * PAGE_SIZE, level, looked)
}

/// Clears the entries of a table that are empty or large pages, as `change` says.
#[inline(always)]
fn clear_large(
    memory: &mut PhysMem,
    table: Frame,
    level: u8,
    (at, end): (u64, u64),
    changed: &mut bool,
) -> (u64, u8, u64) {
    let first = index(at, level);
    let start = at & !(span(level) - 1);
    let upto = (first as u64 + (end - start).div_ceil(span(level))).min(ENTRIES) as usize;
    let mut index = first;
    while index < upto {
        let entry = read(memory, table, index);
        if entry.is_present() {
            if !entry.is_leaf(level) {
                break;
            }
            write(memory, table, index, Entry::EMPTY);
            *changed = true;
        }
        index += 1;
    }
    let looked = (index - first) as u64;
    (start + looked * span(level), level, looked)
}

/// Takes away the tables on the way to an address, from `level` up, all of whose entries have been
/// cleared: those within the gap that a sweep to `end` makes, which has come as far as `next`. False if
/// there are more than `freed` has room for.
pub(super) fn trim(
    memory: &mut PhysMem,
    root: Frame,
    level: u8,
    (at, next, end): (u64, u64, u64),
    gap: &Range<u64>,
    freed: &mut ArrayVec<Frame, 16>,
) -> bool {
    for above in (0..level).rev() {
        let start = at & !(span(above) - 1);
        let past = start + span(above);
        if start < gap.start || past > gap.end || next < end.min(past) {
            break;
        }
        let (table, _) = walk(memory, root, at, above);
        let entry = read(memory, table, index(at, above));
        if freed.try_push(entry.frame()).is_err() {
            return false;
        }
        write(memory, table, index(at, above), Entry::EMPTY);
    }
    true
}

/// The entries that lead to an address, from the root on; zero where there is none.
pub(super) fn path(memory: &PhysMem, root: Frame, at: u64) -> [u64; 4] {
    core::array::from_fn(|level| match walk(memory, root, at, level as u8) {
        (table, reached) if usize::from(reached) == level => {
            read(memory, table, index(at, reached)).bits()
        }
        _ => 0,
    })
}

/// Addresses of so many pages; `None` where they are no user addresses, or none at all.
pub(super) fn pages_at(at: u64, pages: u64) -> Option<Range<u64>> {
    let end = pages.checked_mul(PAGE_SIZE)?.checked_add(at)?;
    let fits = at.is_multiple_of(PAGE_SIZE) && at < end && end <= crate::abi::USER_END;
    fits.then_some(at..end)
}
