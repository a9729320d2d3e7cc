//! How pages change: staged first, committed all at once.

use crate::kept::{Entry, sum};
use crate::slots::State;
use crate::{Disk, Failure, PAGE, Page, Result, Volume};
use files::Receipt;

/// Slots that stay for pages that are only read.
const SPARE: usize = 8;

impl<D: Disk> Volume<D> {
    /// A page of the disk's structure, or a note, to be changed.
    pub fn change(&mut self, page: u64) -> Result<&mut [u8; PAGE]> {
        self.stage(page, false, false)
    }

    /// The same for whoever writes all of it: nothing is read, and what is in there first is anything.
    pub fn fresh(&mut self, page: u64) -> Result<&mut [u8; PAGE]> {
        self.stage(page, false, true)
    }

    /// A page of a file's data, to be changed, or to be written all of it, which is then anything.
    pub fn data(&mut self, page: u64, whole: bool) -> Result<&mut [u8; PAGE]> {
        self.stage(page, true, whole)
    }

    /// How many pages can be staged still.
    pub fn room(&self) -> usize {
        let taken = self.dirty() + self.notes + 2 * self.staged.len();
        (self.slots.len() - SPARE).saturating_sub(taken)
    }

    /// The room that a new operation has when nothing but notes waits for the next sync.
    pub fn most(&self) -> usize {
        (self.slots.len() - SPARE).saturating_sub(self.notes) / 2
    }

    fn stage(&mut self, page: u64, data: bool, whole: bool) -> Result<&mut [u8; PAGE]> {
        let slot = match self.slots.find(page) {
            Some(slot) if self.slots.get(slot).state == State::Staged => {
                self.slots.get_mut(slot).data &= data;
                slot
            }
            _ if self.room() == 0 => return Err(Failure::NoSpace),
            found => {
                let slot = self.stage_new(page, found, data, whole)?;
                self.staged.push(slot);
                slot
            }
        };
        let at = self.layout.at(slot);
        Ok(bytemuck::cast_mut::<Page, [u8; PAGE]>(&mut self.disk.cache()[at]))
    }

    /// The slot in which a page is staged that was not staged before.
    fn stage_new(
        &mut self,
        page: u64,
        found: Option<usize>,
        data: bool,
        whole: bool,
    ) -> Result<usize> {
        let slot = match found {
            Some(slot) => slot,
            None if whole && !self.is_note(page) => {
                let (slot, _) = self.slots.take(1).ok_or(Failure::NoSpace)?;
                self.slots.put(slot, page, State::Staged, data);
                return Ok(slot);
            }
            None => self.fill(page, 1)?,
        };
        if self.slots.get(slot).state != State::Dirty {
            let it = self.slots.get_mut(slot);
            (it.state, it.data) = (State::Staged, data);
            return Ok(slot);
        }
        let (new, _) = self.slots.take(1).ok_or(Failure::NoSpace)?;
        let (from, to) = (self.layout.at(slot), self.layout.at(new));
        if !whole {
            self.disk.cache().copy_within(from..from + 1, to);
        }
        let data = data && self.slots.get(slot).data;
        self.slots.replace(slot, new, data);
        Ok(new)
    }

    /// What was changed holds from now on, all of it, and survives this program. The receipt, if there
    /// is one, is the last one from now on.
    pub fn commit(&mut self, receipt: Option<&Receipt>) {
        if self.staged.is_empty() && receipt.is_none() && self.words == self.record.words {
            return;
        }
        self.record.sequence += 1;
        for nth in 0..self.staged.len() {
            self.enter(self.staged[nth]);
        }
        self.record.words = self.words;
        if let Some(receipt) = receipt {
            self.record.receipt = *receipt;
        }
        self.layout.write_record(self.disk.cache(), &self.record);
        for slot in core::mem::take(&mut self.staged) {
            if let Some(old) = self.slots.settle(slot) {
                self.layout.write_entry(self.disk.cache(), old, None);
            }
        }
    }

    /// Writes the entry of a staged page, and counts it.
    fn enter(&mut self, slot: usize) {
        let (page, data) = (self.slots.get(slot).page, self.slots.get(slot).data);
        let at = self.layout.at(slot);
        let cache = self.disk.cache();
        let content = sum(page, &cache[at]);
        let entry = Entry { page, sequence: self.record.sequence, data, content };
        let sum = self.layout.write_entry(cache, slot, Some(&entry));
        self.slots.get_mut(slot).sum = sum;
        self.record.entries ^= sum;
        if let Some(old) = self.slots.old(slot) {
            let old = *self.slots.get(old);
            self.record.entries ^= old.sum;
            self.count(old.page, old.data, false);
        }
        self.count(page, data, true);
    }

    /// Counts a dirty page, or no longer.
    pub(crate) fn count(&mut self, page: u64, data: bool, more: bool) {
        let is_note = self.is_note(page);
        let count = if is_note { &mut self.notes } else { &mut self.dirty[usize::from(data)] };
        *count = if more { *count + 1 } else { *count - 1 };
    }

    /// What was changed since the last commit does not hold.
    pub fn abort(&mut self) {
        for slot in core::mem::take(&mut self.staged) {
            self.slots.restore(slot);
        }
        self.words = self.record.words;
    }
}
