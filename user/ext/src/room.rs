//! Which blocks and inodes are free: the bitmaps of the groups, and the counts of what is free.
//!
//! A block that was freed is held until the next sync, for until then what is on the disk uses it.

use crate::access::Thing;
use crate::layout::checksum::crc32c;
use crate::layout::group::{self, Group, NO_BLOCKS, NO_INODES};
use crate::layout::superblock::{Shape, at, free_blocks, put_free_blocks};
use crate::layout::{put_u32, u32_at};
use crate::mount::Ext;
use core::ops::Range;
use files::{Failure, Result};
use volume::{Disk, Held};

/// Sets bits.
fn fill(bitmap: &mut [u8], bits: Range<u64>) {
    for bit in bits {
        if let Some(byte) = bitmap.get_mut(bit as usize / 8) {
            *byte |= 1 << (bit % 8);
        }
    }
}

/// Whether a bit is set. There are ones beyond the end.
fn is_set(bitmap: &[u8], bit: u64) -> bool {
    bitmap.get(bit as usize / 8).is_none_or(|byte| byte & 1 << (bit % 8) != 0)
}

/// The first bit from one on that is set, or is not.
fn next(bitmap: &[u8], bits: Range<u64>, set: bool) -> u64 {
    let mut bit = bits.start;
    let whole = if set { 0 } else { u8::MAX };
    while bit < bits.end && is_set(bitmap, bit) != set {
        let byte = bitmap.get(bit as usize / 8);
        bit += if bit.is_multiple_of(8) && byte == Some(&whole) { 8 } else { 1 };
    }
    bit.min(bits.end)
}

/// The first free run that is long enough or begins at once, or else the longest.
fn best(bitmap: &[u8], bits: Range<u64>, base: u64, want: u64, held: &Held) -> Range<u64> {
    let mut best = bits.end..bits.end;
    let mut at = bits.start;
    while at < bits.end {
        let start = next(bitmap, at..bits.end, false);
        let mut end = next(bitmap, start..bits.end.min(start.saturating_add(want)), true);
        at = end;
        if let Some(after) = held.end_of(base + start) {
            at = after - base;
            continue;
        }
        if let Some(first) = (start + 1..end).find(|&bit| held.end_of(base + bit).is_some()) {
            (end, at) = (first, first);
        }
        if end - start == want || start == bits.start && start < end {
            return start..end;
        }
        if end - start > best.end - best.start {
            best = start..end;
        }
    }
    best
}

impl<D: Disk> Ext<D> {
    /// The group that a block is in, and which it is there.
    fn group_of(&self, block: u64) -> (u32, u64) {
        let nth = block.saturating_sub(self.shape.first_block);
        let group = (nth / self.shape.group_blocks).min(u64::from(self.shape.groups) - 1);
        (group as u32, nth - group * self.shape.group_blocks)
    }

    /// Takes at most so many blocks that follow one another, near a block: the first, and how many.
    pub(crate) fn take_blocks(&mut self, near: u64, want: u32) -> Result<(u64, u32)> {
        let (first, from) = self.group_of(near);
        let groups = self.shape.groups;
        for nth in 0..=groups {
            let number = (first + nth) % groups;
            let bits = match nth {
                0 => from..self.shape.blocks_of(number),
                _ if nth == groups => 0..from,
                _ => 0..self.shape.blocks_of(number),
            };
            let group = self.group(number)?;
            if group.free_blocks == 0 {
                continue;
            }
            self.load_block_bitmap(number, &group)?;
            let (page, start) = self.place(group.block_bitmap)?;
            // The held ranges and the page are both the volume's: a copy lets go of one of them.
            let bitmap = &mut self.scratch[..self.shape.block()];
            bitmap.copy_from_slice(&self.volume.page(page)?[start..start + bitmap.len()]);
            let base = self.shape.first_of(number);
            let found = best(bitmap, bits, base, want.into(), self.volume.held());
            if !found.is_empty() {
                let count = (found.end - found.start) as u32;
                self.mark_blocks(number, found.clone(), true)?;
                return Ok((base + found.start, count));
            }
        }
        Err(Failure::NoSpace)
    }

