//! The requests of a file system.
//!
//! A request that finds no room may do so because what was freed is held: what was committed goes to
//! the disk then, and it begins once more.

use crate::layout::extent;
use crate::layout::inode::{EXTENTS, FIXED, Inode, MAP_BYTES};
use crate::layout::superblock::{at, free_blocks};
use crate::layout::u32_at;
use crate::mount::Ext;
use crate::names::{LONGEST, Place, check};
use alloc::vec::Vec;
use files::{
    Attributes, DIRECTORY, Entry, Failure, FileSystem, KIND, LINK, MOST, Node, REGULAR, Receipt,
    Result, Sink, Source, Space,
};
use volume::Disk;

/// Names that a file can have.
const LINKS: u32 = 65_000;

impl<D: Disk> Ext<D> {
    fn attributes(&self, inode: &Inode) -> Attributes {
        let device = [REGULAR, DIRECTORY, LINK].contains(&inode.kind());
        Attributes {
            node: Self::node(inode.number),
            mode: inode.mode(),
            owner: inode.owner(),
            links: inode.links(),
            size: inode.size(),
            taken: inode.sectors(&self.shape) << 9,
            device: if device { 0 } else { inode.device() },
            times: inode.times(),
        }
    }

    fn writable(&self) -> Result<()> {
        if self.writable { Ok(()) } else { Err(Failure::ReadOnly) }
    }

    /// A file that may be changed.
    fn changeable(&mut self, node: Node) -> Result<Inode> {
        self.writable()?;
        let inode = self.file(node)?;
        if inode.has(FIXED) { Err(Failure::ReadOnly) } else { Ok(inode) }
    }

    /// A directory that may be changed.
    fn open_directory(&mut self, node: Node) -> Result<Inode> {
        let inode = self.changeable(node)?;
        if inode.is_directory() { Ok(inode) } else { Err(Failure::NotDirectory) }
    }

    fn regular(&mut self, node: Node) -> Result<Inode> {
        let inode = self.file(node)?;
        match inode.kind() {
            REGULAR => Ok(inode),
            DIRECTORY => Err(Failure::IsDirectory),
            _ => Err(Failure::Invalid),
        }
    }

    /// Does something, and does it once more where there was no room.
    fn attempt<R>(&mut self, act: impl Fn(&mut Self) -> Result<R>) -> Result<R> {
        match act(self) {
            Err(Failure::NoSpace) => {
                self.abort();
                self.flush()?;
                act(self)
            }
            done => done,
        }
    }

    /// Makes an inode for a file.
    fn make(&mut self, parent: &Inode, wish: &Attributes, target: &[u8]) -> Result<Inode> {
        let is_directory = wish.mode & KIND == DIRECTORY;
        let number = self.take_inode(parent.number, is_directory)?;
        let generation = self.clear_inode(number)?;
        let mut inode = Inode::new(&self.shape, number, wish.mode, generation.wrapping_add(1));
        inode.set_owner(wish.owner);
        inode.set_times(wish.times);
        inode.set_birth(wish.times[2]);
        inode.set_links(if is_directory { 2 } else { 1 });
        let short = inode.kind() == LINK && target.len() < MAP_BYTES;
        if [REGULAR, DIRECTORY, LINK].contains(&inode.kind()) && !short && self.shape.extents() {
            let mut map = [0; MAP_BYTES];
            extent::make(&mut map, 0);
            inode.set_map(map);
            inode.set_flags(EXTENTS);
        }
        match inode.kind() {
            REGULAR => {}
            DIRECTORY => self.make_directory(&mut inode, parent.number)?,
            LINK if short => {
                let mut map = [0; MAP_BYTES];
                map[..target.len()].copy_from_slice(target);
                inode.set_map(map);
                inode.set_size(target.len() as u64);
            }
            LINK if target.len() >= self.shape.block() => return Err(Failure::NameTooLong),
            LINK => {
                self.write_bytes(&mut inode, 0, target.len(), &mut &target[..])?;
            }
            _ => inode.set_device(wish.device),
        }
        self.set_inode(&inode)?;
        Ok(inode)
    }

    /// A directory has other names than before.
    fn touch(&mut self, directory: &mut Inode) -> Result<()> {
        directory.touch(self.now, true);
        self.set_inode(directory)
    }

