//! Names in directories.
//!
//! All directories are read from one end to the other, whether they have an index or not. One with an
//! index loses it when a name is added: it is a directory like others then, as the format foresees.

use crate::access::{ROOT_INODE, Thing};
use crate::layout::entry;
use crate::layout::inode::{INDEXED, INLINE, Inode};
use crate::layout::superblock::{Shape, feature};
use crate::mount::Ext;
use files::{Entry, Failure, Result};
use volume::Disk;

/// Bytes of a name at most.
pub const LONGEST: usize = 255;

/// Where a name is, and what it leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Named {
    /// The block, and where in it the entry is.
    pub block: u64,
    /// See above.
    pub at: usize,
    /// The inode.
    pub inode: u32,
}

/// A place in a directory where something was: a hint.
#[derive(Clone, Copy, Default)]
pub struct Place {
    directory: u32,
    at: u64,
}

impl<D: Disk> Ext<D> {
    /// How many blocks a directory has.
    fn blocks_of(&self, directory: &Inode) -> Result<u64> {
        if directory.has(INLINE) {
            return Err(Failure::Unsupported);
        }
        let blocks = directory.size() >> self.shape.block_bits;
        if blocks > self.shape.blocks { Err(Failure::Broken) } else { Ok(blocks) }
    }

    /// A block of a directory, which is whole.
    fn names(&mut self, directory: &Inode, nth: u64) -> Result<u64> {
        let block = self.find(directory, nth, 1)?.block.ok_or(Failure::Broken)?;
        if !self.seen.has(Thing::Block(block)) {
            let (seed, indexed) = (directory.seed(&self.shape), directory.has(INDEXED));
            self.whole(block, |shape, bytes| entry::is_whole(shape, seed, bytes, indexed))?;
        }
        Ok(block)
    }

    /// Changes a block of a directory.
    fn edit_names<R>(
        &mut self,
        directory: &Inode,
        block: u64,
        edit: impl FnOnce(&Shape, &mut [u8]) -> R,
    ) -> Result<R> {
        self.listing = Place::default();
        let (page, at) = self.place(block)?;
        let bytes = &mut self.volume.change(page)?[at..at + self.shape.block()];
        let result = edit(&self.shape, bytes);
        entry::seal(&self.shape, directory.seed(&self.shape), bytes);
        Ok(result)
    }

    /// Finds a name.
    pub(crate) fn find_name(&mut self, directory: &Inode, name: &[u8]) -> Result<Option<Named>> {
        for nth in 0..self.blocks_of(directory)? {
            let block = self.names(directory, nth)?;
            let (page, start) = self.place(block)?;
            let bytes = &self.volume.page(page)?[start..start + self.shape.block()];
            for found in entry::all(&self.shape, bytes) {
                let found = found?;
                if found.name == name {
                    return Ok(Some(Named { block, at: found.at, inode: found.inode }));
                }
            }
        }
        Ok(None)
    }

    /// What has a name, which there is.
    pub(crate) fn named(&mut self, directory: &Inode, name: &[u8]) -> Result<(Named, Inode)> {
        let found = self.find_name(directory, name)?.ok_or(Failure::NotFound)?;
        let ours = found.inode == ROOT_INODE || found.inode >= self.shape.first_inode;
        let inode = self.inode(found.inode)?;
        if ours && inode.mode() != 0 { Ok((found, inode)) } else { Err(Failure::Broken) }
    }

    /// Refuses a name that there cannot be, or is already.
    pub(crate) fn vacant(&mut self, directory: &Inode, name: &[u8]) -> Result<()> {
        check(name)?;
        match self.find_name(directory, name)? {
            Some(_) => Err(Failure::Exists),
            None if directory.links() == 0 => Err(Failure::NotFound),
            None => Ok(()),
        }
    }

