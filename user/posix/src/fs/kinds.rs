//! What a file system has to be able to do: directories, bytes, links.

use super::{Inode, remote, tmpfs};
use crate::errno::{Errno, Result};
use crate::file::File;
use crate::user::Transfer;
use alloc::rc::Rc;
use alloc::vec::Vec;
use rt::Memory;

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
    fn entry(&self, place: u64) -> Result<Option<Entry>>;
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
    /// Itself, if it is another server's.
    fn as_remote(&self) -> Option<&remote::Names> {
        None
    }
    /// How much room its file system has, if that knows it.
    fn space(&self) -> Result<Option<files::Space>> {
        Ok(None)
    }
    /// Nobody is going to use its file system any more.
    fn forget(&self) {}
    /// Has all of its file system where it stays.
    fn sync(&self) -> Result<()> {
        Ok(())
    }
    /// Keeps what was set of it.
    fn store(&self, _this: &Inode) -> Result<()> {
        Ok(())
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
    /// Where what is appended goes.
    fn end(&self) -> u64 {
        self.size()
    }
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
    /// Has all at hand that [`memory`](Regular::memory) needs.
    fn prepare(&self) -> Result<()> {
        Ok(())
    }
    /// Whether what is written to its memory is written to the file.
    fn is_shared(&self) -> bool {
        true
    }
    /// Has all of it where it stays.
    fn sync(&self) -> Result<()> {
        Ok(())
    }
    /// Keeps what was set of it.
    fn store(&self, _this: &Inode) -> Result<()> {
        Ok(())
    }
    /// Itself, if it is another server's.
    fn as_remote(&self) -> Option<&remote::Bytes> {
        None
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
