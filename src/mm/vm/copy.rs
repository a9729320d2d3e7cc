//! The kernel's own accesses to the memory of processes: through the physical map, never through user
//! addresses, and with the same checks and effects as the process's own.

use super::super::{Id, Ram};
use super::fault::{Page, PageKind};
use super::memory::Backing;
use super::tables;
use super::{Memory, Space, Vm};
use crate::abi::Error;
use crate::arch::{self, Entry};
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

/// What was found of a place.
struct Found {
    /// Where the kernel reaches the byte that was looked for, good up to the end of its page.
    byte: *mut u8,
    /// Entries of this table tell where what follows is, up to an address.
    table: Frame,
    upto: u64,
    /// The page had to be copied first, for it was shared.
    copied: bool,
}

const NOTHING: Found =
    Found { byte: core::ptr::null_mut(), table: Frame(0), upto: 0, copied: false };

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
        let (mut source, mut target) = (NOTHING, NOTHING);
        let (mut source_at, mut target_at) = (from.at(), to.at());
        let bytes = bytes.min(PIECE);
        let mut left = bytes;
        while left > 0 {
            // In this order: if both are the same page it does not move any more.
            let reached = self.reach(ram, &to, target_at, true, &mut target);
            match reached.and_then(|()| self.reach(ram, &from, source_at, false, &mut source)) {
                Err(error) if left == bytes => return Err(error),
                Err(_) => break,
                Ok(()) => {}
            }
            let count = left.min(in_page(source_at)).min(in_page(target_at));
            let (to, from) = (target.byte, source.byte);
            if to.addr().abs_diff(from.addr()) < count as usize {
                // SAFETY: `reach` found RAM of processes up to the end of a page.
                unsafe { core::ptr::copy(from, to, count as usize) };
            } else {
                // SAFETY: the same, and they do not overlap.
                unsafe { arch::user::copy(to, from, count as usize) };
            }
            (source_at, target_at, left) = (source_at + count, target_at + count, left - count);
            if target.copied {
                break;
            }
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
        self.move_few(ram, Place::Space(space, at), into.as_mut_ptr(), into.len(), false)
    }

    /// Writes a few bytes of an address space.
    pub fn write_space(
        &mut self,
        ram: &mut Ram,
        space: Id<Space>,
        at: u64,
        from: &[u8],
    ) -> Result<(), Error> {
        let bytes = from.as_ptr().cast_mut();
        self.move_few(ram, Place::Space(space, at), bytes, from.len(), true)
    }

    /// Moves bytes from a buffer of the kernel's to a place, or the other way.
    pub(super) fn move_few(
        &mut self,
        ram: &mut Ram,
        place: Place,
        buffer: *mut u8,
        bytes: usize,
        write: bool,
    ) -> Result<(), Error> {
        let mut done = 0;
        while done < bytes {
            let at = place.at().saturating_add(done as u64);
            let (page, kernel) =
                (self.find(ram, &place, at, write)?.byte, buffer.wrapping_add(done));
            let count = (bytes - done).min(in_page(at) as usize);
            let (to, from) = if write { (page, kernel) } else { (kernel, page) };
            // SAFETY: RAM of a process up to the end of a page, and a buffer of so many bytes elsewhere,
            // which is the caller's to write if that is what is done.
            unsafe { arch::user::copy(to, from, count) };
            done += count;
        }
        Ok(())
    }

    /// Finds a place, by what was found before it if that will do.
    #[inline(always)]
    fn reach(
        &mut self,
        ram: &mut Ram,
        place: &Place,
        at: u64,
        write: bool,
        found: &mut Found,
    ) -> Result<(), Error> {
        if at < found.upto {
            let entry = tables::read(&ram.memory, found.table, tables::index(at, tables::PAGES));
            if suits(entry, write) {
                found.byte = byte(ram, entry.frame(), at);
                return Ok(());
            }
        }
        *found = self.find(ram, place, at, write)?;
        Ok(())
    }

    #[inline(never)]
    fn find(&mut self, ram: &mut Ram, place: &Place, at: u64, write: bool) -> Result<Found, Error> {
        let space = match *place {
            Place::Space(space, _) => space,
            Place::Memory(memory, _) => {
                if at / PAGE_SIZE >= self.memories[memory].pages {
                    return Err(Error::Invalid);
                }
                let page = self.provide(ram, memory, at / PAGE_SIZE, write)?;
                return found(ram, page, at, write);
            }
        };
        let access = if write { Access::Write } else { Access::Read };
        let id = self.allowed(space, at, access).map_err(|_| Error::BadAddress)?;
        let region = &self.regions[id];
        let upto = region.end().min((at | (LARGE_PAGE_SIZE - 1)) + 1);
        let (memory, page, allowed) = (region.memory, region.page_at(at), region.access);
        if !matches!(self.memories[memory].backing, Backing::Demand(_)) {
            let page = self.provide(ram, memory, page, write)?;
            return found(ram, page, at, write);
        }
        let root = self.spaces[space].root;
        let (table, level) = tables::walk(&ram.memory, root, at, tables::PAGES);
        if level == tables::PAGES {
            let entry = tables::read(&ram.memory, table, tables::index(at, level));
            if suits(entry, write) {
                let byte = byte(ram, entry.frame(), at);
                return Ok(Found { byte, table, upto, copied: false });
            }
        }
        // It gets into the tables, as after a fault: the next time it is found there.
        let page = self.provide(ram, memory, page, write)?;
        let start = at & !(PAGE_SIZE - 1);
        let entered = self.enter_page(ram, space, start, &page, allowed & page.access);
        let found = found(ram, page, at, write)?;
        Ok(match entered {
            Ok(table) => Found { table, upto, ..found },
            Err(_) => found,
        })
    }
}

impl Place {
    /// The address or offset.
    #[inline(always)]
    fn at(self) -> u64 {
        let (Place::Space(_, at) | Place::Memory(_, at)) = self;
        at
    }
}

/// Whether an entry of a page allows an access.
#[inline(always)]
fn suits(entry: Entry, write: bool) -> bool {
    entry.is_present() && (!write || entry.access().contains(arch::Access::WRITE))
}

/// A page that is there, if the kernel can reach it.
fn found(ram: &Ram, page: Page, at: u64, write: bool) -> Result<Found, Error> {
    if page.kind == PageKind::Window {
        window(ram, &page, write)?;
    }
    let (byte, copied) = (byte(ram, page.frame, at), page.kind == PageKind::Copied);
    Ok(Found { byte, copied, ..NOTHING })
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
