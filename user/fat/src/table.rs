//! The table: what comes after each cluster. All copies of it are kept equal.

use crate::Fat;
use crate::boot::{FIRST, Kind};
use crate::le::{put_u16, put_u32, u16_at, u32_at};
use crate::record::Record;
use files::{Failure, Result};
use volume::{Disk, PAGE};

const ALL: u64 = PAGE as u64;
/// The last cluster of a chain.
pub const END: u32 = 0x0fff_ffff;
/// Of a table's entry of 32 bits those that mean something.
const USED: u32 = 0x0fff_ffff;

/// The words that go with each commit: free clusters, one more than there are, or 0 if nobody knows.
pub const FREE: usize = 0;
/// The cluster where it may be worth to look for a free one.
pub const HINT: usize = 1;

/// What comes after a cluster.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// It is free.
    Free,
    /// Nothing.
    Last,
    /// This one.
    To(u32),
    /// Nothing that makes sense.
    Bad,
}

impl<D: Disk> Fat<D> {
    /// Bytes on one page.
    pub(crate) fn bytes(&mut self, at: u64, count: usize) -> Result<&[u8]> {
        let from = (at % ALL) as usize;
        self.volume.page(at / ALL)?.get(from..from + count).ok_or(Failure::Broken)
    }

    /// Bytes on one page, to be changed.
    pub(crate) fn bytes_mut(&mut self, at: u64, count: usize) -> Result<&mut [u8]> {
        let from = (at % ALL) as usize;
        self.volume.change(at / ALL)?.get_mut(from..from + count).ok_or(Failure::Broken)
    }

    /// Where the entry of a cluster is in the first copy of the table.
    fn entry_at(&self, cluster: u32) -> u64 {
        let cluster = u64::from(cluster);
        self.shape.table
            + match self.shape.kind {
                Kind::Fat12 => cluster + cluster / 2,
                Kind::Fat16 => 2 * cluster,
                Kind::Fat32 => 4 * cluster,
            }
    }

    /// The page of the table where the entry of a cluster is.
    pub(crate) fn table_page(&self, cluster: u32) -> u64 {
        self.entry_at(cluster) / ALL
    }

    /// The first cluster of an entry. Its upper half means something with 32 bits only.
    pub(crate) fn first_of(&self, record: &Record) -> u32 {
        if self.shape.kind == Kind::Fat32 { record.first() } else { record.first() & 0xffff }
    }

    fn entry(&mut self, cluster: u32) -> Result<u32> {
        let at = self.entry_at(cluster);
        Ok(match self.shape.kind {
            Kind::Fat12 => {
                let [low, high] = [self.bytes(at, 1)?[0], self.bytes(at + 1, 1)?[0]];
                let both = u32::from(u16::from_le_bytes([low, high]));
                if cluster.is_multiple_of(2) { both & 0xfff } else { both >> 4 }
            }
            Kind::Fat16 => u16_at(self.bytes(at, 2)?, 0).into(),
            Kind::Fat32 => u32_at(self.bytes(at, 4)?, 0) & USED,
        })
    }

    /// Whether whoever wrote the disk last was done with it.
    pub(crate) fn was_done(&mut self) -> Result<bool> {
        let done = match self.shape.kind {
            Kind::Fat12 => 0,
            Kind::Fat16 => 0x8000,
            Kind::Fat32 => 0x0800_0000,
        };
        Ok(self.entry(1)? & done == done)
    }

    /// What comes after a cluster, which there is.
    pub(crate) fn next(&mut self, cluster: u32) -> Result<Next> {
        let entry = self.entry(cluster)?;
        let end = match self.shape.kind {
            Kind::Fat12 => 0xff8,
            Kind::Fat16 => 0xfff8,
            Kind::Fat32 => 0x0fff_fff8,
        };
        Ok(match entry {
            0 => Next::Free,
            next if self.shape.has(next) => Next::To(next),
            next if next >= end => Next::Last,
            _ => Next::Bad,
        })
    }

    /// How many clusters follow one side by side, as far as one page of the table says it.
    pub(crate) fn followers(&mut self, cluster: u32, most: u32) -> Result<u32> {
        let until = self.page_end(cluster).min(cluster.saturating_add(most.saturating_sub(1)));
        let (at, count) = (self.entry_at(cluster), (until - cluster + 1) as usize);
        let after = cluster + 1..=self.shape.last;
        Ok(match self.shape.kind {
            Kind::Fat12 => 0,
            Kind::Fat16 => {
                let entries = self.bytes(at, 2 * count)?.chunks_exact(2);
                let same =
                    entries.zip(after).take_while(|(it, next)| u16_at(it, 0) as u32 == *next);
                same.count() as u32
            }
            Kind::Fat32 => {
                let entries = self.bytes(at, 4 * count)?.chunks_exact(4);
                let same =
                    entries.zip(after).take_while(|(it, next)| u32_at(it, 0) & USED == *next);
                same.count() as u32
            }
        })
    }

