//! Getting descriptors and giving them up.

use super::pipe::Pipe;
use super::regular::{NoBytes, RegularFile};
use super::{Descriptor, File, Open, seal};
use crate::errno::{Errno, Result};
use crate::fs::path::Found;
use crate::fs::{Inode, Kind, New, dev, disks};
use crate::server::{ANONYMOUS, Call};
use crate::wait::Outcome;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::Cell;
use linux_raw_sys::general::{
    F_ADD_SEALS, F_DUPFD, F_DUPFD_CLOEXEC, F_GET_SEALS, F_GETFD, F_GETFL, F_GETPIPE_SZ, F_SETFD,
    F_SETFL, F_SETPIPE_SZ, FD_CLOEXEC, IN_MODIFY, IN_OPEN, O_ACCMODE, O_APPEND, O_CLOEXEC, O_CREAT,
    O_DIRECT, O_DIRECTORY, O_EXCL, O_NOATIME, O_NOFOLLOW, O_NONBLOCK, O_PATH, O_RDONLY, O_TRUNC,
    O_WRONLY, RESOLVE_IN_ROOT, S_IFREG,
};

/// `O_TMPFILE` without the `O_DIRECTORY` in it.
const UNNAMED: u32 = 0o20000000;
/// Flags that an `Open` remembers.
const KEPT: u32 = !(O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC | O_DIRECTORY | O_NOFOLLOW | UNNAMED);
/// Flags that can be changed later.
const CHANGEABLE: u32 = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME;

pub fn openat(call: &Call) -> Outcome {
    let [at, path, flags, mode, ..] = call.args;
    open_path(call, at, path, flags as u32, mode as u32)
}

fn open_path(call: &Call, at: u64, path: u64, flags: u32, mode: u32) -> Outcome {
    match open_now(call, at, path, flags, mode) {
        Ok(Opened::Done(fd)) => Outcome::Done(Ok(fd)),
        Ok(Opened::Fifo(inode, pipe)) => open_fifo(call, inode, pipe, flags),
        Err(error) => Outcome::Done(Err(error)),
    }
}

enum Opened {
    Done(u64),
    /// A pipe whose other side nobody has opened.
    Fifo(Rc<Inode>, Rc<Pipe>),
}

fn open_now(call: &Call, at: u64, path: u64, mut flags: u32, mode: u32) -> Result<Opened> {
    let process = call.process();
    if flags & O_PATH != 0 {
        flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    }
    let path = process.path(path)?;
    let from = match call.resolve & RESOLVE_IN_ROOT {
        0 => process.directory(at, &path)?,
        _ => process.directory(at, b"")?,
    };
    let exclusive = flags & (O_CREAT | O_EXCL) == O_CREAT | O_EXCL;
    if flags & (O_CREAT | O_DIRECTORY) == O_CREAT | O_DIRECTORY {
        return Err(Errno::EINVAL);
    }
    let follow = flags & O_NOFOLLOW == 0 && !exclusive;
    let found = call.walk(&from, &path, follow)?;
    if flags & UNNAMED != 0 {
        return unnamed(call, &found, flags, mode);
    }
    let created = found.inode.is_none();
    let inode = match &found.inode {
        Some(_) if exclusive => return Err(Errno::EEXIST),
        Some(_) => found.inode()?,
        None if flags & O_CREAT == 0 => return Err(Errno::ENOENT),
        None if found.slash => return Err(Errno::EISDIR),
        None => {
            let ids = process.ids.borrow();
            found.parent.permit(&ids, 3)?;
            call.server.mounts.writable(&found.parent)?;
            let mode = S_IFREG | mode & 0o7777 & !process.umask.get();
            let gid = found.parent.group_for(&ids);
            let new = New { name: &found.name, mode, uid: ids.fsuid, gid, device: 0, target: b"" };
            found.parent.directory()?.create(&found.parent, &new)?
        }
    };
    if flags & O_DIRECTORY != 0 && !inode.is_directory() {
        return Err(Errno::ENOTDIR);
    }
    if !created && flags & O_PATH == 0 {
        permit(call, &inode, flags)?;
    }
    if let (Kind::Fifo(pipe), 0) = (&inode.kind, flags & O_PATH) {
        let pipe = pipe.clone();
        return open_pipe(call, inode, pipe, flags);
    }
    let file = file_of(call, &inode, flags)?;
    if let (Kind::Regular(regular), true) = (&inode.kind, flags & O_TRUNC != 0 && !created)
        && regular.size() > 0
    {
        regular.truncate(0)?;
        inode.touch(crate::time::stamp());
        found.parent.tell_of(&found.name, inode.format(), IN_MODIFY, 0);
        inode.tell(IN_MODIFY);
    }
    let name = (!inode.is_directory()).then(|| (found.parent.clone(), found.name.into_owned()));
    let open = opened(file, inode, flags, name);
    let fd = process.add_descriptor(open.clone(), flags & O_CLOEXEC != 0)?;
    if flags & O_PATH == 0 {
        open.tell(IN_OPEN);
    }
    Ok(Opened::Done(fd))
}

