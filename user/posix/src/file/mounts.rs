//! File systems: mounting them, and how full they are.

use super::names::HERE;
use super::options;
use crate::errno::{Errno, Result};
use crate::fs::limit::Limit;
use crate::fs::mount::Mount;
use crate::fs::remote::Remote;
use crate::fs::room::Room;
use crate::fs::tmpfs::Tmpfs;
use crate::fs::{Inode, NAME_MAX, dev, proc};
use crate::later::Served;
use crate::server::{Call, Server};
use crate::user::{Buffer, Transfer};
use alloc::boxed::Box;
use alloc::format;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::Cell;
use files::Space;
use linux_raw_sys::general::{
    MNT_DETACH, MNT_EXPIRE, MNT_FORCE, MS_BIND, MS_DIRSYNC, MS_LAZYTIME, MS_MOVE, MS_NOATIME,
    MS_NODEV, MS_NODIRATIME, MS_NOEXEC, MS_NOSUID, MS_PRIVATE, MS_RDONLY, MS_RELATIME, MS_REMOUNT,
    MS_SHARED, MS_SILENT, MS_SLAVE, MS_STRICTATIME, MS_SYNCHRONOUS, MS_UNBINDABLE, UMOUNT_NOFOLLOW,
};
use rt::Port;
use rt::abi::{PAGE, PortRights};
use rt::loader::Child;
use services::control::{Complain, Stop};

/// Numbers by which programs know kinds of file systems (`linux/magic.h`).
const TMPFS_MAGIC: u64 = 0x0102_1994;
const PROC_MAGIC: u64 = 0x9fa0;
const SYSFS_MAGIC: u64 = 0x6265_6572;
const ANON_MAGIC: u64 = 0x0904_1934;
/// What other processes serve has a number of its own.
const OCHRE_MAGIC: u64 = 0x6f63_6872;
/// `f_flags` are valid.
const ST_VALID: u64 = 0x20;

/// Kinds of file systems that are on disks.
pub const ON_DISKS: [&[u8]; 4] = [b"ext4", b"ext3", b"ext2", b"vfat"];
/// Those in memory, which are limited by their options.
const IN_MEMORY: [&[u8]; 2] = [b"tmpfs", b"devtmpfs"];
/// Requests that may wait at the port of a program that serves a file system.
const QUEUE: u64 = 4;
/// Bytes of this server's quota that such a program gets, and the priority of its threads.
const QUOTA: u64 = 4 << 20;
const PRIORITY: u8 = 24;
/// Bytes that a program which serves a file system has at most.
const PROGRAM: u64 = 16 << 20;
/// Flags that are remembered.
const KEPT: u32 = MS_RDONLY
    | MS_NOSUID
    | MS_NODEV
    | MS_NOEXEC
    | MS_NOATIME
    | MS_NODIRATIME
    | MS_RELATIME
    | MS_STRICTATIME;
/// Flags that change nothing: what waits until all is written does so with `fsync`.
const IGNORED: u32 = MS_SILENT | MS_SYNCHRONOUS | MS_DIRSYNC | MS_LAZYTIME;
/// Mounting that is of another kind.
const OTHER: u32 = MS_BIND | MS_MOVE | MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE;

