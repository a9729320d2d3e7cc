//! ext2, ext3 and ext4 on a volume.
//!
//! Each request is whole or not there: it changes pages of the volume, which commits them at once. So
//! nothing is kept here but what the disk says already, and hints; who starts anew with the same volume
//! goes on where another stopped.
//!
//! * `layout`: what is on the disk, as bytes.
//! * `access`: blocks, the superblock, groups and inodes, checked when they are first seen.
//! * `room`: which blocks and inodes are free.
//! * `extents`, `table`, `map`: which blocks a file has, in the new and the old way.
//! * `data`, `names`: bytes of files, and names in directories.
//! * `orphans`: files without a name, until nobody has them open.
//! * `journal`, `replay`: what makes a power cut harmless.
//! * `mount`, `system`: the file system as a whole, and its requests.
#![no_std]
#![deny(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod access;
mod data;
mod extents;
mod journal;
mod layout;
mod map;
mod mount;
mod names;
mod orphans;
mod replay;
mod room;
mod system;
mod table;

pub use layout::superblock::Refusal;
pub use mount::{Ext, Mounted};