/// Refuses to open what may not be opened so.
fn permit(call: &Call, inode: &Rc<Inode>, flags: u32) -> Result<()> {
    let ids = call.process().ids.borrow();
    let wanted = match flags & O_ACCMODE {
        O_RDONLY => 4,
        O_WRONLY => 2,
        _ => 6,
    };
    let wanted = if flags & O_TRUNC != 0 { wanted | 2 } else { wanted };
    if (wanted & 2 != 0 || flags & O_CREAT != 0) && inode.is_directory() {
        return Err(Errno::EISDIR);
    }
    if let Kind::Link(_) = inode.kind {
        return Err(Errno::ELOOP);
    }
    if !matches!(inode.kind, Kind::Regular(_)) {
        call.server.mounts.usable(inode)?;
    }
    inode.permit(&ids, wanted)?;
    if wanted & 2 != 0 && matches!(inode.kind, Kind::Regular(_)) {
        call.server.mounts.writable(inode)?;
        call.server.not_running(inode)?;
    }
    if flags & O_NOATIME != 0 { inode.permit_owner(&ids) } else { Ok(()) }
}

/// An opening, which counts if it can write.
fn opened(
    file: Rc<dyn File>,
    inode: Rc<Inode>,
    flags: u32,
    name: Option<(Rc<Inode>, Vec<u8>)>,
) -> Rc<Open> {
    let (flags, position) = (Cell::new(flags & KEPT), Cell::new(0));
    let open = Open { file, inode, flags, position, name };
    if open.writable().is_ok() {
        open.inode.writers.set(open.inode.writers.get() + 1);
    }
    Rc::new(open)
}

/// An opening of a file of a file system in memory.
pub fn regular(inode: Rc<Inode>, flags: u32, name: Option<(Rc<Inode>, Vec<u8>)>) -> Rc<Open> {
    opened(Rc::new(RegularFile(inode.clone())), inode, flags, name)
}

/// What a file is when it is opened.
fn file_of(call: &Call, inode: &Rc<Inode>, flags: u32) -> Result<Rc<dyn File>> {
    if flags & O_PATH != 0 {
        return Ok(Rc::new(NoBytes));
    }
    match &inode.kind {
        Kind::Directory(_) => Ok(Rc::new(NoBytes)),
        Kind::Regular(regular) => match regular.opened(inode) {
            Some(file) => Ok(file),
            None => Ok(Rc::new(RegularFile(inode.clone()))),
        },
        Kind::Character(device) => dev::open(call, *device, flags),
        Kind::Link(_) => Err(Errno::ELOOP),
        Kind::Block(device) => disks::open(call, *device),
        Kind::Socket | Kind::Fifo(_) => Err(Errno::ENXIO),
    }
}

/// A file without a name, in the file system of a directory.
fn unnamed(call: &Call, found: &Found<'_>, flags: u32, mode: u32) -> Result<Opened> {
    let process = call.process();
    let parent = found.inode()?;
    if flags & O_ACCMODE == O_RDONLY || flags & O_DIRECTORY == 0 {
        return Err(Errno::EINVAL);
    }
    let ids = process.ids.borrow();
    parent.permit(&ids, 3)?;
    call.server.mounts.writable(&parent)?;
    let (mode, gid) = (S_IFREG | mode & 0o7777 & !process.umask.get(), parent.group_for(&ids));
    let new = New { name: b"", mode, uid: ids.fsuid, gid, device: 0, target: b"" };
    let inode = parent.directory()?.create_unnamed(&parent, &new)?;
    let open = regular(inode, flags, Some((parent, Vec::new())));
    Ok(Opened::Done(process.add_descriptor(open, flags & O_CLOEXEC != 0)?))
}

fn open_pipe(call: &Call, inode: Rc<Inode>, pipe: Rc<Pipe>, flags: u32) -> Result<Opened> {
    let (readers, writers) = pipe.ends();
    let named = inode.device != ANONYMOUS;
    match flags & O_ACCMODE {
        O_WRONLY if readers == 0 && flags & O_NONBLOCK != 0 => return Err(Errno::ENXIO),
        O_RDONLY if named && writers == 0 && flags & O_NONBLOCK == 0 => {}
        O_WRONLY if named && readers == 0 => {}
        _ => {
            let open = Open::new(pipe.end(flags), inode, flags & KEPT);
            let fd = call.process().add_descriptor(open, flags & O_CLOEXEC != 0)?;
            return Ok(Opened::Done(fd));
        }
    }
    Ok(Opened::Fifo(inode, pipe))
}

/// Waits until somebody opens the other side.
fn open_fifo(call: &Call, inode: Rc<Inode>, pipe: Rc<Pipe>, flags: u32) -> Outcome {
    let call = call.clone();
    let other = usize::from(flags & O_ACCMODE == O_RDONLY);
    let before = pipe.opened[other].get();
    let open = Open::new(pipe.end(flags), inode, flags & KEPT);
    Outcome::wait(async move {
        let came = || if pipe.opened[other].get() == before { Err(Errno::EAGAIN) } else { Ok(()) };
        pipe.waiters().until(came).await?;
        call.process().add_descriptor(open, flags & O_CLOEXEC != 0)
    })
}

