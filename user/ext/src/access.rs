//! Blocks, the superblock, groups and inodes.
//!
//! A checksum is looked at when something is first read, and not again while it is known here that it
//! was right. Whatever is changed gets the right one at once.

use crate::layout::group::{self, Group};
use crate::layout::inode::Inode;
use crate::layout::superblock::{self, Shape};
use crate::mount::Ext;
use files::{Failure, Node, ROOT, Result};
use volume::{Disk, PAGE};

/// The number of the root's inode.
pub const ROOT_INODE: u32 = 2;

/// What was seen to be whole: a few hundred things, of which each has one place where it can be.
pub struct Seen([u64; 256]);

/// What can be seen.
#[derive(Clone, Copy)]
pub enum Thing {
    /// A block.
    Block(u64),
    /// The descriptor of a group.
    Group(u32),
    /// An inode.
    Inode(u32),
}

impl Seen {
    /// Nothing was seen.
    pub fn new() -> Seen {
        Seen([0; 256])
    }

    fn slot(&mut self, thing: Thing) -> (&mut u64, u64) {
        let name = match thing {
            Thing::Block(number) => 1 << 62 | number,
            Thing::Group(number) => 2 << 62 | u64::from(number),
            Thing::Inode(number) => 3 << 62 | u64::from(number),
        };
        (&mut self.0[(name ^ name >> 62) as usize % 256], name)
    }

    /// Whether something was.
    pub fn has(&mut self, thing: Thing) -> bool {
        let (slot, name) = self.slot(thing);
        *slot == name
    }

    /// Something is.
    pub fn put(&mut self, thing: Thing) {
        let (slot, name) = self.slot(thing);
        *slot = name;
    }
}

impl<D: Disk> Ext<D> {
    /// The page of a block, and where in it the block begins.
    pub(crate) fn place(&self, block: u64) -> Result<(u64, usize)> {
        if block >= self.shape.blocks {
            return Err(Failure::Broken);
        }
        let byte = block << self.shape.block_bits;
        Ok((byte / PAGE as u64, byte as usize % PAGE))
    }

    /// The bytes of a block.
    pub(crate) fn block(&mut self, block: u64) -> Result<&[u8]> {
        let ((page, at), length) = (self.place(block)?, self.shape.block());
        Ok(&self.volume.page(page)?[at..at + length])
    }

    /// The bytes of a block of metadata, for changing them.
    pub(crate) fn change(&mut self, block: u64) -> Result<&mut [u8]> {
        let ((page, at), length) = (self.place(block)?, self.shape.block());
        Ok(&mut self.volume.change(page)?[at..at + length])
    }

    /// The bytes of a block of metadata, for writing all of them.
    pub(crate) fn fresh(&mut self, block: u64) -> Result<&mut [u8]> {
        let ((page, at), length) = (self.place(block)?, self.shape.block());
        self.seen.put(Thing::Block(block));
        if length < PAGE {
            return Ok(&mut self.volume.change(page)?[at..at + length]);
        }
        Ok(self.volume.fresh(page)?)
    }

    /// The bytes of a block, which is whole if this says so.
    pub(crate) fn whole(
        &mut self,
        block: u64,
        is: impl FnOnce(&Shape, &[u8]) -> bool,
    ) -> Result<&[u8]> {
        if !self.seen.has(Thing::Block(block)) {
            let (page, at) = self.place(block)?;
            let bytes = &self.volume.page(page)?[at..at + self.shape.block()];
            if !is(&self.shape, bytes) {
                return Err(Failure::Broken);
            }
            self.seen.put(Thing::Block(block));
        }
        self.block(block)
    }

    /// The superblock.
    pub(crate) fn superblock(&mut self) -> Result<&[u8]> {
        let page = self.volume.page(0)?;
        Ok(&page[superblock::AT..superblock::AT + superblock::BYTES])
    }

    /// Changes the superblock.
    pub(crate) fn change_superblock(
        &mut self,
        change: impl FnOnce(&Shape, &mut [u8]),
    ) -> Result<()> {
        let page = self.volume.change(0)?;
        let bytes = &mut page[superblock::AT..superblock::AT + superblock::BYTES];
        change(&self.shape, bytes);
        superblock::seal(&self.shape, bytes);
        Ok(())
    }

