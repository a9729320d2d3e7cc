//! How a volume begins: with nothing, or with what its predecessor has left.

use crate::held::Held;
use crate::kept::{Entry, Layout, Record, WORDS, sum};
use crate::slots::{Slots, State};
use crate::{Disk, Failure, Result, Volume};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use files::Receipt;

/// What was found in the kept memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// Nothing: it was never used.
    Nothing,
    /// The work of a predecessor: so many pages that are not on the disk, and so many notes.
    Work(usize, usize),
    /// Something that cannot be believed, for this reason. It is gone.
    Damage(&'static str),
}

/// The entries that hold, by their pages, with their slots and sums.
type Believed = BTreeMap<u64, (Entry, usize, u64)>;

impl<D: Disk> Volume<D> {
    /// Begins with what is in the disk's cache. Too small a cache is [`Failure::Invalid`].
    pub fn open(mut disk: D) -> Result<(Volume<D>, Found)> {
        let sectors = disk.sectors();
        let layout = Layout::new(disk.cache().len(), sectors).ok_or(Failure::Invalid)?;
        let record = Record {
            sequence: 1,
            since: 0,
            entries: 0,
            words: [0; WORDS],
            receipt: Receipt::new(0, 0, &[]),
        };
        let mut volume = Volume {
            slots: Slots::new(layout.slots()),
            words: record.words,
            staged: Vec::new(),
            dirty: [0; 2],
            notes: 0,
            held: Held::default(),
            lost: false,
            disk,
            layout,
            record,
        };
        let found = match volume.believe() {
            Ok(found) => found,
            Err(why) => {
                volume.forget();
                Found::Damage(why)
            }
        };
        Ok((volume, found))
    }

    /// Takes what a predecessor has left, if it is whole.
    fn believe(&mut self) -> core::result::Result<Found, &'static str> {
        let Some(record) = self.layout.read_record(self.disk.cache()) else {
            let unused = self.disk.cache()[0].iter().all(|&word| word == 0);
            self.forget();
            return if unused { Ok(Found::Nothing) } else { Err("no record is whole") };
        };
        let believed = self.believed(&record);
        let entries = believed.values().fold(0, |all, (_, _, sum)| all ^ sum);
        if entries != record.entries {
            return Err("an entry is missing or wrong");
        }
        for &(entry, slot, _) in believed.values() {
            let at = self.layout.at(slot);
            if sum(entry.page, &self.disk.cache()[at]) != entry.content {
                return Err("a page is not what it was");
            }
        }
        (self.words, self.record) = (record.words, record);
        for &(entry, slot, sum) in believed.values() {
            self.slots.put(slot, entry.page, State::Dirty, entry.data);
            self.slots.get_mut(slot).sum = sum;
            self.count(entry.page, entry.data, true);
        }
        for slot in 0..self.slots.len() {
            if self.slots.get(slot).state == State::Free {
                self.layout.write_entry(self.disk.cache(), slot, None);
            }
        }
        Ok(Found::Work(self.dirty(), self.notes))
    }

    /// The last committed version of each page that is not on the disk.
    fn believed(&mut self, record: &Record) -> Believed {
        let mut believed = Believed::new();
        for slot in 0..self.slots.len() {
            let Some((entry, sum)) = self.layout.read_entry(self.disk.cache(), slot) else {
                continue;
            };
            let committed = entry.sequence <= record.sequence;
            if !committed || entry.sequence <= record.since && !self.is_note(entry.page) {
                continue;
            }
            let newer = |(other, ..): &(Entry, usize, u64)| other.sequence < entry.sequence;
            if believed.get(&entry.page).is_none_or(newer) {
                believed.insert(entry.page, (entry, slot, sum));
            }
        }
        believed
    }

    /// Begins with nothing.
    fn forget(&mut self) {
        let table = self.layout.table();
        let cache = self.disk.cache();
        cache[table].iter_mut().for_each(|page| page.fill(0));
        cache[0].fill(0);
        self.layout.write_record(self.disk.cache(), &self.record);
    }
}