    /// Gives blocks back.
    pub(crate) fn free_blocks(&mut self, block: u64, count: u64) -> Result<()> {
        let end = block.checked_add(count).filter(|&end| end <= self.shape.blocks);
        let end = end.filter(|_| block >= self.shape.first_block).ok_or(Failure::Broken)?;
        let mut at = block;
        while at < end {
            let (number, from) = self.group_of(at);
            let to = (from + (end - at)).min(self.shape.blocks_of(number));
            let group = self.group(number)?;
            self.load_block_bitmap(number, &group)?;
            self.mark_blocks(number, from..to, false)?;
            at += to - from;
        }
        self.volume.free(block, count);
        Ok(())
    }

    /// Marks blocks of a group as used, or free, all of which are not that yet.
    fn mark_blocks(&mut self, number: u32, bits: Range<u64>, used: bool) -> Result<()> {
        let mut group = self.group(number)?;
        let length = self.shape.group_blocks as usize / 8;
        let seed = self.shape.seed;
        let bitmap = self.change(group.block_bitmap)?;
        for bit in bits.clone() {
            if is_set(bitmap, bit) == used {
                return Err(Failure::Broken);
            }
            bitmap[bit as usize / 8] ^= 1 << (bit % 8);
        }
        group.block_sum = crc32c(seed, &bitmap[..length]);
        let count = (bits.end - bits.start) as u32;
        let free = if used {
            group.free_blocks.checked_sub(count).ok_or(Failure::Broken)?
        } else {
            group.free_blocks + count
        };
        group.free_blocks = free;
        self.set_group(number, &group)?;
        self.change_superblock(|shape, bytes| {
            let free = free_blocks(shape, bytes);
            let count = u64::from(count);
            let free = if used { free.saturating_sub(count) } else { free + count };
            put_free_blocks(shape, bytes, free);
        })
    }

    /// The block bitmap of a group is right from now on: it is made if there is none yet.
    fn load_block_bitmap(&mut self, number: u32, group: &Group) -> Result<()> {
        if group.flags & NO_BLOCKS == 0 || !group::are_lazy(&self.shape) {
            let length = self.shape.group_blocks as usize / 8;
            let is = |shape: &Shape, bytes: &[u8]| {
                Group::is_sum(shape, group.block_sum, crc32c(shape.seed, &bytes[..length]))
            };
            return self.whole(group.block_bitmap, is).map(|_| ());
        }
        let (first, end) = (self.shape.first_of(number), self.shape.blocks_of(number));
        let table = u64::from(self.shape.group_inodes) * self.shape.inode_bytes as u64;
        let table = table.div_ceil(self.shape.block() as u64);
        let own = [(group.block_bitmap, 1), (group.inode_bitmap, 1), (group.table, table)];
        let overhead = self.shape.overhead(number);
        let (seed, length) = (self.shape.seed, self.shape.group_blocks as usize / 8);
        let bitmap = self.change(group.block_bitmap)?;
        let bits = bitmap.len() as u64 * 8;
        bitmap.fill(0);
        fill(bitmap, 0..overhead);
        for (block, count) in own {
            let from = block.max(first) - first;
            let to = (block + count).max(first) - first;
            fill(bitmap, from.min(end)..to.min(end));
        }
        fill(bitmap, end..bits);
        let block_sum = crc32c(seed, &bitmap[..length]);
        self.seen.put(Thing::Block(group.block_bitmap));
        self.set_group(number, &Group { flags: group.flags & !NO_BLOCKS, block_sum, ..*group })
    }