pub fn close(call: &Call) -> Result {
    let process = call.process();
    let open = process.files.close(call.args[0])?;
    process.forget_locks(&open);
    Ok(0)
}

pub fn close_range(call: &Call) -> Result {
    const CLOSE_ON_EXEC: u64 = 4;
    let [first, last, flags, ..] = call.args;
    let (first, last) = (u64::from(first as u32), u64::from(last as u32));
    if first > last || flags & !(CLOSE_ON_EXEC | 2) != 0 {
        return Err(Errno::EINVAL);
    }
    let files = &call.process().files;
    for fd in first..files.length().min(last + 1) {
        if flags & CLOSE_ON_EXEC != 0 {
            let _ = files.set_close_on_exec(fd, true);
        } else if let Ok(open) = files.close(fd) {
            call.process().forget_locks(&open);
        }
    }
    Ok(0)
}

pub fn dup(call: &Call) -> Result {
    let process = call.process();
    process.add_descriptor(process.files.get(call.args[0])?, false)
}

pub fn dup3(call: &Call) -> Result {
    let [old, new, flags, ..] = call.args;
    if flags as u32 & !O_CLOEXEC != 0 || old as u32 == new as u32 {
        return Err(Errno::EINVAL);
    }
    let open = call.process().files.get(old)?;
    set(call, new, open, flags as u32 & O_CLOEXEC != 0)
}

fn set(call: &Call, new: u64, open: Rc<Open>, close_on_exec: bool) -> Result {
    let new = u64::from(new as u32);
    if new >= call.process().descriptor_limit() {
        return Err(Errno::EBADF);
    }
    if let Some(old) = call.process().files.set(new, open, close_on_exec)? {
        call.process().forget_locks(&old);
    }
    Ok(new)
}

pub fn fcntl(call: &Call) -> Outcome {
    let [fd, what, argument, ..] = call.args;
    let process = call.process();
    let Descriptor { open, close_on_exec } = match process.files.descriptor(fd) {
        Ok(descriptor) => descriptor,
        Err(error) => return Outcome::Done(Err(error)),
    };
    let result = match what as u32 {
        F_DUPFD | F_DUPFD_CLOEXEC => {
            let limit = process.descriptor_limit();
            let close = what as u32 == F_DUPFD_CLOEXEC;
            if argument >= limit {
                Err(Errno::EINVAL)
            } else {
                process.files.add(argument, limit, open, close)
            }
        }
        F_GETFD => Ok(if close_on_exec { FD_CLOEXEC.into() } else { 0 }),
        F_SETFD => {
            let close = argument & u64::from(FD_CLOEXEC) != 0;
            process.files.set_close_on_exec(fd, close).map(|()| 0)
        }
        F_GETFL => Ok(open.flags.get().into()),
        _ if open.flags.get() & O_PATH != 0 => Err(Errno::EBADF),
        F_SETFL
            if argument as u32 & O_NOATIME & !open.flags.get() != 0
                && open.inode.permit_owner(&process.ids.borrow()).is_err() =>
        {
            Err(Errno::EPERM)
        }
        F_SETFL => {
            let kept = open.flags.get() & !CHANGEABLE;
            open.flags.set(kept | argument as u32 & CHANGEABLE);
            Ok(0)
        }
        F_GET_SEALS => seal::get(&open),
        F_ADD_SEALS => seal::add(call, &open, argument),
        F_GETPIPE_SZ | F_SETPIPE_SZ => match open.file.downcast::<super::pipe::PipeEnd>() {
            Some(_) if argument as usize <= super::pipe::CAPACITY => {
                Ok(super::pipe::CAPACITY as u64)
            }
            Some(_) => Err(Errno::EPERM),
            None => Err(Errno::EBADF),
        },
        _ => return super::lock::fcntl(call, &open),
    };
    Outcome::Done(result)
}

pub fn pipe2(call: &Call) -> Result {
    let [address, flags, ..] = call.args;
    let flags = flags as u32;
    if flags & !(O_CLOEXEC | O_NONBLOCK | O_DIRECT) != 0 {
        return Err(Errno::EINVAL);
    }
    let process = call.process();
    let pipe = Pipe::new();
    let inode = call.server.anonymous(Kind::Fifo(pipe.clone()), 0o600);
    let (close, flags) = (flags & O_CLOEXEC != 0, flags & KEPT);
    let reader = Open::new(pipe.end(flags | O_RDONLY), inode.clone(), flags | O_RDONLY);
    let writer = Open::new(pipe.end(flags | O_WRONLY), inode, flags | O_WRONLY);
    let first = process.add_descriptor(reader, close)?;
    let second = process.add_descriptor(writer, close).inspect_err(|_| {
        drop(process.files.close(first));
    })?;
    process.put(address, &[first as u32, second as u32]).inspect_err(|_| {
        drop(process.files.close(first));
        drop(process.files.close(second));
    })?;
    Ok(0)
}
