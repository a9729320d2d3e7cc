//! The calls that change what is mapped.

use super::Process;
use super::memory::{Area, LOWEST, Space, access_of, clone, create, memory_at, pages, round};
use crate::errno::{Errno, Result};
use crate::file::seal::WRITING;
use crate::fs::Kind;
use crate::server::Call;
use alloc::rc::Rc;
use linux_raw_sys::general::{
    MAP_ANONYMOUS, MAP_FIXED, MAP_FIXED_NOREPLACE, MAP_PRIVATE, MAP_SHARED, MAP_SHARED_VALIDATE,
    MAP_TYPE, MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE, MS_ASYNC, MS_INVALIDATE, MS_SYNC,
    PROT_EXEC, PROT_NONE, PROT_READ, PROT_WRITE,
};
use rt::abi::{PAGE, USER_END};

/// What this architecture makes of `PROT_*`: what may be written or executed may be read.
fn checked_access(access: u64) -> Result<u32> {
    let access = access as u32;
    if access & !(PROT_READ | PROT_WRITE | PROT_EXEC) != 0 {
        return Err(Errno::EINVAL);
    }
    if access & PROT_WRITE != 0 && access & PROT_EXEC != 0 {
        return Err(Errno::EACCES);
    }
    Ok(access)
}

pub fn mmap(call: &Call) -> Result {
    let [hint, length, access, flags, fd, offset] = call.args;
    let flags = flags as u32;
    if length == 0 || !offset.is_multiple_of(PAGE) {
        return Err(Errno::EINVAL);
    }
    let length = round(length)?;
    let access = checked_access(access)?;
    let shared = match flags & MAP_TYPE {
        MAP_SHARED | MAP_SHARED_VALIDATE => true,
        MAP_PRIVATE => false,
        _ => return Err(Errno::EINVAL),
    };
    let process = call.process();
    let open = match flags & MAP_ANONYMOUS {
        0 => Some(process.files.get(fd)?),
        _ => None,
    };
    let mut space = process.space.borrow_mut();
    let start = choose(&mut space, process, hint, length, flags)?;
    let end = start + length;
    let mut area = Area { shared, ..Area::anonymous(end, access, "") };
    let Some(open) = open else {
        area.object = (call.server.new_number(), 0);
        // What is shared may outlive the process.
        let memory = match shared {
            true => call.server.room.memory(pages(length)).map_err(|_| Errno::ENOMEM)?,
            false => create(process, pages(length))?,
        };
        space.map(process, start, area, &Rc::new(memory), 0, u64::MAX)?;
        return Ok(start);
    };
    open.readable().map_err(|_| Errno::EACCES)?;
    if shared && access & PROT_WRITE != 0 {
        open.writable().map_err(|_| Errno::EACCES)?;
    }
    if shared && access & PROT_WRITE != 0 {
        open.inode.unsealed(WRITING)?;
    }
    if shared && access & PROT_WRITE != 0 && open.inode.regular().is_ok_and(|it| !it.is_shared()) {
        return Err(Errno::ENODEV);
    }
    if access & PROT_EXEC != 0 {
        call.server.mounts.usable(&open.inode).map_err(|_| Errno::EPERM)?;
    }
    let (memory, first) = open.file.memory(true)?;
    // Behind its end, a file of the archive has the next one.
    let own = match open.inode.kind {
        Kind::Regular(_) => pages(round(open.inode.size())?).saturating_sub(pages(offset)),
        _ => u64::MAX,
    };
    let first = first + pages(offset);
    let room = memory.info()?.pages.saturating_sub(first).min(own).min(pages(length));
    area.file = Some((open.inode.clone(), open, offset));
    if !shared && access & PROT_WRITE != 0 {
        let copy = Rc::new(clone(process, &memory, first, room)?);
        space.map(process, start, area, &copy, 0, room)?;
    } else {
        area.borrowed = true;
        space.map(process, start, area, &memory, first, room)?;
    }
    Ok(start)
}

