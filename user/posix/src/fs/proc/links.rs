//! Symbolic links: to oneself, to where a process is, to what it has open.

use super::Subject;
use crate::errno::{Errno, Result};
use crate::fs::path::{Last, Walker};
use crate::fs::{Inode, Kind, Reader};
use crate::process::{Ids, Process};
use crate::server::Server;
use alloc::format;
use alloc::rc::Rc;
use alloc::vec::Vec;
use linux_raw_sys::general::{O_ACCMODE, O_RDONLY, O_RDWR, O_WRONLY};

pub fn own_process(_: &Subject, reader: Reader) -> Result<Vec<u8>> {
    Ok(format!("{}", reader.pid).into_bytes())
}

pub fn own_thread(_: &Subject, reader: Reader) -> Result<Vec<u8>> {
    Ok(format!("{}/task/{}", reader.pid, reader.tid).into_bytes())
}

pub fn own_mounts(_: &Subject, _: Reader) -> Result<Vec<u8>> {
    Ok(b"self/mounts".to_vec())
}

/// Who walks where everything is allowed, from the root of all.
pub fn walker<'a>(server: &'static Server, ids: &'a Ids) -> Walker<'a> {
    let (root, reader) = (server.root.clone(), Reader { pid: 0, tid: 0 });
    Walker { mounts: &server.mounts, root, ids, reader, resolve: 0 }
}

/// The path of a directory.
fn path_of(server: &'static Server, inode: &Rc<Inode>) -> Result<Vec<u8>> {
    walker(server, &Ids::default()).path_of(inode)
}

/// The path of a name in a directory, which may have another file by now.
pub fn path_in(
    server: &'static Server,
    directory: &Rc<Inode>,
    name: &[u8],
    inode: &Inode,
) -> Result<Vec<u8>> {
    let ids = Ids::default();
    let walker = walker(server, &ids);
    let mut path = walker.path_of(directory)?;
    if path != b"/" {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    let there = directory.directory()?.lookup(name);
    if !there.is_ok_and(|there| server.mounts.top(there).is(inode)) {
        path.extend_from_slice(b" (deleted)");
    }
    Ok(path)
}

pub fn cwd(subject: &Subject) -> Result<Rc<Inode>> {
    Ok(subject.process()?.current.borrow().clone())
}

pub fn cwd_path(subject: &Subject) -> Result<Vec<u8>> {
    path_of(subject.server, &cwd(subject)?)
}

pub fn root(subject: &Subject) -> Result<Rc<Inode>> {
    Ok(subject.process()?.root.borrow().clone())
}

pub fn root_path(subject: &Subject) -> Result<Vec<u8>> {
    path_of(subject.server, &root(subject)?)
}

pub fn exe(subject: &Subject) -> Result<Rc<Inode>> {
    subject.process()?.program.borrow().file.clone().ok_or(Errno::ENOENT)
}

/// Where the path that the program was run by leads, as long as that is the program.
pub fn exe_path(subject: &Subject) -> Result<Vec<u8>> {
    let process = subject.process()?;
    let (file, path) = (exe(subject)?, process.program.borrow().path.clone());
    program_path(&process, &file, &path)
}

fn program_path(process: &Process, file: &Rc<Inode>, path: &[u8]) -> Result<Vec<u8>> {
    let ids = Ids::default();
    let walker = Walker { root: process.root.borrow().clone(), ..walker(process.server, &ids) };
    let found = walker.walk(&process.current.borrow(), path, Last::Followed);
    match found {
        Ok(found) => path_in(process.server, &found.parent, &found.name, file),
        Err(_) => Ok([path, b" (deleted)"].concat()),
    }
}

pub fn descriptor(subject: &Subject) -> Result<Rc<Inode>> {
    Ok(subject.open()?.inode.clone())
}

pub fn descriptor_path(subject: &Subject) -> Result<Vec<u8>> {
    let open = subject.open()?;
    let number = open.inode.number;
    match (&open.name, &open.inode.kind) {
        (Some((directory, name)), _) if !name.is_empty() => {
            path_in(subject.server, directory, name, &open.inode)
        }
        (_, Kind::Directory(_)) => path_of(subject.server, &open.inode),
        (_, Kind::Fifo(_)) => Ok(format!("pipe:[{number}]").into_bytes()),
        (_, Kind::Socket) => Ok(format!("socket:[{number}]").into_bytes()),
        (_, Kind::Character(_)) => Ok(b"/dev/console".to_vec()),
        _ => Ok(format!("anon_inode:[{number}]").into_bytes()),
    }
}

/// The permissions of a descriptor's link: what the descriptor allows.
pub fn mode(subject: &Subject) -> u32 {
    match subject.open().map(|open| open.flags.get() & O_ACCMODE) {
        Ok(O_RDONLY) => 0o500,
        Ok(O_WRONLY) => 0o300,
        Ok(O_RDWR) => 0o700,
        _ => 0,
    }
}
