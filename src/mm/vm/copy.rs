//! The kernel's own accesses to the memory of processes: through the physical map, never through user
//! addresses, and with the same checks and effects as the process's own.

use super::super::{Id, Ram};
use super::fault::{Page, PageKind};
use super::tables;
use super::{Memory, Space, Vm};
use crate::abi::Error;
use crate::arch::{self, TableEntry};
use crate::layout::{PHYS_MAP, PHYS_MAP_SIZE};
use crate::units::{Access, Frame, LARGE_PAGE_SIZE, PAGE_SIZE, VirtAddr};

/// Bytes that are copied in one piece.
const PIECE: u64 = 4 * PAGE_SIZE;

/// Where bytes are.
#[derive(Clone, Copy)]
pub enum Place {
    /// At an address of an address space.
    Space(Id<Space>, u64),
    /// At an offset in a memory.
    Memory(Id<Memory>, u64),
}

/// The way through a place, forwards, to read or to write.
struct Cursor {
    place: Place,
    write: bool,
    at: u64,
    /// Up to here entries of this table will do, where there are any.
    upto: u64,
    table: Frame,
    /// The last page had to be copied first.
    copied: bool,
}

/// Bytes from an offset to the end of its page.
#[inline(always)]
fn in_page(offset: u64) -> u64 {
    PAGE_SIZE - offset % PAGE_SIZE
}

impl Vm {
    /// Copies a piece, and tells how many bytes that were: the caller goes on after them. Where source
    /// and target overlap, what comes out is one or the other.
    pub fn copy(
        &mut self,
        ram: &mut Ram,
        from: Place,
        to: Place,
        bytes: u64,
    ) -> Result<u64, Error> {
        let (mut from, mut to) = (Cursor::new(from, false), Cursor::new(to, true));
        let (mut left, bytes) = (bytes.min(PIECE), bytes.min(PIECE));
        while left > 0 && !to.copied {
            // In this order: if both are the same page it does not move any more.
            let reached = self.reach(ram, &mut to);
            let (target, source) =
                match reached.and_then(|to| Ok((to, self.reach(ram, &mut from)?))) {
                    Ok(reached) => reached,
                    Err(error) if left == bytes => return Err(error),
                    Err(_) => break,
                };
            let count = left.min(in_page(from.at)).min(in_page(to.at));
            if target.addr().abs_diff(source.addr()) < count as usize {
                // SAFETY: `reach` found RAM of processes up to the end of a page.
                unsafe { core::ptr::copy(source, target, count as usize) };
            } else {
                // SAFETY: the same, and they do not overlap.
                unsafe { arch::user::copy(target, source, count as usize) };
            }
            (from.at, to.at, left) = (from.at + count, to.at + count, left - count);
        }
        Ok(bytes - left)
    }

    /// Reads a few bytes of an address space.
    pub fn read_space(
        &mut self,
        ram: &mut Ram,
        space: Id<Space>,
        at: u64,
        into: &mut [u8],
    ) -> Result<(), Error> {
        let cursor = Cursor::new(Place::Space(space, at), false);
        self.each(ram, cursor, into.len(), |page, done, count| {
            // SAFETY: RAM of a process up to the end of a page; the kernel's bytes lie elsewhere.
            unsafe { arch::user::copy(into[done..done + count].as_mut_ptr(), page, count) };
        })
    }

    /// Writes a few bytes of an address space.
    pub fn write_space(
        &mut self,
        ram: &mut Ram,
        space: Id<Space>,
        at: u64,
        from: &[u8],
    ) -> Result<(), Error> {
        self.write(ram, Place::Space(space, at), from)
    }

    /// Writes bytes of the kernel's into a memory.
    pub fn memory_fill(
        &mut self,
        ram: &mut Ram,
        memory: Id<Memory>,
        offset: u64,
        from: &[u8],
    ) -> Result<(), Error> {
        self.write(ram, Place::Memory(memory, offset), from)
    }

    fn write(&mut self, ram: &mut Ram, place: Place, from: &[u8]) -> Result<(), Error> {
        self.each(ram, Cursor::new(place, true), from.len(), |page, done, count| {
            // SAFETY: as in `read_space`.
            unsafe { arch::user::copy(page, from[done..done + count].as_ptr(), count) };
        })
    }

