//! What is mapped in a process, and the calls that change it.
//!
//! The kernel knows which page is where; this is what Linux knows beside that: which part is the heap,
//! which file a part shows, which part may not be touched at all. A part that may not be touched is
//! not mapped, its memory is kept here until it may.

use super::Process;
use crate::errno::{Errno, Result};
use crate::file::Open;
use crate::fs::{Inode, Kind};
use crate::server::Call;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use linux_raw_sys::general::{
    MAP_ANONYMOUS, MAP_FIXED, MAP_FIXED_NOREPLACE, MAP_PRIVATE, MAP_SHARED, MAP_SHARED_VALIDATE,
    MAP_TYPE, PROT_EXEC, PROT_NONE, PROT_READ, PROT_WRITE,
};
use rt::Memory;
use rt::abi::{MAP_EXECUTE, MAP_WRITE, PAGE, USER_END};
use rt::space::Mapping;

/// Nothing is mapped below, so that null pointers fault.
pub const LOWEST: u64 = 0x1_0000;
/// Where the stack ends.
pub const STACK_TOP: u64 = 0x7fff_ffff_0000;
/// Bytes of the stack.
pub const STACK: u64 = 8 << 20;
/// Below this are mappings without a wish of their own, downwards.
const MAPPINGS_TOP: u64 = 0x7fff_f000_0000;
/// Bytes that the heap grows by in the kernel at least.
const HEAP_STEP: u64 = 256 << 10;

/// A part of the address space with one use.
#[derive(Clone)]
pub struct Area {
    /// Where it ends.
    pub end: u64,
    /// What may be done: `PROT_*`.
    pub access: u32,
    /// Writes are seen by others.
    pub shared: bool,
    /// The file that it shows, and from where on.
    pub file: Option<(Rc<Inode>, Rc<Open>, u64)>,
    /// What is shared and no file's: its number, and from where on it is shown.
    pub object: (u64, u64),
    /// It is a file's own memory, which must be copied before it is written.
    pub borrowed: bool,
    /// Its memory, while nothing may be done with it, and the first page.
    pub hidden: Option<(Rc<Memory>, u64)>,
    /// What `/proc/self/maps` calls it.
    pub label: &'static str,
}

/// What is mapped in a process.
#[derive(Clone, Default)]
pub struct Space {
    /// By where they begin.
    pub areas: BTreeMap<u64, Area>,
    /// Where the heap begins, and where it ends.
    pub heap: (u64, u64),
    /// What the heap's end is in: a memory, the page that ends at the heap's end.
    reserve: Option<(Rc<Memory>, u64)>,
}

/// As the kernel has it.
fn access_of(access: u32, shared: bool) -> u64 {
    let write = if access & PROT_WRITE != 0 { MAP_WRITE } else { 0 };
    let execute = if access & PROT_EXEC != 0 { MAP_EXECUTE } else { 0 };
    write | execute | if shared { rt::abi::MAP_SHARED } else { 0 }
}

fn pages(length: u64) -> u64 {
    length / PAGE
}

/// A length in whole pages.
fn round(length: u64) -> Result {
    length.checked_next_multiple_of(PAGE).ok_or(Errno::ENOMEM)
}

impl Area {
    /// Memory of nobody's file.
    pub fn anonymous(end: u64, access: u32, label: &'static str) -> Area {
        let (shared, borrowed, object) = (false, false, (0, 0));
        Area { end, access, shared, file: None, object, borrowed, hidden: None, label }
    }

    /// The part of it from an address on, when it begins at `start`.
    fn from(&self, start: u64, at: u64) -> Area {
        let mut area = self.clone();
        if let Some((_, _, offset)) = &mut area.file {
            *offset += at - start;
        }
        area.object.1 += at - start;
        if let Some((_, first)) = &mut area.hidden {
            *first += pages(at - start);
        }
        area
    }
}

