//! Extent trees: finding, inserting, changing and taking away extents.
//!
//! On the way down to where an extent is inserted, every node that is full is divided, so that there is
//! room for whatever comes up from below. A node without entries goes; a tree without entries is a leaf.

use crate::layout::extent::{self, Extent, Header};
use crate::layout::inode::Inode;
use crate::map::Run;
use crate::mount::Ext;
use alloc::vec::Vec;
use files::{Failure, Result};
use volume::Disk;

/// A node: the root in the inode, or a block.
type Where = Option<u64>;

/// A node on the way down, and the entry that the way goes through, if it has any.
#[derive(Clone, Copy)]
struct Step {
    node: Where,
    header: Header,
    nth: Option<usize>,
}

impl<D: Disk> Ext<D> {
    /// Looks into a node, which has so many levels below if that is known.
    fn look<R>(
        &mut self,
        inode: &Inode,
        node: Where,
        depth: Option<u16>,
        look: impl FnOnce(&[u8], &Header) -> R,
    ) -> Result<R> {
        let is = |node: &[u8]| {
            let header = extent::header(node)?;
            depth.is_none_or(|depth| header.depth == depth).then_some(header)
        };
        let Some(block) = node else {
            let map = inode.map();
            return Ok(look(&map, &is(&map).ok_or(Failure::Broken)?));
        };
        let seed = inode.seed(&self.shape);
        let bytes = self.whole(block, |shape, bytes| extent::is_whole(shape, seed, bytes))?;
        Ok(look(bytes, &is(bytes).ok_or(Failure::Broken)?))
    }

    /// Changes a node.
    fn edit<R>(
        &mut self,
        inode: &mut Inode,
        node: Where,
        edit: impl FnOnce(&mut [u8]) -> R,
    ) -> Result<R> {
        let Some(block) = node else {
            let mut map = inode.map();
            let result = edit(&mut map);
            inode.set_map(map);
            return Ok(result);
        };
        let (page, at) = self.place(block)?;
        let bytes = &mut self.volume.change(page)?[at..at + self.shape.block()];
        let result = edit(bytes);
        extent::seal(&self.shape, inode.seed(&self.shape), bytes);
        Ok(result)
    }

    /// Where the blocks of a file are from one on.
    pub(crate) fn find_extent(&mut self, inode: &Inode, logical: u64) -> Result<Run> {
        let Ok(logical) = u32::try_from(logical) else { return Ok(Run::hole(u64::MAX)) };
        let (mut node, mut depth, mut end) = (None, None, u64::MAX);
        loop {
            let (level, found, next) = self.look(inode, node, depth, |bytes, header| {
                let nth = extent::search(bytes, header, logical);
                let after = nth.map_or(0, |nth| nth + 1);
                let next = (after < header.entries).then(|| extent::key(bytes, after));
                let found = nth.map(|nth| match header.depth {
                    0 => Err(extent::extent(bytes, nth)),
                    _ => Ok(extent::child(bytes, nth)),
                });
                (header.depth, found, next)
            })?;
            end = next.map_or(end, |next| end.min(next.into()));
            let hole = Run::hole(end.saturating_sub(logical.into()));
            match found {
                None => return Ok(hole),
                Some(Ok(child)) => (node, depth) = (Some(child), Some(level - 1)),
                Some(Err(found)) => {
                    let found = found.ok_or(Failure::Broken)?;
                    if found.end() <= logical.into() {
                        return Ok(hole);
                    }
                    let Extent { block, count, written, .. } = found.from(logical);
                    return Ok(Run { block: Some(block), count: count.into(), written });
                }
            }
        }
    }

    /// The way down to the leaf where a block of a file is, or would be.
    fn way(&mut self, inode: &Inode, logical: u32) -> Result<Vec<Step>> {
        let (mut way, mut node, mut depth) = (Vec::new(), None, None);
        loop {
            let (step, child) = self.look(inode, node, depth, |bytes, header| {
                let found = extent::search(bytes, header, logical);
                let nth = if header.depth == 0 { found } else { Some(found.unwrap_or(0)) };
                let child = extent::child(bytes, nth.unwrap_or(0));
                (Step { node, header: *header, nth }, child)
            })?;
            way.push(step);
            if step.header.depth == 0 {
                return Ok(way);
            }
            if step.header.entries == 0 {
                return Err(Failure::Broken);
            }
            (node, depth) = (Some(child), Some(step.header.depth - 1));
        }
    }