    /// A file has a name less.
    fn drop_name(&mut self, inode: &mut Inode) -> Result<()> {
        inode.touch(self.now, false);
        let left = if inode.is_directory() { 0 } else { inode.links().saturating_sub(1) };
        inode.set_links(left);
        if left == 0 { self.add_orphan(inode) } else { self.set_inode(inode) }
    }

    /// What a name leads to makes way for another file.
    fn make_way(&mut self, victim: &Inode, inode: &Inode) -> Result<()> {
        match (victim.is_directory(), inode.is_directory()) {
            _ if victim.has(FIXED) => Err(Failure::ReadOnly),
            (true, false) => Err(Failure::IsDirectory),
            (false, true) => Err(Failure::NotDirectory),
            (true, true) if !self.is_empty(victim)? => Err(Failure::NotEmpty),
            _ => Ok(()),
        }
    }

    fn try_create(
        &mut self,
        directory: Node,
        name: &[u8],
        wish: &Attributes,
        target: &[u8],
    ) -> Result<Attributes> {
        let mut parent = self.open_directory(directory)?;
        self.vacant(&parent, name)?;
        let inode = self.make(&parent, wish, target)?;
        if inode.is_directory() {
            self.add_link(&mut parent)?;
        }
        self.add_name(&mut parent, name, &inode)?;
        self.touch(&mut parent)?;
        Ok(self.attributes(&inode))
    }

    fn try_link(&mut self, directory: Node, node: Node, name: &[u8]) -> Result<()> {
        let mut parent = self.open_directory(directory)?;
        let mut inode = self.changeable(node)?;
        self.vacant(&parent, name)?;
        match inode.links() {
            _ if inode.is_directory() => return Err(Failure::IsDirectory),
            0 => return Err(Failure::NotFound),
            LINKS.. => return Err(Failure::TooLarge),
            links => inode.set_links(links + 1),
        }
        inode.touch(self.now, false);
        self.set_inode(&inode)?;
        self.add_name(&mut parent, name, &inode)?;
        self.touch(&mut parent)
    }

    fn try_rename(&mut self, from: Node, name: &[u8], to: Node, new: &[u8]) -> Result<()> {
        check(new)?;
        let source = self.open_directory(from)?;
        let mut target = self.open_directory(to)?;
        let (_, mut inode) = self.named(&source, name)?;
        let moves = inode.is_directory() && source.number != target.number;
        if inode.has(FIXED) {
            return Err(Failure::ReadOnly);
        }
        if moves && self.is_within(&target, inode.number)? {
            return Err(Failure::Invalid);
        }
        if self.find_name(&target, new)?.is_some() {
            let (there, mut victim) = self.named(&target, new)?;
            if victim.number == inode.number {
                return Ok(());
            }
            self.make_way(&victim, &inode)?;
            self.set_name(&target, &there, &inode)?;
            if victim.is_directory() {
                self.remove_link(&mut target)?;
            }
            self.drop_name(&mut victim)?;
        } else if target.links() == 0 {
            return Err(Failure::NotFound);
        } else {
            self.add_name(&mut target, new, &inode)?;
        }
        if moves {
            self.add_link(&mut target)?;
            self.set_parent(&mut inode, &target)?;
        }
        self.touch(&mut target)?;
        inode.touch(self.now, false);
        self.set_inode(&inode)?;
        // The directories may be the same one.
        let mut source = self.directory(from)?;
        let (old, _) = self.named(&source, name)?;
        self.remove_name(&source, &old)?;
        if moves {
            self.remove_link(&mut source)?;
        }
        self.touch(&mut source)
    }
}

impl<D: Disk> FileSystem for Ext<D> {
    fn lookup(&mut self, directory: Node, name: &[u8]) -> Result<Attributes> {
        let directory = self.directory(directory)?;
        let (_, inode) = self.named(&directory, name)?;
        Ok(self.attributes(&inode))
    }

    fn stat(&mut self, node: Node) -> Result<Attributes> {
        let inode = self.file(node)?;
        Ok(self.attributes(&inode))
    }

    fn read(&mut self, node: Node, at: u64, to: &mut dyn Sink) -> Result<()> {
        let inode = self.regular(node)?;
        self.read_bytes(&inode, at, to)
    }

    fn entry(&mut self, directory: Node, place: u64) -> Result<Option<Entry>> {
        let directory = self.directory(directory)?;
        self.name_at(&directory, place)
    }

