//! The kernel's own accesses to the memory of processes: through the physical map, never through user
//! addresses, and with the same checks and effects as the process's own.

use super::super::{Id, Ram};
use super::fault::{Page, PageKind};
use super::{Memory, Space, Vm};
use crate::abi::{Error, FaultKind};
use crate::arch;
use crate::layout::{PHYS_MAP, PHYS_MAP_SIZE};
use crate::units::{Access, PAGE_SIZE, VirtAddr};
use core::ptr;

/// An address in an address space.
pub type Place = (Id<Space>, u64);

/// Bytes from an offset to the end of its page, but no more than these.
fn in_page(offset: u64, bytes: u64) -> u64 {
    bytes.min(PAGE_SIZE - offset % PAGE_SIZE)
}

impl Vm {
    /// Copies from one address space to another: within one page on both sides, and tells how many
    /// bytes that were; the caller goes on after them.
    pub fn copy(
        &mut self,
        ram: &mut Ram,
        from: Place,
        to: Place,
        bytes: u64,
    ) -> Result<u64, Error> {
        let bytes = in_page(from.1, in_page(to.1, bytes));
        if bytes == 0 {
            return Ok(0);
        }
        // In this order: if both are the same page it does not move any more.
        let to = self.reach(ram, to, Access::Write)?;
        let from = self.reach(ram, from, Access::Read)?;
        // SAFETY: `reach` found RAM of processes up to the ends of two pages; they may be one.
        unsafe { ptr::copy(from, to, bytes as usize) };
        Ok(bytes)
    }

    /// Reads a few bytes of an address space.
    pub fn read_space(
        &mut self,
        ram: &mut Ram,
        space: Id<Space>,
        at: u64,
        into: &mut [u8],
    ) -> Result<(), Error> {
        let mut done = 0;
        while done < into.len() {
            let at = at.checked_add(done as u64).ok_or(Error::BadAddress)?;
            let bytes = in_page(at, (into.len() - done) as u64) as usize;
            let from = self.reach(ram, (space, at), Access::Read)?;
            // SAFETY: RAM of a process up to the end of a page; the kernel's bytes lie elsewhere.
            unsafe { ptr::copy_nonoverlapping(from, into[done..].as_mut_ptr(), bytes) };
            done += bytes;
        }
        Ok(())
    }

    /// Writes a few bytes of an address space.
    pub fn write_space(
        &mut self,
        ram: &mut Ram,
        space: Id<Space>,
        at: u64,
        from: &[u8],
    ) -> Result<(), Error> {
        let mut done = 0;
        while done < from.len() {
            let at = at.checked_add(done as u64).ok_or(Error::BadAddress)?;
            let bytes = in_page(at, (from.len() - done) as u64) as usize;
            let to = self.reach(ram, (space, at), Access::Write)?;
            // SAFETY: as in `read_space`.
            unsafe { ptr::copy_nonoverlapping(from[done..].as_ptr(), to, bytes) };
            done += bytes;
        }
        Ok(())
    }

    /// Copies into a memory, as `copy`.
    pub fn memory_copy_in(
        &mut self,
        ram: &mut Ram,
        memory: Id<Memory>,
        offset: u64,
        from: Place,
        bytes: u64,
    ) -> Result<u64, Error> {
        let bytes = in_page(from.1, in_page(offset, bytes));
        if bytes == 0 {
            return Ok(0);
        }
        let to = self.reach_memory(ram, memory, offset, true)?;
        let from = self.reach(ram, from, Access::Read)?;
        // SAFETY: as in `copy`.
        unsafe { ptr::copy(from, to, bytes as usize) };
        Ok(bytes)
    }

    /// Copies out of a memory, as `copy`.
    pub fn memory_copy_out(
        &mut self,
        ram: &mut Ram,
        memory: Id<Memory>,
        offset: u64,
        to: Place,
        bytes: u64,
    ) -> Result<u64, Error> {
        let bytes = in_page(to.1, in_page(offset, bytes));
        if bytes == 0 {
            return Ok(0);
        }
        let to = self.reach(ram, to, Access::Write)?;
        let from = self.reach_memory(ram, memory, offset, false)?;
        // SAFETY: as in `copy`.
        unsafe { ptr::copy(from, to, bytes as usize) };
        Ok(bytes)
    }

    /// Writes bytes of the kernel's into a memory.
    pub fn memory_fill(
        &mut self,
        ram: &mut Ram,
        memory: Id<Memory>,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), Error> {
        let mut done = 0;
        while done < bytes.len() {
            let at = offset.checked_add(done as u64).ok_or(Error::Invalid)?;
            let count = in_page(at, (bytes.len() - done) as u64) as usize;
            let to = self.reach_memory(ram, memory, at, true)?;
            // SAFETY: as in `read_space`.
            unsafe { ptr::copy_nonoverlapping(bytes[done..].as_ptr(), to, count) };
            done += count;
        }
        Ok(())
    }

    /// Where the kernel reaches an address of user code, good up to the end of its page.
    fn reach(
        &mut self,
        ram: &mut Ram,
        (space, at): Place,
        access: Access,
    ) -> Result<*mut u8, Error> {
        let refused = |_: FaultKind| Error::BadAddress;
        let region = &self.regions[self.allowed(space, at, access).map_err(refused)?];
        let (memory, page) = (region.memory, region.page_at(at));
        let write = access == Access::Write;
        let page = self.provide(ram, memory, page, write)?;
        pointer(ram, page, at, write)
    }

    /// The same for an offset in a memory.
    fn reach_memory(
        &mut self,
        ram: &mut Ram,
        memory: Id<Memory>,
        offset: u64,
        write: bool,
    ) -> Result<*mut u8, Error> {
        if offset / PAGE_SIZE >= self.memories[memory].pages {
            return Err(Error::Invalid);
        }
        let page = self.provide(ram, memory, offset / PAGE_SIZE, write)?;
        pointer(ram, page, offset, write)
    }
}

/// Where the physical map has a byte of a page, if it has it.
fn pointer(ram: &Ram, page: Page, at: u64, write: bool) -> Result<*mut u8, Error> {
    let start = page.frame.start();
    if page.kind == PageKind::Window {
        let mapped = VirtAddr(PHYS_MAP.wrapping_add(start.0));
        let mapping = ram.space.table.query(mapped, &ram.memory).ok_or(Error::BadAddress)?;
        let readable = start.0 < PHYS_MAP_SIZE && !page.access.contains(arch::Access::DEVICE);
        if !readable || write && !mapping.access.contains(arch::Access::WRITE) {
            return Err(Error::BadAddress);
        }
    }
    // SAFETY: an offset within a page that is mapped.
    Ok(unsafe { ram.memory.pointer(start).add((at % PAGE_SIZE) as usize) }.as_ptr())
}
