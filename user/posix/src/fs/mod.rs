//! Files by name: what a file is, whatever file system it is in.
//!
//! There are no cached names. A directory knows its parent, and the path of a file is found by walking
//! up: so a name cannot be stale.

pub mod archive;
pub mod caches;
pub mod content;
pub mod dev;
pub mod disks;
mod kinds;
pub mod limit;
pub mod mount;
pub mod pages;
pub mod path;
pub mod proc;
pub mod remote;
pub mod room;
mod table;
pub mod tmpfs;
pub mod watch;

pub use kinds::{Directory, Entry, Hole, Link, New, Reader, Regular};

use crate::errno::{Errno, Result};
use crate::file::lock::Locks;
use crate::file::pipe::Pipe;
use crate::process::Ids;
use alloc::boxed::Box;
use alloc::rc::Rc;
use core::cell::Cell;
use linux_raw_sys::general::{
    S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK, S_ISGID, S_ISVTX,
};

/// The longest name in a directory.
pub const NAME_MAX: usize = 255;

/// A file, a directory, or whatever else has a name.
pub struct Inode {
    /// Its number in its file system.
    pub number: u64,
    /// The number of its file system.
    pub device: u64,
    /// What `stat` shows of it.
    pub meta: Meta,
    /// What it is.
    pub kind: Kind,
    /// Another file system's root lies over it.
    pub covered: Cell<bool>,
    /// Who has locked it, and which part.
    pub locks: Locks,
    /// Openings of it for writing.
    pub writers: Cell<u32>,
    /// It was a program that somebody ran, and may be still.
    pub ran: Cell<bool>,
    /// Who wants to know what happens to it.
    pub watches: watch::Watches,
    /// What may not be done with it any more: `F_SEAL_*`.
    pub seals: Cell<u32>,
    /// What it takes of the room that there is.
    pub _charge: Option<(room::Charge, limit::Counted)>,
}

/// What a file is.
pub enum Kind {
    /// Names of other files.
    Directory(Box<dyn Directory>),
    /// Bytes.
    Regular(Box<dyn Regular>),
    /// Another path.
    Link(Box<dyn Link>),
    /// A device, by its number.
    Character(u64),
    /// A device, by its number.
    Block(u64),
    /// A pipe with a name.
    Fifo(Rc<Pipe>),
    /// The name of a socket.
    Socket,
}

/// What `stat` shows, beside the kind and the size.
#[derive(Default)]
pub struct Meta {
    /// Permissions, with the three bits above them.
    pub mode: Cell<u32>,
    /// Its owner.
    pub uid: Cell<u32>,
    /// Its group.
    pub gid: Cell<u32>,
    /// How many names it has.
    pub links: Cell<u32>,
    /// When it was read, changed, and its meta data changed: nanoseconds since 1970.
    pub accessed: Cell<i64>,
    /// See above.
    pub modified: Cell<i64>,
    /// See above.
    pub changed: Cell<i64>,
}

impl Inode {
    /// A file of a file system's device.
    pub fn new(number: u64, device: u64, meta: Meta, kind: Kind) -> Inode {
        Inode {
            number,
            device,
            meta,
            kind,
            covered: Cell::new(false),
            locks: Locks::default(),
            writers: Cell::new(0),
            ran: Cell::new(false),
            watches: Default::default(),
            seals: Cell::new(linux_raw_sys::general::F_SEAL_SEAL),
            _charge: None,
        }
    }

    /// Whether it is the same file, however one came to it.
    pub fn is(&self, other: &Inode) -> bool {
        (self.device, self.number) == (other.device, other.number)
    }

    /// Kind and permissions, as `stat` shows them.
    pub fn mode(&self) -> u32 {
        self.meta.mode.get() | self.format()
    }

    /// The bits of the kind.
    pub fn format(&self) -> u32 {
        match self.kind {
            Kind::Directory(_) => S_IFDIR,
            Kind::Regular(_) => S_IFREG,
            Kind::Link(_) => S_IFLNK,
            Kind::Character(_) => S_IFCHR,
            Kind::Block(_) => S_IFBLK,
            Kind::Fifo(_) => S_IFIFO,
            Kind::Socket => S_IFSOCK,
        }
    }

    /// The directory that it is.
    pub fn directory(&self) -> Result<&dyn Directory> {
        match &self.kind {
            Kind::Directory(directory) => Ok(&**directory),
            _ => Err(Errno::ENOTDIR),
        }
    }

