//! A call of a guest, and what it is made of: who calls, and the paths that the arguments name.

use super::Server;
use crate::errno::Result;
use crate::fs::path::{Found, Last, SCOPED, Walker};
use crate::fs::{Inode, Reader};
use crate::process::{Ids, Process, Task};
use alloc::rc::Rc;
use alloc::vec::Vec;
use linux_raw_sys::general::{AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW};

/// A call of a guest.
#[derive(Clone)]
pub struct Call {
    /// Who serves it.
    pub server: &'static Server,
    /// Who made it.
    pub task: Rc<Task>,
    /// Its arguments.
    pub args: [u64; 6],
    /// How its paths are resolved: `RESOLVE_*`.
    pub resolve: u32,
}

impl Call {
    /// The process that made it.
    pub fn process(&self) -> &Process {
        &self.task.process
    }

    /// Walks a path.
    pub fn walk<'p>(&self, from: &Rc<Inode>, path: &'p [u8], follow: bool) -> Result<Found<'p>> {
        let last = if follow { Last::Followed } else { Last::Found };
        self.walk_to(from, path, last)
    }

    /// Walks a path, and does with the last name what is said.
    pub fn walk_to<'p>(&self, from: &Rc<Inode>, path: &'p [u8], last: Last) -> Result<Found<'p>> {
        let ids = self.process().ids.borrow();
        let mut walker = self.walker(&ids);
        if self.resolve & SCOPED != 0 {
            walker.root = from.clone();
        }
        walker.walk(from, path, last)
    }

    /// Who walks for it.
    fn walker<'a>(&'a self, ids: &'a Ids) -> Walker<'a> {
        let root = self.process().root.borrow().clone();
        let (reader, resolve) = (self.reader(), self.resolve);
        Walker { mounts: &self.server.mounts, root, ids, reader, resolve }
    }

    /// Who made it, for links that say something else to everybody.
    pub fn reader(&self) -> Reader {
        Reader { pid: self.process().pid, tid: self.task.tid.get() }
    }

    /// The path of a directory.
    pub fn path_of(&self, inode: &Rc<Inode>) -> Result<Vec<u8>> {
        let ids = self.process().ids.borrow();
        self.walker(&ids).path_of(inode)
    }

    /// The file that a descriptor and a path name, with flags of the `*at` calls.
    pub fn inode_at(&self, at: u64, path: u64, flags: u32) -> Result<Rc<Inode>> {
        let none = path == 0 && flags & AT_EMPTY_PATH != 0;
        if none {
            return self.process().directory(at, b"");
        }
        let path = self.process().path(path)?;
        self.inode_of(at, &path, flags)
    }

    /// The same, when the path has been read.
    pub fn inode_of(&self, at: u64, path: &[u8], flags: u32) -> Result<Rc<Inode>> {
        let from = self.process().directory(at, path)?;
        if path.is_empty() && flags & AT_EMPTY_PATH != 0 {
            return Ok(from);
        }
        self.walk(&from, path, flags & AT_SYMLINK_NOFOLLOW == 0)?.inode()
    }
}