pub fn mount(call: &Call) -> Result {
    let [source, target, kind, flags, data, ..] = call.args;
    let flags = flags as u32;
    let process = call.process();
    let text = |at: u64| match at {
        0 => Ok(Vec::new()),
        at => process.string(at, PAGE as usize, Errno::EINVAL),
    };
    let (source, kind, data) = (text(source)?, text(kind)?, text(data)?);
    let covered = call.inode_at(HERE, target, 0)?;
    if !process.ids.borrow().is_root() {
        return Err(Errno::EPERM);
    }
    if flags & OTHER != 0 {
        return Err(Errno::EINVAL);
    }
    if flags & MS_REMOUNT != 0 {
        let mount = call.server.mounts.of_device(covered.device);
        let mount = mount.filter(|mount| mount.root.is(&covered)).ok_or(Errno::EINVAL)?;
        match covered.directory()?.as_names() {
            Some(names) => set_limit(names.limit(), &data)?,
            None => options::check(&mount.kind, &data)?,
        }
        let (was, flags) = (mount.flags.get(), u64::from(flags & KEPT));
        if was & !flags & u64::from(MS_RDONLY) != 0 && on_disks(&mount.kind) {
            // Its service was told that it changes nothing.
            return Err(Errno::EROFS);
        }
        if flags & !was & u64::from(MS_RDONLY) != 0 {
            covered.sync()?;
        }
        mount.flags.set(flags);
        return Ok(0);
    }
    if flags & !(KEPT | IGNORED) != 0 {
        return Err(Errno::EINVAL);
    }
    covered.directory()?;
    if !IN_MEMORY.contains(&kind.as_slice()) {
        options::check(&kind, &data)?;
    }
    let root = match kind.as_slice() {
        b"ochre" => served(call, &source)?,
        kind if on_disks(kind) => on_disk(call, kind, &source, flags)?,
        kind => make(call.server, kind, &data)?,
    };
    let flags = Cell::new((flags & KEPT).into());
    call.server.mounts.add(Mount { covered, root, source, kind, flags });
    Ok(0)
}

/// Whether file systems of a kind are on disks.
fn on_disks(kind: &[u8]) -> bool {
    ON_DISKS.contains(&kind)
}

/// The root of a file system that a native program serves.
fn served(call: &Call, program: &[u8]) -> Result<Rc<Inode>> {
    let from = call.process().current.borrow().clone();
    let file = call.walk(&from, program, true)?.inode()?;
    let mut bytes = alloc::vec![0; file.regular()?.size().min(PROGRAM) as usize];
    file.regular()?.read(0, &mut Transfer::new(Buffer::Own(&mut bytes)))?;
    Remote::mount(call.server, room(call.server)?.number(), || {
        let port = Port::create(QUEUE)?;
        let child = Child::load(&bytes, QUOTA, PRIORITY).map_err(|_| Errno::EINVAL)?;
        let own = child.give(port.duplicate(PortRights::RECEIVE | PortRights::TRANSFER)?)?;
        let child = child.with_words([own, 0]);
        child.start()?;
        let port = port.duplicate(PortRights::SEND)?;
        // It may be gone before.
        let stop = Box::new(move || _ = child.process.kill(0));
        Ok(Served { port, complain: Box::new(|| ()), stop })
    })
}

/// The root of a file system that a service keeps on a disk.
fn on_disk(call: &Call, kind: &[u8], source: &[u8], flags: u32) -> Result<Rc<Inode>> {
    let kind = core::str::from_utf8(kind).map_err(|_| Errno::EINVAL)?;
    let disk = call.server.disks.at(call, source)?;
    if disk.is_read_only && flags & MS_RDONLY == 0 {
        return Err(Errno::EACCES);
    }
    let words = if flags & MS_RDONLY == 0 { "" } else { "ro" };
    Remote::mount(call.server, room(call.server)?.number(), || {
        start_service(call.server, kind, &disk.name, words)
    })
}

/// Has a service started for a disk.
pub fn start_service(
    server: &'static Server,
    kind: &str,
    device: &str,
    words: &str,
) -> Result<Served> {
    let control = server.control()?;
    let port = control.start(kind, device, words)?;
    let name = format!("{kind}:{device}");
    let stop = {
        let name = name.clone();
        // It may be gone before.
        Box::new(move || _ = control.tell(Stop { service: &name }))
    };
    // It is asked again whatever comes of it.
    let complain = Box::new(move || _ = control.tell(Complain { service: &name }));
    Ok(Served { port, complain, stop })
}

