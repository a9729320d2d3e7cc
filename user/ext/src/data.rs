//! Bytes of files.
//!
//! Bytes beyond the end of a file, in its last block, are zeros: whoever moves the end sees to that.

use crate::layout::inode::{EXTENTS, INLINE, Inode};
use crate::layout::superblock::feature;
use crate::map::Run;
use crate::mount::Ext;
use alloc::vec::Vec;
use files::{Failure, Result, Sink, Source};
use volume::{Disk, PAGE};

/// Times that one request takes blocks: what does not get all of its bytes written asks once more.
const TAKES: usize = 16;
/// Pages of metadata that a request may need, beside those of data.
const METADATA: usize = 48;
/// Pages that are read at once where a file is read from one end to the other.
const AHEAD: u64 = 64;

static ZEROS: [u8; PAGE] = [0; PAGE];

impl<D: Disk> Ext<D> {
    /// The block of a byte of a file.
    fn block_of(&self, at: u64) -> u64 {
        at >> self.shape.block_bits
    }

    /// Which byte of its block a byte is.
    fn within(&self, at: u64) -> usize {
        at as usize & (self.shape.block() - 1)
    }

    /// Bytes that a file can have at most.
    fn largest(&self, inode: &Inode) -> u64 {
        let blocks = if inode.has(EXTENTS) {
            u64::from(u32::MAX)
        } else {
            // Sectors are counted in 32 bits.
            self.most_pointers().min(u64::from(u32::MAX) >> (self.shape.block_bits - 9))
        };
        let large = self.shape.read_only & feature::LARGE_FILES != 0;
        if large { blocks << self.shape.block_bits } else { i32::MAX as u64 }
    }

    /// Reads from a place on, as much as there is and there is room for.
    pub(crate) fn read_bytes(
        &mut self,
        inode: &Inode,
        mut at: u64,
        to: &mut dyn Sink,
    ) -> Result<()> {
        if inode.has(INLINE) {
            return Err(Failure::Unsupported);
        }
        let end = inode.size().min(at.saturating_add(to.room() as u64));
        let goes_on = core::mem::replace(&mut self.reading, (inode.number, end));
        let ahead = if goes_on == (inode.number, at) { AHEAD } else { 1 };
        while at < end {
            let logical = self.block_of(at);
            let blocks = self.block_of(end - 1) + 1 - logical;
            let want = blocks.max(ahead << (12 - self.shape.block_bits));
            let run = self.find(inode, logical, want)?;
            let stop = end.min((logical + run.count) << self.shape.block_bits);
            match run.block.filter(|_| run.written) {
                Some(block) => {
                    let first = (block << self.shape.block_bits) + self.within(at) as u64;
                    let last = (block + run.count) << self.shape.block_bits;
                    self.send(first, (stop - at) as usize, last, to)?;
                }
                None => {
                    for at in (at..stop).step_by(PAGE) {
                        to.put(&ZEROS[..PAGE.min((stop - at) as usize)])?;
                    }
                }
            }
            at = stop;
        }
        Ok(())
    }

    /// Sends bytes of the disk, and reads ahead up to a last one if they are not here.
    fn send(&mut self, mut at: u64, mut left: usize, last: u64, to: &mut dyn Sink) -> Result<()> {
        while left > 0 {
            let (page, within) = (at / PAGE as u64, at as usize % PAGE);
            let wanted = (within + left).div_ceil(PAGE);
            let ahead = (last.div_ceil(PAGE as u64) - page).min(AHEAD) as usize;
            let bytes = &self.volume.run(page, wanted, ahead)?[within..];
            let bytes = &bytes[..bytes.len().min(left)];
            to.put(bytes)?;
            at += bytes.len() as u64;
            left -= bytes.len();
        }
        Ok(())
    }

    /// Writes from a place on: how many bytes, up to a limit. What is there before is whole if this fails with
    /// [`Failure::NoSpace`], and none of the bytes are taken.
    pub(crate) fn write_bytes(
        &mut self,
        inode: &mut Inode,
        at: u64,
        most: usize,
        from: &mut dyn Source,
    ) -> Result<usize> {
        if inode.has(INLINE) {
            return Err(Failure::Unsupported);
        }
        let largest = self.largest(inode).checked_sub(at).ok_or(Failure::TooLarge)?;
        let room = self.volume.room().saturating_sub(METADATA) * PAGE;
        let wish =
            from.left().min(usize::try_from(largest).unwrap_or(usize::MAX)).min(room).min(most);
        if wish == 0 {
            let failure = if largest == 0 { Failure::TooLarge } else { Failure::NoSpace };
            return if from.left() == 0 { Ok(0) } else { Err(failure) };
        }
        if at > inode.size() {
            self.clear_tail(inode)?;
        }
        let count = self.reserve(inode, at, wish)?;
        let end = at + count as u64;
        let mut place = at;
        while place < end {
            let logical = self.block_of(place);
            let run = self.find(inode, logical, self.block_of(end - 1) + 1 - logical)?;
            let block = run.block.filter(|_| run.written).ok_or(Failure::Broken)?;
            let stop = end.min((logical + run.count) << self.shape.block_bits);
            let first = (block << self.shape.block_bits) + self.within(place) as u64;
            self.fetch(first, (stop - place) as usize, from)?;
            place = stop;
        }
        inode.set_size(inode.size().max(end));
        Ok(count)
    }

