//! Permissions, owners, times: changing them, and asking what one may do.

use super::names::HERE;
use crate::errno::{Errno, Result};
use crate::fs::{Inode, Meta};
use crate::process::{Ids, Process};
use crate::server::Call;
use crate::time::{self, SECOND};
use alloc::rc::Rc;
use linux_raw_sys::general::{
    AT_EACCESS, AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW, IN_ACCESS, IN_ATTRIB, IN_MODIFY, O_PATH,
    S_ISGID, S_ISUID, UTIME_NOW, UTIME_OMIT,
};

pub fn faccessat2(call: &Call) -> Result {
    let [at, path, wanted, flags, ..] = call.args;
    let (wanted, flags) = (wanted as u32, flags as u32);
    let known = AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
    if wanted & !7 != 0 || flags & !known != 0 {
        return Err(Errno::EINVAL);
    }
    let effective = flags & AT_EACCESS != 0;
    let inode = match effective {
        true => call.inode_at(at, path, flags)?,
        false => as_real(call, || call.inode_at(at, path, flags))?,
    };
    let ids = call.process().ids.borrow();
    if wanted != 0 {
        inode.permit(&if effective { ids.clone() } else { real(&ids) }, wanted)?;
    }
    if wanted & 2 != 0 {
        call.server.mounts.writable(&inode)?;
    }
    if wanted & 1 != 0 {
        call.server.mounts.usable(&inode)?;
    }
    Ok(0)
}

/// Who a process really is.
fn real(ids: &Ids) -> Ids {
    Ids { fsuid: ids.users[0], fsgid: ids.groups[0], ..ids.clone() }
}

/// Does something with the rights of the real user.
fn as_real<T>(call: &Call, act: impl FnOnce() -> T) -> T {
    let ids = &call.process().ids;
    let own = ids.borrow().clone();
    if (own.fsuid, own.fsgid) == (own.users[0], own.groups[0]) {
        return act();
    }
    ids.replace(real(&own));
    let result = act();
    ids.replace(own);
    result
}

pub fn faccessat(call: &Call) -> Result {
    let [at, path, wanted, ..] = call.args;
    faccessat2(&call.with([at, path, wanted, 0, 0, 0]))
}

pub fn umask(call: &Call) -> Result {
    Ok(call.process().umask.replace(call.args[0] as u32 & 0o777).into())
}

/// Changes permissions.
fn set_mode(call: &Call, inode: &Inode, mode: u64) -> Result {
    let ids = call.process().ids.borrow();
    call.server.mounts.writable(inode)?;
    inode.permit_owner(&ids)?;
    let foreign = ids.fsuid != 0 && !ids.in_group(inode.meta.gid.get());
    let mode = mode as u32 & 0o7777;
    inode.meta.mode.set(if foreign { mode & !S_ISGID } else { mode });
    inode.meta.changed.set(time::stamp());
    inode.tell(IN_ATTRIB);
    inode.store().map(|()| 0)
}

/// An opening that is not only of a path.
fn open_file(process: &Process, fd: u64) -> Result<Rc<Inode>> {
    let open = process.files.get(fd)?;
    if open.flags.get() & O_PATH != 0 { Err(Errno::EBADF) } else { Ok(open.inode.clone()) }
}

pub fn fchmod(call: &Call) -> Result {
    set_mode(call, &*open_file(call.process(), call.args[0])?, call.args[1])
}

