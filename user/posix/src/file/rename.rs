//! Giving files other names.

use crate::errno::{Errno, Result};
use crate::fs::Inode;
use crate::server::Call;
use alloc::rc::Rc;
use linux_raw_sys::general::{RENAME_EXCHANGE, RENAME_NOREPLACE};

pub fn renameat2(call: &Call) -> Result {
    let [from, old, to, new, flags, ..] = call.args;
    let flags = flags as u32;
    let (exchange, keep) = (flags & RENAME_EXCHANGE != 0, flags & RENAME_NOREPLACE != 0);
    if flags & !(RENAME_EXCHANGE | RENAME_NOREPLACE) != 0 || exchange && keep {
        return Err(Errno::EINVAL);
    }
    let process = call.process();
    let (old, new) = (process.path(old)?, process.path(new)?);
    let source = call.name_at(from, &old)?;
    let target = call.name_at(to, &new)?;
    if source.parent.device != target.parent.device {
        return Err(Errno::EXDEV);
    }
    if source.is_dots() || target.is_dots() {
        return Err(if keep && target.is_dots() { Errno::EEXIST } else { Errno::EBUSY });
    }
    let inode = source.inode.as_ref().ok_or(Errno::ENOENT)?;
    let other = target.inode.as_ref();
    match other {
        Some(_) if keep => return Err(Errno::EEXIST),
        None if exchange => return Err(Errno::ENOENT),
        _ => {}
    }
    let wrong = |inode: Option<&Rc<Inode>>, slash: bool| {
        slash && !inode.is_some_and(|inode| inode.is_directory())
    };
    let moved = Some(inode);
    if wrong(moved, source.slash) || wrong(if exchange { other } else { moved }, target.slash) {
        return Err(Errno::ENOTDIR);
    }
    if inode.is_directory() && is_within(&target.parent, inode) {
        return Err(Errno::EINVAL);
    }
    if let Some(other) = other.filter(|other| other.is_directory())
        && is_within(&source.parent, other)
    {
        return Err(if exchange { Errno::EINVAL } else { Errno::ENOTEMPTY });
    }
    call.removable(&source.parent, inode)?;
    match other {
        Some(other) => {
            call.removable(&target.parent, other)?;
            match (inode.is_directory(), other.is_directory()) {
                (true, false) if !exchange => return Err(Errno::ENOTDIR),
                (false, true) if !exchange => return Err(Errno::EISDIR),
                _ => {}
            }
        }
        None => target.parent.permit(&process.ids.borrow(), 3)?,
    }
    let directory = source.parent.directory()?;
    directory.rename(&source.name, &source.parent, &target.parent, &target.name, exchange)?;
    Ok(0)
}

/// Whether a directory is another, or somewhere in it.
fn is_within(directory: &Rc<Inode>, other: &Inode) -> bool {
    let mut at = Some(directory.clone());
    while let Some(inode) = at {
        if inode.is(other) {
            return true;
        }
        at = inode.directory().ok().and_then(|directory| directory.parent());
    }
    false
}

pub fn renameat(call: &Call) -> Result {
    let [from, old, to, new, ..] = call.args;
    renameat2(&call.with([from, old, to, new, 0, 0]))
}