/// Where a mapping goes. What is there already goes if it must.
fn choose(space: &mut Space, process: &Process, hint: u64, length: u64, flags: u32) -> Result {
    let end = hint.checked_add(length).filter(|&end| end <= USER_END && hint >= LOWEST);
    if flags & (MAP_FIXED | MAP_FIXED_NOREPLACE) != 0 {
        if !hint.is_multiple_of(PAGE) {
            return Err(Errno::EINVAL);
        }
        let end = end.ok_or(if hint < LOWEST { Errno::EPERM } else { Errno::ENOMEM })?;
        if flags & MAP_FIXED_NOREPLACE != 0 && !space.is_free(hint, end) {
            return Err(Errno::EEXIST);
        }
        space.unmap(process, hint, end)?;
        return Ok(hint);
    }
    let hint = hint & !(PAGE - 1);
    match end {
        Some(_) if hint != 0 && space.is_free(hint, hint + length) => Ok(hint),
        _ => space.place(length),
    }
}

pub fn munmap(call: &Call) -> Result {
    let [start, length, ..] = call.args;
    let (start, end) = range(start, length)?;
    if length == 0 {
        return Err(Errno::EINVAL);
    }
    let process = call.process();
    process.space.borrow_mut().unmap(process, start, end)?;
    Ok(0)
}

pub fn mprotect(call: &Call) -> Result {
    let [start, length, access, ..] = call.args;
    let (start, end) = range(start, length).map_err(|error| match error {
        Errno::EINVAL if start.is_multiple_of(PAGE) => Errno::ENOMEM,
        error => error,
    })?;
    let access = checked_access(access)?;
    let process = call.process();
    process.space.borrow_mut().protect(process, start, end, access)?;
    Ok(0)
}

/// A range of whole pages inside of the address space.
fn range(start: u64, length: u64) -> Result<(u64, u64)> {
    let end = start.checked_add(round(length).map_err(|_| Errno::EINVAL)?);
    let end = end.filter(|&end| end <= USER_END && start.is_multiple_of(PAGE));
    Ok((start, end.ok_or(Errno::EINVAL)?))
}

pub fn brk(call: &Call) -> Result {
    let process = call.process();
    let mut space = process.space.borrow_mut();
    if call.args[0] >= space.heap.0 {
        // What cannot be had is told by an end that has not moved.
        let _ = space.grow_heap(process, call.args[0]);
    }
    Ok(space.heap.1)
}

pub fn madvise(call: &Call) -> Result {
    use linux_raw_sys::general::{MADV_DONTNEED, MADV_FREE, MADV_REMOVE};
    let [start, length, advice, ..] = call.args;
    let (start, end) = range(start, length)?;
    let process = call.process();
    let mut space = process.space.borrow_mut();
    let mut at = start;
    while at < end {
        let (_, area) = space.find(at).ok_or(Errno::ENOMEM)?;
        at = area.end;
    }
    match advice as u32 {
        MADV_DONTNEED => drop_pages(&mut space, process, start, end),
        MADV_REMOVE => Err(Errno::EINVAL),
        MADV_FREE | 0..=23 => Ok(0),
        _ => Err(Errno::EINVAL),
    }
}

/// What is private and nobody's file becomes zero again.
fn drop_pages(space: &mut Space, process: &Process, start: u64, end: u64) -> Result {
    space.split(start);
    space.split(end);
    for (&start, area) in space.areas.range_mut(start..end) {
        if area.shared || area.file.is_some() || area.access == PROT_NONE {
            continue;
        }
        let count = pages(area.end - start);
        let (memory, access) = (create(process, count)?, access_of(area.access, false));
        process.paid(|native| native.unmap(start, count))?;
        process.paid(|native| native.map(&memory, start, 0, count, access))?;
    }
    Ok(0)
}

