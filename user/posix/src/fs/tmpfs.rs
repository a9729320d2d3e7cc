//! A file system in memory: directories of names, files of [`Content`].

use super::content::Content;
use super::limit::Limit;
use super::room::{Charge, Room};
use super::table::{Named, Table};
use super::{Directory, Entry, Inode, Kind, Link, Meta, New, Reader, format};
use crate::errno::{Errno, Result};
use crate::file::pipe::Pipe;
use crate::time;
use alloc::boxed::Box;
use alloc::rc::{Rc, Weak};
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use linux_raw_sys::general::{
    IN_ATTRIB, IN_CREATE, IN_DELETE, IN_MOVE_SELF, IN_MOVED_FROM, IN_MOVED_TO, S_IFBLK, S_IFCHR,
    S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, S_IFSOCK, S_ISGID,
};

/// Bytes that an entry of a directory counts as.
const ENTRY: u64 = 20;

/// What all files of one have in common.
pub struct Tmpfs {
    device: u64,
    last: Cell<u64>,
    room: Rc<Room>,
    limit: Rc<Limit>,
}

impl Tmpfs {
    /// An empty one: its root.
    pub fn root(room: &Rc<Room>, mode: u32, limit: Limit) -> Result<Rc<Inode>> {
        let (device, room) = (room.number(), room.clone());
        let fs = Rc::new(Tmpfs { device, last: Cell::new(0), room, limit: Rc::new(limit) });
        let new = New { name: b"", mode: S_IFDIR | mode, uid: 0, gid: 0, device: 0, target: b"" };
        let names = Names::new(&fs, Weak::new());
        let root = fs.inode(&new, Kind::Directory(Box::new(names)))?;
        root.meta.links.set(2);
        Ok(root)
    }

    fn inode(&self, new: &New<'_>, kind: Kind) -> Result<Rc<Inode>> {
        let charge = (Charge::file(&self.room)?, self.limit.file()?);
        self.last.set(self.last.get() + 1);
        let now = time::stamp();
        let meta = Meta {
            mode: Cell::new(new.mode & 0o7777),
            uid: Cell::new(new.uid),
            gid: Cell::new(new.gid),
            links: Cell::new(0),
            accessed: Cell::new(now),
            modified: Cell::new(now),
            changed: Cell::new(now),
        };
        let mut inode = Inode::new(self.last.get(), self.device, meta, kind);
        inode._charge = Some(charge);
        Ok(Rc::new(inode))
    }
}

/// The names of a directory.
pub struct Names {
    fs: Rc<Tmpfs>,
    parent: RefCell<Weak<Inode>>,
    files: RefCell<Table>,
    next: Cell<u64>,
}

impl Drop for Names {
    /// However deep what is below may be, the stack is not: each directory is emptied before it is dropped.
    fn drop(&mut self) {
        let mut below: Vec<_> = self.files.take().into_inodes().collect();
        while let Some(inode) = below.pop() {
            if Rc::strong_count(&inode) == 1
                && let Ok(names) = Names::of(&inode)
            {
                below.extend(names.files.take().into_inodes());
            }
        }
    }
}

/// A symbolic link.
struct Target(Box<[u8]>);

impl Link for Target {
    fn target(&self, _: Reader) -> Result<Vec<u8>> {
        Ok(self.0.to_vec())
    }

    fn length(&self) -> u64 {
        self.0.len() as u64
    }
}

impl Names {
    fn new(fs: &Rc<Tmpfs>, parent: Weak<Inode>) -> Names {
        Names {
            fs: fs.clone(),
            parent: RefCell::new(parent),
            files: RefCell::default(),
            next: Cell::new(0),
        }
    }

    /// What it and others take their memory from.
    pub fn room(&self) -> &Rc<Room> {
        &self.fs.room
    }

    /// What all files of the file system may take.
    pub fn limit(&self) -> &Rc<Limit> {
        &self.fs.limit
    }

    fn find(&self, name: &[u8]) -> Option<Rc<Inode>> {
        self.files.borrow().find(name).cloned()
    }

