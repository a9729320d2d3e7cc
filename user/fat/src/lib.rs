//! # FAT12, FAT16 and FAT32
//!
//! A file system of a [`Volume`], for the server of the protocol of files: with long names, times of
//! two seconds, the bit that files have that cannot be written. Links, owners and other kinds of
//! files it does not have.
//!
//! A file's number is where its entry is. One whose entry moved while somebody knows it keeps its number
//! until it is released; `nodes` remembers that in notes, which outlive the server. A file that is
//! removed moves to a hidden directory until it is released, or until the next mount.
//!
//! The structure goes through a journal in a hidden file, `OCHRE.JNL`.
//!
//! The modules, from the bytes upwards:
//!
//! * `le`, `boot`, `record`, `names`: numbers, the boot sector, entries of directories, their names.
//! * `table`, `chains`: clusters and how they follow each other.
//! * `directory`: entries in their order, found, put and removed.
//! * `nodes`: the numbers of files.
//! * `content`, `shrink`: the bytes of files.
//! * `change`, `system`: what is asked for.
//! * `mount`: how it begins.
#![no_std]

extern crate alloc;

mod le;
mod boot;
mod record;
mod names;
mod table;
mod chains;
mod directory;
mod nodes;
mod content;
mod shrink;
mod change;
mod system;
mod mount;

pub use mount::{Mounted, Refusal};

use boot::Shape;
use chains::Chains;
use nodes::Nodes;
use volume::{Disk, Log, Volume};

/// A file system on a disk.
#[derive(Debug)]
pub struct Fat<D> {
    volume: Volume<D>,
    shape: Shape,
    chains: Chains,
    nodes: Nodes,
    log: Option<Log>,
    /// The first cluster of the hidden directory where removed files are that somebody has open.
    limbo: Option<u32>,
    is_read_only: bool,
    /// When the request was made that is served, if whoever made it knows.
    now: i64,
    /// The file that was read last, and up to where.
    last_read: (files::Node, u64),
}

impl<D: Disk> Fat<D> {
    /// The volume below.
    pub fn volume(&mut self) -> &mut Volume<D> {
        &mut self.volume
    }

    /// The disk, as this leaves it.
    pub fn into_disk(self) -> D {
        self.volume.into_disk()
    }
}