pub fn mremap(call: &Call) -> Result {
    let [old, old_length, new_length, flags, new, ..] = call.args;
    let flags = flags as u32;
    let known = MREMAP_MAYMOVE | MREMAP_FIXED;
    let alone = flags & known == MREMAP_FIXED;
    if flags & !known != 0 || alone || new_length == 0 || old_length == 0 {
        return Err(if flags & MREMAP_DONTUNMAP != 0 { Errno::ENOSYS } else { Errno::EINVAL });
    }
    let (old, old_end) = range(old, old_length)?;
    let new_length = round(new_length)?;
    let process = call.process();
    let mut space = process.space.borrow_mut();
    let (_, area) = space.find(old).ok_or(Errno::EFAULT)?;
    if area.end < old_end {
        return Err(Errno::EFAULT);
    }
    let length = old_end - old;
    if flags & MREMAP_FIXED == 0 {
        if new_length <= length {
            if new_length < length {
                space.unmap(process, old + new_length, old_end)?;
            }
            return Ok(old);
        }
        let grown = old.checked_add(new_length).ok_or(Errno::ENOMEM)?;
        if space.is_free(old_end, grown)
            && grown <= USER_END
            && extend(&mut space, process, old_end, grown).is_ok()
        {
            return Ok(old);
        }
        if flags & MREMAP_MAYMOVE == 0 {
            return Err(Errno::ENOMEM);
        }
    }
    let to = match flags & MREMAP_FIXED {
        0 => space.place(new_length)?,
        _ => choose(&mut space, process, new, new_length, MAP_FIXED)?,
    };
    let moved = length.min(new_length);
    space.split(old);
    space.split(old + moved);
    let (_, area) = space.find(old).ok_or(Errno::EFAULT)?;
    let mut area = area.clone();
    area.end = to + moved;
    let (memory, first) = match area.hidden.take() {
        Some(hidden) => hidden,
        None => memory_at(process, old, pages(moved))?,
    };
    space.unmap(process, old, old_end)?;
    space.map(process, to, area, &memory, first, u64::MAX)?;
    if new_length > moved {
        extend(&mut space, process, to + moved, to + new_length)?;
    }
    Ok(to)
}

/// Makes the area that ends at an address longer. What shows a file cannot be, unless it was moved.
fn extend(space: &mut Space, process: &Process, from: u64, to: u64) -> Result<()> {
    let (start, area) = space.find(from - 1).ok_or(Errno::EFAULT)?;
    if area.shared || area.file.is_some() {
        return Err(Errno::ENOMEM);
    }
    let area = Area { end: to, hidden: None, ..area.from(start, from) };
    let memory = Rc::new(create(process, pages(to - from))?);
    space.map(process, from, area, &memory, 0, u64::MAX)
}

pub fn msync(call: &Call) -> Result {
    let [start, length, flags, ..] = call.args;
    let (start, end) = range(start, length)?;
    let flags = flags as u32;
    let both = MS_SYNC | MS_ASYNC;
    if flags & !(both | MS_INVALIDATE) != 0 || flags & both == both {
        return Err(Errno::EINVAL);
    }
    mapped(&call.process().space.borrow(), start, end).map(|()| 0)
}

/// Refuses a range with gaps.
fn mapped(space: &Space, start: u64, end: u64) -> Result<()> {
    let mut at = start;
    while at < end {
        at = space.find(at).ok_or(Errno::ENOMEM)?.1.end;
    }
    Ok(())
}

/// `mlock`, `mlock2`, `munlock`: nothing is ever taken out of memory.
pub fn mlock(call: &Call) -> Result {
    let [start, length, ..] = call.args;
    let first = start & !(PAGE - 1);
    let length = length.checked_add(start - first).ok_or(Errno::EINVAL)?;
    let (start, end) = range(first, length)?;
    mapped(&call.process().space.borrow(), start, end).map(|()| 0)
}

pub fn mlock2(call: &Call) -> Result {
    /// `MLOCK_ONFAULT`.
    const ON_FAULT: u64 = 1;
    if call.args[2] & !ON_FAULT != 0 { Err(Errno::EINVAL) } else { mlock(call) }
}

pub fn mlockall(call: &Call) -> Result {
    /// Current, future, on fault.
    const KNOWN: u64 = 7;
    match call.args[0] {
        0 | 4 => Err(Errno::EINVAL),
        flags if flags & !KNOWN != 0 => Err(Errno::EINVAL),
        _ => Ok(0),
    }
}

pub fn munlockall(_: &Call) -> Result {
    Ok(0)
}

/// Which pages are in memory: all of them.
pub fn mincore(call: &Call) -> Result {
    let [start, length, to, ..] = call.args;
    if !start.is_multiple_of(PAGE) {
        return Err(Errno::EINVAL);
    }
    let (start, end) = range(start, length).map_err(|_| Errno::ENOMEM)?;
    let process = call.process();
    mapped(&process.space.borrow(), start, end)?;
    let ones = [1u8; 256];
    let mut left = pages(end - start);
    let mut at = to;
    while left > 0 {
        let piece = left.min(ones.len() as u64);
        process.put(at, &ones[..piece as usize])?;
        (at, left) = (at.wrapping_add(piece), left - piece);
    }
    Ok(0)
}