    /// The extent of a leaf, if there is one.
    fn extent_at(&mut self, inode: &Inode, leaf: &Step, nth: usize) -> Result<Option<Extent>> {
        if nth >= leaf.header.entries {
            return Ok(None);
        }
        let found = self.look(inode, leaf.node, Some(0), |bytes, _| extent::extent(bytes, nth))?;
        found.map(Some).ok_or(Failure::Broken)
    }

    /// Inserts an extent where there is none.
    pub(crate) fn insert_extent(&mut self, inode: &mut Inode, new: Extent) -> Result<()> {
        let leaf = *self.way(inode, new.logical)?.last().ok_or(Failure::Broken)?;
        if let Some(nth) = leaf.nth
            && let Some(before) = self.extent_at(inode, &leaf, nth)?
            && before.goes_on(&new)
        {
            let mut both = Extent { count: before.count + new.count, ..before };
            if let Some(after) = self.extent_at(inode, &leaf, nth + 1)?
                && both.goes_on(&after)
            {
                both.count += after.count;
                self.edit(inode, leaf.node, |node| extent::close(node, &leaf.header, nth + 1))?;
            }
            return self.edit(inode, leaf.node, |node| extent::put_extent(node, nth, &both));
        }
        self.make_room(inode, new.logical)?;
        let way = self.way(inode, new.logical)?;
        let leaf = *way.last().ok_or(Failure::Broken)?;
        let nth = leaf.nth.map_or(0, |nth| nth + 1);
        self.edit(inode, leaf.node, |node| {
            extent::open(node, &leaf.header, nth);
            extent::put_extent(node, nth, &new);
        })?;
        if nth == 0 { self.rename_nodes(inode, &way, new.logical) } else { Ok(()) }
    }

    /// The leaf at the end of a way begins with another block of the file.
    fn rename_nodes(&mut self, inode: &mut Inode, way: &[Step], key: u32) -> Result<()> {
        for step in way.iter().rev().skip(1) {
            let nth = step.nth.unwrap_or(0);
            self.edit(inode, step.node, |node| extent::set_key(node, nth, key))?;
            if nth > 0 {
                break;
            }
        }
        Ok(())
    }

    /// Every node on the way to a block of a file has room for one entry more.
    fn make_room(&mut self, inode: &mut Inode, logical: u32) -> Result<()> {
        let root = self.look(inode, None, None, |_, header| *header)?;
        if root.entries >= root.room {
            self.grow(inode, &root)?;
        }
        let (mut node, mut depth) = (None, None);
        loop {
            let (header, nth, child) = self.look(inode, node, depth, |bytes, header| {
                let nth = extent::search(bytes, header, logical).unwrap_or(0);
                (*header, nth, extent::child(bytes, nth))
            })?;
            if header.depth == 0 {
                return Ok(());
            }
            let below = header.depth - 1;
            let full = self.look(inode, Some(child), Some(below), |_, header| *header)?;
            let mut next = child;
            if full.entries >= full.room {
                let (key, other) = self.divide(inode, child, &full, logical)?;
                self.edit(inode, node, |bytes| {
                    extent::open(bytes, &header, nth + 1);
                    extent::put_child(bytes, nth + 1, key, other);
                })?;
                next = if logical >= key { other } else { child };
            }
            (node, depth) = (Some(next), Some(below));
        }
    }

    /// A block for a node, which counts as the file's.
    fn node_block(&mut self, inode: &mut Inode) -> Result<u64> {
        let near = self.near(inode, 0)?;
        let (block, _) = self.take_blocks(near, 1)?;
        inode.add_blocks(&self.shape, 1);
        Ok(block)
    }

    /// What is in the root moves into a block, to which the root leads.
    fn grow(&mut self, inode: &mut Inode, root: &Header) -> Result<()> {
        if root.depth >= extent::DEEPEST || root.entries == 0 {
            return Err(Failure::TooLarge);
        }
        let block = self.node_block(inode)?;
        let map = inode.map();
        self.fresh(block)?;
        self.edit(inode, Some(block), |node| extent::move_all(&map, root, node))?;
        self.edit(inode, None, |node| {
            extent::make(node, root.depth + 1);
            let empty = Header { entries: 0, ..*root };
            extent::open(node, &empty, 0);
            extent::put_child(node, 0, extent::key(&map, 0), block);
        })
    }

