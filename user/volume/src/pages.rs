//! Pages that are read, and read ahead.

use crate::held::Held;
use crate::kept::{Layout, Record, WORDS};
use crate::slots::{Slots, State};
use crate::{Disk, Failure, PAGE, Page, Result, SECTOR, bytes};
use alloc::vec::Vec;
use core::ops::Range;
use files::Receipt;

/// Pages that can be notes.
const NOTES: u64 = 1 << 20;

/// The pages of a disk.
#[derive(Debug)]
pub struct Volume<D> {
    pub(crate) disk: D,
    pub(crate) layout: Layout,
    pub(crate) slots: Slots,
    /// What holds, as it is in the kept memory.
    pub(crate) record: Record,
    /// What is to go with the next commit.
    pub(crate) words: [u64; WORDS],
    /// Slots of the operation that goes on.
    pub(crate) staged: Vec<usize>,
    /// Pages that are not on the disk: of its structure, and of files.
    pub(crate) dirty: [usize; 2],
    /// Notes that there are.
    pub(crate) notes: usize,
    pub(crate) held: Held,
    /// Pages of files could not be written, and nobody was told.
    pub(crate) lost: bool,
}

impl<D: Disk> Volume<D> {
    /// The disk.
    pub fn disk(&mut self) -> &mut D {
        &mut self.disk
    }

    /// The disk, as this leaves it: what was committed is in its cache.
    pub fn into_disk(self) -> D {
        self.disk
    }

    /// Where the cache has pages for whoever needs some for a moment.
    pub fn scratch(&self) -> Range<usize> {
        self.layout.scratch()
    }

    /// How many pages the disk has; the last may have less than 4096 bytes.
    pub fn pages(&self) -> u64 {
        self.disk.sectors().div_ceil(PAGE as u64 / SECTOR)
    }

    /// The page of a note.
    pub fn note(&self, nth: u64) -> u64 {
        self.pages() + nth
    }

    pub(crate) fn is_note(&self, page: u64) -> bool {
        page >= self.pages()
    }

    /// Forgets what is as the disk has it: somebody else may have written there.
    pub fn refresh(&mut self) {
        for slot in 0..self.slots.len() {
            if self.slots.get(slot).state == State::Clean {
                self.slots.clear(slot);
            }
        }
    }

    /// A page, as the operation that goes on sees it.
    #[inline]
    pub fn page(&mut self, page: u64) -> Result<&[u8; PAGE]> {
        self.words_of(page).map(bytemuck::cast_ref)
    }

    /// The same as words, in the order of the processor.
    #[inline]
    pub fn words_of(&mut self, page: u64) -> Result<&Page> {
        let slot = self.slot_of(page)?;
        let at = self.layout.at(slot);
        Ok(&self.disk.cache()[at])
    }

    #[inline]
    fn slot_of(&mut self, page: u64) -> Result<usize> {
        let slot = match self.slots.find(page) {
            Some(slot) => slot,
            None => self.fill(page, 1)?,
        };
        self.slots.touch(slot);
        Ok(slot)
    }

    /// The bytes of pages from this one on, as many as are wanted or fewer. Where they must be read,
    /// as many are read as `ahead` says.
    pub fn run(&mut self, page: u64, wanted: usize, ahead: usize) -> Result<&[u8]> {
        let first = match self.slots.find(page) {
            Some(slot) => slot,
            None => self.fill(page, ahead.max(wanted))?,
        };
        let next = |count: &usize| self.slots.is_at(first + count, page + *count as u64);
        let count = 1 + (1..wanted).take_while(next).count();
        let at = self.layout.at(first);
        Ok(bytes(&self.disk.cache()[at..at + count]))
    }

    /// Reads a page that is not here, with what follows it up to so many pages; its slot.
    pub(crate) fn fill(&mut self, page: u64, wanted: usize) -> Result<usize> {
        if page >= self.pages() + NOTES {
            return Err(Failure::Broken);
        }
        if self.is_note(page) {
            return self.blank(page);
        }
        let left = (self.pages() - page).min(wanted as u64) as usize;
        let absent = |count: &usize| self.slots.find(page + *count as u64).is_none();
        let count = 1 + (1..left).take_while(absent).count();
        let (first, count) = self.slots.take(count).ok_or(Failure::NoSpace)?;
        let at = self.layout.at(first);
        let read = self.disk.read(page, at, count);
        // What nobody has asked for yet may be what cannot be read.
        let (read, count) = match read {
            Err(_) if count > 1 => (self.disk.read(page, at, 1), 1),
            read => (read, count),
        };
        read?;
        for nth in 0..count {
            self.slots.put(first + nth, page + nth as u64, State::Clean, true);
        }
        Ok(first)
    }

    /// A note that was never changed: zeroes.
    fn blank(&mut self, page: u64) -> Result<usize> {
        let (slot, _) = self.slots.take(1).ok_or(Failure::NoSpace)?;
        let at = self.layout.at(slot);
        self.disk.cache()[at].fill(0);
        self.slots.put(slot, page, State::Clean, false);
        Ok(slot)
    }

    /// What was told to the last request that had a number, or another commit after it.
    pub fn receipt(&self) -> &Receipt {
        &self.record.receipt
    }

    /// The words as the operation that goes on sees them.
    pub fn words(&mut self) -> &mut [u64; WORDS] {
        &mut self.words
    }

    /// What was freed is not handed out before the next sync.
    pub fn free(&mut self, first: u64, count: u64) {
        self.held.hold(first, count);
    }

    /// What is not handed out yet.
    pub fn held(&self) -> &Held {
        &self.held
    }

    /// How many pages are not on the disk.
    pub fn dirty(&self) -> usize {
        self.dirty.iter().sum()
    }
}
