//! The pages of a memory, by number: a tree of index pages with 512 entries each, as high as the
//! memory's size asks for. A single page needs none: its entry is in the object.
//!
//! Invariant: an entry is zero, or a frame's address with bit 0 set.

use super::super::owners::Owners;
use crate::abi::Error;
use crate::arch::PhysMem;
use crate::units::{Frame, PAGE_SIZE, PhysAddr};
use core::mem;
use core::ops::Range;

/// Entries of an index page.
pub(super) const ENTRIES: u64 = 512;
const PRESENT: u64 = 1;

/// Which frame each page has.
pub(super) struct Index {
    root: u64,
    height: u8,
}

/// Where the entry of a page is: in an index page, or in the object.
#[derive(Clone, Copy)]
pub(super) struct Slot(Option<(Frame, usize)>);

/// The index page with the entries of 512 pages, or that there is none for so many pages around.
pub(super) enum Leaf {
    /// For `slot_in`; `None` where the entry is in the object.
    There(Option<Frame>),
    /// None of the block of so many pages, a multiple of itself away from zero, is there.
    Absent(u64),
}

/// Pages that an entry at so many levels above the last index page stands for.
#[inline(always)]
const fn span(height: u8) -> u64 {
    1 << (9 * height as u32)
}

#[inline(always)]
fn place(page: u64, height: u8) -> usize {
    (page / span(height) % ENTRIES) as usize
}

#[inline(always)]
fn frame(entry: u64) -> Option<Frame> {
    (entry & PRESENT != 0).then(|| PhysAddr(entry).frame())
}

#[inline(always)]
fn read(memory: &PhysMem, table: Frame, at: usize) -> u64 {
    // SAFETY: a frame that was taken for an index page.
    unsafe { memory.read(table, at) }
}

#[inline(always)]
fn write(memory: &mut PhysMem, table: Frame, at: usize, frame: Option<Frame>) {
    let entry = frame.map_or(0, |frame| frame.start().0 | PRESENT);
    // SAFETY: as in `read`; its memory is borrowed.
    unsafe { memory.write(table, at, entry) }
}

impl Index {
    /// An index with room for so many pages.
    pub fn new(pages: u64) -> Index {
        let mut index = Index { root: 0, height: 0 };
        while index.capacity() < pages {
            index.height += 1;
        }
        index
    }

    /// Pages it has room for.
    pub fn capacity(&self) -> u64 {
        span(self.height)
    }

    /// Makes it a level higher. Takes an index page if there is anything in it.
    pub fn heighten(
        &mut self,
        memory: &mut PhysMem,
        take: impl FnOnce(&mut PhysMem) -> Result<Frame, Error>,
    ) -> Result<(), Error> {
        if let Some(root) = frame(self.root) {
            let table = take(memory)?;
            write(memory, table, 0, Some(root));
            self.root = table.start().0 | PRESENT;
        }
        self.height += 1;
        Ok(())
    }

    /// Where a page's entry is; index pages on the way are made with `take`, which gives zeroed frames.
    #[inline]
    pub fn slot(
        &mut self,
        page: u64,
        memory: &mut PhysMem,
        mut take: impl FnMut(&mut PhysMem) -> Result<Frame, Error>,
    ) -> Result<Slot, Error> {
        let mut slot = Slot(None);
        for height in (0..self.height).rev() {
            let table = match self.get(slot, memory) {
                Some(table) => table,
                None => {
                    let table = take(memory)?;
                    self.set(slot, Some(table), memory);
                    table
                }
            };
            slot = Slot(Some((table, place(page, height))));
        }
        Ok(slot)
    }

    /// What an entry names.
    #[inline(always)]
    pub fn get(&self, slot: Slot, memory: &PhysMem) -> Option<Frame> {
        frame(slot.0.map_or(self.root, |(table, at)| read(memory, table, at)))
    }

    /// Changes an entry.
    #[inline(always)]
    pub fn set(&mut self, slot: Slot, frame: Option<Frame>, memory: &mut PhysMem) {
        match slot.0 {
            Some((table, at)) => write(memory, table, at, frame),
            None => self.root = frame.map_or(0, |frame| frame.start().0 | PRESENT),
        }
    }

    /// The index page that has a page's entry.
    pub fn leaf(&self, page: u64, memory: &PhysMem) -> Leaf {
        if self.height == 0 && self.root != 0 {
            return Leaf::There(None);
        }
        match self.table(page, 1, memory) {
            Ok(table) => Leaf::There(Some(table)),
            Err(height) => Leaf::Absent(span(height)),
        }
    }

