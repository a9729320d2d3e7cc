//! Files that have no name any more but are open, and files that are being cut: a list through their
//! inodes, which begins in the superblock. Whoever mounts the volume next finishes what it says.
//!
//! Linux may have written some of them into a file instead: those are finished as well.

use crate::layout::checksum::{crc32c, crc32c_without};
use crate::layout::inode::Inode;
use crate::layout::superblock::{Shape, at, feature};
use crate::layout::{put_u32, u32_at};
use crate::mount::Ext;
use files::{Failure, Result};
use volume::Disk;

/// What the blocks of the file of such files end with: a number, and a checksum.
const MAGIC: u32 = 0x0b10_ca04;
const TAIL: usize = 8;

impl<D: Disk> Ext<D> {
    /// The first of the list, or 0.
    fn first_orphan(&mut self) -> Result<u32> {
        Ok(u32_at(self.superblock()?, at::LAST_ORPHAN))
    }

    fn set_first_orphan(&mut self, number: u32) -> Result<()> {
        self.change_superblock(|_, bytes| put_u32(bytes, at::LAST_ORPHAN, number))
    }

    /// Puts a file on the list.
    pub(crate) fn add_orphan(&mut self, inode: &mut Inode) -> Result<()> {
        inode.set_gone(self.first_orphan()?);
        self.set_first_orphan(inode.number)?;
        self.set_inode(inode)
    }

    /// Takes a file from the list.
    pub(crate) fn remove_orphan(&mut self, inode: &mut Inode) -> Result<()> {
        let mut next = self.first_orphan()?;
        if next == inode.number {
            self.set_first_orphan(inode.gone())?;
        } else {
            for _ in 0..self.shape.inodes {
                let mut before = self.inode(next)?;
                next = before.gone();
                if next == inode.number {
                    before.set_gone(inode.gone());
                    self.set_inode(&before)?;
                    break;
                }
            }
            if next != inode.number {
                return Err(Failure::Broken);
            }
        }
        inode.set_gone(0);
        self.set_inode(inode)
    }

    /// Removes a file that has no name any more, in as many steps as that takes.
    pub(crate) fn remove_file(&mut self, inode: &mut Inode) -> Result<()> {
        inode.set_size(0);
        self.cut_all(inode)?;
        self.remove_orphan(inode)?;
        self.forget_file(inode)
    }

    /// A file without blocks and names is no more.
    fn forget_file(&mut self, inode: &mut Inode) -> Result<()> {
        if inode.attributes() != 0 {
            self.release_attributes(inode)?;
        }
        self.free_inode(inode.number, inode.is_directory())?;
        self.clear_inode(inode.number).map(|_| ())
    }

    /// A block of extended attributes has one file less; the last one takes it along.
    fn release_attributes(&mut self, inode: &mut Inode) -> Result<()> {
        const MAGIC: u32 = 0xea02_0000;
        const USERS: usize = 4;
        const SUM: usize = 16;
        let block = inode.attributes();
        let (magic, users) = (u32_at(self.block(block)?, 0), u32_at(self.block(block)?, USERS));
        if magic != MAGIC || users == 0 {
            return Err(Failure::Broken);
        }
        inode.clear_attributes();
        if users == 1 {
            return self.take_from(inode, block, 1);
        }
        let seed = crc32c(self.shape.seed, &block.to_le_bytes());
        let sums = self.shape.sums();
        let bytes = self.change(block)?;
        put_u32(bytes, USERS, users - 1);
        if sums {
            let sum = crc32c_without(seed, bytes, SUM, 4);
            put_u32(bytes, SUM, sum);
        }
        Ok(())
    }

    /// Finishes what the list and the file say: only whoever mounts the volume first does that, for
    /// nobody has any of those open.
    pub(crate) fn finish_orphans(&mut self) -> Result<()> {
        for _ in 0..self.shape.inodes {
            let number = self.first_orphan()?;
            if number == 0 {
                return self.finish_listed();
            }
            let mut inode = self.orphan(number)?;
            if inode.links() == 0 {
                self.remove_file(&mut inode)?;
            } else {
                self.cut_listed(&mut inode)?;
                self.remove_orphan(&mut inode)?;
            }
            self.step()?;
        }
        Err(Failure::Broken)
    }

    /// A file that is said to be such a one.
    fn orphan(&mut self, number: u32) -> Result<Inode> {
        if number < self.shape.first_inode || number > self.shape.inodes || !self.is_used(number)? {
            return Err(Failure::Broken);
        }
        self.inode(number)
    }

    /// Frees what is beyond the end of a file that is on a list already.
    fn cut_listed(&mut self, inode: &mut Inode) -> Result<()> {
        let from = inode.size().div_ceil(self.shape.block() as u64);
        while inode.has_blocks() && !self.cut(inode, from)? {
            self.set_inode(inode)?;
            self.step()?;
        }
        self.set_inode(inode)
    }

    /// Finishes those that the file has.
    fn finish_listed(&mut self) -> Result<()> {
        let read_only = u32_at(self.superblock()?, at::READ_ONLY);
        let file = self.shape.compatible & feature::ORPHAN_FILE != 0;
        if !file || read_only & feature::ORPHANS == 0 {
            return Ok(());
        }
        let file = self.inode(self.shape.orphan_file)?;
        for nth in 0..(file.size() >> self.shape.block_bits).min(self.shape.blocks) {
            let block = self.find(&file, nth, 1)?.block.ok_or(Failure::Broken)?;
            self.finish_block(&file, block)?;
        }
        self.change_superblock(|_, bytes| {
            put_u32(bytes, at::READ_ONLY, read_only & !feature::ORPHANS);
        })?;
        self.step()
    }

    /// Finishes those of one block of the file, of which each goes with its place there.
    fn finish_block(&mut self, file: &Inode, block: u64) -> Result<()> {
        let end = self.shape.block() - TAIL;
        let seed = crc32c(file.seed(&self.shape), &block.to_le_bytes());
        let is = |shape: &Shape, bytes: &[u8]| {
            let sum = !shape.sums() || u32_at(bytes, end + 4) == crc32c(seed, &bytes[..end]);
            u32_at(bytes, end) == MAGIC && sum
        };
        self.whole(block, is)?;
        for at in (0..end).step_by(4) {
            let number = u32_at(self.block(block)?, at);
            if number == 0 {
                continue;
            }
            let mut inode = self.orphan(number)?;
            if inode.links() == 0 {
                inode.set_size(0);
            }
            self.cut_listed(&mut inode)?;
            if inode.links() == 0 {
                self.forget_file(&mut inode)?;
            }
            let sums = self.shape.sums();
            let bytes = self.change(block)?;
            put_u32(bytes, at, 0);
            if sums {
                let sum = crc32c(seed, &bytes[..end]);
                put_u32(bytes, end + 4, sum);
            }
            self.step()?;
        }
        Ok(())
    }
}