    /// The descriptor of a group.
    pub(crate) fn group(&mut self, number: u32) -> Result<Group> {
        let (block, at) = self.shape.descriptor(number);
        let seen = self.seen.has(Thing::Group(number));
        let (page, start) = self.place(block)?;
        let bytes = &self.volume.page(page)?[start + at..start + at + self.shape.group_bytes];
        if !seen && !group::is_whole(&self.shape, number, bytes) {
            return Err(Failure::Broken);
        }
        let group = Group::read(&self.shape, bytes);
        self.seen.put(Thing::Group(number));
        Ok(group)
    }

    /// Writes the descriptor of a group.
    pub(crate) fn set_group(&mut self, number: u32, group: &Group) -> Result<()> {
        let (block, at) = self.shape.descriptor(number);
        let (page, start) = self.place(block)?;
        let page = self.volume.change(page)?;
        let bytes = &mut page[start + at..start + at + self.shape.group_bytes];
        group.write(&self.shape, number, bytes);
        Ok(())
    }

    /// The page of an inode, and where in it that begins.
    fn place_of_inode(&mut self, number: u32) -> Result<(u64, usize)> {
        if !(1..=self.shape.inodes).contains(&number) {
            return Err(Failure::Broken);
        }
        let (group, nth) = self.group_of_inode(number);
        let byte = u64::from(nth) * self.shape.inode_bytes as u64;
        let block = self.group(group)?.table + (byte >> self.shape.block_bits);
        let (page, start) = self.place(block)?;
        Ok((page, start + (byte as usize & (self.shape.block() - 1))))
    }

    /// The group of an inode, and which it is there.
    pub(crate) fn group_of_inode(&self, number: u32) -> (u32, u32) {
        let nth = number - 1;
        (nth / self.shape.group_inodes, nth % self.shape.group_inodes)
    }

    /// An inode.
    pub(crate) fn inode(&mut self, number: u32) -> Result<Inode> {
        let (page, at) = self.place_of_inode(number)?;
        let seen = self.seen.has(Thing::Inode(number));
        let bytes = &self.volume.page(page)?[at..at + self.shape.inode_bytes];
        let inode = Inode::read(number, bytes);
        if !seen && !inode.is_whole(&self.shape, bytes) {
            return Err(Failure::Broken);
        }
        self.seen.put(Thing::Inode(number));
        Ok(inode)
    }

    /// Writes an inode. What was in a place where a new one goes is forgotten.
    pub(crate) fn set_inode(&mut self, inode: &Inode) -> Result<()> {
        let (page, at) = self.place_of_inode(inode.number)?;
        let page = self.volume.change(page)?;
        inode.write(&self.shape, &mut page[at..at + self.shape.inode_bytes]);
        self.seen.put(Thing::Inode(inode.number));
        Ok(())
    }

    /// Clears the place of an inode: nothing is left but how often its number was used.
    pub(crate) fn clear_inode(&mut self, number: u32) -> Result<u32> {
        let (page, at) = self.place_of_inode(number)?;
        let page = self.volume.change(page)?;
        let place = &mut page[at..at + self.shape.inode_bytes];
        let generation = Inode::read(number, place).generation();
        place.fill(0);
        Inode::cleared(number, generation).write(&self.shape, place);
        self.seen.put(Thing::Inode(number));
        Ok(generation)
    }

    /// The file of a number that a request has.
    pub(crate) fn file(&mut self, node: Node) -> Result<Inode> {
        let number = if node == ROOT { ROOT_INODE } else { u32::try_from(node).unwrap_or(0) };
        let ours = number == ROOT_INODE || number >= self.shape.first_inode;
        if !ours || number > self.shape.inodes {
            return Err(Failure::NotFound);
        }
        let inode = self.inode(number)?;
        let exists = inode.mode() != 0 && (inode.links() > 0 || self.is_used(number)?);
        if exists { Ok(inode) } else { Err(Failure::NotFound) }
    }

    /// The directory of a number that a request has.
    pub(crate) fn directory(&mut self, node: Node) -> Result<Inode> {
        let inode = self.file(node)?;
        if inode.is_directory() { Ok(inode) } else { Err(Failure::NotDirectory) }
    }

    /// The number that requests have for an inode.
    pub(crate) fn node(number: u32) -> Node {
        if number == ROOT_INODE { ROOT } else { number.into() }
    }
}