/// The root of another file system.
fn make(server: &'static Server, kind: &[u8], data: &[u8]) -> Result<Rc<Inode>> {
    let option = |name: &[u8]| {
        let mut options = data.split(|&byte| byte == b',');
        options.find_map(|option| option.strip_prefix(name)?.strip_prefix(b"="))
    };
    let number = |name: &[u8], radix| match option(name) {
        None => Ok(None),
        Some(digits) => {
            let digits = core::str::from_utf8(digits).map_err(|_| Errno::EINVAL)?;
            u32::from_str_radix(digits, radix).map(Some).map_err(|_| Errno::EINVAL)
        }
    };
    match kind {
        b"tmpfs" => {
            let mode = number(b"mode", 8)?.unwrap_or(0o1777);
            let limit = Limit::default();
            set_limit(&limit, data)?;
            let root = Tmpfs::root(room(server)?, mode & 0o7777, limit)?;
            root.meta.uid.set(number(b"uid", 10)?.unwrap_or(0));
            root.meta.gid.set(number(b"gid", 10)?.unwrap_or(0));
            Ok(root)
        }
        b"devtmpfs" => {
            let limit = Limit::default();
            set_limit(&limit, data)?;
            let root = Tmpfs::root(room(server)?, 0o755, limit)?;
            dev::populate(&root)?;
            Ok(root)
        }
        b"proc" => Ok(proc::root(server, room(server)?.number())),
        b"sysfs" => Tmpfs::root(room(server)?, 0o555, Limit::default()),
        _ => Err(Errno::ENODEV),
    }
}

/// Sets what options of a mount limit: pages by their bytes, files by their number.
fn set_limit(limit: &Limit, data: &[u8]) -> Result<()> {
    let (mut pages, mut files) = (None, None);
    for option in data.split(|&byte| byte == b',').filter(|option| !option.is_empty()) {
        let (name, value) = match option.iter().position(|&byte| byte == b'=') {
            Some(at) => (&option[..at], &option[at + 1..]),
            None => (option, &b""[..]),
        };
        // Zero is as much as there is.
        let some = |value: u64| Some(value).filter(|&value| value > 0);
        match name {
            b"size" => pages = some(bytes(value)?.div_ceil(PAGE)),
            b"nr_blocks" => pages = some(bytes(value)?),
            b"nr_inodes" => files = some(bytes(value)?),
            b"mode" | b"uid" | b"gid" => {}
            _ => return Err(Errno::EINVAL),
        }
    }
    limit.set(pages, files)
}

/// A number that may be followed by `k`, `m`, `g`, or `%` of the memory.
fn bytes(value: &[u8]) -> Result {
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, unit) = value.split_at(digits);
    let number: u64 = core::str::from_utf8(digits)
        .ok()
        .and_then(|digits| digits.parse().ok())
        .ok_or(Errno::EINVAL)?;
    let factor = match unit {
        b"" => 1,
        b"k" | b"K" => 1 << 10,
        b"m" | b"M" => 1 << 20,
        b"g" | b"G" => 1 << 30,
        b"%" => rt::machine().figures()?.frames * PAGE / 100,
        _ => return Err(Errno::EINVAL),
    };
    number.checked_mul(factor).ok_or(Errno::EINVAL)
}

/// What file systems in memory take their memory from.
fn room(server: &Server) -> Result<&Rc<Room>> {
    Ok(server.root.directory()?.as_names().ok_or(Errno::ENODEV)?.room())
}

