//! Directories: what is in them, and where a process is.

use super::names::HERE;
use crate::errno::{Errno, Result};
use crate::fs::{Entry, Inode};
use crate::server::Call;
use crate::user::PATH_MAX;
use alloc::rc::Rc;
use alloc::vec::Vec;
use linux_raw_sys::general::S_IFDIR;

/// Bytes that one call gives at most.
const MOST: usize = 1 << 15;

pub fn getdents64(call: &Call) -> Result {
    getdents_as(call, false)
}

/// Gives entries as `struct linux_dirent64`, or as the older one, which has the kind behind the name.
pub fn getdents_as(call: &Call, old: bool) -> Result {
    let [fd, to, room, ..] = call.args;
    let open = call.process().files.get(fd)?;
    open.readable()?;
    open.inode.directory()?;
    if open.inode.meta.links.get() == 0 {
        return Err(Errno::ENOENT);
    }
    let room = (room as u32 as usize).min(MOST);
    let (mut buffer, mut place) = (Vec::new(), open.position.get());
    while let Some(entry) = entry(&open.inode, place)? {
        if !append(&mut buffer, room, &entry, old) {
            if buffer.is_empty() {
                return Err(Errno::EINVAL);
            }
            break;
        }
        place = entry.next;
    }
    call.process().put(to, buffer.as_slice())?;
    open.position.set(place);
    open.inode.was_read();
    Ok(buffer.len() as u64)
}

/// The entry at a place; the first two are the directory itself and the one above.
fn entry(inode: &Rc<Inode>, place: u64) -> Result<Option<Entry>> {
    let directory = inode.directory()?;
    Ok(match place {
        0 => Some(Entry { name: b".".to_vec(), number: inode.number, kind: S_IFDIR, next: 1 }),
        1 => {
            let number = directory.parent().map_or(inode.number, |above| above.number);
            Some(Entry { name: b"..".to_vec(), number, kind: S_IFDIR, next: 2 })
        }
        _ => {
            let entry = directory.entry(place - 2)?;
            entry.map(|entry| Entry { next: entry.next + 2, ..entry })
        }
    })
}

/// Adds an entry, if there is room.
fn append(buffer: &mut Vec<u8>, room: usize, entry: &Entry, old: bool) -> bool {
    let head = if old { 18 } else { 19 };
    let length = (head + entry.name.len() + 2).next_multiple_of(8);
    let end = buffer.len() + length;
    if end > room {
        return false;
    }
    let kind = (entry.kind >> 12) as u8;
    buffer.extend_from_slice(&entry.number.to_le_bytes());
    buffer.extend_from_slice(&entry.next.to_le_bytes());
    buffer.extend_from_slice(&(length as u16).to_le_bytes());
    if !old {
        buffer.push(kind);
    }
    buffer.extend_from_slice(&entry.name);
    buffer.resize(end, 0);
    if old {
        buffer[end - 1] = kind;
    }
    true
}

pub fn getcwd(call: &Call) -> Result {
    let [to, room, ..] = call.args;
    let current = call.process().current.borrow().clone();
    let mut path = call.path_of(&current)?;
    path.push(0);
    if path.len() > PATH_MAX {
        return Err(Errno::ENAMETOOLONG);
    }
    if path.len() as u64 > room {
        return Err(Errno::ERANGE);
    }
    call.process().put(to, path.as_slice())?;
    Ok(path.len() as u64)
}

/// A directory that one may go to.
fn enter(call: &Call, inode: Rc<Inode>) -> Result<Rc<Inode>> {
    inode.directory()?;
    inode.permit(&call.process().ids.borrow(), 1)?;
    Ok(inode)
}

pub fn chdir(call: &Call) -> Result {
    let inode = enter(call, call.inode_at(HERE, call.args[0], 0)?)?;
    call.process().current.replace(inode);
    Ok(0)
}

pub fn fchdir(call: &Call) -> Result {
    let inode = call.process().files.get(call.args[0])?.inode.clone();
    call.process().current.replace(enter(call, inode)?);
    Ok(0)
}

pub fn chroot(call: &Call) -> Result {
    let inode = enter(call, call.inode_at(HERE, call.args[0], 0)?)?;
    if !call.process().ids.borrow().is_root() {
        return Err(Errno::EPERM);
    }
    call.process().root.replace(inode);
    Ok(0)
}
