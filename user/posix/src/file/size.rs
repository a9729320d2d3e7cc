//! How long a file is, and what of it takes memory.

use super::{Open, seal};
use crate::errno::{Errno, Result};
use crate::fs::{Inode, Kind};
use crate::process::Process;
use crate::server::Call;
use crate::{signal, time};
use alloc::rc::Rc;
use core::cmp::Ordering;
use linux_raw_sys::general::{
    F_SEAL_GROW, F_SEAL_SHRINK, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, IN_MODIFY, RLIMIT_FSIZE,
    SIGXFSZ,
};

/// Refuses what makes a file longer than the process may.
pub fn limit(process: &Process, end: u64) -> Result<()> {
    if end <= process.limits.borrow()[RLIMIT_FSIZE as usize][0] {
        return Ok(());
    }
    if let Some(task) = process.any_task() {
        signal::send_to_task(&task, SIGXFSZ);
    }
    Err(Errno::EFBIG)
}

/// Makes a file shorter or longer; what watches it is told by who calls this.
fn resize(call: &Call, inode: &Inode, size: u64) -> Result {
    match size.cmp(&inode.size()) {
        Ordering::Less => inode.unsealed(F_SEAL_SHRINK)?,
        Ordering::Equal => {}
        Ordering::Greater => {
            limit(call.process(), size)?;
            inode.unsealed(F_SEAL_GROW)?;
        }
    }
    inode.regular()?.truncate(size)?;
    inode.touch(time::stamp());
    inode.drop_privileges(&call.process().ids.borrow());
    Ok(0)
}

pub fn truncate(call: &Call) -> Result {
    let [path, size, ..] = call.args;
    if (size as i64) < 0 {
        return Err(Errno::EINVAL);
    }
    let inode = call.inode_at(super::names::HERE, path, 0)?;
    inode.regular()?;
    inode.permit(&call.process().ids.borrow(), 2)?;
    call.server.mounts.writable(&inode)?;
    call.server.not_running(&inode)?;
    resize(call, &inode, size)?;
    inode.tell(IN_MODIFY);
    Ok(0)
}

pub fn ftruncate(call: &Call) -> Result {
    let [fd, size, ..] = call.args;
    if (size as i64) < 0 {
        return Err(Errno::EINVAL);
    }
    let open = call.process().files.get(fd)?;
    if open.writable().is_err() || !matches!(open.inode.kind, Kind::Regular(_)) {
        let path = open.flags.get() & linux_raw_sys::general::O_PATH != 0;
        return Err(if path { Errno::EBADF } else { Errno::EINVAL });
    }
    resize(call, &open.inode, size)?;
    open.tell(IN_MODIFY);
    Ok(0)
}

pub fn fallocate(call: &Call) -> Result {
    let [fd, how, at, length, ..] = call.args;
    let (how, at, length) = (how as u32, at as i64, length as i64);
    let open = call.process().files.get(fd)?;
    if at < 0 || length <= 0 {
        return Err(Errno::EINVAL);
    }
    let keep = how & FALLOC_FL_KEEP_SIZE != 0;
    let punch = how & FALLOC_FL_PUNCH_HOLE != 0;
    if how & !(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE) != 0 || punch && !keep {
        return Err(Errno::EOPNOTSUPP);
    }
    open.writable()?;
    let regular = match &open.inode.kind {
        Kind::Regular(regular) => regular,
        Kind::Fifo(_) => return Err(Errno::ESPIPE),
        Kind::Directory(_) => return Err(Errno::EISDIR),
        _ => return Err(Errno::ENODEV),
    };
    let end = at.checked_add(length).ok_or(Errno::EFBIG)? as u64;
    if punch {
        open.inode.unsealed(seal::WRITING)?;
        regular.punch(at as u64, end)?;
    } else {
        if end > regular.size() {
            open.inode.unsealed(F_SEAL_GROW)?;
            limit(call.process(), end)?;
        }
        regular.reserve(at as u64, end)?;
    }
    if !keep && end > regular.size() {
        regular.truncate(end)?;
    }
    open.inode.touch(time::stamp());
    open.tell(IN_MODIFY);
    open.inode.drop_privileges(&call.process().ids.borrow());
    Ok(0)
}

/// An open file that has places.
fn with_places(call: &Call) -> Result<Rc<Open>> {
    let open = call.process().files.get(call.args[0])?;
    if open.flags.get() & linux_raw_sys::general::O_PATH != 0 {
        return Err(Errno::EBADF);
    }
    if open.file.seekable() { Ok(open) } else { Err(Errno::ESPIPE) }
}

pub fn fadvise64(call: &Call) -> Result {
    with_places(call)?;
    let valid = call.args[3] as u32 <= 5 && call.args[2] as i64 >= 0;
    if valid { Ok(0) } else { Err(Errno::EINVAL) }
}

pub fn readahead(call: &Call) -> Result {
    let open = call.process().files.get(call.args[0])?;
    open.readable()?;
    open.inode.regular().map_err(|_| Errno::EINVAL)?;
    Ok(0)
}

/// What is not another server's is where it stays at once.
pub fn sync(call: &Call) -> Result {
    for mount in call.server.mounts.all() {
        // Nobody is told what could not be written.
        if mount.root.sync() == Err(Errno::LATER) {
            return Err(Errno::LATER);
        }
    }
    Ok(0)
}

pub fn fsync(call: &Call) -> Result {
    let open = call.process().files.get(call.args[0])?;
    if open.flags.get() & linux_raw_sys::general::O_PATH != 0 {
        return Err(Errno::EBADF);
    }
    open.file.sync(&open).map(|()| 0)
}

pub fn syncfs(call: &Call) -> Result {
    call.process().files.get(call.args[0])?.inode.sync().map(|()| 0)
}

pub fn sync_file_range(call: &Call) -> Result {
    let [_, at, length, flags, ..] = call.args;
    let negative = (at as i64) < 0 || (length as i64) < 0 || (at.wrapping_add(length) as i64) < 0;
    if flags as u32 & !7 != 0 || negative {
        return Err(Errno::EINVAL);
    }
    with_places(call).map(|_| 0)
}
