//! The table of what the kernel itself has mapped. It only ever grows: nothing is unmapped, and no page
//! changes what it is.
//!
//! Invariant: no page is both writable and executable; a call that fails has mapped nothing, though
//! tables without entries may be left of it, which the next one uses.

use super::FrameSource;
use super::walker::{self, ENTRIES, PAGES, index, span};
use crate::arch::{self, Access, Entry, PhysMem};
use crate::units::{Frame, PAGE_SIZE, PhysAddr, VirtAddr};
use core::ops::Range;

/// One page, and what it is mapped to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mapping {
    /// Where it begins.
    pub start: PhysAddr,
    /// How much it is.
    pub bytes: u64,
    /// What may be done there.
    pub access: Access,
}

/// Why a page table was left as it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MapError {
    /// Something is there already.
    AlreadyMapped,
    /// No frame is left for a table or a page.
    NoMemory,
    /// Not whole pages.
    Misaligned,
    /// A physical address that the kernel has no room for, or a window that is used up.
    OutOfRange,
    /// Writable and executable at once.
    WritableCode,
}

/// A tree of tables. Its frames are its own; those it maps are not.
#[derive(Debug)]
pub struct PageTable {
    root: Frame,
}

impl PageTable {
    /// A table that maps nothing.
    pub fn new(memory: &mut PhysMem, source: &mut dyn FrameSource) -> Result<PageTable, MapError> {
        Ok(PageTable { root: zeroed(memory, source)? })
    }

    /// The frame of the first table, for the CPU.
    pub fn root(&self) -> Frame {
        self.root
    }

    /// Maps a range, with the largest pages that fit. Costs a walk for each table, twice: before
    /// the first entry is written there are tables for all of them, and nothing is in their way.
    pub fn map(
        &mut self,
        at: VirtAddr,
        phys: Range<PhysAddr>,
        access: Access,
        memory: &mut PhysMem,
        source: &mut dyn FrameSource,
    ) -> Result<(), MapError> {
        if access.contains(Access::WRITE | Access::EXECUTE) {
            return Err(MapError::WritableCode);
        }
        if !(at.0 | phys.start.0 | phys.end.0).is_multiple_of(PAGE_SIZE) {
            return Err(MapError::Misaligned);
        }
        for fill in [false, true] {
            let mut rest = phys.start.0..phys.end.0;
            while !rest.is_empty() {
                let at = at.0.wrapping_add(rest.start - phys.start.0);
                let left = rest.end - rest.start;
                let fits = |&level: &u8| {
                    (at | rest.start).is_multiple_of(span(level)) && span(level) <= left
                };
                let top = arch::paging::top_leaf_level();
                let level = (top..PAGES).find(fits).unwrap_or(PAGES);
                let (mut table, reached) = walker::walk(memory, self.root, at, level);
                if reached < level && walker::read(memory, table, index(at, reached)).is_present() {
                    return Err(MapError::AlreadyMapped);
                }
                for above in reached..level {
                    let below = zeroed(memory, source)?;
                    walker::write(memory, table, index(at, above), Entry::table(below));
                    table = below;
                }
                // As many pages of this size as the table has room for: after them a larger one may fit.
                let first = index(at, level);
                let run = (left / span(level)).min(ENTRIES - first as u64);
                for nth in 0..run {
                    let place = first + nth as usize;
                    if fill {
                        let frame = PhysAddr(rest.start + nth * span(level)).frame();
                        walker::write(memory, table, place, Entry::leaf(frame, level, access));
                    } else if walker::read(memory, table, place).is_present() {
                        return Err(MapError::AlreadyMapped);
                    }
                }
                rest.start += run * span(level);
            }
        }
        arch::tlb::publish();
        Ok(())
    }

    /// Maps a page to a frame of its own, with anything in it.
    pub fn map_fresh(
        &mut self,
        at: VirtAddr,
        memory: &mut PhysMem,
        source: &mut dyn FrameSource,
    ) -> Result<(), MapError> {
        let frame = source.take().ok_or(MapError::NoMemory)?;
        let phys = frame.start()..Frame(frame.0 + 1).start();
        let mapped = self.map(at, phys, Access::WRITE | Access::GLOBAL, memory, source);
        mapped.inspect_err(|_| source.give(frame))
    }

    /// The page that `at` lies in.
    pub fn query(&self, at: VirtAddr, memory: &PhysMem) -> Option<Mapping> {
        let (table, level) = walker::walk(memory, self.root, at.0, PAGES);
        let entry = walker::read(memory, table, index(at.0, level));
        entry.is_present().then(|| Mapping {
            start: entry.frame().start(),
            bytes: span(level),
            access: entry.access(),
        })
    }
}

fn zeroed(memory: &mut PhysMem, source: &mut dyn FrameSource) -> Result<Frame, MapError> {
    let frame = source.take().ok_or(MapError::NoMemory)?;
    // SAFETY: the source gave it to us.
    unsafe { memory.zero(frame) };
    Ok(frame)
}
