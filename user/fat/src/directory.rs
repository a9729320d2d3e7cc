//! Directories: their entries in order.

use crate::Fat;
use crate::boot::Root;
use crate::names::{self, Alias, Long};
use crate::record::{BYTES, LABEL, LONG, REMOVED, Record};
use alloc::vec::Vec;
use core::ops::ControlFlow::{self, Break, Continue};
use files::{Failure, Result};
use volume::{Disk, PAGE};

/// Entries of a directory at most.
const MOST: u64 = 65_536;
const ENTRY: u64 = BYTES as u64;
const ALL: u64 = PAGE as u64;
/// Numbers that short names have at most.
const NUMBERS: u32 = 999_999;

/// An entry that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Where it is, in bytes of the disk.
    pub at: u64,
    /// Its index, and that of the first part of its long name.
    pub index: u64,
    /// See above.
    pub first: u64,
    /// What it says.
    pub record: Record,
}

/// What a new entry needs to know of the others.
struct Survey {
    /// Unused entries side by side: the first, and how many.
    free: (u64, u64),
    /// Numbers that are taken of its short name.
    taken: Vec<u32>,
    /// Where the directory ends.
    end: u64,
}

impl<D: Disk> Fat<D> {
    /// Where an entry is, and how many follow it side by side; nothing behind the end.
    fn place(&mut self, directory: Root, index: u64) -> Result<Option<(u64, u64)>> {
        match directory {
            _ if index >= MOST => Ok(None),
            Root::Fixed(at, count) => {
                Ok((index < count).then(|| (at + index * ENTRY, count - index)))
            }
            Root::Chain(head) => {
                let each = self.shape.cluster / ENTRY;
                let (nth, within) = ((index / each) as u32, index % each);
                let Some((cluster, count)) = self.follow(head, nth, 16)? else { return Ok(None) };
                let at = self.shape.at(cluster) + within * ENTRY;
                Ok(Some((at, u64::from(count) * each - within)))
            }
        }
    }

    /// Shows entries from an index on, each with its index and where it is, until somebody has seen
    /// enough or there are no more; where that is.
    fn scan(
        &mut self,
        directory: Root,
        mut index: u64,
        mut see: impl FnMut(u64, u64, &[u8; BYTES]) -> ControlFlow<()>,
    ) -> Result<u64> {
        while let Some((at, count)) = self.place(directory, index)? {
            let count = count.min((ALL - at % ALL) / ENTRY).min(MOST - index);
            let bytes = self.bytes(at, (count * ENTRY) as usize)?;
            for (nth, raw) in (0..).zip(bytes.as_chunks::<BYTES>().0) {
                if raw[0] == 0 || see(index + nth, at + nth * ENTRY, raw).is_break() {
                    return Ok(index + nth);
                }
            }
            index += count;
        }
        Ok(index)
    }

    /// Shows files and directories from an index on, with their names.
    fn each(
        &mut self,
        directory: Root,
        index: u64,
        mut see: impl FnMut(Found, &[u16]) -> ControlFlow<()>,
    ) -> Result<()> {
        let mut long = Long::new();
        let seen = self.scan(directory, index, |index, at, raw| {
            let record = Record(*raw);
            if raw[0] != REMOVED && raw[11] & LONG == LONG {
                long.add(index, raw);
                return Continue(());
            }
            let mut flow = Continue(());
            if record.is_live() && !record.is_ours() {
                let (short, length) = names::short(&record);
                let (name, first) = match long.of(&record) {
                    Some(name) => (name, long.first),
                    None => (&short[..length], index),
                };
                flow = see(Found { at, index, first, record }, name);
            }
            long.clear();
            flow
        });
        seen.map(|_| ())
    }

    /// The entry of a name, which may be its short one.
    pub(crate) fn find(&mut self, directory: Root, name: &[u16]) -> Result<Option<Found>> {
        let mut result = None;
        self.each(directory, 0, |found, own| {
            let (short, length) = names::short(&found.record);
            let is_it = names::same(own, name) || names::same(&short[..length], name);
            if !is_it || found.record.is_dot() {
                return Continue(());
            }
            result = Some(found);
            Break(())
        })?;
        Ok(result)
    }

    /// The first entry at or after an index, but `.` and `..`, with its name.
    pub(crate) fn first_from(
        &mut self,
        directory: Root,
        index: u64,
    ) -> Result<Option<(Found, Vec<u8>)>> {
        let mut result = None;
        self.each(directory, index, |found, name| {
            if found.record.is_dot() {
                return Continue(());
            }
            result = Some((found, names::text(name)));
            Break(())
        })?;
        Ok(result)
    }

