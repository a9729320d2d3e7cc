//! Files by name: what a file is, whatever file system it is in.
//!
//! There are no cached names. A directory knows its parent, and the path of a file is found by walking
//! up: so a name cannot be stale.

pub mod archive;
pub mod content;
pub mod dev;
pub mod limit;
pub mod mount;
pub mod pages;
pub mod path;
pub mod proc;
pub mod room;
pub mod tmpfs;
pub mod watch;

use crate::errno::{Errno, Result};
use crate::file::lock::Locks;
use crate::file::{File, pipe::Pipe};
use crate::process::Ids;
use crate::user::Transfer;
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::Cell;
use linux_raw_sys::general::{
    S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK, S_ISGID, S_ISVTX,
};
use rt::Memory;

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

/// An entry of a directory.
pub struct Entry {
    /// Its name.
    pub name: Vec<u8>,
    /// The number of what it names.
    pub number: u64,
    /// The kind of what it names: the bits of `S_IFMT`.
    pub kind: u32,
    /// Where to go on after it.
    pub next: u64,
}

/// What is to be made in a directory.
pub struct New<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// Kind and permissions.
    pub mode: u32,
    /// Whose it will be.
    pub uid: u32,
    /// And which group's.
    pub gid: u32,
    /// The number of a device.
    pub device: u64,
    /// What a symbolic link says.
    pub target: &'a [u8],
}

/// Names of files. What does not change anything is the least that a file system must have.
pub trait Directory {
    /// The file of a name that is neither `.` nor `..`.
    fn lookup(&self, name: &[u8]) -> Result<Rc<Inode>>;
    /// The directory above; none at the root of the file system.
    fn parent(&self) -> Option<Rc<Inode>>;
    /// The first entry at or after a place, which is 0 at the beginning.
    fn entry(&self, place: u64) -> Option<Entry>;
    /// How long it is, as `stat` shows it.
    fn size(&self) -> u64 {
        0
    }
    /// Makes a file.
    fn create(&self, _this: &Rc<Inode>, _new: &New<'_>) -> Result<Rc<Inode>> {
        Err(Errno::ENOENT)
    }
    /// A file of the same file system that has no name.
    fn create_unnamed(&self, _this: &Rc<Inode>, _new: &New<'_>) -> Result<Rc<Inode>> {
        Err(Errno::EOPNOTSUPP)
    }
    /// Gives a file another name.
    fn link(&self, _this: &Rc<Inode>, _name: &[u8], _inode: &Rc<Inode>) -> Result<()> {
        Err(Errno::EPERM)
    }
    /// Removes a name, of a directory only if that is empty.
    fn unlink(&self, _this: &Rc<Inode>, _name: &[u8]) -> Result<()> {
        Err(Errno::EPERM)
    }
    /// Itself, if it is one of the file system in memory.
    fn as_names(&self) -> Option<&tmpfs::Names> {
        None
    }
    /// Moves a name, of a file that may be moved there, and takes the place of what has the name.
    fn rename(
        &self,
        _from: &[u8],
        _this: &Rc<Inode>,
        _to: &Rc<Inode>,
        _name: &[u8],
        _exchange: bool,
    ) -> Result<()> {
        Err(Errno::EPERM)
    }
}

/// Bytes.
pub trait Regular {
    /// How many.
    fn size(&self) -> u64;
    /// How many pages it takes.
    fn pages(&self) -> u64 {
        0
    }
    /// Puts those from a place on into the transfer, as many as there are.
    fn read(&self, at: u64, to: &mut Transfer<'_>) -> Result<()>;
    /// Takes those that are to be at a place.
    fn write(&self, _at: u64, _from: &mut Transfer<'_>) -> Result<()> {
        Err(Errno::EINVAL)
    }
    /// Makes it shorter or longer.
    fn truncate(&self, _size: u64) -> Result<()> {
        Err(Errno::EINVAL)
    }
    /// Has memory for those between two places, even behind the last.
    fn reserve(&self, _at: u64, _end: u64) -> Result<()> {
        Err(Errno::EOPNOTSUPP)
    }
    /// Makes zeroes of those between two places, which need not be kept.
    fn punch(&self, _at: u64, _end: u64) -> Result<()> {
        Err(Errno::EOPNOTSUPP)
    }
    /// The first place from one on, which is in the file, where there are bytes, or none were written.
    fn find(&self, at: u64, wanted: Hole) -> u64 {
        if wanted == Hole::Data { at } else { self.size() }
    }
    /// The memory that has the bytes, and at which of its pages they begin.
    fn memory(&self) -> Result<(Rc<Memory>, u64)> {
        Err(Errno::ENODEV)
    }
    /// What is there at once, without copying, for those who look at a few bytes.
    fn opened(&self, _inode: &Rc<Inode>) -> Option<Rc<dyn File>> {
        None
    }
}

/// What is looked for in a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hole {
    /// Bytes that were written.
    Data,
    /// Bytes that were not.
    Hole,
}

/// Another path.
pub trait Link {
    /// The path, for the thread of a process that wants to know.
    fn target(&self, reader: Reader) -> Result<Vec<u8>>;
    /// Where it leads, if that is not where its path does.
    fn follow(&self) -> Option<Result<Rc<Inode>>> {
        None
    }
    /// How long it is, as `stat` shows it.
    fn length(&self) -> u64 {
        0
    }
}

/// Who reads a link: the numbers of a process and its thread.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reader {
    /// The process.
    pub pid: u32,
    /// The thread.
    pub tid: u32,
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
            accessed.set(crate::time::realtime());
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
