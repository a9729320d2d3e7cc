//! The journal: what a sync stores in it, in the format of jbd2, before it goes home.
//!
//! It never has more than one transaction of ours: it is empty before one is stored, and is emptied
//! when all of that is home. It lies in a file, of which the blocks do not change.
//!
//! Blocks may be smaller than pages. What is stored is in pages that have nothing but the journal, for
//! the others go home meanwhile. If its superblock shares a page, it is in the cache as well.

use crate::layout::log::{Head, is_like_ours};
use crate::layout::put_big;
use crate::layout::superblock::Shape;
use alloc::vec::Vec;
use core::ops::Range;
use files::{Failure, Result};
use volume::{Disk, Home, Journal, PAGE, bytes, bytes_mut};

/// Bytes of the journal's superblock.
pub const HEAD: usize = 1024;
/// Pages that can be stored at least.
const LEAST: usize = 128;

/// Blocks of a file that follow one another.
#[derive(Clone, Copy, Debug)]
pub struct Stretch {
    /// The first in the file, on the disk, and how many.
    pub logical: u64,
    /// See above.
    pub block: u64,
    /// See above.
    pub count: u64,
}

/// A journal.
#[derive(Debug)]
pub struct Log {
    pub head: Head,
    /// Its superblock.
    pub superblock: Vec<u8>,
    /// Where it is.
    pub stretches: Vec<Stretch>,
    /// The part where we store something.
    window: Range<u32>,
    /// The logarithm of a block's bytes, and the blocks of the file system.
    pub block_bits: u32,
    /// See above.
    pub blocks: u64,
}

impl Log {
    /// A journal that was read, with the blocks that have its pointers: they do not change either.
    pub fn new(
        head: Head,
        superblock: Vec<u8>,
        stretches: Vec<Stretch>,
        pointers: &[u64],
        shape: &Shape,
    ) -> Log {
        let (block_bits, blocks) = (shape.block_bits, shape.blocks);
        let mut log = Log { head, superblock, stretches, window: 0..0, block_bits, blocks };
        log.window = log.widest(pointers);
        log
    }

    /// The longest part of which the pages have nothing that changes but the journal.
    fn widest(&self, pointers: &[u64]) -> Range<u32> {
        let parts = self.parts() as u64;
        let own = self.stretches.iter().map(|stretch| stretch.block..stretch.block + stretch.count);
        let mut own: Vec<_> = own.chain(pointers.iter().map(|&block| block..block + 1)).collect();
        own.sort_unstable_by_key(|range| range.start);
        own.dedup_by(|next, before| {
            let beside = next.start <= before.end;
            before.end = if beside { before.end.max(next.end) } else { before.end };
            beside
        });
        let (mut widest, mut here) = (0..0, 0..0);
        for stretch in &self.stretches {
            let end = stretch.block + stretch.count;
            let nth = own.partition_point(|range| range.start <= stretch.block) - 1;
            let from = own[nth].start.next_multiple_of(parts).clamp(stretch.block, end);
            let to = (own[nth].end - own[nth].end % parts).clamp(from, end);
            let logical = |block| {
                let nth = u32::try_from(stretch.logical + (block - stretch.block));
                nth.unwrap_or(u32::MAX).clamp(self.head.first, self.head.end)
            };
            let goes_on = from == stretch.block && here.end == logical(from);
            here = if goes_on { here.start } else { logical(from) }..logical(to);
            if here.len() > widest.len() {
                widest = here.clone();
            }
            if to < end {
                here = 0..0;
            }
        }
        widest
    }

    /// Whether there is room enough for any request.
    pub fn is_usable(&self) -> bool {
        self.window.len() >= LEAST * self.parts()
    }

    /// Where its superblock is, if that shares a page with something else.
    pub fn shared(&self) -> Option<u64> {
        let (first, parts) = (self.stretches.first()?, self.parts() as u64);
        let whole = first.block.is_multiple_of(parts) && first.count >= parts;
        (!whole).then_some(first.block)
    }

    /// Its superblock as it is when the next transaction is stored.
    pub fn next(&mut self) -> &[u8] {
        let mut head = self.head.clone();
        head.start = self.window.start;
        head.write(&mut self.superblock);
        &self.superblock
    }

    /// Where a block of it is.
    pub fn place(&self, nth: u32) -> Result<u64> {
        let nth = u64::from(nth);
        let after = self.stretches.partition_point(|stretch| stretch.logical <= nth);
        let stretch = after.checked_sub(1).map(|at| self.stretches[at]);
        let found = stretch.filter(|stretch| nth - stretch.logical < stretch.count);
        found.map(|stretch| stretch.block + (nth - stretch.logical)).ok_or(Failure::Broken)
    }

    /// Blocks of a page.
    fn parts(&self) -> usize {
        PAGE >> self.block_bits
    }

    fn block(&self) -> usize {
        1 << self.block_bits
    }

    /// Writes its superblock.
    pub fn write_head<D: Disk>(&mut self, disk: &mut D, scratch: Range<usize>) -> Result<()> {
        self.head.write(&mut self.superblock);
        let first = self.place(0)?;
        let mut pen = Pen::new(disk, scratch, self.block_bits);
        pen.block(first)?[..HEAD].copy_from_slice(&self.superblock);
        pen.write()
    }