    fn insert(&self, name: &[u8], inode: &Rc<Inode>) {
        let place = self.next.replace(self.next.get() + 1);
        self.files.borrow_mut().insert(place, name, inode);
    }

    fn remove(&self, name: &[u8]) -> Result<Named> {
        self.files.borrow_mut().remove(name).ok_or(Errno::ENOENT)
    }

    /// What a file is that is to be made.
    fn kind(&self, this: &Rc<Inode>, new: &New<'_>) -> Result<Kind> {
        Ok(match format(new.mode) {
            S_IFDIR => Kind::Directory(Box::new(Names::new(&self.fs, Rc::downgrade(this)))),
            S_IFREG | 0 => Kind::Regular(Box::new(Content::empty(&self.fs.room, &self.fs.limit))),
            S_IFLNK => Kind::Link(Box::new(Target(new.target.into()))),
            S_IFCHR => Kind::Character(new.device),
            S_IFBLK => Kind::Block(new.device),
            S_IFIFO => Kind::Fifo(Pipe::new()),
            S_IFSOCK => Kind::Socket,
            _ => return Err(Errno::EINVAL),
        })
    }

    /// Refuses a name that is taken, and any in a directory that was removed.
    fn vacant(&self, this: &Inode, name: &[u8]) -> Result<()> {
        if this.meta.links.get() == 0 {
            return Err(Errno::ENOENT);
        }
        if self.find(name).is_some() { Err(Errno::EEXIST) } else { Ok(()) }
    }

    /// Makes a file of a kind that is there already.
    pub fn add(&self, this: &Rc<Inode>, new: &New<'_>, kind: Kind) -> Result<Rc<Inode>> {
        self.vacant(this, new.name)?;
        let inode = self.fs.inode(new, kind)?;
        inode.meta.links.set(1);
        if inode.is_directory() {
            let inherited = this.meta.mode.get() & S_ISGID;
            inode.meta.mode.set(inode.meta.mode.get() | inherited);
            inode.meta.links.set(2);
            this.meta.links.set(this.meta.links.get() + 1);
        }
        self.insert(new.name, &inode);
        this.touch(inode.meta.changed.get());
        this.tell_of(new.name, inode.format(), IN_CREATE, 0);
        Ok(inode)
    }
}

impl Directory for Names {
    fn lookup(&self, name: &[u8]) -> Result<Rc<Inode>> {
        self.find(name).ok_or(Errno::ENOENT)
    }

    fn parent(&self) -> Option<Rc<Inode>> {
        self.parent.borrow().upgrade()
    }

    fn entry(&self, place: u64) -> Result<Option<Entry>> {
        let files = self.files.borrow();
        let Some(Named { name, place, inode, .. }) = files.first(place) else { return Ok(None) };
        let (name, number, kind) = (name.to_vec(), inode.number, inode.format());
        Ok(Some(Entry { name, number, kind, next: place + 1 }))
    }

    fn size(&self) -> u64 {
        ENTRY * (self.files.borrow().len() as u64 + 2)
    }

    fn as_names(&self) -> Option<&Names> {
        Some(self)
    }

    fn create(&self, this: &Rc<Inode>, new: &New<'_>) -> Result<Rc<Inode>> {
        self.add(this, new, self.kind(this, new)?)
    }

    fn create_unnamed(&self, this: &Rc<Inode>, new: &New<'_>) -> Result<Rc<Inode>> {
        self.fs.inode(new, self.kind(this, new)?)
    }

    fn link(&self, this: &Rc<Inode>, name: &[u8], inode: &Rc<Inode>) -> Result<()> {
        self.vacant(this, name)?;
        if inode.meta.links.get() > 0 {
            self.fs.limit.name()?;
        }
        inode.meta.links.set(inode.meta.links.get() + 1);
        let now = time::stamp();
        inode.meta.changed.set(now);
        this.touch(now);
        self.insert(name, inode);
        inode.tell(IN_ATTRIB);
        this.tell_of(name, inode.format(), IN_CREATE, 0);
        Ok(())
    }

