//! How files become shorter: from their ends, in steps that each change few pages.

use crate::Fat;
use crate::record::Record;
use crate::table::{END, Next};
use alloc::collections::VecDeque;
use files::Result;
use volume::Disk;

/// Pages of the table that one step changes at least, and at most, in each copy.
const STEP: (usize, usize) = (2, 64);

impl<D: Disk> Fat<D> {
    /// What was changed holds; and goes to the disk, if it is time.
    pub(crate) fn step(&mut self) -> Result<()> {
        self.volume.commit(None);
        if self.is_full() { self.flush() } else { Ok(()) }
    }

    /// Makes a file or directory, by its entry, so long that it has no more than so many clusters and
    /// bytes. All steps but the last are committed.
    pub(crate) fn shrink(&mut self, at: u64, size: u64) -> Result<Record> {
        let keep = self.shape.clusters(size);
        loop {
            let (_, mut record) = self.record_at(at)?;
            let head = self.first_of(&record);
            if !self.shape.has(head) {
                record.set_first(0);
                record.set_size(0);
                self.set_record(at, &record)?;
                return Ok(record);
            }
            let from = self.cut_point(head, keep)?;
            self.cut(head, from)?;
            if from == 0 {
                record.set_first(0);
            }
            let room = u64::from(from) * self.shape.cluster;
            if !record.is_directory() {
                record.set_size(record.size().min(if from == keep { size } else { room }));
            }
            self.set_record(at, &record)?;
            if from == keep {
                return Ok(record);
            }
            self.step()?;
        }
    }

    /// Pages of the table that one step may change, in each copy.
    fn turns(&self) -> usize {
        let journal = self.log.as_ref().map_or(usize::MAX, |log| log.pages());
        let pages = journal.min(self.volume.room()) / 4 / self.shape.copies as usize;
        pages.clamp(STEP.0, STEP.1)
    }

    /// The index from which a chain can be cut in one step, where that many clusters are to be kept.
    fn cut_point(&mut self, head: u32, keep: u32) -> Result<u32> {
        let (mut index, mut page, mut last) = (keep, u64::MAX, None);
        // Where the walk came to another page of the table, for the last few times.
        let most = self.turns();
        let mut turns = VecDeque::with_capacity(most + 1);
        let Some((mut cluster, _)) = self.follow(head, keep, 1).unwrap_or(None) else {
            return Ok(keep);
        };
        while last != Some(cluster) && index <= self.shape.last {
            if self.table_page(cluster) != page {
                page = self.table_page(cluster);
                turns.push_back(index);
                if turns.len() > most {
                    turns.pop_front();
                }
            }
            last = Some(cluster);
            let Next::To(next) = self.next(cluster)? else { break };
            (cluster, index) = (next, index + 1);
        }
        Ok(turns.front().copied().unwrap_or(keep))
    }

    /// Frees a chain from an index on.
    fn cut(&mut self, head: u32, from: u32) -> Result<()> {
        let before = match from {
            0 => None,
            _ => self.follow(head, from - 1, 1).unwrap_or(None).map(|(cluster, _)| cluster),
        };
        let mut cluster = match before {
            None if from > 0 => return Ok(()),
            None => head,
            Some(before) => {
                let Next::To(next) = self.next(before)? else { return Ok(()) };
                self.set_next(before, END)?;
                next
            }
        };
        self.chains.forget(head);
        // What is free already ends a chain that runs into itself.
        loop {
            let next = self.next(cluster)?;
            if next == Next::Free {
                return Ok(());
            }
            self.set_next(cluster, 0)?;
            self.count(1);
            self.volume.free(cluster.into(), 1);
            let Next::To(next) = next else { return Ok(()) };
            cluster = next;
        }
    }
}
