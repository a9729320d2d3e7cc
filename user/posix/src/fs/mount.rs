//! Which file system lies over which directory.

use super::Inode;
use crate::errno::{Errno, Result};
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use linux_raw_sys::general::MS_RDONLY;

/// A file system and where it is.
pub struct Mount {
    /// The directory that it lies over.
    pub covered: Rc<Inode>,
    /// Its root.
    pub root: Rc<Inode>,
    /// What it was made from.
    pub source: Vec<u8>,
    /// Its kind.
    pub kind: Vec<u8>,
    /// Flags of `mount`.
    pub flags: Cell<u64>,
}

/// All of them but the first root.
#[derive(Default)]
pub struct Mounts(RefCell<Vec<Rc<Mount>>>);

impl Mounts {
    /// Lays a file system over a directory.
    pub fn add(&self, mount: Mount) {
        mount.covered.covered.set(true);
        self.0.borrow_mut().push(Rc::new(mount));
    }

    /// Takes away what lies over a directory, named by its root.
    pub fn remove(&self, root: &Rc<Inode>) -> Result<()> {
        let mut mounts = self.0.borrow_mut();
        let at = mounts.iter().rposition(|mount| mount.root.is(root));
        let mount = mounts.remove(at.ok_or(Errno::EINVAL)?);
        let still = mounts.iter().any(|other| other.covered.is(&mount.covered));
        mount.covered.covered.set(still);
        Ok(())
    }

    /// What one finds at a directory: what lies over it, or itself.
    pub fn top(&self, mut inode: Rc<Inode>) -> Rc<Inode> {
        while inode.covered.get() {
            let mounts = self.0.borrow();
            match mounts.iter().rfind(|mount| mount.covered.is(&inode)) {
                Some(mount) => inode = mount.root.clone(),
                None => break,
            }
        }
        inode
    }

    /// The directory that a file system lies over, given its root.
    pub fn below(&self, root: &Rc<Inode>) -> Option<Rc<Inode>> {
        let mounts = self.0.borrow();
        mounts.iter().rfind(|mount| mount.root.is(root)).map(|m| m.covered.clone())
    }

    /// What a file system's root belongs to.
    pub fn of_device(&self, device: u64) -> Option<Rc<Mount>> {
        self.0.borrow().iter().rfind(|mount| mount.root.device == device).cloned()
    }

    /// Refuses to change what is mounted for reading only.
    pub fn writable(&self, inode: &Inode) -> Result<()> {
        let mounts = self.0.borrow();
        let read_only = |mount: &Rc<Mount>| {
            mount.flags.get() & u64::from(MS_RDONLY) != 0 && mount.root.device == inode.device
        };
        if mounts.iter().any(read_only) { Err(Errno::EROFS) } else { Ok(()) }
    }

    /// All of them.
    pub fn all(&self) -> Vec<Rc<Mount>> {
        self.0.borrow().clone()
    }
}
