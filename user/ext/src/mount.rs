//! A file system as a whole: how it is mounted and unmounted, and what it keeps meanwhile.

use crate::access::Seen;
use crate::journal::{HEAD, Keeper, Log, Pen, Stretch};
use crate::layout::inode::{EXTENTS, Inode};
use crate::layout::log::Head;
use crate::layout::superblock::{self, Refusal, Shape, at, feature};
use crate::layout::{put, put_u32, u16_at, u32_at};
use crate::names::Place;
use crate::replay::replay;
use alloc::vec::Vec;
use files::Result;
use volume::{Disk, Found, PAGE, Volume, bytes_mut};

/// The state of a file system that was unmounted.
const UNMOUNTED: u16 = 1;

/// The word of the volume that has the state in which the file system was found.
const STATE: usize = 0;

/// A file system.
pub struct Ext<D> {
    pub(crate) volume: Volume<D>,
    pub(crate) journal: Keeper,
    pub(crate) shape: Shape,
    /// Whether it may be changed, and whether the disk says that it is.
    pub(crate) writable: bool,
    /// See above.
    marked: bool,
    /// When the request was made that is served.
    pub(crate) now: i64,
    /// Checksums that were right.
    pub(crate) seen: Seen,
    /// A block, for a moment.
    pub(crate) scratch: Vec<u8>,
    /// The block of a directory before which there was no room, where a listing has come to, and where
    /// a file was read up to: hints.
    pub(crate) roomy: Place,
    /// See above.
    pub(crate) listing: Place,
    /// See above.
    pub(crate) reading: (u32, u64),
}

/// How a file system was mounted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mounted {
    /// What a predecessor has left.
    pub found: Found,
    /// Blocks that were in the journal.
    pub replayed: usize,
    /// Whether it may be changed.
    pub writable: bool,
}

impl<D: Disk> Ext<D> {
    /// Mounts what is on a disk.
    pub fn mount(disk: D, read_only: bool) -> core::result::Result<(Ext<D>, Mounted), Refusal> {
        let (volume, found) = Volume::open(disk).map_err(|_| Refusal::Disk)?;
        let mut ext = Ext::new(volume, false)?;
        let mut replayed = 0;
        let recover = ext.shape.incompatible & feature::RECOVER != 0;
        if ext.shape.has_journal() {
            match ext.open_journal() {
                Ok(mut log) => {
                    if recover && log.head.start != 0 {
                        let scratch = ext.volume.scratch();
                        replayed = replay(&mut log, ext.volume.disk(), scratch)?;
                        // What was read before that may be another now.
                        ext.volume.refresh();
                        ext = Ext::new(ext.volume, true)?;
                    }
                    log.head.start = 0;
                    ext.journal = Keeper(Some(log));
                }
                Err(refusal) if recover => return Err(refusal),
                Err(_) => {}
            }
        }
        ext.check_checksum()?;
        let usable = ext.journal.0.as_ref().map_or(!ext.shape.has_journal(), Log::is_usable);
        ext.writable = !read_only && usable && ext.shape.is_writable();
        let mounted = Mounted { found, replayed, writable: ext.writable };
        if ext.writable {
            ext.begin(matches!(found, Found::Work(..))).map_err(|_| Refusal::Disk)?;
        }
        Ok((ext, mounted))
    }

    fn new(mut volume: Volume<D>, strict: bool) -> core::result::Result<Ext<D>, Refusal> {
        let page = volume.page(0).map_err(|_| Refusal::Disk)?;
        let shape = Shape::read(&page[superblock::AT..], strict)?;
        if shape.blocks << shape.block_bits > volume.pages() * PAGE as u64 {
            return Err(Refusal::TooSmallDisk);
        }
        Ok(Ext {
            volume,
            journal: Keeper(None),
            scratch: alloc::vec![0; shape.block()],
            shape,
            writable: false,
            marked: false,
            now: 0,
            seen: Seen::new(),
            roomy: Place::default(),
            listing: Place::default(),
            reading: (0, 0),
        })
    }

    /// A superblock that was torn on its way home is in the journal: only after that does it count.
    fn check_checksum(&mut self) -> core::result::Result<(), Refusal> {
        Shape::read(self.superblock().map_err(|_| Refusal::Disk)?, true).map(|_| ())
    }

    /// Reads where the journal is, and what it is like.
    fn open_journal(&mut self) -> core::result::Result<Log, Refusal> {
        let broken = |_| Refusal::Journal("its file makes no sense");
        if self.shape.journal == 0 {
            return Err(Refusal::Journal("it is on another disk"));
        }
        let inode = self.inode(self.shape.journal).map_err(broken)?;
        let blocks = inode.size() >> self.shape.block_bits;
        let stretches = self.stretches(&inode, blocks).map_err(broken)?;
        let first = stretches.first().ok_or(Refusal::Journal("it is empty"))?.block;
        // The cache may have another.
        let (bits, scratch) = (self.shape.block_bits, self.volume.scratch());
        let pen = Pen::new(self.volume.disk(), scratch, bits);
        let superblock = pen.read(first).map_err(|_| Refusal::Disk)?[..HEAD].to_vec();
        let head = Head::read(&superblock, self.shape.block(), blocks).map_err(Refusal::Journal)?;
        let pointers =
            if inode.has(EXTENTS) { Ok(Vec::new()) } else { self.pointer_blocks(&inode) };
        Ok(Log::new(head, superblock, stretches, &pointers.map_err(broken)?, &self.shape))
    }