impl Space {
    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Space::default();
    }

    /// The area that an address is in, and where it begins.
    pub fn find(&self, address: u64) -> Option<(u64, &Area)> {
        let (&start, area) = self.areas.range(..=address).next_back()?;
        (address < area.end).then_some((start, area))
    }

    /// What is shared at an address, and where in it that is.
    pub fn shared_place(&self, address: u64) -> Option<(u64, u64)> {
        let (start, area) = self.find(address).filter(|(_, area)| area.shared)?;
        let (object, first) = match &area.file {
            Some((inode, _, offset)) => (Rc::as_ptr(inode) as u64, *offset),
            None => area.object,
        };
        Some((object, first + (address - start)))
    }

    /// Whether nothing is in a range.
    pub fn is_free(&self, start: u64, end: u64) -> bool {
        self.areas.range(..end).next_back().is_none_or(|(_, area)| area.end <= start)
    }

    /// A free range for so many bytes, as high as possible.
    fn place(&self, length: u64) -> Result {
        let mut top = MAPPINGS_TOP;
        for (&start, area) in self.areas.range(..MAPPINGS_TOP).rev() {
            if area.end <= top && top - area.end >= length {
                break;
            }
            top = top.min(start);
        }
        top.checked_sub(length).filter(|&at| at >= LOWEST).ok_or(Errno::ENOMEM)
    }

    /// Makes `at` a border between areas, if it is inside of one.
    fn split(&mut self, at: u64) {
        if let Some((start, area)) = self.find(at)
            && start < at
        {
            let right = area.from(start, at);
            if let Some(left) = self.areas.get_mut(&start) {
                left.end = at;
            }
            self.areas.insert(at, right);
        }
    }

    /// Forgets what is in a range.
    fn remove(&mut self, start: u64, end: u64) {
        self.split(start);
        self.split(end);
        while let Some((&at, _)) = self.areas.range(start..end).next() {
            self.areas.remove(&at);
        }
    }

    /// Maps a memory's pages, or hides them.
    pub fn map(
        &mut self,
        process: &Process,
        start: u64,
        mut area: Area,
        memory: &Rc<Memory>,
        first: u64,
        most: u64,
    ) -> Result<()> {
        if area.access == PROT_NONE {
            area.hidden = Some((memory.clone(), first));
        } else {
            let access = access_of(area.access, area.shared);
            let count = pages(area.end - start).min(most);
            if count > 0 {
                process.paid(|native| native.map(memory, start, first, count, access))?;
            }
        }
        self.areas.insert(start, area);
        Ok(())
    }

    /// Unmaps a range.
    pub fn unmap(&mut self, process: &Process, start: u64, end: u64) -> Result<()> {
        process.paid(|native| native.unmap(start, pages(end - start)))?;
        self.remove(start, end);
        Ok(())
    }

    /// Changes what may be done in a range, all of which must be mapped.
    fn protect(&mut self, process: &Process, start: u64, end: u64, access: u32) -> Result<()> {
        let mut at = start;
        while at < end {
            at = self.find(at).ok_or(Errno::ENOMEM)?.1.end;
        }
        self.split(start);
        self.split(end);
        for (&start, area) in self.areas.range_mut(start..end) {
            area.protect(process, start, access)?;
        }
        Ok(())
    }

    /// Moves the end of the heap.
    fn grow_heap(&mut self, process: &Process, end: u64) -> Result<()> {
        let (start, old) = self.heap;
        let (from, to) = (round(old)?, round(end)?);
        if to > from {
            if !self.is_free(from, to + PAGE) || to > MAPPINGS_TOP {
                return Err(Errno::ENOMEM);
            }
            self.map_heap(process, from, to)?;
        } else if to < from {
            self.unmap(process, to, from)?;
            self.reserve = None;
        }
        self.heap = (start, end);
        Ok(())
    }

    fn map_heap(&mut self, process: &Process, from: u64, to: u64) -> Result<()> {
        let mut at = from;
        while at < to {
            let (memory, first) = match self.reserve.take() {
                Some((memory, first)) if memory.info()?.pages > first => (memory, first),
                _ => {
                    let room = pages((to - at).max(HEAP_STEP));
                    (Rc::new(create(process, room)?), 0)
                }
            };
            let count = pages(to - at).min(memory.info()?.pages - first);
            process.paid(|native| native.map(&memory, at, first, count, MAP_WRITE))?;
            at += count * PAGE;
            self.reserve = Some((memory, first + count));
        }
        match self.areas.range_mut(..from).next_back() {
            Some((_, area)) if area.end == from && area.label == "[heap]" => area.end = to,
            _ => {
                let area = Area::anonymous(to, PROT_READ | PROT_WRITE, "[heap]");
                self.areas.insert(from, area);
            }
        }
        Ok(())
    }

    /// The same space in a process that was cloned: what the kernel has of it is there already.
    pub fn fork(&self) -> Space {
        Space { reserve: None, ..self.clone() }
    }
}

