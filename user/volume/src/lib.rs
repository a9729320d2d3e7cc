//! # The pages of a disk, in memory that outlives its server
//!
//! A [`Volume`] is what a file system sees of its disk: pages of 4096 bytes, which it reads, and
//! changes in *operations*. An operation stages its pages and then [commits](Volume::commit) all of
//! them at once, or [aborts](Volume::abort). What was committed is in memory that the supervisor
//! keeps: a server that is killed, at whatever instruction, leaves whole operations to its
//! successor, which goes on from there.
//!
//! What is committed goes to the disk with [`sync`](Volume::sync), such that a power cut at any write
//! leaves a disk with all of the operations up to one sync, or to the one before, if the file system
//! has a [`Journal`].
//!
//! * An operation may have a [`Receipt`](files::Receipt), committed with it: whoever asked for it can
//!   ask again, and is told what was told before.
//! * Pages beyond the end of the disk are *notes*: never written to the disk, but otherwise like
//!   others. What a file system must remember of its clients is in there.
//! * A few [words](Volume::words) go with each commit, for what changes all the time.
//! * What is [freed](Volume::free) is held until the next sync, for until then the disk still uses it.
//!
//! The modules, from the memory upwards:
//!
//! * `kept`: the layout of the kept memory, and the sums by which it is checked.
//! * `slots`: which page is where, and which can go; in memory that is not kept.
//! * `held`: ranges that are not handed out yet.
//! * `pages`: the pages themselves.
//! * `open`, `stage`, `sync`: how a volume begins, changes, and gets to the disk.
//! * `log`: a journal for file systems that have none of their own.
//! * `attached`: a disk that another service drives, and the kept memory that it reaches.
//! * `fake`: with the feature of that name, a disk for tests.
#![no_std]

extern crate alloc;

mod kept;
mod slots;
mod held;
mod pages;
mod open;
mod stage;
mod sync;
mod log;
#[cfg(feature = "calls")]
mod attached;
#[cfg(feature = "fake")]
pub mod fake;

#[cfg(feature = "calls")]
pub use attached::Attached;
pub use files::{Failure, Result};
pub use held::Held;
pub use kept::WORDS;
pub use log::Log;
pub use open::Found;
pub use pages::Volume;

use core::ops::Range;

/// Bytes of a page.
pub const PAGE: usize = 4096;
/// Bytes of a sector.
pub const SECTOR: u64 = 512;
/// A page, as words, for its tables are made of them.
pub type Page = [u64; PAGE / 8];

/// The bytes of pages.
pub fn bytes(pages: &[Page]) -> &[u8] {
    bytemuck::cast_slice(pages)
}

/// The bytes of pages, to be changed.
pub fn bytes_mut(pages: &mut [Page]) -> &mut [u8] {
    bytemuck::cast_slice_mut(pages)
}

/// A disk, and the kept memory from and to which it moves pages by itself.
pub trait Disk {
    /// That memory. It is always the same, and is changed by nothing but [`read`](Disk::read) and
    /// whoever calls this.
    fn cache(&mut self) -> &mut [Page];
    /// Sectors of the disk. The last page may have fewer than the others.
    fn sectors(&self) -> u64;
    /// Reads pages into the cache, the first of them to this place; what the disk does not have of
    /// its last page is zero.
    fn read(&mut self, page: u64, at: usize, count: usize) -> Result<()>;
    /// Writes pages from the cache, the first of them from this place.
    fn write(&mut self, page: u64, at: usize, count: usize) -> Result<()>;
    /// Returns when all that was written stays.
    fn flush(&mut self) -> Result<()>;
}

/// A page that is to go home: its number, and where it is in the cache.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Home {
    /// The page of the disk.
    pub page: u64,
    /// The place in the cache.
    pub at: usize,
}

/// Where the pages of a sync are before they go home, so that all of them get there.
pub trait Journal<D: Disk> {
    /// How many pages it can store.
    fn room(&self) -> usize;
    /// Stores pages, in rising order, and returns when they stay: from now on they are found again
    /// after a power cut, all of them. The scratch places of the cache are free to use.
    fn store(&mut self, disk: &mut D, scratch: Range<usize>, pages: &[Home]) -> Result<()>;
    /// Forgets what is stored: it has got home, and stays there.
    fn clear(&mut self, disk: &mut D, scratch: Range<usize>) -> Result<()>;
}

/// No journal: a power cut leaves what it leaves.
#[derive(Clone, Copy, Debug)]
pub struct Unjournaled;

impl<D: Disk> Journal<D> for Unjournaled {
    fn room(&self) -> usize {
        usize::MAX
    }

    fn store(&mut self, _: &mut D, _: Range<usize>, _: &[Home]) -> Result<()> {
        Ok(())
    }

    fn clear(&mut self, _: &mut D, _: Range<usize>) -> Result<()> {
        Ok(())
    }
}
