//! Directories of another server.

use super::Held;
use crate::errno::{Errno, Result};
use crate::fs::{Directory, Entry, Inode, New};
use crate::time;
use alloc::collections::BTreeMap;
use alloc::rc::{Rc, Weak};
use alloc::vec::Vec;
use core::cell::RefCell;
use files::requests::{Create, Link, List, Lookup, Rename, Unlink};
use files::{Attributes, MOST, Request, Space};
use linux_raw_sys::general::S_ISGID;

/// The names of a directory.
pub struct Names {
    held: Held,
    parent: RefCell<Option<Rc<Inode>>>,
    /// Entries that were listed last, from a place on.
    listed: RefCell<(u64, Vec<Entry>)>,
    /// Files that were looked up, as long as no name goes away.
    found: RefCell<BTreeMap<Vec<u8>, Weak<Inode>>>,
}

impl Names {
    pub fn new(held: Held, parent: Option<&Rc<Inode>>) -> Names {
        let parent = RefCell::new(parent.cloned());
        Names { held, parent, listed: RefCell::default(), found: RefCell::default() }
    }

    /// Refuses a new name in a directory that was removed.
    fn lives(this: &Inode) -> Result<()> {
        if this.meta.links.get() == 0 { Err(Errno::ENOENT) } else { Ok(()) }
    }

    /// The names have changed.
    fn changed(&self, this: &Inode) {
        this.touch(time::realtime());
        self.listed.take();
        self.found.take();
    }

    /// An entry at or after a place, if that was listed.
    fn known(&self, place: u64) -> Option<Entry> {
        let listed = self.listed.borrow();
        let mut from = listed.0;
        for Entry { name, number, kind, next } in &listed.1 {
            if from == place {
                let (name, number, kind, next) = (name.clone(), *number, *kind, *next);
                return Some(Entry { name, number, kind, next });
            }
            from = *next;
        }
        None
    }

    /// Of the same file system.
    fn of(inode: &Rc<Inode>) -> Result<&Names> {
        inode.directory()?.as_remote().ok_or(Errno::EXDEV)
    }
}

impl Directory for Names {
    fn lookup(&self, name: &[u8]) -> Result<Rc<Inode>> {
        if let Some(known) = self.found.borrow().get(name).and_then(Weak::upgrade) {
            return Ok(known);
        }
        let request = Request::of(Lookup { directory: self.held.node, name });
        let told = self.held.remote.ask(request)?;
        let this = self.held.remote.find(self.held.node);
        let inode = self.held.remote.file(&told.attributes()?, this.as_ref())?;
        self.found.borrow_mut().insert(name.to_vec(), Rc::downgrade(&inode));
        Ok(inode)
    }

    fn parent(&self) -> Option<Rc<Inode>> {
        self.parent.borrow().clone()
    }

    fn entry(&self, place: u64) -> Result<Option<Entry>> {
        if let Some(known) = self.known(place) {
            return Ok(Some(known));
        }
        let list = Request::of(List { directory: self.held.node, place }).room(MOST);
        let entries = self.held.remote.ask(list)?;
        let entries = entries.entries().map(|it| Entry {
            name: it.name,
            number: it.node,
            kind: it.mode & files::KIND,
            next: it.next,
        });
        self.listed.replace((place, entries.collect()));
        Ok(self.known(place))
    }

    fn as_remote(&self) -> Option<&Names> {
        Some(self)
    }

    fn space(&self) -> Result<Option<Space>> {
        self.held.space().map(Some)
    }

    fn sync(&self) -> Result<()> {
        self.held.sync()
    }

    fn forget(&self) {
        self.held.remote.forget();
    }

    fn store(&self, this: &Inode) -> Result<()> {
        self.held.store(this)
    }

    fn create(&self, this: &Rc<Inode>, new: &New<'_>) -> Result<Rc<Inode>> {
        Names::lives(this)?;
        let (now, mut mode) = (time::realtime(), new.mode);
        let is_directory = mode & files::KIND == files::DIRECTORY;
        if is_directory {
            mode |= this.meta.mode.get() & S_ISGID;
        }
        let (owner, device, times) = ([new.uid, new.gid], new.device, [now; 3]);
        let attributes = Attributes { mode, owner, device, times, ..Attributes::default() };
        let New { name, target, .. } = *new;
        let create = Create { directory: self.held.node, attributes, name, target };
        let told = self.held.remote.ask(Request::of(create))?.attributes()?;
        self.changed(this);
        let made = u32::from(is_directory);
        this.meta.links.set(this.meta.links.get() + made);
        self.held.remote.file(&told, Some(this))
    }

    fn link(&self, this: &Rc<Inode>, name: &[u8], inode: &Rc<Inode>) -> Result<()> {
        Names::lives(this)?;
        let link = Link { directory: self.held.node, file: inode.number, name };
        self.held.remote.ask(Request::of(link))?;
        inode.meta.links.set(inode.meta.links.get() + 1);
        inode.meta.changed.set(time::realtime());
        self.changed(this);
        Ok(())
    }

    fn unlink(&self, this: &Rc<Inode>, name: &[u8]) -> Result<()> {
        let inode = self.lookup(name)?;
        let request = Request::of(Unlink { directory: self.held.node, name });
        self.held.remote.ask(request)?;
        let (names, fewer) = if inode.is_directory() { (2, 1) } else { (1, 0) };
        inode.meta.links.set(inode.meta.links.get().saturating_sub(names));
        inode.meta.changed.set(time::realtime());
        self.held.remote.unnamed(&inode);
        this.meta.links.set(this.meta.links.get().saturating_sub(fewer));
        self.changed(this);
        Ok(())
    }

    fn rename(
        &self,
        from: &[u8],
        this: &Rc<Inode>,
        to: &Rc<Inode>,
        name: &[u8],
        exchange: bool,
    ) -> Result<()> {
        if exchange {
            return Err(Errno::EINVAL);
        }
        Names::lives(to)?;
        let target = Names::of(to)?;
        let inode = self.lookup(from)?;
        let other = match target.lookup(name) {
            Ok(other) if Rc::ptr_eq(&other, &inode) => return Ok(()),
            Ok(other) => Some(other),
            Err(Errno::ENOENT) => None,
            Err(error) => return Err(error),
        };
        let nodes = (self.held.node, target.held.node);
        let rename = Rename { from: nodes.0, to: nodes.1, name: from, new: name };
        self.held.remote.ask(Request::of(rename))?;
        if let Some(other) = other {
            let names = if other.is_directory() { 2 } else { 1 };
            other.meta.links.set(other.meta.links.get().saturating_sub(names));
            self.held.remote.unnamed(&other);
        }
        if let Ok(moved) = Names::of(&inode) {
            moved.parent.replace(Some(to.clone()));
            this.meta.links.set(this.meta.links.get().saturating_sub(1));
            to.meta.links.set(to.meta.links.get() + 1);
        }
        inode.meta.changed.set(time::realtime());
        self.changed(this);
        target.changed(to);
        Ok(())
    }
}
