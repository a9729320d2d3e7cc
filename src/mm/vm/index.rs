//! The pages of a memory, by number: a tree of index pages with 512 entries each, as high as the
//! memory's size asks for. A single page needs none: its entry is in the object.
//!
//! Invariant: an entry is zero, or a frame's address with bit 0 set.

use super::super::owners::Owners;
use super::super::walker::first_used;
use super::super::{FrameSource, Ram};
use super::Account;
use crate::arch::PhysMem;
use crate::units::{Frame, PAGE_SIZE, PhysAddr, Result};
use core::cell::Cell;
use core::ptr::NonNull;

/// Entries in an index page.
pub(super) const ENTRIES: u64 = 512;
const PRESENT: u64 = 1;

/// Which frame each page has.
pub(super) struct Index {
    /// A cell, as entries of index pages are: what changes them is whoever has the index.
    root: Cell<u64>,
    pub(super) height: u8,
}

/// Entries of pages one after the other: of one index page, or the only one, which is in the object.
/// They are good as long as their index stays where it is.
#[derive(Clone, Copy)]
pub(super) struct Entries(NonNull<u64>);

/// Pages that an entry at so many levels above the last index page stands for.
#[inline(always)]
const fn span(height: u8) -> u64 {
    1 << (9 * height as u32)
}

#[inline(always)]
fn bits(frame: Option<Frame>) -> u64 {
    frame.map_or(0, |frame| frame.start().0 | PRESENT)
}

impl Index {
    /// An index with room for so many pages.
    pub fn new(pages: u64) -> Index {
        let mut index = Index { root: Cell::new(0), height: 0 };
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
    pub fn heighten(&mut self, ram: &mut Ram, payer: &mut Account) -> Result {
        let root = self.root();
        if let Some(below) = root.get() {
            let table = payer.take_zeroed(ram)?;
            Entries::of(table, 0, 0, &ram.memory).set(Some(below));
            root.set(Some(table));
        }
        self.height += 1;
        Ok(())
    }

    /// The entry of a page and those after it; index pages on the way are made.
    #[inline]
    pub fn make(&mut self, page: u64, ram: &mut Ram, payer: &mut Account) -> Result<Entries> {
        let (mut entries, height) = self.way(page, 0, &ram.memory);
        for height in (0..height).rev() {
            let table = payer.take_zeroed(ram)?;
            entries.set(Some(table));
            entries = Entries::of(table, page, height, &ram.memory);
        }
        Ok(entries)
    }

    /// The entry of a page and those after it, or that none of a block of so many pages around it, a
    /// multiple of itself away from zero, is there.
    #[inline]
    pub fn entries(&self, page: u64, memory: &PhysMem) -> Result<Entries, u64> {
        match self.way(page, 0, memory) {
            (entries, 0) => Ok(entries),
            (_, height) => Err(span(height)),
        }
    }

    /// Gives back the index pages that begin at `page`, none of whose pages is there: so many.
    pub fn trim(&mut self, page: u64, ram: &mut Ram) -> u64 {
        let mut gone = 0;
        for height in (1..=self.height).take_while(|&height| page.is_multiple_of(span(height))) {
            let (entry, reached) = self.way(page, height, &ram.memory);
            if let Some(table) = entry.get().filter(|_| reached == height) {
                entry.set(None);
                ram.frames.give(table);
                gone += 1;
            }
        }
        gone
    }

    #[inline(always)]
    pub(super) fn root(&self) -> Entries {
        Entries(NonNull::from(&self.root).cast())
    }

    /// The entry that the way to a page ends in, and its height, `lowest` at least: above that, it is
    /// empty.
    #[inline(always)]
    fn way(&self, page: u64, lowest: u8, memory: &PhysMem) -> (Entries, u8) {
        let (mut entry, mut height) = (self.root(), self.height);
        while height > lowest
            && let Some(table) = entry.get()
        {
            height -= 1;
            entry = Entries::of(table, page, height, memory);
        }
        (entry, height)
    }
}

impl Entries {
    #[inline(always)]
    pub(super) fn of(table: Frame, page: u64, height: u8, memory: &PhysMem) -> Entries {
        let place = (page / span(height) % ENTRIES) as usize;
        // SAFETY: a frame that was taken for an index page has so many entries.
        Entries(unsafe { memory.pointer(table.start()).cast().add(place) })
    }

    /// What the first of them names.
    #[inline(always)]
    pub fn get(self) -> Option<Frame> {
        let entry = self.word();
        (entry & PRESENT != 0).then(|| PhysAddr(entry).frame())
    }

    #[inline(always)]
    fn word(self) -> u64 {
        // SAFETY: the root of an index or an entry of a frame that was taken for it, as `way` says.
        unsafe { self.0.read() }
    }

    /// Changes the first of them.
    #[inline(always)]
    pub fn set(self, frame: Option<Frame>) {
        // SAFETY: as in `word`.
        unsafe { self.0.write(bits(frame)) }
    }

    /// Those from the `nth` on. The caller knows that there are more.
    #[inline(always)]
    pub fn from(self, nth: u64) -> Entries {
        // SAFETY: it is within the index page, or still the first.
        Entries(unsafe { self.0.add(nth as usize) })
    }

    /// How many of so many are empty before the first that is not.
    pub fn empty(self, run: u64) -> u64 {
        first_used(0..run as usize, |nth| self.from(nth as u64).word()) as u64
    }

    /// Empties so many, and tells how many were not.
    #[inline(always)]
    pub fn take_out(self, run: u64, mut gone: impl FnMut(Frame)) -> u64 {
        let mut taken = 0;
        for entry in (0..run).map(|nth| self.from(nth)) {
            if let Some(page) = entry.get() {
                entry.set(None);
                gone(page);
                taken += 1;
            }
        }
        taken
    }

    /// Enters what so many name where `to` has nothing, `most` of them, and counts one owner more for
    /// each. Tells how many it looked at, and entered. It stops where owners cannot be counted.
    #[inline(always)]
    pub fn share(self, to: Entries, run: u64, most: u64, mut owners: Owners) -> (u64, u64) {
        let mut shared = 0;
        for nth in 0..run {
            if let Some(page) = self.from(nth).get()
                && to.from(nth).get().is_none()
            {
                if shared == most || !owners.add(page) {
                    return (nth, shared);
                }
                to.from(nth).set(Some(page));
                shared += 1;
            }
        }
        (run, shared)
    }
}

const _: () = assert!(ENTRIES * 8 == PAGE_SIZE);
