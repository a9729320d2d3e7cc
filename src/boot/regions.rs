//! Lists of physical ranges: adding what firmware claims, putting it in order, taking away what is
//! reserved. Invariant of a list in order: sorted, disjoint, not touching, page-aligned, not empty.

use super::info::{PhysRange, Regions};
use crate::units::{PAGE_SIZE, PhysAddr};
use core::iter;

/// RAM is used up to here: 1 TiB. A claim beyond is taken for a lie, so that nothing sized by it
/// (the frame bitmap first) grows without bounds.
pub const MEMORY_LIMIT: u64 = 1 << 40;

/// What had to be changed to put a list in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Changes {
    /// Some ranges overlapped and are one now.
    pub overlaps: bool,
    /// Some reached beyond [`MEMORY_LIMIT`] and were cut.
    pub cut: bool,
}

/// The range of `size` bytes at `start`, or what is wrong with it.
pub fn range(start: u64, size: u64) -> Result<PhysRange, &'static str> {
    if size == 0 {
        return Err("is empty");
    }
    let end = start.checked_add(size).ok_or("ends beyond the last address")?;
    Ok(PhysAddr(start)..PhysAddr(end))
}

/// Adds RAM to a list that is not in order yet.
pub fn add_memory(list: &mut Regions, start: u64, size: u64) -> Result<(), &'static str> {
    list.try_push(range(start, size)?).map_err(|_| "is one too many")
}

/// Adds a reservation. A full list never loses one: the two that lie closest become one, which
/// keeps back more than was asked for and never less.
pub fn reserve(list: &mut Regions, reservation: PhysRange) {
    if reservation.is_empty() {
        return;
    }
    if list.is_full() {
        order_reserved(list);
    }
    if list.is_full() {
        join_closest(list);
    }
    list.push(reservation);
}

/// Puts RAM in order. Only whole pages remain.
pub fn order_memory(list: &mut Regions) -> Changes {
    let mut changes = Changes::default();
    for range in list.iter_mut().filter(|range| range.end.0 > MEMORY_LIMIT) {
        let limit = PhysAddr(MEMORY_LIMIT);
        *range = range.start.min(limit)..limit;
        changes.cut = true;
    }
    changes.overlaps = merge(list);
    for range in list.iter_mut() {
        let start = range.start.0.next_multiple_of(PAGE_SIZE);
        *range = PhysAddr(start)..PhysAddr((range.end.0 & !(PAGE_SIZE - 1)).max(start));
    }
    list.retain(|range| !range.is_empty());
    changes
}

/// Puts reservations in order. Every page they touch is theirs.
pub fn order_reserved(list: &mut Regions) {
    for range in list.iter_mut() {
        // The last page of all cannot be named by an exclusive end; the one before it can.
        let end = range.end.0.checked_next_multiple_of(PAGE_SIZE).unwrap_or(!(PAGE_SIZE - 1));
        *range = PhysAddr(range.start.0 & !(PAGE_SIZE - 1))..PhysAddr(end);
    }
    list.retain(|range| !range.is_empty());
    merge(list);
}

/// Whether all of `range` lies in one range of a list in order.
pub fn contains(list: &[PhysRange], range: &PhysRange) -> bool {
    list.iter().any(|outer| outer.start <= range.start && range.end <= outer.end)
}

/// Whether two ranges have a byte in common.
pub fn overlap(one: &PhysRange, other: &PhysRange) -> bool {
    one.start.max(other.start) < one.end.min(other.end)
}

/// What remains of `memory` without `reserved`, in ascending order; both lists are in order.
pub fn free<'a>(
    memory: &'a [PhysRange],
    reserved: &'a [PhysRange],
) -> impl Iterator<Item = PhysRange> + Clone + use<'a> {
    memory.iter().flat_map(|bank| {
        // Gaps between reservations, as far as they lie in the bank.
        let starts = iter::once(bank.start).chain(reserved.iter().map(|taken| taken.end));
        let ends = reserved.iter().map(|taken| taken.start).chain([bank.end]);
        let gaps = starts.zip(ends).map(|(start, end)| start.max(bank.start)..end.min(bank.end));
        gaps.filter(|gap| !gap.is_empty())
    })
}

/// Sorts, and makes one of those that overlap or touch. Says whether any overlapped.
fn merge(list: &mut Regions) -> bool {
    // By insertion: they are few, and nearly in order.
    for end in 1..list.len() {
        let mut at = end;
        while at > 0 && list[at - 1].start > list[at].start {
            list.swap(at - 1, at);
            at -= 1;
        }
    }
    let mut overlaps = false;
    let mut merged = Regions::new();
    for range in list.drain(..) {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => {
                overlaps |= range.start < last.end;
                last.end = last.end.max(range.end);
            }
            _ => merged.push(range),
        }
    }
    *list = merged;
    overlaps
}

/// Makes one of the two ranges with the smallest gap between them; the list is in order.
fn join_closest(list: &mut Regions) {
    let gaps = list.windows(2).map(|pair| match pair {
        [low, high] => high.start.0 - low.end.0,
        _ => u64::MAX,
    });
    if let Some((at, _)) = gaps.enumerate().min_by_key(|&(_, gap)| gap) {
        let high = list.remove(at + 1);
        list[at].end = high.end;
    }
}
