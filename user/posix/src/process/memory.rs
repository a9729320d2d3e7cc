//! What is mapped in a process.
//!
//! The kernel knows which page is where; this is what Linux knows beside that: which part is the heap,
//! which file a part shows, which part may not be touched at all. A part that may not be touched is
//! not mapped, its memory is kept here until it may.

use super::Process;
use crate::errno::{Errno, Result};
use crate::file::Open;
use crate::file::seal::WRITING;
use crate::fs::Inode;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use linux_raw_sys::general::{PROT_EXEC, PROT_NONE, PROT_READ, PROT_WRITE};
use rt::Memory;
use rt::abi::{MAP_EXECUTE, MAP_WRITE, MemoryRights, PAGE};
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
pub(super) fn access_of(access: u32, shared: bool) -> u64 {
    let write = if access & PROT_WRITE != 0 { MAP_WRITE } else { 0 };
    let execute = if access & PROT_EXEC != 0 { MAP_EXECUTE } else { 0 };
    write | execute | if shared { rt::abi::MAP_SHARED } else { 0 }
}

pub(super) fn pages(length: u64) -> u64 {
    length / PAGE
}

/// A length in whole pages.
pub(super) fn round(length: u64) -> Result {
    length.checked_next_multiple_of(PAGE).ok_or(Errno::ENOMEM)
}

impl Area {
    /// Memory of nobody's file.
    pub fn anonymous(end: u64, access: u32, label: &'static str) -> Area {
        let (shared, borrowed, object) = (false, false, (0, 0));
        Area { end, access, shared, file: None, object, borrowed, hidden: None, label }
    }

    /// Whether its pages are paid for as those of files are.
    pub fn is_of_files(&self) -> bool {
        self.shared || self.borrowed
    }

    /// The part of it from an address on, when it begins at `start`.
    pub(super) fn from(&self, start: u64, at: u64) -> Area {
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
    pub(super) fn place(&self, length: u64) -> Result {
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
    pub(super) fn split(&mut self, at: u64) {
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
            if count > 0 && area.borrowed && !area.shared {
                // What can never be written is not copied by `fork`, either.
                let memory = memory.duplicate(MemoryRights::READ | MemoryRights::EXECUTE)?;
                process.paid(|native| native.map(&memory, start, first, count, access))?;
            } else if count > 0 {
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

    /// Changes what may be done in a range, up to the first gap in it.
    pub(super) fn protect(
        &mut self,
        process: &Process,
        start: u64,
        end: u64,
        access: u32,
    ) -> Result<()> {
        self.split(start);
        self.split(end);
        let mut at = start;
        for (&start, area) in self.areas.range_mut(start..end) {
            if start != at {
                break;
            }
            area.protect(process, start, access)?;
            at = area.end;
        }
        // What comes before a gap has changed.
        if at == end { Ok(()) } else { Err(Errno::ENOMEM) }
    }

    /// Moves the end of the heap.
    pub(super) fn grow_heap(&mut self, process: &Process, end: u64) -> Result<()> {
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
        if let (Some((_, open, _)), true) = (&self.file, shared && access & PROT_WRITE != 0) {
            let sealed = open.inode.unsealed(WRITING);
            open.writable().and(sealed).map_err(|_| Errno::EACCES)?;
        }
        match (self.access, access) {
            (old, new) if old == new => {}
            (PROT_NONE, _) => {
                let (memory, first) = self.hidden.take().ok_or(Errno::ENOMEM)?;
                let written = self.borrowed && access & PROT_WRITE != 0;
                let (memory, first) = if (Rc::strong_count(&memory) > 1 || written) && !shared {
                    self.borrowed = false;
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
pub(super) fn clone(process: &Process, memory: &Memory, first: u64, pages: u64) -> Result<Memory> {
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
pub(super) fn memory_at(process: &Process, start: u64, pages: u64) -> Result<(Rc<Memory>, u64)> {
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