    /// Moves the last entries of a full node into a new one: what that begins with, and its block. What
    /// grows at the end has full nodes behind it.
    fn divide(
        &mut self,
        inode: &mut Inode,
        node: u64,
        full: &Header,
        logical: u32,
    ) -> Result<(u32, u64)> {
        let Some(last) = full.entries.checked_sub(1).filter(|&last| last > 0) else {
            return Err(Failure::Broken);
        };
        let block = self.node_block(inode)?;
        let mut lower = self.block(node)?.to_vec();
        let mut upper = alloc::vec![0; lower.len()];
        let at_end = logical > extent::key(&lower, last);
        extent::make(&mut upper, full.depth);
        extent::divide(&mut lower, full, if at_end { last } else { full.entries / 2 }, &mut upper);
        self.fresh(block)?;
        self.edit(inode, Some(block), |bytes| bytes.copy_from_slice(&upper))?;
        self.edit(inode, Some(node), |bytes| bytes.copy_from_slice(&lower))?;
        Ok((extent::key(&upper, 0), block))
    }

    /// Takes an extent away that begins at a block of the file; its blocks stay as they are.
    fn remove_extent(&mut self, inode: &mut Inode, logical: u32) -> Result<()> {
        let way = self.way(inode, logical)?;
        for (level, step) in way.iter().enumerate().rev() {
            let nth = step.nth.ok_or(Failure::Broken)?;
            self.edit(inode, step.node, |node| extent::close(node, &step.header, nth))?;
            let Some(block) = step.node.filter(|_| step.header.entries == 1) else {
                if step.header.entries == 1 {
                    return self.edit(inode, None, |node| extent::set_depth(node, 0));
                }
                if nth > 0 {
                    return Ok(());
                }
                let depth = Some(step.header.depth);
                let key = self.look(inode, step.node, depth, |node, _| extent::key(node, 0))?;
                return self.rename_nodes(inode, &way[..=level], key);
            };
            // Nothing is in it any more.
            self.take_from(inode, block, 1)?;
        }
        Ok(())
    }

    /// Blocks of an extent that was never written have been, from now on.
    pub(crate) fn write_extent(
        &mut self,
        inode: &mut Inode,
        logical: u32,
        count: u32,
    ) -> Result<()> {
        let leaf = *self.way(inode, logical)?.last().ok_or(Failure::Broken)?;
        let nth = leaf.nth.ok_or(Failure::Broken)?;
        let all = self.extent_at(inode, &leaf, nth)?.ok_or(Failure::Broken)?;
        let end = u64::from(logical) + u64::from(count);
        if all.end() < end || all.written {
            return Err(Failure::Broken);
        }
        self.remove_extent(inode, all.logical)?;
        let before = Extent { count: logical - all.logical, ..all };
        let written = Extent { count, written: true, ..all.from(logical) };
        for part in [before, written] {
            if part.count > 0 {
                self.insert_extent(inode, part)?;
            }
        }
        if all.end() > end { self.insert_extent(inode, all.from(end as u32)) } else { Ok(()) }
    }

    /// Frees the blocks of a file from one on, at most so many extents: whether those were all.
    pub(crate) fn cut_extents(
        &mut self,
        inode: &mut Inode,
        from: u64,
        most: usize,
    ) -> Result<bool> {
        for _ in 0..most {
            let leaf = *self.way(inode, u32::MAX)?.last().ok_or(Failure::Broken)?;
            let Some(nth) = leaf.nth else { return Ok(true) };
            let last = self.extent_at(inode, &leaf, nth)?.ok_or(Failure::Broken)?;
            if last.end() <= from {
                return Ok(true);
            }
            if u64::from(last.logical) >= from {
                self.remove_extent(inode, last.logical)?;
                self.take_from(inode, last.block, last.count.into())?;
                continue;
            }
            let rest = last.from(from as u32);
            let kept = Extent { count: last.count - rest.count, ..last };
            self.edit(inode, leaf.node, |node| extent::put_extent(node, nth, &kept))?;
            self.take_from(inode, rest.block, rest.count.into())?;
        }
        Ok(false)
    }
}
