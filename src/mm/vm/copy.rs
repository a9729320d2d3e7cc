//! The kernel's own accesses to the memory of processes: through the physical map, never through user
//! addresses, and with the same checks and effects as the process's own.

use super::super::{Id, Ram};
use super::fault::{Page, PageKind};
use super::tables;
use super::{Memory, Space, Vm};
use crate::abi::{Error, USER_END};
use crate::arch::{self, Entry};
use crate::layout::{PHYS_MAP, PHYS_MAP_SIZE};
use crate::units::{Access, Frame, LARGE_PAGE_SIZE, PAGE_SIZE, Result, VirtAddr};
use core::ops::Range;

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

/// What is nothing but bytes.
///
/// # Safety
/// Any bytes are a value, and none of them is padding.
pub unsafe trait Plain {}

// SAFETY: a number.
unsafe impl Plain for u8 {}
// SAFETY: a number.
unsafe impl Plain for u64 {}

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
    pub fn copy(&mut self, from: Place, to: Place, bytes: u64) -> Result<u64> {
        let (mut source, mut target) = (NOTHING, NOTHING);
        let (mut source_at, mut target_at) = (from.at(), to.at());
        let bytes = bytes.min(PIECE);
        let mut left = bytes;
        while left > 0 {
            // In this order: if both are the same page it does not move any more.
            let mut reached = Ok(());
            if left == bytes || target_at.is_multiple_of(PAGE_SIZE) {
                reached = self.reach(&to, target_at, true, &mut target);
            }
            if reached.is_ok() && (left == bytes || source_at.is_multiple_of(PAGE_SIZE)) {
                reached = self.reach(&from, source_at, false, &mut source);
            }
            match reached {
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
            source.byte = source.byte.wrapping_add(count as usize);
            target.byte = target.byte.wrapping_add(count as usize);
            if target.copied {
                break;
            }
        }
        Ok(bytes - left)
    }

    /// Copies between address spaces what is within a page of either, if both are in the tables;
    /// otherwise nothing happened.
    #[inline(always)]
    pub fn copy_present(
        &mut self,
        from: (Id<Space>, u64),
        to: (Id<Space>, u64),
        bytes: u64,
    ) -> Option<()> {
        if bytes > in_page(from.1).min(in_page(to.1)) {
            return None;
        }
        let (to, from) = (self.present(to, true)?.byte, self.present(from, false)?.byte);
        if to.addr().abs_diff(from.addr()) < bytes as usize {
            return None;
        }
        // SAFETY: `present` found RAM of processes up to the end of a page, and they do not overlap.
        unsafe { arch::user::copy(to, from, bytes as usize) };
        Some(())
    }

    /// Finds an address whose page is in the tables.
    #[inline(always)]
    fn present(&self, (space, at): (Id<Space>, u64), write: bool) -> Option<Found> {
        let root = self.spaces.get(space).filter(|_| at < USER_END)?.root;
        let (table, level) = tables::walk(&self.ram.memory, root, at, tables::PAGES);
        let entry = tables::read(&self.ram.memory, table, tables::index(at, tables::PAGES));
        if level != tables::PAGES || !suits(entry, write) {
            return None;
        }
        let upto = (at | (LARGE_PAGE_SIZE - 1)) + 1;
        Some(Found { byte: byte(&self.ram, entry.frame(), at), table, upto, copied: false })
    }

    /// Reads a little of an address space.
    pub fn read_space<T: Plain>(&mut self, space: Id<Space>, at: u64, into: &mut [T]) -> Result {
        let bytes = into.as_mut_ptr().cast();
        self.move_few(Place::Space(space, at), bytes, size_of_val(into), false)
    }

    /// Writes a little of an address space.
    pub fn write_space<T: Plain>(&mut self, space: Id<Space>, at: u64, from: &[T]) -> Result {
        let bytes = from.as_ptr().cast_mut().cast();
        self.move_few(Place::Space(space, at), bytes, size_of_val(from), true)
    }

    /// Moves bytes from a buffer of the kernel's to a place, or the other way.
    #[inline(never)]
    pub(super) fn move_few(
        &mut self,
        place: Place,
        buffer: *mut u8,
        bytes: usize,
        write: bool,
    ) -> Result {
        let mut done = 0;
        while done < bytes {
            let at = place.at().saturating_add(done as u64);
            let (page, kernel) = (self.find(&place, at, write)?.byte, buffer.wrapping_add(done));
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
    fn reach(&mut self, place: &Place, at: u64, write: bool, found: &mut Found) -> Result {
        if at < found.upto {
            let entry =
                tables::read(&self.ram.memory, found.table, tables::index(at, tables::PAGES));
            if suits(entry, write) {
                found.byte = byte(&self.ram, entry.frame(), at);
                return Ok(());
            }
        }
        *found = self.find(place, at, write)?;
        Ok(())
    }

    #[inline(never)]
    fn find(&mut self, place: &Place, at: u64, write: bool) -> Result<Found> {
        let space = match *place {
            Place::Space(space, _) => space,
            Place::Memory(memory, _) => {
                if at / PAGE_SIZE >= self.memories[memory].pages {
                    return Err(Error::Invalid);
                }
                let page = self.provide(memory, at / PAGE_SIZE, write)?;
                return found(&self.ram, &page, at, write);
            }
        };
        if let Some(found) = self.present((space, at), write) {
            return Ok(found);
        }
        let access = if write { Access::Write } else { Access::Read };
        let id = self.allowed(space, at, access).map_err(|_| Error::BadAddress)?;
        let region = &self.regions[id];
        let upto = region.end().min((at | (LARGE_PAGE_SIZE - 1)) + 1);
        let (memory, page) = (region.memory, region.page_at(at));
        let page = self.provide(memory, page, write)?;
        let found = found(&self.ram, &page, at, write)?;
        // It gets into the tables, as after a fault: the next time it is found there.
        Ok(match self.show(id, at & !(PAGE_SIZE - 1), &page) {
            Ok(table) if page.kind != PageKind::Window && page.kind != PageKind::Run => {
                Found { table, upto, ..found }
            }
            _ => found,
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

/// Whether an entry of a page allows an access, to the kernel too.
#[inline(always)]
fn suits(entry: Entry, write: bool) -> bool {
    let needed = if write { arch::Access::WRITE } else { arch::Access::empty() };
    entry.is_present() && entry.access() & (needed | arch::Access::FAR) == needed
}

/// A page that is there, if the kernel can reach it.
fn found(ram: &Ram, page: &Page, at: u64, write: bool) -> Result<Found> {
    if reach(ram, page, write).is_empty() {
        return Err(Error::BadAddress);
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

/// The frames around a page's that the kernel can reach in this way as well as that one, if it can: those
/// of a window only where the physical map has them.
pub(super) fn reach(ram: &Ram, page: &Page, write: bool) -> Range<u64> {
    let start = page.frame.start().0;
    if page.kind != PageKind::Window {
        return 0..u64::MAX;
    }
    if start >= PHYS_MAP_SIZE || page.access.contains(arch::Access::DEVICE) {
        return 0..0;
    }
    let mapping = ram.space.table.query(VirtAddr(PHYS_MAP.wrapping_add(start)), &ram.memory);
    let mapping = mapping.filter(|it| !write || it.access.contains(arch::Access::WRITE));
    mapping.map_or(0..0, |it| it.start.frame().0..it.start.frame().0 + it.bytes / PAGE_SIZE)
}
