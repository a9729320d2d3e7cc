//! Which file system lies over which directory.

use super::{Inode, Kind};
use crate::errno::{Errno, Result};
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use linux_raw_sys::general::{MS_NODEV, MS_NOEXEC, MS_RDONLY};

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
        if self.has(inode, MS_RDONLY) { Err(Errno::EROFS) } else { Ok(()) }
    }

    /// Refuses to run, or to open as a device, a file of what is mounted without those.
    pub fn usable(&self, inode: &Inode) -> Result<()> {
        let barred = match inode.kind {
            Kind::Regular(_) => MS_NOEXEC,
            Kind::Character(_) | Kind::Block(_) => MS_NODEV,
            _ => return Ok(()),
        };
        if self.has(inode, barred) { Err(Errno::EACCES) } else { Ok(()) }
    }

    /// Whether a file's file system is mounted with a flag.
    fn has(&self, inode: &Inode, flag: u32) -> bool {
        let is_such = |mount: &Rc<Mount>| {
            mount.flags.get() & u64::from(flag) != 0 && mount.root.device == inode.device
        };
        self.0.borrow().iter().any(is_such)
    }

    /// All of them.
    pub fn all(&self) -> Vec<Rc<Mount>> {
        self.0.borrow().clone()
    }
}
