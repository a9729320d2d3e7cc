//! File systems that other processes serve, with the protocol of `user/files`.

mod cache;
mod directory;
mod regular;

use super::{Inode, Kind, Link, Meta, Reader};
use crate::errno::{Errno, Result};
use crate::file::pipe::Pipe;
use crate::later::{Answer, Apply, Served, Worker};
use crate::server::Server;
use crate::time;
use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::rc::{Rc, Weak};
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
pub use directory::Names;
use files::requests::{Follow, Release, Room, Set, Stat, Sync};
use files::{Attributes, Failure, Node, ROOT, Request, Space, Tells};
use linux_raw_sys::general::{S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG, S_IFSOCK};
pub use regular::Bytes;

/// Files that are known though nobody has them open.
const RECENT: usize = 256;
/// Of the pages of file systems in memory, what may be kept of this one: one part in so many.
const SHARE: u64 = 4;

/// Such a file system.
pub struct Remote {
    server: &'static Server,
    worker: Worker,
    device: u64,
    /// Files that are known, so that there is one of each.
    files: RefCell<BTreeMap<Node, Weak<Inode>>>,
    /// Those that were used last, the oldest first.
    recent: RefCell<VecDeque<Rc<Inode>>>,
    /// Requests for a change that were made.
    changes: Cell<u64>,
    /// Pieces of files that are kept here.
    cached: Rc<Cell<u64>>,
}

impl From<Failure> for Errno {
    fn from(failure: Failure) -> Errno {
        match failure {
            Failure::NotFound => Errno::ENOENT,
            Failure::Exists => Errno::EEXIST,
            Failure::NotDirectory => Errno::ENOTDIR,
            Failure::IsDirectory => Errno::EISDIR,
            Failure::NotEmpty => Errno::ENOTEMPTY,
            Failure::NoSpace => Errno::ENOSPC,
            Failure::ReadOnly => Errno::EROFS,
            Failure::NameTooLong => Errno::ENAMETOOLONG,
            Failure::TooLarge => Errno::EFBIG,
            Failure::Invalid => Errno::EINVAL,
            Failure::Unsupported => Errno::EPERM,
            Failure::Broken | Failure::OtherVersion => Errno::EIO,
        }
    }
}

impl Remote {
    /// The root of one, whose server is started when the call is made for the first time.
    pub fn mount(
        server: &'static Server,
        device: u64,
        start: impl FnOnce() -> Result<Served>,
    ) -> Result<Rc<Inode>> {
        let remote = server.later.once(|| {
            Ok(Rc::new(Remote {
                server,
                worker: Worker::new(server, start()?)?,
                device,
                files: RefCell::default(),
                recent: RefCell::default(),
                changes: Cell::default(),
                cached: Rc::default(),
            }))
        })?;
        let told = remote.ask(Request::of(Stat { file: ROOT }))?;
        remote.file(&told.attributes()?, None)
    }

    /// Asks the server.
    fn ask(&self, request: Request) -> Result<Tells> {
        self.change(request, || (), |_| ())
    }

    /// Asks it for something that changes what is known here: before it is asked, and when it answers.
    fn change(
        &self,
        request: Request,
        before: impl FnOnce(),
        after: impl FnOnce(&Answer) + 'static,
    ) -> Result<Tells> {
        if let Some(told) = self.known(&request) {
            return told;
        }
        before();
        let after = Box::new(move |answer: &mut Answer| {
            after(answer);
            false
        });
        self.server.later.wait_for(self.start(request, after))
    }

    /// What it has told this call, if that is known.
    fn known(&self, request: &Request) -> Option<Result<Tells>> {
        let answer = self.server.later.known(&self.worker, request)?;
        Some(Answer::clone(&answer).map_err(Errno::from))
    }

    /// Asks it, whoever waits for it.
    fn start(&self, request: Request, apply: Apply) -> u64 {
        self.server.later.start(&self.worker, self.stamped(request), Some(apply))
    }

    /// Says when it is made; and which one it is, so that it can be made again.
    fn stamped(&self, request: Request) -> Request {
        let number = if request.changes() {
            self.changes.set(self.changes.get() + 1);
            self.changes.get()
        } else {
            0
        };
        request.stamped(number, time::realtime())
    }

    /// Forgets bytes of other files, if there are too many.
    fn make_room(&self, node: Node) {
        let (pages, _) = self.server.room.pages();
        let most = (pages * rt::abi::PAGE / SHARE / cache::PIECE).max(1);
        for file in self.recent.borrow().iter().filter(|file| file.number != node) {
            if self.cached.get() < most {
                break;
            }
            let bytes = file.regular().ok().and_then(|it| it.as_remote());
            bytes.inspect(|bytes| bytes.cache().clear());
        }
    }