    /// Where the blocks of a file are, of which none is a hole.
    fn stretches(&mut self, inode: &Inode, blocks: u64) -> Result<Vec<Stretch>> {
        let mut all = Vec::new();
        let mut logical = 0;
        while logical < blocks.min(self.shape.blocks) {
            let run = self.find(inode, logical, blocks - logical)?;
            let block = run.block.ok_or(files::Failure::Broken)?;
            all.push(Stretch { logical, block, count: run.count });
            logical += run.count;
        }
        Ok(all)
    }

    /// Begins to change it.
    fn begin(&mut self, goes_on: bool) -> Result<()> {
        let (sums, wide) = (self.shape.sums(), self.shape.incompatible & feature::WIDE != 0);
        let state = u16_at(self.superblock()?, at::STATE);
        if let Some(log) = &mut self.journal.0 {
            log.head.modernise(sums, wide);
            self.marked = self.shape.incompatible & feature::RECOVER != 0;
        } else if goes_on {
            self.marked = state & UNMOUNTED == 0;
        } else {
            self.volume.words()[STATE] = state.into();
            self.volume.commit(None);
        }
        self.flush()?;
        if goes_on { Ok(()) } else { self.finish_orphans() }
    }

    /// The disk says that it is changed, before it is.
    fn mark(&mut self) -> Result<()> {
        if self.journal.0.is_some() {
            self.mark_recover(true)?;
            self.change_superblock(|shape, bytes| set_recover(shape, bytes, true))?;
        } else {
            let state = self.volume.words()[STATE] as u16 & !UNMOUNTED;
            self.change_superblock(|_, bytes| put(bytes, at::STATE, state.to_le_bytes()))?;
        }
        self.volume.commit(None);
        self.marked = true;
        Ok(())
    }

    /// All that was changed is on the disk, which says that nobody changes it.
    pub(crate) fn unmark(&mut self) -> Result<()> {
        self.flush()?;
        if self.marked && self.journal.0.is_some() {
            self.mark_recover(false)?;
        } else if self.marked {
            let state = self.volume.words()[STATE] as u16;
            self.change_superblock(|_, bytes| put(bytes, at::STATE, state.to_le_bytes()))?;
            self.volume.commit(None);
        }
        self.marked = false;
        self.volume.close(&mut self.journal)
    }

    /// Writes whether the journal may have something, past the cache.
    fn mark_recover(&mut self, recover: bool) -> Result<()> {
        let scratch = self.volume.scratch().start;
        let disk = self.volume.disk();
        disk.read(0, scratch, 1)?;
        let page = bytes_mut(&mut disk.cache()[scratch..=scratch]);
        let superblock = &mut page[superblock::AT..][..superblock::BYTES];
        let marked = u32_at(superblock, at::INCOMPATIBLE) & feature::RECOVER != 0;
        if marked != recover {
            set_recover(&self.shape, superblock, recover);
            disk.write(0, scratch, 1)?;
            disk.flush()?;
        }
        Ok(())
    }

    /// All that was changed is on the disk.
    pub(crate) fn flush(&mut self) -> Result<()> {
        if self.volume.dirty() == 0 {
            return Ok(());
        }
        if !self.marked {
            self.mark()?;
        }
        if let Some(log) = &mut self.journal.0
            && let Some(block) = log.shared()
        {
            let head = log.next().to_vec();
            self.change(block)?[..HEAD].copy_from_slice(&head);
            self.volume.commit(None);
        }
        self.volume.sync(&mut self.journal)
    }

    /// What was changed holds: one step of several.
    pub(crate) fn step(&mut self) -> Result<()> {
        self.volume.commit(None);
        if self.volume.is_full(&self.journal) { self.flush() } else { Ok(()) }
    }

    /// The disk.
    pub fn disk(&mut self) -> &mut D {
        self.volume.disk()
    }

    /// The disk, as this leaves it: what was committed is in its cache.
    pub fn into_disk(self) -> D {
        self.volume.into_disk()
    }
}

fn set_recover(shape: &Shape, bytes: &mut [u8], recover: bool) {
    let others = u32_at(bytes, at::INCOMPATIBLE) & !feature::RECOVER;
    let own = if recover { feature::RECOVER } else { 0 };
    put_u32(bytes, at::INCOMPATIBLE, others | own);
    superblock::seal(shape, bytes);
}