pub fn umount2(call: &Call) -> Result {
    let [target, flags, ..] = call.args;
    let flags = flags as u32;
    if flags & !(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW) != 0 {
        return Err(Errno::EINVAL);
    }
    if !call.process().ids.borrow().is_root() {
        return Err(Errno::EPERM);
    }
    let follow = flags & UMOUNT_NOFOLLOW == 0;
    let nofollow = if follow { 0 } else { linux_raw_sys::general::AT_SYMLINK_NOFOLLOW };
    let root = call.inode_at(HERE, target, nofollow)?;
    if call.server.mounts.below(&root).is_none() {
        return Err(Errno::EINVAL);
    }
    if flags & MNT_DETACH == 0 && is_busy(call.server, root.device) {
        return Err(Errno::EBUSY);
    }
    root.directory()?.forget();
    match root.sync() {
        Err(Errno::LATER) => return Err(Errno::LATER),
        // A disk that has failed is not to stay for that.
        Err(Errno(error)) => rt::println!("posix: unmounted, but not all was saved: error {error}"),
        Ok(()) => {}
    }
    call.server.mounts.remove(&root)?;
    Ok(0)
}

/// Whether somebody uses a file system.
fn is_busy(server: &Server, device: u64) -> bool {
    let covered = server.mounts.all().iter().any(|mount| mount.covered.device == device);
    covered
        || server.processes().iter().any(|process| {
            let here = |inode: &Inode| inode.device == device;
            let files = &process.files;
            let mut open = (0..files.length()).filter_map(|number| files.get(number).ok());
            here(&process.current.borrow())
                || here(&process.root.borrow())
                || open.any(|open| here(&open.inode))
                || process.program.borrow().file.as_ref().is_some_and(|file| here(file))
        })
}

/// `struct statfs`.
fn statfs_of(call: &Call, inode: &Inode) -> Result<[u64; 15]> {
    let room = room(call.server)?;
    let mount = call.server.mounts.of_device(inode.device);
    let kind = mount.as_ref().map_or(&b"tmpfs"[..], |mount| &mount.kind);
    let anonymous = mount.is_none() && inode.device != call.server.root.device;
    if let Some(space) =
        mount.as_ref().map(|mount| mount.root.directory()?.space()).transpose()?.flatten()
    {
        return Ok(served_statfs(inode, &space, mount.map_or(0, |mount| mount.flags.get())));
    }
    let magic = match kind {
        _ if anonymous => ANON_MAGIC,
        b"proc" => PROC_MAGIC,
        b"sysfs" => SYSFS_MAGIC,
        _ => TMPFS_MAGIC,
    };
    let flags = mount.as_ref().map_or(0, |mount| mount.flags.get()) & u64::from(KEPT);
    let ((pages, free), (files, free_files)) = match magic {
        TMPFS_MAGIC => {
            let root = mount.as_ref().map_or(&call.server.root, |mount| &mount.root);
            let names = root.directory()?.as_names();
            let pages = names.and_then(|names| names.limit().free_pages());
            let files = names.and_then(|names| names.limit().free_files());
            (pages.unwrap_or_else(|| room.pages()), files.unwrap_or_else(|| room.files()))
        }
        _ => ((0, 0), (0, 0)),
    };
    let mut words = [0; 15];
    words[..7].copy_from_slice(&[magic, PAGE, pages, free, free, files, free_files]);
    words[7..11].copy_from_slice(&[inode.device, NAME_MAX as u64, PAGE, flags | ST_VALID]);
    Ok(words)
}

/// That of a file system that another process serves.
fn served_statfs(inode: &Inode, space: &Space, flags: u64) -> [u64; 15] {
    let ([blocks, free], [files, left]) = (space.blocks, space.files);
    let mut words = [0; 15];
    words[..7].copy_from_slice(&[OCHRE_MAGIC, space.block, blocks, free, free, files, left]);
    words[7..11].copy_from_slice(&[inode.device, space.name, space.block, flags | ST_VALID]);
    words
}

pub fn statfs(call: &Call) -> Result {
    let [path, to, ..] = call.args;
    let inode = call.inode_at(HERE, path, 0)?;
    call.process().put(to, &statfs_of(call, &inode)?).map(|()| 0)
}

pub fn fstatfs(call: &Call) -> Result {
    let [fd, to, ..] = call.args;
    let open = call.process().files.get(fd)?;
    call.process().put(to, &statfs_of(call, &open.inode)?).map(|()| 0)
}