    /// A file is known now, and for a while.
    fn remember(&self, inode: &Rc<Inode>) {
        let mut recent = self.recent.borrow_mut();
        recent.push_back(inode.clone());
        let oldest = if recent.len() > RECENT { recent.pop_front() } else { None };
        drop(recent);
        // It may be the last to know it, and tell so.
        drop(oldest);
    }

    /// A file has lost a name.
    fn unnamed(&self, inode: &Inode) {
        if inode.meta.links.get() == 0 {
            let mut recent = self.recent.borrow_mut();
            let at = recent.iter().position(|known| known.is(inode));
            let gone = at.and_then(|at| recent.remove(at));
            drop(recent);
            drop(gone);
        }
    }

    /// Nobody is going to use any of it.
    pub fn forget(&self) {
        drop(self.recent.take());
    }

    /// A file that is known.
    fn find(&self, node: Node) -> Option<Rc<Inode>> {
        self.files.borrow().get(&node).and_then(Weak::upgrade)
    }

    /// A file of these attributes, in a directory if it is one itself.
    fn file(
        self: &Rc<Remote>,
        attributes: &Attributes,
        parent: Option<&Rc<Inode>>,
    ) -> Result<Rc<Inode>> {
        let node = attributes.node;
        if let Some(known) = self.find(node) {
            return Ok(known);
        }
        let held = Held { remote: self.clone(), node };
        let kind = match attributes.mode & files::KIND {
            S_IFDIR => Kind::Directory(Box::new(Names::new(held, parent))),
            S_IFREG => Kind::Regular(Box::new(Bytes::new(held, attributes.size))),
            S_IFLNK => Kind::Link(Box::new(Target { held, length: attributes.size })),
            S_IFCHR => Kind::Character(attributes.device),
            S_IFBLK => Kind::Block(attributes.device),
            S_IFIFO => Kind::Fifo(Pipe::new()),
            S_IFSOCK => Kind::Socket,
            _ => return Err(Errno::EIO),
        };
        let [read, changed, meta] = attributes.times;
        let meta = Meta {
            mode: Cell::new(attributes.mode & !files::KIND),
            uid: Cell::new(attributes.owner[0]),
            gid: Cell::new(attributes.owner[1]),
            links: Cell::new(attributes.links),
            accessed: Cell::new(read),
            modified: Cell::new(changed),
            changed: Cell::new(meta),
        };
        let inode = Rc::new(Inode::new(node, self.device, meta, kind));
        self.files.borrow_mut().insert(node, Rc::downgrade(&inode));
        // The root is kept by whoever has mounted it.
        if node != ROOT {
            self.remember(&inode);
        }
        Ok(inode)
    }
}

/// A file that the server must keep, until this is dropped.
pub struct Held {
    remote: Rc<Remote>,
    node: Node,
}

impl Held {
    /// Tells the server what was set of a file.
    fn store(&self, inode: &Inode) -> Result<()> {
        let Meta { mode, uid, gid, accessed, modified, changed, .. } = &inode.meta;
        let attributes = Attributes {
            mode: mode.get(),
            owner: [uid.get(), gid.get()],
            times: [accessed.get(), modified.get(), changed.get()],
            ..Attributes::default()
        };
        let request = Request::of(Set { file: self.node, wish: attributes });
        self.remote.ask(request).map(|_| ())
    }

    fn sync(&self) -> Result<()> {
        self.remote.ask(Request::of(Sync {})).map(|_| ())
    }

    fn space(&self) -> Result<Space> {
        Ok(self.remote.ask(Request::of(Room {}))?.space()?)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut files = self.remote.files.borrow_mut();
        if files.get(&self.node).is_some_and(|known| known.strong_count() == 0) {
            files.remove(&self.node);
        }
        let release = Request::of(Release { file: self.node });
        self.remote.worker.tell(self.remote.stamped(release));
    }
}

/// A symbolic link.
struct Target {
    held: Held,
    length: u64,
}

impl Link for Target {
    fn target(&self, _: Reader) -> Result<Vec<u8>> {
        let request = Request::of(Follow { link: self.held.node }).room(files::MOST);
        Ok(self.held.remote.ask(request)?.bytes)
    }

    fn length(&self) -> u64 {
        self.length
    }
}