    fn unlink(&self, this: &Rc<Inode>, name: &[u8]) -> Result<()> {
        let inode = self.drop_name(this, name)?;
        if !inode.is_directory() {
            inode.tell(IN_ATTRIB);
        }
        let kind = inode.format();
        // What it was for ends first, unless it is open.
        drop(inode);
        this.tell_of(name, kind, IN_DELETE, 0);
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
        let inode = self.lookup(from)?;
        let target = to.directory()?;
        let other = target.lookup(name).ok();
        if to.meta.links.get() == 0 {
            return Err(Errno::ENOENT);
        }
        if exchange {
            let other = other.ok_or(Errno::ENOENT)?;
            self.take(this, from)?;
            Names::take_of(to, name)?;
            Names::put(to, name, &inode)?;
            Names::put(this, from, &other)?;
            self.tell_of_move(&inode, (this, from), (to, name));
            inode.tell(IN_MOVE_SELF);
            self.tell_of_move(&other, (to, name), (this, from));
            other.tell(IN_MOVE_SELF);
            return Ok(());
        }
        if let Some(other) = &other {
            if Rc::ptr_eq(other, &inode) {
                return Ok(());
            }
            Names::of(to)?.drop_name(to, name)?;
        }
        self.take(this, from)?;
        Names::put(to, name, &inode)?;
        self.tell_of_move(&inode, (this, from), (to, name));
        if let Some(other) = other {
            other.tell(IN_ATTRIB);
        }
        inode.tell(IN_MOVE_SELF);
        Ok(())
    }
}

/// Removing names, and moving them between directories of one file system.
impl Names {
    /// Removes a name, of a directory only if that is empty; what had it.
    fn drop_name(&self, this: &Rc<Inode>, name: &[u8]) -> Result<Rc<Inode>> {
        let Named { place, inode, .. } = self.remove(name)?;
        let names = match &inode.kind {
            Kind::Directory(directory) if directory.entry(0)?.is_some() => {
                self.files.borrow_mut().insert(place, name, &inode);
                return Err(Errno::ENOTEMPTY);
            }
            Kind::Directory(_) => {
                this.meta.links.set(this.meta.links.get() - 1);
                2
            }
            _ if inode.meta.links.get() > 1 => {
                self.fs.limit.forget_name();
                1
            }
            _ => 1,
        };
        let now = time::stamp();
        inode.meta.links.set(inode.meta.links.get() - names);
        inode.meta.changed.set(now);
        this.touch(now);
        Ok(inode)
    }

    fn tell_of_move(&self, inode: &Inode, from: (&Inode, &[u8]), to: (&Inode, &[u8])) {
        let cookie = self.fs.room.number() as u32;
        from.0.tell_of(from.1, inode.format(), IN_MOVED_FROM, cookie);
        to.0.tell_of(to.1, inode.format(), IN_MOVED_TO, cookie);
    }

    fn of(inode: &Rc<Inode>) -> Result<&Names> {
        inode.directory()?.as_names().ok_or(Errno::EXDEV)
    }

    fn take_of(directory: &Rc<Inode>, name: &[u8]) -> Result<()> {
        Names::of(directory)?.take(directory, name)
    }

    fn take(&self, this: &Rc<Inode>, name: &[u8]) -> Result<()> {
        if self.remove(name)?.inode.is_directory() {
            this.meta.links.set(this.meta.links.get() - 1);
        }
        this.touch(time::stamp());
        Ok(())
    }

    fn put(directory: &Rc<Inode>, name: &[u8], inode: &Rc<Inode>) -> Result<()> {
        Names::of(directory)?.insert(name, inode);
        if inode.is_directory() {
            Names::of(inode)?.parent.replace(Rc::downgrade(directory));
            directory.meta.links.set(directory.meta.links.get() + 1);
        }
        let now = time::stamp();
        inode.meta.changed.set(now);
        directory.touch(now);
        Ok(())
    }
}