    fn space(&mut self) -> Result<Space> {
        let shape = self.shape.clone();
        let bytes = self.superblock()?;
        Ok(Space {
            block: shape.block() as u64,
            blocks: [shape.blocks, free_blocks(&shape, bytes)],
            files: [shape.inodes.into(), u32_at(bytes, at::FREE_INODES).into()],
            name: LONGEST as u64,
        })
    }

    fn set(&mut self, node: Node, wish: &Attributes) -> Result<Attributes> {
        self.writable()?;
        let mut inode = self.file(node)?;
        inode.set_permissions(wish.mode);
        inode.set_owner(wish.owner);
        inode.set_times(wish.times);
        self.set_inode(&inode)?;
        Ok(self.attributes(&inode))
    }

    fn write(&mut self, node: Node, at: u64, from: &mut dyn Source) -> Result<usize> {
        self.changeable(node)?;
        let (mut most, mut flushed) = (MOST, false);
        loop {
            let mut inode = self.regular(node)?;
            let done = self.write_bytes(&mut inode, at, most, from);
            match done {
                Err(Failure::NoSpace) if !flushed => {
                    self.abort();
                    self.flush()?;
                    flushed = true;
                }
                // There may be room for some of it.
                Err(Failure::NoSpace) if most > self.shape.block() => {
                    self.abort();
                    most /= 2;
                }
                Ok(count) => {
                    inode.touch(self.now, true);
                    return self.set_inode(&inode).map(|()| count);
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    fn create(
        &mut self,
        directory: Node,
        name: &[u8],
        attributes: &Attributes,
        target: &[u8],
    ) -> Result<Attributes> {
        self.attempt(|ext| ext.try_create(directory, name, attributes, target))
    }

    fn link(&mut self, directory: Node, node: Node, name: &[u8]) -> Result<()> {
        self.attempt(|ext| ext.try_link(directory, node, name))
    }

    fn unlink(&mut self, directory: Node, name: &[u8]) -> Result<()> {
        let mut parent = self.open_directory(directory)?;
        check(name)?;
        let (named, mut inode) = self.named(&parent, name)?;
        if inode.has(FIXED) {
            return Err(Failure::ReadOnly);
        }
        if inode.is_directory() {
            if !self.is_empty(&inode)? {
                return Err(Failure::NotEmpty);
            }
            self.remove_link(&mut parent)?;
        }
        self.remove_name(&parent, &named)?;
        self.touch(&mut parent)?;
        self.drop_name(&mut inode)
    }

    fn rename(&mut self, from: Node, name: &[u8], to: Node, new: &[u8]) -> Result<()> {
        self.attempt(|ext| ext.try_rename(from, name, to, new))
    }

    fn truncate(&mut self, node: Node, size: u64) -> Result<()> {
        self.changeable(node)?;
        let mut inode = self.regular(node)?;
        inode.touch(self.now, true);
        self.resize(&mut inode, size)
    }

    fn target(&mut self, node: Node) -> Result<Vec<u8>> {
        let inode = self.file(node)?;
        if inode.kind() == LINK { self.read_link(&inode) } else { Err(Failure::Invalid) }
    }

    fn sync(&mut self) -> Result<()> {
        self.flush()?;
        self.volume.told()
    }

    fn leave(&mut self) -> Result<()> {
        self.unmark()?;
        self.volume.told()
    }

    fn release(&mut self, node: Node) -> Result<()> {
        match self.file(node) {
            Ok(mut inode) if inode.links() == 0 && self.writable => self.remove_file(&mut inode),
            Ok(_) | Err(Failure::NotFound) => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    fn begin(&mut self, now: i64) {
        self.now = now;
    }

    fn receipt(&mut self, number: u64) -> Option<Receipt> {
        let last = self.volume.receipt();
        (number != 0 && last.number == number).then_some(*last)
    }

    fn commit(&mut self, receipt: &Receipt) {
        self.volume.commit(Some(receipt));
        if self.volume.is_full(&self.journal) {
            // What does not get to the disk now is not lost: the next sync tells of it.
            let _ = self.flush();
        }
    }

    fn abort(&mut self) {
        self.volume.abort();
        (self.roomy, self.listing) = (Place::default(), Place::default());
    }
}