    /// Whether a directory has no names but its own.
    pub(crate) fn is_empty(&mut self, directory: &Inode) -> Result<bool> {
        for nth in 0..self.blocks_of(directory)? {
            let block = self.names(directory, nth)?;
            let (page, start) = self.place(block)?;
            let bytes = &self.volume.page(page)?[start..start + self.shape.block()];
            for found in entry::all(&self.shape, bytes) {
                if ![&b"."[..], b".."].contains(&found?.name) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Adds a name that there is not.
    pub(crate) fn add_name(
        &mut self,
        directory: &mut Inode,
        name: &[u8],
        inode: &Inode,
    ) -> Result<()> {
        if directory.has(INDEXED) {
            self.forget_index(directory)?;
        }
        let (number, kind) = (inode.number, inode.kind());
        let blocks = self.blocks_of(directory)?;
        let first = if self.roomy.directory == directory.number { self.roomy.at } else { 0 };
        for nth in first..blocks {
            let block = self.names(directory, nth)?;
            let (page, start) = self.place(block)?;
            let bytes = &self.volume.page(page)?[start..start + self.shape.block()];
            if let Some(at) = entry::room(&self.shape, bytes, name)? {
                self.roomy = Place { directory: directory.number, at: nth };
                return self.edit_names(directory, block, |shape, bytes| {
                    entry::insert(shape, bytes, at, name, number, kind)
                })?;
            }
        }
        let block = self.grow_directory(directory)?;
        self.edit_names(directory, block, |shape, bytes| {
            entry::make(shape, bytes);
            entry::insert(shape, bytes, 0, name, number, kind)
        })??;
        self.roomy = Place { directory: directory.number, at: blocks };
        self.set_inode(directory)
    }

    /// A directory gets another block, with anything in it.
    fn grow_directory(&mut self, directory: &mut Inode) -> Result<u64> {
        let blocks = self.blocks_of(directory)?;
        if blocks + 1 > u64::from(u32::MAX) >> self.shape.block_bits {
            return Err(Failure::NoSpace);
        }
        let block = self.give(directory, blocks, 1)?.block.ok_or(Failure::Broken)?;
        self.fresh(block)?;
        directory.set_size((blocks + 1) << self.shape.block_bits);
        Ok(block)
    }

    /// Makes the first block of a new directory.
    pub(crate) fn make_directory(&mut self, directory: &mut Inode, parent: u32) -> Result<()> {
        let block = self.grow_directory(directory)?;
        let own = directory.number;
        self.edit_names(directory, block, |shape, bytes| {
            entry::make_first(shape, bytes, own, parent);
        })
    }

    /// Takes a name away.
    pub(crate) fn remove_name(&mut self, directory: &Inode, named: &Named) -> Result<()> {
        self.roomy = Place::default();
        self.edit_names(directory, named.block, |shape, bytes| {
            entry::remove(shape, bytes, named.at)
        })?
    }

    /// A name leads to another inode.
    pub(crate) fn set_name(
        &mut self,
        directory: &Inode,
        named: &Named,
        inode: &Inode,
    ) -> Result<()> {
        let (number, kind) = (inode.number, inode.kind());
        self.edit_names(directory, named.block, |shape, bytes| {
            entry::set(shape, bytes, named.at, number, kind);
        })
    }

    /// The directory that a directory is in.
    pub(crate) fn parent(&mut self, directory: &Inode) -> Result<u32> {
        let found = self.find_name(directory, b"..")?;
        found.map(|found| found.inode).ok_or(Failure::Broken)
    }

    /// A directory is in another one from now on.
    pub(crate) fn set_parent(&mut self, directory: &mut Inode, parent: &Inode) -> Result<()> {
        if directory.has(INDEXED) {
            self.forget_index(directory)?;
        }
        let named = self.find_name(directory, b"..")?.ok_or(Failure::Broken)?;
        self.set_name(directory, &named, parent)
    }

    /// The blocks of an index become blocks of names.
    fn forget_index(&mut self, directory: &mut Inode) -> Result<()> {
        for nth in 0..self.blocks_of(directory)? {
            let block = self.names(directory, nth)?;
            if nth == 0 {
                self.edit_names(directory, block, entry::forget_index)??;
            } else if entry::is_inner(self.block(block)?) {
                self.edit_names(directory, block, entry::make)?;
            }
        }
        directory.set_flags(directory.flags() & !INDEXED);
        self.set_inode(directory)
    }

    /// The first name of a directory at a place or after it. Where a listing has come to, an entry
    /// begins, unless directories have changed; elsewhere it is looked for from the block's beginning.
    pub(crate) fn name_at(&mut self, directory: &Inode, place: u64) -> Result<Option<Entry>> {
        let (blocks, bits) = (self.blocks_of(directory)?, self.shape.block_bits);
        let known = self.listing.directory == directory.number && self.listing.at == place;
        for nth in place >> bits..blocks {
            let block = self.names(directory, nth)?;
            let (page, start) = self.place(block)?;
            let bytes = &self.volume.page(page)?[start..start + self.shape.block()];
            let begin = nth << bits;
            let mut at = if known && begin <= place { (place - begin) as usize } else { 0 };
            while at < bytes.len() {
                let found = entry::read(&self.shape, bytes, at)?;
                let own = [&b"."[..], b".."].contains(&found.name);
                if begin + at as u64 >= place && found.inode != 0 && !own {
                    let (name, mode, number) = (found.name.to_vec(), found.kind, found.inode);
                    let (node, next) = (Self::node(number), begin + found.next as u64);
                    self.listing = Place { directory: directory.number, at: next };
                    let mode = if mode == 0 { self.inode(number)?.kind() } else { mode };
                    return Ok(Some(Entry { name, node, mode, next }));
                }
                at = found.next;
            }
        }
        Ok(None)
    }

    /// Whether a directory is another one, or in it at any depth.
    pub(crate) fn is_within(&mut self, directory: &Inode, other: u32) -> Result<bool> {
        let mut here = directory.clone();
        for _ in 0..self.shape.inodes {
            if here.number == other {
                return Ok(true);
            }
            if here.number == ROOT_INODE {
                return Ok(false);
            }
            let parent = self.parent(&here)?;
            here = self.directory(Self::node(parent))?;
        }
        Err(Failure::Broken)
    }

    /// A directory has a directory more.
    pub(crate) fn add_link(&mut self, directory: &mut Inode) -> Result<()> {
        // What has too many for a number has one.
        let many = directory.is_directory() && self.has_many_links();
        match directory.links() {
            1 if many => {}
            65000.. if many => directory.set_links(1),
            65000.. => return Err(Failure::TooLarge),
            links => directory.set_links(links + 1),
        }
        Ok(())
    }

    /// A directory has a directory less.
    pub(crate) fn remove_link(&mut self, directory: &mut Inode) -> Result<()> {
        match directory.links() {
            1 if self.has_many_links() => {}
            links => directory.set_links(links.checked_sub(1).ok_or(Failure::Broken)?),
        }
        Ok(())
    }

    fn has_many_links(&self) -> bool {
        self.shape.read_only & feature::MANY_LINKS != 0
    }
}

/// Whether there can be such a name.
pub fn check(name: &[u8]) -> Result<()> {
    match name {
        b"" | b"." | b".." => Err(Failure::Invalid),
        name if name.contains(&b'/') || name.contains(&0) => Err(Failure::Invalid),
        name if name.len() > LONGEST => Err(Failure::NameTooLong),
        _ => Ok(()),
    }
}
