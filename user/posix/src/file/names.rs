//! Calls that make and remove names.

use crate::errno::{Errno, Result};
use crate::fs::path::{Found, Last};
use crate::fs::{Inode, Kind, New, format};
use crate::server::Call;
use alloc::rc::Rc;
use linux_raw_sys::general::{
    AT_EMPTY_PATH, AT_FDCWD, AT_REMOVEDIR, AT_SYMLINK_FOLLOW, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO,
    S_IFLNK, S_IFREG, S_IFSOCK, S_ISVTX,
};

/// The current directory, as the `*at` calls name it.
pub const HERE: u64 = AT_FDCWD as u64;

impl Call {
    /// Where a path's last name is to be made, moved or removed.
    pub fn name_at<'p>(&self, at: u64, path: &'p [u8]) -> Result<Found<'p>> {
        let from = self.process().directory(at, path)?;
        self.walk_to(&from, path, Last::Named)
    }

    /// The same with other arguments: of a call that does more, or less.
    pub fn with(&self, args: [u64; 6]) -> Call {
        Call { args, ..self.clone() }
    }

    /// Makes what a path names.
    fn make(&self, at: u64, path: u64, mode: u32, device: u64, target: &[u8]) -> Result {
        let process = self.process();
        let path = process.path(path)?;
        let found = self.name_at(at, &path)?;
        if found.is_dots() {
            return Err(Errno::EEXIST);
        }
        found.vacant()?;
        if found.slash && format(mode) != S_IFDIR {
            return Err(Errno::ENOENT);
        }
        let ids = process.ids.borrow();
        found.parent.permit(&ids, 3)?;
        self.server.mounts.writable(&found.parent)?;
        if matches!(format(mode), S_IFCHR | S_IFBLK) && ids.fsuid != 0 {
            return Err(Errno::EPERM);
        }
        let masked = if format(mode) == S_IFLNK { mode } else { mode & !process.umask.get() };
        let (uid, gid) = (ids.fsuid, found.parent.group_for(&ids));
        let new = New { name: &found.name, mode: masked, uid, gid, device, target };
        found.parent.directory()?.create(&found.parent, &new)?;
        Ok(0)
    }
}

pub fn mkdirat(call: &Call) -> Result {
    let [at, path, mode, ..] = call.args;
    call.make(at, path, S_IFDIR | mode as u32 & (0o777 | S_ISVTX), 0, b"")
}

pub fn mknodat(call: &Call) -> Result {
    let [at, path, mode, device, ..] = call.args;
    let mode = mode as u32;
    let kind = match format(mode) {
        0 => S_IFREG,
        kind @ (S_IFREG | S_IFCHR | S_IFBLK | S_IFIFO | S_IFSOCK) => kind,
        S_IFDIR => return Err(Errno::EPERM),
        _ => return Err(Errno::EINVAL),
    };
    call.make(at, path, kind | mode & 0o7777, u64::from(device as u32), b"")
}

pub fn symlinkat(call: &Call) -> Result {
    let [target, at, path, ..] = call.args;
    let target = call.process().path(target)?;
    if target.is_empty() {
        return Err(Errno::ENOENT);
    }
    call.make(at, path, S_IFLNK | 0o777, 0, &target)
}

pub fn unlinkat(call: &Call) -> Result {
    let [at, path, flags, ..] = call.args;
    let flags = flags as u32;
    if flags & !AT_REMOVEDIR != 0 {
        return Err(Errno::EINVAL);
    }
    let directory = flags & AT_REMOVEDIR != 0;
    let path = call.process().path(path)?;
    let mut found = call.name_at(at, &path)?;
    match &*found.name {
        b"" | b"." | b".." if !directory => return Err(Errno::EISDIR),
        b"" => return Err(Errno::EBUSY),
        b"." => return Err(Errno::EINVAL),
        b".." => return Err(Errno::ENOTEMPTY),
        _ => {}
    }
    let inode = found.inode.as_ref().ok_or(Errno::ENOENT)?;
    if !directory && found.slash {
        return Err(if inode.is_directory() { Errno::EISDIR } else { Errno::ENOTDIR });
    }
    call.removable(&found.parent, inode)?;
    match (directory, inode.is_directory()) {
        (true, false) => return Err(Errno::ENOTDIR),
        (false, true) => return Err(Errno::EISDIR),
        _ => {}
    }
    // If nobody else has it, it ends with its name.
    found.inode = None;
    found.parent.directory()?.unlink(&found.parent, &found.name)?;
    Ok(0)
}

impl Call {
    /// Refuses to take a file out of a directory that may not be changed, or one that something is
    /// mounted on.
    pub fn removable(&self, parent: &Rc<Inode>, inode: &Rc<Inode>) -> Result<()> {
        parent.permit_removal(&self.process().ids.borrow(), inode)?;
        self.server.mounts.writable(parent)?;
        let busy = self.server.mounts.below(inode).is_some() || inode.is(&self.server.root);
        if busy { Err(Errno::EBUSY) } else { Ok(()) }
    }
}

pub fn linkat(call: &Call) -> Result {
    let [from, old, to, new, flags, ..] = call.args;
    let flags = flags as u32;
    if flags & !(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH) != 0 {
        return Err(Errno::EINVAL);
    }
    let process = call.process();
    let old = process.path(old)?;
    let inode = if old.is_empty() && flags & AT_EMPTY_PATH != 0 {
        process.files.get(from)?.inode.clone()
    } else {
        let start = process.directory(from, &old)?;
        call.walk(&start, &old, flags & AT_SYMLINK_FOLLOW != 0)?.inode()?
    };
    let path = process.path(new)?;
    let found = call.name_at(to, &path)?;
    if found.is_dots() {
        return Err(Errno::EEXIST);
    }
    found.vacant()?;
    if found.slash {
        return Err(Errno::ENOENT);
    }
    found.parent.permit(&process.ids.borrow(), 3)?;
    call.server.mounts.writable(&found.parent)?;
    if found.parent.device != inode.device {
        return Err(Errno::EXDEV);
    }
    if inode.is_directory() {
        return Err(Errno::EPERM);
    }
    // A file that has lost its last name gets none any more, unless it never had one.
    let unnamed = flags & (AT_EMPTY_PATH | AT_SYMLINK_FOLLOW) != 0;
    if inode.meta.links.get() == 0 && !unnamed {
        return Err(Errno::ENOENT);
    }
    found.parent.directory()?.link(&found.parent, &found.name, &inode)?;
    Ok(0)
}

pub fn readlinkat(call: &Call) -> Result {
    let [at, path, to, room, ..] = call.args;
    let room = room as i32;
    if room <= 0 {
        return Err(Errno::EINVAL);
    }
    let path = call.process().path(path)?;
    let from = call.process().directory(at, &path)?;
    let inode = if path.is_empty() { from } else { call.walk(&from, &path, false)?.inode()? };
    let Kind::Link(link) = &inode.kind else {
        return Err(if path.is_empty() { Errno::ENOENT } else { Errno::EINVAL });
    };
    let target = link.target(call.reader())?;
    let length = target.len().min(room as usize);
    call.process().put(to, &target[..length])?;
    inode.was_read();
    Ok(length as u64)
}
