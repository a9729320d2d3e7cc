//! Which blocks a file has, whichever way it is written down.

use crate::layout::extent::Extent;
use crate::layout::inode::{EXTENTS, Inode};
use crate::mount::Ext;
use files::{Failure, Result};
use volume::Disk;

/// Extents or pointers that one step of a cut frees at most: few enough for any journal.
const STEP: usize = 8;

/// Blocks of a file that follow one another, as far as is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    /// Where they are on the disk, or that they are nowhere.
    pub block: Option<u64>,
    /// How many: at least one.
    pub count: u64,
    /// Whether they were ever written: otherwise they are read as zeros.
    pub written: bool,
}

impl Run {
    /// A hole.
    pub fn hole(count: u64) -> Run {
        Run { block: None, count: count.max(1), written: false }
    }
}

impl<D: Disk> Ext<D> {
    /// Where the blocks of a file are from one on: at most as many as are wanted.
    pub(crate) fn find(&mut self, inode: &Inode, logical: u64, want: u64) -> Result<Run> {
        let run = if inode.has(EXTENTS) {
            self.find_extent(inode, logical)?
        } else {
            self.find_pointer(inode, logical, want)?
        };
        let run = Run { count: run.count.min(want).max(1), ..run };
        match run.block {
            // Nothing that a file has begins before the superblock has ended.
            Some(block) if block <= self.shape.first_block => Err(Failure::Broken),
            Some(block) if block + run.count > self.shape.blocks => Err(Failure::Broken),
            _ => Ok(run),
        }
    }

    /// Gives a file blocks where it has a hole: where they are, and how many.
    pub(crate) fn give(&mut self, inode: &mut Inode, logical: u64, want: u64) -> Result<Run> {
        let near = self.near(inode, logical)?;
        let want = want.min(1 << 14) as u32;
        let (block, count) = self.take_blocks(near, want)?;
        inode.add_blocks(&self.shape, count.into());
        if inode.has(EXTENTS) {
            let logical = u32::try_from(logical).map_err(|_| Failure::TooLarge)?;
            self.insert_extent(inode, Extent { logical, count, block, written: true })?;
        } else {
            for nth in 0..u64::from(count) {
                self.set_pointer(inode, logical + nth, block + nth)?;
            }
        }
        Ok(Run { block: Some(block), count: count.into(), written: true })
    }

    /// Where blocks for a file should be: after those before them, or in the group of the inode.
    pub(crate) fn near(&mut self, inode: &Inode, logical: u64) -> Result<u64> {
        if let Some(before) = logical.checked_sub(1)
            && let Some(block) = self.find(inode, before, 1)?.block
        {
            return Ok(block + 1);
        }
        let (group, _) = self.group_of_inode(inode.number);
        Ok(self.shape.first_of(group))
    }

    /// Blocks of a file that were never written have been, from now on.
    pub(crate) fn written(&mut self, inode: &mut Inode, logical: u64, count: u64) -> Result<()> {
        let logical = u32::try_from(logical).map_err(|_| Failure::TooLarge)?;
        self.write_extent(inode, logical, count as u32)
    }

    /// Frees the blocks of a file from one on, or some of them: whether those were all.
    pub(crate) fn cut(&mut self, inode: &mut Inode, from: u64) -> Result<bool> {
        if inode.has(EXTENTS) {
            self.cut_extents(inode, from, STEP)
        } else {
            self.cut_pointers(inode, from, STEP)
        }
    }

    /// Gives back blocks of a file, if any.
    pub(crate) fn take_from(&mut self, inode: &mut Inode, block: u64, count: u64) -> Result<()> {
        if count == 0 {
            return Ok(());
        }
        inode.add_blocks(&self.shape, -(count as i64));
        self.free_blocks(block, count)
    }
}
