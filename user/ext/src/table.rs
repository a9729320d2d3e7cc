//! Tables of blocks, as ext2 and ext3 have them: twelve pointers in the inode, and three that lead to
//! blocks of pointers, of which those of the second and third lead to such blocks again.

use crate::layout::inode::Inode;
use crate::layout::{put_u32, u32_at};
use crate::map::Run;
use crate::mount::Ext;
use alloc::vec::Vec;
use files::{Failure, Result};
use volume::Disk;

/// Pointers in the inode that lead to the file itself.
const DIRECT: u64 = 12;

/// The way to a block of a file: which pointer of the inode, and of each block after it.
struct Way {
    places: [usize; 4],
    levels: usize,
}

impl<D: Disk> Ext<D> {
    /// The logarithm of the pointers in a block.
    fn pointer_bits(&self) -> u32 {
        self.shape.block_bits - 2
    }

    /// Blocks that a file can have at most.
    pub(crate) fn most_pointers(&self) -> u64 {
        let bits = self.pointer_bits();
        DIRECT + (1 << bits) + (1 << (2 * bits)) + (1 << (3 * bits))
    }

    fn way_to(&self, logical: u64) -> Option<Way> {
        if logical < DIRECT {
            return Some(Way { places: [logical as usize, 0, 0, 0], levels: 0 });
        }
        let (bits, mut rest) = (self.pointer_bits(), logical - DIRECT);
        let nth = |rest: u64, level: u32| (rest >> (bits * level)) as usize & ((1 << bits) - 1);
        for levels in 1..=3_u32 {
            if rest >> (bits * levels) == 0 {
                let mut places = [DIRECT as usize + levels as usize - 1, 0, 0, 0];
                for level in 0..levels {
                    places[1 + level as usize] = nth(rest, levels - 1 - level);
                }
                return Some(Way { places, levels: levels as usize });
            }
            rest -= 1 << (bits * levels);
        }
        None
    }

    /// Where the blocks of a file are from one on.
    pub(crate) fn find_pointer(&mut self, inode: &Inode, logical: u64, want: u64) -> Result<Run> {
        let Some(way) = self.way_to(logical) else { return Ok(Run::hole(u64::MAX)) };
        let map = inode.map();
        let mut block = u32_at(&map, 4 * way.places[0]);
        if way.levels == 0 {
            let rest = &map[4 * way.places[0]..4 * DIRECT as usize];
            return Ok(run(rest, want));
        }
        for level in 1..=way.levels {
            if block == 0 {
                // All that this pointer would lead to is not there.
                let below = self.pointer_bits() * (way.levels - level + 1) as u32;
                let within = (way.places[level..=way.levels].iter())
                    .fold(0, |all, &nth| all << self.pointer_bits() | nth as u64);
                return Ok(Run::hole((1 << below) - within));
            }
            let bytes = self.block(block.into())?;
            if level == way.levels {
                return Ok(run(&bytes[4 * way.places[level]..], want));
            }
            block = u32_at(bytes, 4 * way.places[level]);
        }
        Err(Failure::Broken)
    }

    /// The blocks of pointers of a file, but those of the third kind.
    pub(crate) fn pointer_blocks(&mut self, inode: &Inode) -> Result<Vec<u64>> {
        let map = inode.map();
        let roots = [DIRECT as usize, DIRECT as usize + 1].map(|nth| u32_at(&map, 4 * nth));
        let mut blocks: Vec<u64> = roots.map(u64::from).to_vec();
        if roots[1] != 0 {
            let below = self.block(roots[1].into())?.chunks_exact(4);
            blocks.extend(below.map(|pointer| u64::from(u32_at(pointer, 0))));
        }
        blocks.retain(|block| *block != 0);
        Ok(blocks)
    }