impl Area {
    fn protect(&mut self, process: &Process, start: u64, access: u32) -> Result<()> {
        let (length, shared) = (self.end - start, self.shared);
        match (self.access, access) {
            (old, new) if old == new => {}
            (PROT_NONE, _) => {
                let (memory, first) = self.hidden.take().ok_or(Errno::ENOMEM)?;
                let (memory, first) = if Rc::strong_count(&memory) > 1 && !shared {
                    (Rc::new(clone(process, &memory, first, pages(length))?), 0)
                } else {
                    (memory, first)
                };
                let access = access_of(access, shared);
                process.paid(|native| native.map(&memory, start, first, pages(length), access))?;
            }
            (_, PROT_NONE) => {
                let hidden = memory_at(process, start, pages(length))?;
                process.paid(|native| native.unmap(start, pages(length)))?;
                self.hidden = Some(hidden);
            }
            (_, new) if new & PROT_WRITE != 0 && self.borrowed && !shared => {
                let (memory, first) = memory_at(process, start, pages(length))?;
                let memory = clone(process, &memory, first, pages(length))?;
                process.paid(|native| native.unmap(start, pages(length)))?;
                let access = access_of(access, false);
                process.paid(|native| native.map(&memory, start, 0, pages(length), access))?;
                self.borrowed = false;
            }
            _ => {
                let access = access_of(access, shared);
                process.paid(|native| native.protect(start, pages(length), access))?;
            }
        }
        self.access = access;
        Ok(())
    }
}

/// Pages of zeroes that a process pays for.
pub fn create(process: &Process, pages: u64) -> Result<Memory> {
    process.paid(|native| Memory::create_for(native, pages))
}

/// A copy of a memory's pages that a process pays for: shared until one side writes, where that can be.
fn clone(process: &Process, memory: &Memory, first: u64, pages: u64) -> Result<Memory> {
    process.grow_quota(pages.min(memory.info()?.resident) * PAGE)?;
    match process.paid(|native| match memory.clone_for(native, first, pages) {
        Err(rt::Error::Unsupported) => Ok(None),
        copy => copy.map(Some),
    })? {
        Some(copy) => Ok(copy),
        None => {
            let copy = create(process, pages)?;
            let mapping = Mapping::new(memory, first, pages, 0)?;
            for page in 0..pages {
                let from = mapping.address() + page * PAGE;
                process.paid(|_| copy.write_from(page * PAGE, from, PAGE))?;
            }
            Ok(copy)
        }
    }
}

/// The memory that is mapped in a range, and its first page there.
fn memory_at(process: &Process, start: u64, pages: u64) -> Result<(Rc<Memory>, u64)> {
    let (memory, first, there) = process.native.memory_of(start)?;
    if there >= pages {
        return Ok((Rc::new(memory), first));
    }
    // Several memories lie there: a new one takes their place.
    let whole = create(process, pages)?;
    let mut page = alloc::vec![0; PAGE as usize];
    for nth in 0..pages {
        process.paid(|native| native.read(start + nth * PAGE, &mut page))?;
        process.paid(|_| whole.write(nth * PAGE, &page))?;
    }
    Ok((Rc::new(whole), 0))
}

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
        let memory = Rc::new(create(process, pages(length))?);
        space.map(process, start, area, &memory, 0, u64::MAX)?;
        return Ok(start);
    };
    open.readable().map_err(|_| Errno::EACCES)?;
    if shared && access & PROT_WRITE != 0 {
        open.writable().map_err(|_| Errno::EACCES)?;
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
    use linux_raw_sys::general::{MREMAP_DONTUNMAP, MREMAP_FIXED, MREMAP_MAYMOVE};
    let [old, old_length, new_length, flags, new, ..] = call.args;
    let flags = flags as u32;
    let known = MREMAP_MAYMOVE | MREMAP_FIXED;
    if flags & !known != 0 || new_length == 0 || old_length == 0 {
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
    let (start, end) = range(call.args[0], call.args[1])?;
    let space = call.process().space.borrow();
    let mut at = start;
    while at < end {
        at = space.find(at).ok_or(Errno::ENOMEM)?.1.end;
    }
    Ok(0)
}