    /// The inode bitmap of a group is right from now on: it is made if there is none yet.
    fn load_inode_bitmap(&mut self, number: u32, group: &Group) -> Result<()> {
        let (seed, length) = (self.shape.seed, self.shape.group_inodes as usize / 8);
        if group.flags & NO_INODES == 0 || !group::are_lazy(&self.shape) {
            let is = |shape: &Shape, bytes: &[u8]| {
                Group::is_sum(shape, group.inode_sum, crc32c(shape.seed, &bytes[..length]))
            };
            return self.whole(group.inode_bitmap, is).map(|_| ());
        }
        let end = self.shape.group_inodes.into();
        let bitmap = self.change(group.inode_bitmap)?;
        let bits = bitmap.len() as u64 * 8;
        bitmap.fill(0);
        fill(bitmap, end..bits);
        let inode_sum = crc32c(seed, &bitmap[..length]);
        self.seen.put(Thing::Block(group.inode_bitmap));
        let group = Group { flags: group.flags & !NO_INODES, inode_sum, ..*group };
        self.set_group(number, &group)?;
        // Whoever has inodes has the other bitmap as well.
        self.load_block_bitmap(number, &group)
    }

    /// Takes an inode, if possible in the same group as another.
    pub(crate) fn take_inode(&mut self, near: u32, directory: bool) -> Result<u32> {
        let (first, _) = self.group_of_inode(near);
        for nth in 0..self.shape.groups {
            let number = (first + nth) % self.shape.groups;
            let group = self.group(number)?;
            if group.free_inodes == 0 {
                continue;
            }
            self.load_inode_bitmap(number, &group)?;
            let reserved = if number == 0 { self.shape.first_inode - 1 } else { 0 };
            let bits = u64::from(reserved)..u64::from(self.shape.group_inodes);
            let found = next(self.block(group.inode_bitmap)?, bits.clone(), false);
            if found < bits.end {
                self.mark_inode(number, found as u32, true, directory)?;
                return Ok(number * self.shape.group_inodes + found as u32 + 1);
            }
        }
        Err(Failure::NoSpace)
    }

    /// Gives an inode back.
    pub(crate) fn free_inode(&mut self, inode: u32, directory: bool) -> Result<()> {
        let (number, nth) = self.group_of_inode(inode);
        let group = self.group(number)?;
        self.load_inode_bitmap(number, &group)?;
        self.mark_inode(number, nth, false, directory)
    }

    /// Whether an inode is used.
    pub(crate) fn is_used(&mut self, inode: u32) -> Result<bool> {
        let (number, nth) = self.group_of_inode(inode);
        let group = self.group(number)?;
        let none = group.flags & NO_INODES != 0 && group::are_lazy(&self.shape);
        Ok(!none && is_set(self.block(group.inode_bitmap)?, nth.into()))
    }

    fn mark_inode(&mut self, number: u32, nth: u32, used: bool, directory: bool) -> Result<()> {
        let mut group = self.group(number)?;
        let (seed, length) = (self.shape.seed, self.shape.group_inodes as usize / 8);
        let bitmap = self.change(group.inode_bitmap)?;
        if is_set(bitmap, nth.into()) == used {
            return Err(Failure::Broken);
        }
        bitmap[nth as usize / 8] ^= 1 << (nth % 8);
        group.inode_sum = crc32c(seed, &bitmap[..length]);
        let change = if used { -1 } else { 1 };
        group.free_inodes = group.free_inodes.saturating_add_signed(change);
        if directory {
            group.directories = group.directories.saturating_add_signed(-change);
        }
        if used && group::are_lazy(&self.shape) {
            group.unused = group.unused.min(self.shape.group_inodes - (nth + 1));
        }
        self.set_group(number, &group)?;
        self.change_superblock(|_, bytes| {
            let free = u32_at(bytes, at::FREE_INODES).saturating_add_signed(change);
            put_u32(bytes, at::FREE_INODES, free);
        })
    }
}