    /// Says what comes after a cluster, in all copies.
    pub(crate) fn set_next(&mut self, cluster: u32, next: u32) -> Result<()> {
        for copy in 0..self.shape.copies {
            let at = self.entry_at(cluster) + copy * self.shape.table_bytes;
            match self.shape.kind {
                Kind::Fat12 => {
                    // An entry has one and a half bytes, which may be on two pages.
                    let is_even = cluster.is_multiple_of(2);
                    let (mask, value) =
                        if is_even { (0x0fff, next & 0xfff) } else { (0xfff0, next << 4 & 0xfff0) };
                    for (nth, at) in [at, at + 1].into_iter().enumerate() {
                        let (mask, value) = ((mask >> (8 * nth)) as u8, (value >> (8 * nth)) as u8);
                        let byte = &mut self.bytes_mut(at, 1)?[0];
                        *byte = *byte & !mask | value & mask;
                    }
                }
                Kind::Fat16 => put_u16(self.bytes_mut(at, 2)?, 0, next as u16),
                Kind::Fat32 => {
                    let bytes = self.bytes_mut(at, 4)?;
                    put_u32(bytes, 0, u32_at(bytes, 0) & !USED | next & USED);
                }
            }
        }
        Ok(())
    }

    /// The first free cluster of a range.
    fn find_free(&mut self, from: u32, to: u32) -> Result<Option<u32>> {
        let mut cluster = from.max(FIRST);
        while cluster <= to {
            if let Some(end) = self.volume.held().end_of(cluster.into()) {
                cluster = u32::try_from(end).map_err(|_| Failure::Broken)?;
                continue;
            }
            let until = self.page_end(cluster).min(to);
            match self.free_on_page(cluster, until)? {
                Some(free) if self.volume.held().end_of(free.into()).is_none() => {
                    return Ok(Some(free));
                }
                Some(held) => cluster = held,
                None => cluster = until + 1,
            }
        }
        Ok(None)
    }

    /// The last cluster whose entry is on the same page.
    fn page_end(&self, cluster: u32) -> u32 {
        let left = ALL - self.entry_at(cluster) % ALL;
        let entries = match self.shape.kind {
            Kind::Fat12 => 1,
            Kind::Fat16 => left / 2,
            Kind::Fat32 => left / 4,
        };
        cluster.saturating_add(entries as u32 - 1).min(self.shape.last)
    }

    /// The first free cluster of some whose entries are on one page.
    fn free_on_page(&mut self, from: u32, to: u32) -> Result<Option<u32>> {
        let at = self.entry_at(from);
        let count = (to - from + 1) as usize;
        let free = match self.shape.kind {
            Kind::Fat12 => (self.entry(from)? == 0).then_some(0),
            Kind::Fat16 => {
                let entries = self.bytes(at, 2 * count)?.chunks_exact(2);
                entries.into_iter().position(|entry| entry == [0; 2])
            }
            Kind::Fat32 => {
                let mut entries = self.bytes(at, 4 * count)?.chunks_exact(4);
                entries.position(|entry| u32_at(entry, 0) & USED == 0)
            }
        };
        Ok(free.map(|nth| from + nth as u32))
    }

    /// How many clusters are free. Whoever wants to know it first has them counted.
    pub(crate) fn free(&mut self) -> Result<u64> {
        let known = self.volume.words()[FREE];
        if known > 0 {
            return Ok(known - 1);
        }
        let (mut free, mut cluster) = (0, FIRST);
        while cluster <= self.shape.last {
            let until = self.page_end(cluster);
            match self.free_on_page(cluster, until)? {
                Some(found) => (free, cluster) = (free + 1, found + 1),
                None => cluster = until + 1,
            }
        }
        self.volume.words()[FREE] = free + 1;
        Ok(free)
    }

    /// So many clusters more are free, or fewer.
    pub(crate) fn count(&mut self, more: i64) {
        let last = u64::from(self.shape.last);
        let known = &mut self.volume.words()[FREE];
        if *known > 0 {
            *known = known.saturating_add_signed(more).clamp(1, last);
        }
    }

    /// Takes a free cluster as the last one after another, next to it if possible, or as the only one.
    pub(crate) fn take(&mut self, before: Option<u32>) -> Result<u32> {
        let hint = before.map_or(self.volume.words()[HINT] as u32, |before| before + 1);
        let hint = if self.shape.has(hint) { hint } else { FIRST };
        let found = match self.find_free(hint, self.shape.last)? {
            None => self.find_free(FIRST, hint - 1)?,
            found => found,
        };
        let found = found.ok_or(Failure::NoSpace)?;
        self.set_next(found, END)?;
        if let Some(before) = before {
            self.set_next(before, found)?;
        }
        self.count(-1);
        self.volume.words()[HINT] = u64::from(found) + 1;
        Ok(found)
    }

    /// So many free clusters side by side, as a chain: the first.
    pub(crate) fn take_run(&mut self, count: u32) -> Result<u32> {
        let (mut first, mut length) = (FIRST, 0);
        let mut cluster = FIRST;
        while length < count {
            let free = self.find_free(cluster, self.shape.last)?.ok_or(Failure::NoSpace)?;
            if length == 0 || free != cluster {
                (first, length) = (free, 0);
            }
            (length, cluster) = (length + 1, free + 1);
        }
        for cluster in first..first + count {
            self.set_next(cluster, if cluster + 1 == first + count { END } else { cluster + 1 })?;
        }
        self.count(-i64::from(count));
        Ok(first)
    }
}