    /// Calls `copy` for what lies in each page of a few bytes: where it is, how many were before it,
    /// and how many they are.
    fn each(
        &mut self,
        ram: &mut Ram,
        mut cursor: Cursor,
        bytes: usize,
        mut copy: impl FnMut(*mut u8, usize, usize),
    ) -> Result<(), Error> {
        let mut done = 0;
        while done < bytes {
            let page = self.reach(ram, &mut cursor)?;
            let count = (bytes - done).min(in_page(cursor.at) as usize);
            copy(page, done, count);
            done += count;
            cursor.at = cursor.at.checked_add(count as u64).ok_or(Error::BadAddress)?;
        }
        Ok(())
    }

    /// Where the kernel reaches what a cursor is at, good up to the end of its page.
    #[inline(always)]
    fn reach(&mut self, ram: &mut Ram, cursor: &mut Cursor) -> Result<*mut u8, Error> {
        if cursor.at < cursor.upto {
            let index = tables::index(cursor.at, tables::PAGES);
            let entry = tables::read(&ram.memory, cursor.table, index);
            let writable = entry.access().contains(arch::Access::WRITE);
            if entry.is_present() && (writable || !cursor.write) {
                return Ok(byte(ram, entry.frame(), cursor.at));
            }
        }
        self.find(ram, cursor)
    }

    /// The same, by what is mapped, and not by what the tables know of it.
    #[inline(never)]
    fn find(&mut self, ram: &mut Ram, cursor: &mut Cursor) -> Result<*mut u8, Error> {
        let (memory, page) = match cursor.place {
            Place::Space(space, _) => {
                let access = if cursor.write { Access::Write } else { Access::Read };
                let id = self.allowed(space, cursor.at, access).map_err(|_| Error::BadAddress)?;
                let region = &self.regions[id];
                let root = self.spaces[space].root;
                let (table, level) = tables::walk(&ram.memory, root, cursor.at, tables::PAGES);
                if level == tables::PAGES {
                    let end = (cursor.at | (LARGE_PAGE_SIZE - 1)) + 1;
                    (cursor.table, cursor.upto) = (table, end.min(region.end()));
                }
                (region.memory, region.page_at(cursor.at))
            }
            Place::Memory(memory, _) if cursor.at / PAGE_SIZE < self.memories[memory].pages => {
                (memory, cursor.at / PAGE_SIZE)
            }
            Place::Memory(..) => return Err(Error::Invalid),
        };
        let page = self.provide(ram, memory, page, cursor.write)?;
        cursor.copied = page.kind == PageKind::Copied;
        if page.kind == PageKind::Window {
            cursor.upto = 0;
            window(ram, &page, cursor.write)?;
        }
        Ok(byte(ram, page.frame, cursor.at))
    }
}

impl Cursor {
    #[inline(always)]
    fn new(place: Place, write: bool) -> Cursor {
        let (Place::Space(_, at) | Place::Memory(_, at)) = place;
        Cursor { place, write, at, upto: 0, table: Frame(0), copied: false }
    }
}

/// Where the physical map has a byte of a page.
#[inline(always)]
fn byte(ram: &Ram, frame: Frame, at: u64) -> *mut u8 {
    // SAFETY: an offset within a page that is mapped.
    unsafe { ram.memory.pointer(frame.start()).add((at % PAGE_SIZE) as usize) }.as_ptr()
}

/// Whether the physical map has a page of a window.
fn window(ram: &Ram, page: &Page, write: bool) -> Result<(), Error> {
    let start = page.frame.start().0;
    let mapping = ram.space.table.query(VirtAddr(PHYS_MAP.wrapping_add(start)), &ram.memory);
    let mapping = mapping.filter(|_| start < PHYS_MAP_SIZE).ok_or(Error::BadAddress)?;
    let device = page.access.contains(arch::Access::DEVICE);
    if device || write && !mapping.access.contains(arch::Access::WRITE) {
        return Err(Error::BadAddress);
    }
    Ok(())
}