    /// All blocks of some bytes are there and were written, where a block that is new and not
    /// overwritten altogether is zero: for how many bytes.
    fn reserve(&mut self, inode: &mut Inode, at: u64, count: usize) -> Result<usize> {
        let (first, last) = (self.block_of(at), self.block_of(at + count as u64 - 1));
        let edges = [(first, self.within(at) > 0), (last, self.within(at + count as u64) > 0)];
        let mut new = [None; 2];
        for ((edge, partial), new) in edges.into_iter().zip(&mut new) {
            let found = self.find(inode, edge, 1)?;
            *new = Some(edge).filter(|_| partial && (found.block.is_none() || !found.written));
        }
        let (mut next, mut takes) = (first, 0);
        while next <= last && takes < TAKES {
            let mut run = self.find(inode, next, last + 1 - next)?;
            if run.block.is_none() {
                run = self.give(inode, next, run.count)?;
                takes += 1;
            } else if !run.written {
                self.written(inode, next, run.count)?;
                takes += 1;
            }
            next += run.count;
        }
        for edge in new.into_iter().flatten().filter(|edge| *edge < next) {
            let Run { block, .. } = self.find(inode, edge, 1)?;
            let block = block.ok_or(Failure::Broken)?;
            self.clear(block, 0)?;
        }
        let reserved = (next << self.shape.block_bits) - at;
        Ok(count.min(usize::try_from(reserved).unwrap_or(usize::MAX)))
    }

    /// The bytes of a block of data from one on become zero.
    fn clear(&mut self, block: u64, from: usize) -> Result<()> {
        let ((page, at), length) = (self.place(block)?, self.shape.block());
        let whole = from == 0 && length == PAGE;
        self.volume.data(page, whole)?[at + from..at + length].fill(0);
        Ok(())
    }

    /// Puts bytes on the disk.
    fn fetch(&mut self, mut at: u64, mut left: usize, from: &mut dyn Source) -> Result<()> {
        while left > 0 {
            let (page, within) = (at / PAGE as u64, at as usize % PAGE);
            let count = left.min(PAGE - within);
            let bytes = self.volume.data(page, count == PAGE)?;
            from.take(&mut bytes[within..within + count])?;
            at += count as u64;
            left -= count;
        }
        Ok(())
    }

    /// What is beyond the end of a file, in its last block, becomes zero.
    fn clear_tail(&mut self, inode: &Inode) -> Result<()> {
        let size = inode.size();
        let within = self.within(size);
        if within == 0 {
            return Ok(());
        }
        let run = self.find(inode, self.block_of(size), 1)?;
        match run.block.filter(|_| run.written) {
            Some(block) => self.clear(block, within),
            None => Ok(()),
        }
    }

    /// Makes a file longer or shorter.
    pub(crate) fn resize(&mut self, inode: &mut Inode, size: u64) -> Result<()> {
        if inode.has(INLINE) {
            return Err(Failure::Unsupported);
        }
        if size > self.largest(inode) {
            return Err(Failure::TooLarge);
        }
        let shorter = size < inode.size();
        if !shorter {
            self.clear_tail(inode)?;
        }
        inode.set_size(size);
        if shorter {
            self.clear_tail(inode)?;
            self.cut_all(inode)?;
        }
        self.set_inode(inode)
    }

    /// Frees all blocks beyond the end of a file, in as many steps as that takes: meanwhile it is
    /// among those that are finished at the next mount.
    pub(crate) fn cut_all(&mut self, inode: &mut Inode) -> Result<()> {
        let from = inode.size().div_ceil(self.shape.block() as u64);
        if !inode.has_blocks() || self.cut(inode, from)? {
            return Ok(());
        }
        let listed = inode.links() == 0;
        if !listed {
            self.add_orphan(inode)?;
        }
        loop {
            self.set_inode(inode)?;
            self.step()?;
            if self.cut(inode, from)? {
                break;
            }
        }
        if listed { Ok(()) } else { self.remove_orphan(inode) }
    }

    /// Where a link leads.
    pub(crate) fn read_link(&mut self, inode: &Inode) -> Result<Vec<u8>> {
        if inode.is_short_link() {
            return Ok(inode.map()[..inode.size() as usize].to_vec());
        }
        if inode.size() > PAGE as u64 {
            return Err(Failure::Broken);
        }
        let mut target = Target(Vec::with_capacity(inode.size() as usize));
        self.read_bytes(inode, 0, &mut target)?;
        Ok(target.0)
    }
}

/// Where the target of a link goes to.
struct Target(Vec<u8>);

impl Sink for Target {
    fn room(&self) -> usize {
        PAGE - self.0.len()
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}