    /// A block of a file that had none is this one.
    pub(crate) fn set_pointer(
        &mut self,
        inode: &mut Inode,
        logical: u64,
        block: u64,
    ) -> Result<()> {
        let number = u32::try_from(block).map_err(|_| Failure::TooLarge)?;
        let way = self.way_to(logical).ok_or(Failure::TooLarge)?;
        let mut map = inode.map();
        if way.levels == 0 {
            put_u32(&mut map, 4 * way.places[0], number);
            inode.set_map(map);
            return Ok(());
        }
        let mut next = u32_at(&map, 4 * way.places[0]);
        if next == 0 {
            next = self.pointer_block(inode, block)?;
            put_u32(&mut map, 4 * way.places[0], next);
            inode.set_map(map);
        }
        for level in 1..way.levels {
            let place = 4 * way.places[level];
            let found = u32_at(self.block(next.into())?, place);
            next = if found == 0 {
                let new = self.pointer_block(inode, block)?;
                put_u32(self.change(next.into())?, place, new);
                new
            } else {
                found
            };
        }
        put_u32(self.change(next.into())?, 4 * way.places[way.levels], number);
        Ok(())
    }

    /// A block of pointers that lead nowhere, which counts as the file's.
    fn pointer_block(&mut self, inode: &mut Inode, near: u64) -> Result<u32> {
        let (block, _) = self.take_blocks(near, 1)?;
        inode.add_blocks(&self.shape, 1);
        self.fresh(block)?.fill(0);
        u32::try_from(block).map_err(|_| Failure::TooLarge)
    }

    /// Frees the blocks of a file from one on, so many runs at most: whether those were all.
    pub(crate) fn cut_pointers(
        &mut self,
        inode: &mut Inode,
        from: u64,
        most: usize,
    ) -> Result<bool> {
        let mut freed = Freed { first: 0, count: 0, left: most };
        let bits = self.pointer_bits();
        for nth in (0..DIRECT as usize + 3).rev() {
            let levels = (nth + 1).saturating_sub(DIRECT as usize) as u32;
            let begin = match levels {
                0 => nth as u64,
                _ => (1..levels).fold(DIRECT, |begin, level| begin + (1 << (bits * level))),
            };
            let block = u32_at(&inode.map(), 4 * nth);
            if block == 0 || begin + (1 << (bits * levels)) <= from {
                continue;
            }
            let within = from.saturating_sub(begin);
            if self.cut_pointer(inode, block, levels, within, &mut freed)? {
                let mut map = inode.map();
                put_u32(&mut map, 4 * nth, 0);
                inode.set_map(map);
            }
            if freed.left == 0 {
                break;
            }
        }
        self.take_from(inode, freed.first, freed.count)?;
        Ok(freed.left > 0)
    }

    /// Frees what a pointer leads to, from a block on that is counted from where it begins: whether
    /// nothing of it is left.
    fn cut_pointer(
        &mut self,
        inode: &mut Inode,
        block: u32,
        levels: u32,
        from: u64,
        freed: &mut Freed,
    ) -> Result<bool> {
        if levels > 0 {
            let span = self.pointer_bits() * (levels - 1);
            let first = (from >> span) as usize;
            for nth in (first..self.shape.block() / 4).rev() {
                let below = u32_at(self.block(block.into())?, 4 * nth);
                if below == 0 {
                    continue;
                }
                let within = from.saturating_sub((nth as u64) << span);
                if self.cut_pointer(inode, below, levels - 1, within, freed)? {
                    put_u32(self.change(block.into())?, 4 * nth, 0);
                }
                if freed.left == 0 {
                    return Ok(false);
                }
            }
            if from > 0 {
                return Ok(false);
            }
        }
        let block = block.into();
        if freed.count > 0 && block + 1 != freed.first {
            self.take_from(inode, freed.first, freed.count)?;
            freed.count = 0;
            freed.left -= 1;
        }
        (freed.first, freed.count) = (block, freed.count + 1);
        Ok(true)
    }
}

/// Blocks that follow one another and are to be freed at once, and how many times that can be done.
struct Freed {
    first: u64,
    count: u64,
    left: usize,
}

/// The run that some pointers begin with.
fn run(pointers: &[u8], want: u64) -> Run {
    let first = u32_at(pointers, 0);
    let follows = |nth: &u64| {
        let here = u32_at(pointers, 4 * *nth as usize);
        if first == 0 { here == 0 } else { u64::from(here) == u64::from(first) + nth }
    };
    let most = want.min(pointers.len() as u64 / 4).max(1);
    let count = 1 + (1..most).take_while(follows).count() as u64;
    Run { block: Some(first.into()).filter(|_| first != 0), count, written: true }
}