pub fn fchmodat2(call: &Call) -> Result {
    let [at, path, mode, flags, ..] = call.args;
    let flags = flags as u32;
    if flags & !(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0 {
        return Err(Errno::EINVAL);
    }
    let inode = call.inode_at(at, path, flags)?;
    if matches!(inode.kind, crate::fs::Kind::Link(_)) {
        return Err(Errno::EOPNOTSUPP);
    }
    set_mode(call, &inode, mode)
}

pub fn fchmodat(call: &Call) -> Result {
    let [at, path, mode, ..] = call.args;
    fchmodat2(&call.with([at, path, mode, 0, 0, 0]))
}

/// Changes owner and group, each unless it is -1.
fn set_owner(call: &Call, inode: &Inode, uid: u64, gid: u64) -> Result {
    let (uid, gid) = (uid as u32, gid as u32);
    let ids = call.process().ids.borrow();
    let Meta { mode, uid: owner, gid: group, changed, .. } = &inode.meta;
    call.server.mounts.writable(inode)?;
    let own = ids.fsuid == owner.get();
    let uid_allowed = uid == u32::MAX || own && uid == owner.get();
    let gid_allowed = gid == u32::MAX || own && (gid == group.get() || ids.in_group(gid));
    if ids.fsuid != 0 && !(uid_allowed && gid_allowed) {
        return Err(Errno::EPERM);
    }
    if uid != u32::MAX {
        owner.set(uid);
    }
    if gid != u32::MAX {
        group.set(gid);
    }
    if !inode.is_directory() {
        // Whoever does it: what it runs as is for the new owner to say.
        let with_group = if mode.get() & 0o010 != 0 { S_ISGID } else { 0 };
        mode.set(mode.get() & !(S_ISUID | with_group));
    }
    changed.set(time::stamp());
    inode.tell(IN_ATTRIB);
    inode.store().map(|()| 0)
}

pub fn fchown(call: &Call) -> Result {
    let [fd, uid, gid, ..] = call.args;
    set_owner(call, &*open_file(call.process(), fd)?, uid, gid)
}

pub fn fchownat(call: &Call) -> Result {
    let [at, path, uid, gid, flags, ..] = call.args;
    let flags = flags as u32;
    if flags & !(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0 {
        return Err(Errno::EINVAL);
    }
    set_owner(call, &*call.inode_at(at, path, flags)?, uid, gid)
}

/// What becomes of a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// It becomes this moment.
    Now,
    /// It stays.
    Keep,
    /// It becomes another.
    To(i64),
}

/// Changes when a file was read and written. To now may do it who may write it, else the owner.
fn set_times(call: &Call, inode: &Inode, changes: [Change; 2]) -> Result {
    let ids = call.process().ids.borrow();
    call.server.mounts.writable(inode)?;
    if changes != [Change::Now; 2] {
        inode.permit_owner(&ids)?;
    } else if inode.permit_owner(&ids).is_err() {
        inode.permit(&ids, 2)?;
    }
    let now = time::stamp();
    for (time, change) in [&inode.meta.accessed, &inode.meta.modified].into_iter().zip(changes) {
        match change {
            Change::Now => time.set(now),
            Change::Keep => {}
            Change::To(moment) => time.set(moment),
        }
    }
    inode.meta.changed.set(now);
    inode.tell(match changes {
        [_, Change::Keep] => IN_ACCESS,
        [Change::Keep, _] => IN_MODIFY,
        _ => IN_ATTRIB,
    });
    inode.store().map(|()| 0)
}

/// The moment of seconds and parts of a second.
pub fn moment(seconds: i64, nanoseconds: i64) -> Change {
    Change::To(seconds.saturating_mul(SECOND as i64).saturating_add(nanoseconds))
}

pub fn utimensat(call: &Call) -> Result {
    let [at, path, times, flags, ..] = call.args;
    let flags = flags as u32;
    let mut changes = [Change::Now; 2];
    if times != 0 {
        let times = call.process().get::<[[i64; 2]; 2]>(times)?;
        for (change, [seconds, nanoseconds]) in changes.iter_mut().zip(times) {
            *change = match nanoseconds {
                _ if nanoseconds == i64::from(UTIME_NOW) => Change::Now,
                _ if nanoseconds == i64::from(UTIME_OMIT) => Change::Keep,
                0..1_000_000_000 => moment(seconds, nanoseconds),
                _ => return Err(Errno::EINVAL),
            };
        }
    }
    if changes == [Change::Keep; 2] {
        return Ok(0);
    }
    set_times_at(call, at, path, changes, flags)
}

/// Changes those of what a path names, or of an open file if there is none.
pub fn set_times_at(call: &Call, at: u64, path: u64, changes: [Change; 2], flags: u32) -> Result {
    let known = if path == 0 { 0 } else { AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH };
    if flags & !known != 0 {
        return Err(Errno::EINVAL);
    }
    if path == 0 && at != HERE {
        return set_times(call, &*open_file(call.process(), at)?, changes);
    }
    set_times(call, &*call.inode_at(at, path, flags)?, changes)
}
