//! How what was committed gets to the disk: data first, then the structure, through the journal.
//!
//! Until all of it is there, all of it counts as dirty: whoever is killed meanwhile leaves it to its
//! successor to do once more. But where a disk takes some pages of files and not others, these are lost, and
//! nothing waits for them: the next who wants to know whether all is there is told.

use crate::slots::State;
use crate::{Disk, Failure, Home, Journal, Result, Volume};
use alloc::vec::Vec;

/// Pages that one request writes at most.
const RUN: usize = 64;
/// Ranges that are held at most.
const HELD: usize = 4096;

impl<D: Disk> Volume<D> {
    /// Whether it is time for a sync: the next operation could be short of slots or of journal.
    pub fn is_full(&self, journal: &impl Journal<D>) -> bool {
        let room = journal.room() / 2;
        self.room() < self.most() || self.dirty[0] > room || self.held.ranges() > HELD
    }

    /// Returns when all that was committed stays on the disk. Nothing may be staged.
    pub fn sync(&mut self, journal: &mut impl Journal<D>) -> Result<()> {
        if !self.staged.is_empty() {
            return Err(Failure::Invalid);
        }
        if self.dirty() == 0 {
            return Ok(());
        }
        let data = self.homes(true);
        if !data.is_empty() {
            let lost = self.write_what_can_be(&data);
            // A disk that takes nothing may be there again later.
            self.disk.flush()?;
            self.lost |= lost;
        }
        let pages = self.homes(false);
        if !pages.is_empty() {
            let scratch = self.layout.scratch();
            // More than it has room for goes home without it: better than nowhere.
            let stored = pages.len() <= journal.room();
            if stored {
                journal.store(&mut self.disk, scratch.clone(), &pages)?;
            }
            self.write(&pages)?;
            self.disk.flush()?;
            if stored {
                journal.clear(&mut self.disk, scratch)?;
            }
        }
        self.settle(&[data, pages].concat());
        Ok(())
    }

    /// Fails, once, if pages of files were lost.
    pub fn told(&mut self) -> Result<()> {
        if core::mem::take(&mut self.lost) { Err(Failure::Broken) } else { Ok(()) }
    }

    /// Syncs for whoever takes the disk away: the journal is empty for good.
    pub fn close(&mut self, journal: &mut impl Journal<D>) -> Result<()> {
        self.sync(journal)?;
        self.disk.flush()
    }

    /// Pages that are dirty, in rising order.
    fn homes(&self, data: bool) -> Vec<Home> {
        let dirty = self.slots.in_state(State::Dirty);
        let own = dirty.filter(|(_, slot)| slot.data == data && !self.is_note(slot.page));
        let home = own.map(|(nth, slot)| Home { page: slot.page, at: self.layout.at(nth) });
        let mut homes: Vec<_> = home.collect();
        homes.sort_unstable();
        homes
    }

    /// Writes pages home.
    fn write(&mut self, homes: &[Home]) -> Result<()> {
        runs(homes).try_for_each(|run| self.disk.write(run[0].page, run[0].at, run.len()))
    }

    /// Writes those home that can be written; says whether some cannot.
    fn write_what_can_be(&mut self, homes: &[Home]) -> bool {
        let mut lost = false;
        for run in runs(homes) {
            if self.disk.write(run[0].page, run[0].at, run.len()).is_err() {
                for &Home { page, at } in run {
                    lost |= self.disk.write(page, at, 1).is_err();
                }
            }
        }
        lost
    }

    /// All of these are on the disk.
    fn settle(&mut self, homes: &[Home]) {
        let first = self.layout.at(0);
        for home in homes {
            let slot = self.slots.get_mut(home.at - first);
            slot.state = State::Clean;
            self.record.entries ^= slot.sum;
        }
        self.record.since = self.record.sequence;
        self.record.sequence += 1;
        self.layout.write_record(self.disk.cache(), &self.record);
        for home in homes {
            self.layout.write_entry(self.disk.cache(), home.at - first, None);
        }
        self.dirty = [0; 2];
        self.held.clear();
    }
}

/// Those together that are side by side, there and here.
fn runs(homes: &[Home]) -> impl Iterator<Item = &[Home]> {
    let beside = |a: &Home, b: &Home| a.page + 1 == b.page && a.at + 1 == b.at;
    homes.chunk_by(beside).flat_map(|run| run.chunks(RUN))
}
