//! The archive that the machine was booted with, as the files of a directory: cpio of the "newc" kind.
//! What the files have in them stays where it is.

use super::content::Content;
use super::{Inode, Kind, New, format};
use crate::errno::{Errno, Result};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use linux_raw_sys::general::{S_IFDIR, S_IFREG};
use rt::abi::PAGE;
use rt::space::Mapping;
use rt::{Memory, println};

const HEADER: usize = 110;
const MAGIC: &[u8] = b"070701";
const TRAILER: &[u8] = b"TRAILER!!!";

/// An entry of the archive.
struct Entry<'a> {
    number: u64,
    /// How many names that has.
    links: u64,
    mode: u32,
    uid: u32,
    gid: u32,
    modified: i64,
    device: u64,
    name: &'a [u8],
    /// Where its bytes begin in the archive.
    offset: usize,
    data: &'a [u8],
    next: usize,
}

/// Puts all files of an archive into a directory, and says how many there are. What is wrong with the
/// archive ends it there, and is logged.
pub fn unpack(memory: Memory, length: u64, root: &Rc<Inode>) -> Result<usize> {
    let mapping = Mapping::new(&memory, 0, length.div_ceil(PAGE), 0)?;
    // SAFETY: nobody has a handle that allows writing to the archive, and it is never unmapped.
    let archive = unsafe { mapping.bytes_for_ever() };
    let archive = &archive[..length as usize];
    let (memory, mut links, mut files, mut at) = (Rc::new(memory), BTreeMap::new(), 0, 0);
    while let Some(entry) = entry(archive, at) {
        if entry.name == TRAILER {
            return Ok(files);
        }
        at = entry.next;
        match add(&memory, root, &entry, &mut links) {
            Ok(()) => files += 1,
            Err(Errno(error)) => {
                let name = entry.name.escape_ascii();
                println!("posix: the archive's file {name} cannot be had: error {error}");
            }
        }
    }
    println!("posix: the archive is broken at {at:#x}; what comes before it is there");
    Ok(files)
}

/// Adds a file. Of one with several names only the last entry has the bytes.
fn add(
    memory: &Rc<Memory>,
    root: &Rc<Inode>,
    entry: &Entry<'static>,
    links: &mut BTreeMap<u64, Rc<Inode>>,
) -> Result<()> {
    let path = entry.name.strip_prefix(b"./").unwrap_or(entry.name);
    let (above, name) = match path.iter().rposition(|&byte| byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (&path[..0], path),
    };
    if matches!(name, b"" | b".") {
        return Ok(());
    }
    let mut directory = root.clone();
    for part in above.split(|&byte| byte == b'/').filter(|part| !part.is_empty()) {
        directory = match directory.directory()?.lookup(part) {
            Ok(inode) => inode,
            Err(_) => make(&directory, part, entry, S_IFDIR | 0o755)?,
        };
    }
    if let Some(known) = links.get(&entry.number).filter(|_| entry.links > 1) {
        return directory.directory()?.link(&directory, name, known);
    }
    if let Ok(known) = directory.directory()?.lookup(name) {
        known.meta.mode.set(entry.mode & 0o7777);
        return Ok(());
    }
    let inode = match format(entry.mode) {
        S_IFREG => {
            let names = directory.directory()?.as_names().ok_or(Errno::EROFS)?;
            let content = Content::archived(names, memory, entry.offset as u64, entry.data);
            let new = new(name, entry, entry.mode);
            names.add(&directory, &new, Kind::Regular(Box::new(content)))?
        }
        _ => make(&directory, name, entry, entry.mode)?,
    };
    inode.touch(entry.modified);
    if !inode.is_directory() && (!entry.data.is_empty() || format(entry.mode) != S_IFREG) {
        links.insert(entry.number, inode);
    }
    Ok(())
}

fn make(directory: &Rc<Inode>, name: &[u8], entry: &Entry<'_>, mode: u32) -> Result<Rc<Inode>> {
    directory.directory()?.create(directory, &new(name, entry, mode))
}

fn new<'a>(name: &'a [u8], entry: &Entry<'a>, mode: u32) -> New<'a> {
    let &Entry { uid, gid, device, data: target, .. } = entry;
    New { name, mode, uid, gid, device, target }
}

fn entry(archive: &[u8], at: usize) -> Option<Entry<'_>> {
    let header = archive.get(at..at + HEADER).filter(|header| header.starts_with(MAGIC))?;
    let field = |nth: usize| number(&header[6 + nth * 8..14 + nth * 8]);
    let (name_size, size) = (field(11)? as usize, field(6)? as usize);
    let name = archive.get(at + HEADER..at + HEADER + name_size)?;
    let end = name.iter().position(|&byte| byte == 0)?;
    let offset = (at + HEADER + name_size).next_multiple_of(4);
    Some(Entry {
        number: field(0)?,
        links: field(4)?,
        mode: field(1)? as u32,
        uid: field(2)? as u32,
        gid: field(3)? as u32,
        modified: field(5)? as i64 * 1_000_000_000,
        device: super::dev::number(field(9)? as u32, field(10)? as u32),
        name: &name[..end],
        offset,
        data: archive.get(offset..offset + size)?,
        next: (offset + size).next_multiple_of(4),
    })
}

fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |number, &digit| {
        Some(number << 4 | u64::from(char::from(digit).to_digit(16)?))
    })
}