    /// The blocks of pages, each with its page's place in the cache and its bytes there.
    fn homes(&self, pages: &[Home]) -> impl Iterator<Item = (u64, Range<usize>)> {
        let (parts, length, blocks) = (self.parts() as u64, self.block(), self.blocks);
        let all = pages.iter().flat_map(move |home| {
            let first = home.at * PAGE;
            (0..parts).map(move |nth| (home.page * parts + nth, first + nth as usize * length))
        });
        all.filter(move |(block, _)| *block < blocks)
            .map(move |(block, at)| (block, at..at + length))
    }
}

/// What pages become blocks in on their way to the disk: some that follow one another there.
pub struct Pen<'a, D> {
    pub disk: &'a mut D,
    scratch: Range<usize>,
    block_bits: u32,
    first: u64,
    count: usize,
}

impl<'a, D: Disk> Pen<'a, D> {
    /// One that has nothing yet.
    pub fn new(disk: &'a mut D, scratch: Range<usize>, block_bits: u32) -> Pen<'a, D> {
        Pen { disk, scratch, block_bits, first: 0, count: 0 }
    }

    /// The bytes of a block as they are on the disk, for a pen that has nothing.
    pub fn read(self, block: u64) -> Result<Vec<u8>> {
        let byte = block << self.block_bits;
        let (page, within) = (byte / PAGE as u64, byte as usize % PAGE);
        self.disk.read(page, self.scratch.start, 1)?;
        let all = bytes(&self.disk.cache()[self.scratch.start..=self.scratch.start]);
        Ok(all[within..within + (1 << self.block_bits)].to_vec())
    }

    /// The bytes of a block that is written soon, as they are on the disk if it shares its page.
    pub fn block(&mut self, block: u64) -> Result<&mut [u8]> {
        let range = self.range(block)?;
        Ok(&mut bytes_mut(self.disk.cache())[range])
    }

    /// Where those are in the cache.
    fn range(&mut self, block: u64) -> Result<Range<usize>> {
        let byte = block << self.block_bits;
        let (page, within) = (byte / PAGE as u64, byte as usize % PAGE);
        let here = self.first..self.first + self.count as u64;
        if self.count == 0 || !here.contains(&page) {
            if self.count > 0 && (page != here.end || self.count == self.scratch.len()) {
                self.write()?;
            }
            if self.count == 0 {
                self.first = page;
            }
            let at = self.scratch.start + self.count;
            if (1 << self.block_bits) < PAGE {
                self.disk.read(page, at, 1)?;
            } else {
                self.disk.cache()[at].fill(0);
            }
            self.count += 1;
        }
        let at = self.scratch.start + (page - self.first) as usize;
        let start = at * PAGE + within;
        Ok(start..start + (1 << self.block_bits))
    }

    /// Copies a block that is elsewhere in the cache.
    fn copy(&mut self, from: Range<usize>, block: u64) -> Result<()> {
        let to = self.range(block)?;
        let all = bytes_mut(self.disk.cache());
        all.copy_within(from, to.start);
        if is_like_ours(&all[to.clone()]) {
            put_big(&mut all[to], 0, 0);
        }
        Ok(())
    }

    /// Writes what it has.
    pub fn write(&mut self) -> Result<()> {
        let count = core::mem::take(&mut self.count);
        if count == 0 { Ok(()) } else { self.disk.write(self.first, self.scratch.start, count) }
    }
}

impl<D: Disk> Journal<D> for Log {
    fn room(&self) -> usize {
        let tags = self.head.tags(self.block());
        let left = self.window.len().saturating_sub(2);
        left * tags / (tags + 1) / self.parts()
    }

    fn store(&mut self, disk: &mut D, scratch: Range<usize>, pages: &[Home]) -> Result<()> {
        let homes: Vec<_> = self.homes(pages).collect();
        if pages.len() > <Log as Journal<D>>::room(self) {
            return Err(Failure::NoSpace);
        }
        let mut page = alloc::vec![0; self.block()];
        let mut next = self.window.start;
        let mut pen = Pen::new(disk, scratch.clone(), self.block_bits);
        for some in homes.chunks(self.head.tags(self.block())) {
            let cache = bytes(pen.disk.cache());
            let tagged = some.iter().map(|(block, range)| (*block, &cache[range.clone()]));
            self.head.write_tags(&mut page, tagged);
            pen.block(self.place(next)?)?.copy_from_slice(&page);
            next += 1;
            for (_, range) in some {
                pen.copy(range.clone(), self.place(next)?)?;
                next += 1;
            }
        }
        self.head.write_commit(&mut page);
        pen.block(self.place(next)?)?.copy_from_slice(&page);
        pen.write()?;
        disk.flush()?;
        self.head.start = self.window.start;
        self.write_head(disk, scratch)?;
        disk.flush()
    }

    fn clear(&mut self, disk: &mut D, scratch: Range<usize>) -> Result<()> {
        self.head.start = 0;
        self.head.sequence = self.head.sequence.wrapping_add(1);
        self.write_head(disk, scratch)?;
        // The next transaction goes where this one was.
        disk.flush()
    }
}

/// A journal, or none: ext2 has none.
#[derive(Debug)]
pub struct Keeper(pub Option<Log>);

impl<D: Disk> Journal<D> for Keeper {
    fn room(&self) -> usize {
        self.0.as_ref().map_or(usize::MAX, Journal::<D>::room)
    }

    fn store(&mut self, disk: &mut D, scratch: Range<usize>, pages: &[Home]) -> Result<()> {
        self.0.as_mut().map_or(Ok(()), |log| log.store(disk, scratch, pages))
    }

    fn clear(&mut self, disk: &mut D, scratch: Range<usize>) -> Result<()> {
        self.0.as_mut().map_or(Ok(()), |log| log.clear(disk, scratch))
    }
}
