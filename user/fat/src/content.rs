//! The bytes of files.

use crate::Fat;
use crate::record::Record;
use files::{Failure, Node, Result, Sink, Source};
use volume::{Disk, PAGE};

const ALL: u64 = PAGE as u64;
/// Bytes of a file at most.
pub const LARGEST: u64 = u32::MAX as u64;
/// Bytes that are read from the disk at once, where a file is read in order.
const AHEAD: u64 = 256 << 10;
/// Bytes that one operation fills or writes at most.
const STEP: u64 = 256 << 10;
/// Pages that an operation changes beside those of data.
const BESIDE: u64 = 16;

impl<D: Disk> Fat<D> {
    /// A file that is no directory, by its number.
    pub(crate) fn regular(&mut self, node: Node) -> Result<(u64, Record)> {
        if node == files::ROOT {
            return Err(Failure::IsDirectory);
        }
        let (at, record) = self.record(node)?;
        if record.is_directory() { Err(Failure::IsDirectory) } else { Ok((at, record)) }
    }

    /// Reads as much as there is and there is room for.
    pub(crate) fn read_at(&mut self, node: Node, at: u64, to: &mut dyn Sink) -> Result<()> {
        let (_, record) = self.regular(node)?;
        let (head, size) = (self.first_of(&record), record.size());
        let end = size.min(at.saturating_add(to.room() as u64));
        let in_order = at == 0 || self.last_read == (node, at);
        // What comes after it is wanted next, if it is read in order.
        let ahead = if in_order { size.min(end.saturating_add(AHEAD)) } else { end };
        let mut at = at;
        while at < end {
            let cluster = self.shape.cluster;
            let (index, within) = ((at / cluster) as u32, at % cluster);
            let wanted = self.shape.clusters(ahead) - index;
            let (first, count) = self.follow(head, index, wanted)?.ok_or(Failure::Broken)?;
            let place = self.shape.at(first) + within;
            let length = (u64::from(count) * cluster - within).min(ahead - at);
            let moved = self.put(place, length.min(end - at), length, to)?;
            at += moved;
        }
        self.last_read = (node, end);
        Ok(())
    }

    /// Puts bytes that are side by side on the disk, as far as they are so here; how many.
    fn put(&mut self, place: u64, length: u64, ahead: u64, to: &mut dyn Sink) -> Result<u64> {
        let (page, within) = (place / ALL, place % ALL);
        let pages = |bytes: u64| (within + bytes).div_ceil(ALL) as usize;
        let run = self.volume.run(page, pages(length), pages(ahead))?;
        let end = (within + length).min(run.len() as u64);
        let bytes = &run[within as usize..end as usize];
        to.put(bytes)?;
        Ok(bytes.len() as u64)
    }

    /// Bytes that the operation that goes on may still write to a file.
    fn budget(&self) -> u64 {
        let pages = (self.volume.room() as u64 / 2).saturating_sub(BESIDE);
        (pages * ALL).min(STEP)
    }

    /// Writes as much as there is, and as much as one operation can; how much.
    pub(crate) fn write_at(&mut self, node: Node, at: u64, from: &mut dyn Source) -> Result<usize> {
        let (_, record) = self.regular(node)?;
        if from.left() == 0 {
            return Ok(0);
        }
        if at >= LARGEST {
            return Err(Failure::TooLarge);
        }
        if at > record.size() {
            self.extend(node, at)?;
        }
        let (place, mut record) = self.regular(node)?;
        let wanted = (from.left() as u64).min(LARGEST - at).min(self.budget());
        let room = self.lengthen(&mut record, at + wanted)?;
        let end = room.min(at + wanted);
        if end <= at {
            return Err(Failure::NoSpace);
        }
        self.fill(&record, at, end, |bytes| from.take(bytes))?;
        record.set_size(record.size().max(end));
        record.touch(self.now);
        self.set_record(place, &record)?;
        Ok((end - at) as usize)
    }

    /// Has a file go on with zeroes up to a size, in steps that are committed one by one.
    pub(crate) fn extend(&mut self, node: Node, size: u64) -> Result<()> {
        if size > LARGEST {
            return Err(Failure::TooLarge);
        }
        let (_, record) = self.regular(node)?;
        let more = self.shape.clusters(size).saturating_sub(self.shape.clusters(record.size()));
        if u64::from(more) > self.free()? {
            return Err(Failure::NoSpace);
        }
        loop {
            let (place, mut record) = self.regular(node)?;
            let at = record.size();
            let end = size.min(at + self.budget());
            if self.lengthen(&mut record, end)? < end {
                return Err(Failure::NoSpace);
            }
            self.fill(&record, at, end, |bytes| {
                bytes.fill(0);
                Ok(())
            })?;
            record.set_size(end);
            self.set_record(place, &record)?;
            if end == size {
                return Ok(());
            }
            self.step()?;
        }
    }

    /// Gives a file clusters for so many bytes, or as many as there are; for how many bytes there are.
    fn lengthen(&mut self, record: &mut Record, size: u64) -> Result<u64> {
        let wanted = self.shape.clusters(size);
        let head = self.first_of(record);
        let size = if head == 0 { 0 } else { record.size() };
        let (mut count, mut last) = (self.shape.clusters(size), None);
        if head != 0 && count < wanted {
            let (length, end) = self.length(head)?;
            // What a file has behind its end is its own.
            (count, last) = (length, Some(end));
        }
        while count < wanted && self.volume.room() > BESIDE as usize {
            let cluster = match self.take(last) {
                Ok(cluster) => cluster,
                // What was freed and is held can be had after a sync: then all of this is done again.
                Err(Failure::NoSpace) if self.volume.held().ranges() == 0 => break,
                Err(failure) => return Err(failure),
            };
            if last.is_none() {
                record.set_first(cluster);
            }
            (count, last) = (count + 1, Some(cluster));
        }
        Ok(u64::from(count) * self.shape.cluster)
    }

    /// Fills bytes of a file, which has clusters for them, from somewhere.
    fn fill(
        &mut self,
        record: &Record,
        mut at: u64,
        end: u64,
        mut from: impl FnMut(&mut [u8]) -> Result<()>,
    ) -> Result<()> {
        let (head, cluster) = (self.first_of(record), self.shape.cluster);
        while at < end {
            let (index, within) = ((at / cluster) as u32, at % cluster);
            let wanted = self.shape.clusters(end) - index;
            let (first, count) = self.follow(head, index, wanted)?.ok_or(Failure::Broken)?;
            let place = self.shape.at(first) + within;
            let until = place + (u64::from(count) * cluster - within).min(end - at);
            // Up to there the disk has nothing but this file, of which nothing counts from its end on.
            let own = place - within..place - within + u64::from(count) * cluster;
            let old = (place + record.size().saturating_sub(at)).max(own.start);
            let mut next = place;
            while next < until {
                let page = next / ALL;
                let (from_here, to_here) = (next % ALL, (until - page * ALL).min(ALL));
                let counts_before = from_here > 0;
                let counts_after =
                    to_here < ALL && (page * ALL + to_here < old || (page + 1) * ALL > own.end);
                let whole = !counts_before && !counts_after;
                let bytes = self.volume.data(page, whole)?;
                from(&mut bytes[from_here as usize..to_here as usize])?;
                if whole {
                    bytes[to_here as usize..].fill(0);
                }
                next = page * ALL + to_here;
            }
            at += until - place;
        }
        Ok(())
    }
}