    /// The slot of a page in its index page, which `leaf` found.
    #[inline(always)]
    pub fn slot_in(&self, leaf: Option<Frame>, page: u64) -> Slot {
        Slot(leaf.map(|table| (table, place(page, 0))))
    }

    /// How many pages from the first on are not there, of a run that has its entries in one place.
    pub fn empty(&self, leaf: Option<Frame>, first: u64, run: u64, memory: &PhysMem) -> u64 {
        let mut pages = first..first + run;
        let there = |page| self.get(self.slot_in(leaf, page), memory).is_some();
        pages.position(there).map_or(run, |at| at as u64)
    }

    /// Takes out the pages of a run that has its entries in one place, and tells how many they were.
    #[inline(always)]
    pub fn take_out(
        &mut self,
        leaf: Option<Frame>,
        pages: Range<u64>,
        memory: &mut PhysMem,
        mut gone: impl FnMut(Frame),
    ) -> u64 {
        let Some(table) = leaf else {
            let page = frame(mem::take(&mut self.root));
            return page.inspect(|&page| gone(page)).is_some() as u64;
        };
        let (first, mut taken) = (place(pages.start, 0), 0);
        for at in first..first + (pages.end - pages.start) as usize {
            if let Some(page) = frame(read(memory, table, at)) {
                write(memory, table, at, None);
                gone(page);
                taken += 1;
            }
        }
        taken
    }

    /// Enters pages of another index, whose entries lie side by side as those here do, and counts one
    /// owner more for each: as many as `most`. Tells how many it looked at, and entered. It stops where
    /// owners cannot be counted.
    #[inline(always)]
    pub fn share(
        &mut self,
        to: Slot,
        (source, from): (&Index, Slot),
        run: u64,
        most: u64,
        memory: &mut PhysMem,
        mut owners: Owners,
    ) -> (u64, u64) {
        let (mut shared, mut nth) = (0, 0);
        let (Some((to_table, to_first)), Some((table, first))) = (to.0, from.0) else {
            // One of them has its only entry in the object.
            let frame = source.get(from, memory).filter(|_| self.get(to, memory).is_none());
            let Some(frame) = frame else { return (1, 0) };
            if most == 0 || !owners.add(frame) {
                return (0, 0);
            }
            self.set(to, Some(frame), memory);
            return (1, 1);
        };
        while nth < run as usize {
            let entry = read(memory, table, first + nth);
            if let Some(page) = frame(entry)
                && read(memory, to_table, to_first + nth) & PRESENT == 0
            {
                if shared == most || !owners.add(page) {
                    break;
                }
                write(memory, to_table, to_first + nth, Some(page));
                shared += 1;
            }
            nth += 1;
        }
        (nth as u64, shared)
    }

    /// Takes out the index pages that begin at `page`, none of whose pages is there.
    pub fn trim(&mut self, page: u64, memory: &mut PhysMem, mut give: impl FnMut(Frame)) {
        for height in 1..=self.height {
            if !page.is_multiple_of(span(height)) {
                return;
            }
            let Ok(table) = self.table(page, height, memory) else { continue };
            let above = match height == self.height {
                true => Slot(None),
                false => match self.table(page, height + 1, memory) {
                    Ok(above) => Slot(Some((above, place(page, height)))),
                    Err(_) => continue,
                },
            };
            self.set(above, None, memory);
            give(table);
        }
    }

    /// How many index pages there are: for tests.
    #[cfg(not(target_os = "none"))]
    pub fn count(&self, memory: &PhysMem) -> u64 {
        fn below(memory: &PhysMem, entry: u64, height: u8) -> u64 {
            let Some(table) = frame(entry).filter(|_| height > 0) else { return 0 };
            let entries = (0..ENTRIES as usize).map(|at| read(memory, table, at));
            1 + entries.map(|entry| below(memory, entry, height - 1)).sum::<u64>()
        }
        below(memory, self.root, self.height)
    }

    /// The index page that stands `height` levels above the pages on the way to one, or the level at
    /// which the way ends.
    fn table(&self, page: u64, height: u8, memory: &PhysMem) -> Result<Frame, u8> {
        let mut entry = self.root;
        let mut at = self.height;
        while let Some(table) = frame(entry) {
            if at <= height {
                return Ok(table);
            }
            at -= 1;
            entry = read(memory, table, place(page, at));
        }
        Err(at)
    }
}

const _: () = assert!(ENTRIES * 8 == PAGE_SIZE);