    /// The bytes that it is.
    pub fn regular(&self) -> Result<&dyn Regular> {
        match &self.kind {
            Kind::Regular(regular) => Ok(&**regular),
            Kind::Directory(_) => Err(Errno::EISDIR),
            _ => Err(Errno::EINVAL),
        }
    }

    /// Whether it has bytes that are in memory, and could be sealed.
    pub fn sealable(&self) -> bool {
        self._charge.is_some() && matches!(self.kind, Kind::Regular(_))
    }

    /// Refuses what one of these seals forbids.
    pub fn unsealed(&self, seals: u32) -> Result<()> {
        if self.seals.get() & seals != 0 { Err(Errno::EPERM) } else { Ok(()) }
    }

    /// Keeps what was set of it.
    pub fn store(&self) -> Result<()> {
        match &self.kind {
            Kind::Directory(directory) => directory.store(self),
            Kind::Regular(regular) => regular.store(self),
            _ => Ok(()),
        }
    }

    /// Has it where it stays.
    pub fn sync(&self) -> Result<()> {
        match &self.kind {
            Kind::Directory(directory) => directory.sync(),
            Kind::Regular(regular) => regular.sync(),
            _ => Ok(()),
        }
    }

    /// Whether it is a directory.
    pub fn is_directory(&self) -> bool {
        matches!(self.kind, Kind::Directory(_))
    }

    /// How many bytes it has.
    pub fn size(&self) -> u64 {
        match &self.kind {
            Kind::Regular(regular) => regular.size(),
            Kind::Link(link) => link.length(),
            Kind::Directory(directory) => directory.size(),
            _ => 0,
        }
    }

    /// The number of the device that it is.
    pub fn rdev(&self) -> u64 {
        match self.kind {
            Kind::Character(device) | Kind::Block(device) => device,
            _ => 0,
        }
    }

    /// Refuses what these ids may not do: the bits are 4 for reading, 2 for writing, 1 for executing.
    pub fn permit(&self, ids: &Ids, wanted: u32) -> Result<()> {
        let mode = self.meta.mode.get();
        if ids.fsuid == 0 {
            let executable = self.is_directory() || mode & 0o111 != 0;
            return if wanted & 1 == 0 || executable { Ok(()) } else { Err(Errno::EACCES) };
        }
        let shift = if ids.fsuid == self.meta.uid.get() {
            6
        } else if ids.in_group(self.meta.gid.get()) {
            3
        } else {
            0
        };
        if mode >> shift & wanted == wanted { Ok(()) } else { Err(Errno::EACCES) }
    }

    /// Refuses what these ids may not take out of this directory, because it is sticky.
    pub fn permit_removal(&self, ids: &Ids, file: &Inode) -> Result<()> {
        self.permit(ids, 3)?;
        let sticky = self.meta.mode.get() & S_ISVTX != 0;
        let own = [0, file.meta.uid.get(), self.meta.uid.get()].contains(&ids.fsuid);
        if sticky && !own { Err(Errno::EPERM) } else { Ok(()) }
    }

    /// Refuses what only the owner may do.
    pub fn permit_owner(&self, ids: &Ids) -> Result<()> {
        let own = ids.fsuid == 0 || ids.fsuid == self.meta.uid.get();
        if own { Ok(()) } else { Err(Errno::EPERM) }
    }

    /// The group of what is made in this directory.
    pub fn group_for(&self, ids: &Ids) -> u32 {
        if self.meta.mode.get() & S_ISGID != 0 { self.meta.gid.get() } else { ids.fsgid }
    }

    /// It was read now. Of reading again and again only the first time after a change is kept.
    pub fn was_read(&self) {
        let Meta { accessed, modified, changed, .. } = &self.meta;
        if accessed.get() <= modified.get() || accessed.get() <= changed.get() {
            accessed.set(crate::time::stamp());
        }
    }

    /// What was written by somebody else than root does not run as somebody else any more.
    pub fn drop_privileges(&self, ids: &Ids) {
        use linux_raw_sys::general::{S_ISUID, S_IXGRP};
        let mode = self.meta.mode.get();
        if mode & (S_ISUID | S_ISGID) != 0 && ids.fsuid != 0 && !self.is_directory() {
            let group = if mode & S_IXGRP != 0 { S_ISGID } else { 0 };
            self.meta.mode.set(mode & !(S_ISUID | group));
        }
    }

    /// It was changed now.
    pub fn touch(&self, now: i64) {
        self.meta.modified.set(now);
        self.meta.changed.set(now);
    }
}

/// The kind of a mode.
pub fn format(mode: u32) -> u32 {
    mode & S_IFMT
}