    /// The entry of one of our own files, which nobody else sees.
    pub(crate) fn find_own(&mut self, name: [u8; 11]) -> Result<Option<(u64, Record)>> {
        let mut result = None;
        self.scan(self.shape.root, 0, |_, at, raw| {
            let record = Record(*raw);
            if !record.is_live() || !record.is_ours() || record.name() != name {
                return Continue(());
            }
            result = Some((at, record));
            Break(())
        })?;
        Ok(result)
    }

    /// How many directories are in a directory.
    pub(crate) fn folders(&mut self, directory: Root) -> Result<u32> {
        let mut count = 0;
        self.scan(directory, 0, |_, _, raw| {
            let record = Record(*raw);
            let seen = record.is_directory() && !record.is_dot() && !record.is_ours();
            count += u32::from(record.is_live() && seen);
            Continue(())
        })?;
        Ok(count)
    }

    /// What a new entry of so many parts needs to know.
    fn survey(&mut self, directory: Root, alias: &Alias, parts: u64) -> Result<Survey> {
        let (mut free, mut taken) = ((0, 0), Vec::new());
        let end = self.scan(directory, 0, |index, _, raw| {
            if raw[0] == REMOVED {
                if free.1 < parts {
                    let goes_on = free.0 + free.1 == index;
                    free = if goes_on { (free.0, free.1 + 1) } else { (index, 1) };
                }
            } else if raw[11] & LABEL == 0 {
                taken.extend(alias.number(&Record(*raw).name()));
            }
            Continue(())
        })?;
        taken.sort_unstable();
        taken.dedup();
        // What is unused before the end goes on behind it.
        let joins = free.1 > 0 && free.0 + free.1 == end;
        if free.1 < parts {
            free = (if joins { free.0 } else { end }, parts);
        }
        Ok(Survey { free, taken, end })
    }

    /// Puts an entry with a name that nothing in the directory has; where it is.
    pub(crate) fn insert(&mut self, directory: Root, name: &[u16], record: &Record) -> Result<u64> {
        let alias = Alias::of(name);
        let parts = if alias.exact { 0 } else { name.len().div_ceil(13) } as u64;
        let Survey { free: (first, _), taken, end } = self.survey(directory, &alias, parts + 1)?;
        if alias.exact && taken.first() == Some(&0) {
            return Err(Failure::Exists);
        }
        let from = u32::from(alias.lossy);
        let gap = |(number, taken): &(u32, u32)| number != taken;
        let taken = taken.into_iter().skip_while(|number| *number < from);
        let mut numbers = (from..).zip(taken.chain([u32::MAX]));
        let number = numbers.find(gap).map_or(NUMBERS, |(number, _)| number);
        if number >= NUMBERS {
            return Err(Failure::NoSpace);
        }
        let mut record = *record;
        record.0[..11].copy_from_slice(&alias.numbered(number));
        // Letters are small in the long name only.
        record.0[12] = 0;
        let long = if alias.exact { Vec::new() } else { names::parts(name, &record.name()) };
        let last = first + long.len() as u64;
        self.reach(directory, last, end)?;
        for (nth, raw) in long.iter().chain([&record.0]).enumerate() {
            let (at, _) = self.place(directory, first + nth as u64)?.ok_or(Failure::Broken)?;
            self.bytes_mut(at, BYTES)?.copy_from_slice(raw);
        }
        let (at, _) = self.place(directory, last)?.ok_or(Failure::Broken)?;
        Ok(at)
    }

    /// Makes a directory long enough for an entry of this index, and has it end behind that if it ended
    /// before.
    fn reach(&mut self, directory: Root, last: u64, end: u64) -> Result<()> {
        if last < end {
            return Ok(());
        }
        if last >= MOST {
            return Err(Failure::NoSpace);
        }
        while self.place(directory, last)?.is_none() {
            let Root::Chain(head) = directory else { return Err(Failure::NoSpace) };
            let (_, before) = self.length(head)?;
            let cluster = self.take(Some(before))?;
            self.blank(cluster)?;
        }
        if let Some((at, _)) = self.place(directory, last + 1)? {
            self.bytes_mut(at, 1)?[0] = 0;
        }
        Ok(())
    }

    /// Fills a cluster of a directory with zeroes.
    pub(crate) fn blank(&mut self, cluster: u32) -> Result<()> {
        let (mut at, end) = (self.shape.at(cluster), self.shape.at(cluster) + self.shape.cluster);
        while at < end {
            let count = (ALL - at % ALL).min(end - at);
            if count == ALL {
                self.volume.fresh(at / ALL)?.fill(0);
            } else {
                self.bytes_mut(at, count as usize)?.fill(0);
            }
            at += count;
        }
        Ok(())
    }

    /// Removes an entry and its long name.
    pub(crate) fn remove(&mut self, directory: Root, found: &Found) -> Result<()> {
        for index in found.first..=found.index {
            let (at, _) = self.place(directory, index)?.ok_or(Failure::Broken)?;
            self.bytes_mut(at, 1)?[0] = REMOVED;
        }
        Ok(())
    }
}
