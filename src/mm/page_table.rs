//! What is mapped where: a tree of four levels, of the CPU's own entries. Portable over
//! [`TableEntry`]; the recursion over the levels is in `walker`.
//!
//! Invariant: every table but the root has an entry that is present, no page is both writable and
//! executable, and a call that fails has changed nothing and taken nothing.

use super::FrameSource;
use super::walker::{self, Request, Reserve};
use crate::arch::{self, Access, Entry, Flush, PhysMem, TableEntry};
use crate::units::{Asid, Frame, PhysAddr, VirtAddr};
use arrayvec::ArrayVec;
use core::ops::Range;

/// How much one entry maps.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum PageSize {
    /// 4 KiB.
    Small,
    /// 2 MiB.
    Large,
    /// 1 GiB, where the CPU has it.
    Huge,
}

/// One page, and what it is mapped to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mapping {
    /// The first frame.
    pub frame: Frame,
    /// How many follow it.
    pub size: PageSize,
    /// What may be done there.
    pub access: Access,
}

/// Why a page table was left as it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MapError {
    /// Something is there already.
    AlreadyMapped,
    /// Nothing is there.
    NotMapped,
    /// No frame is left for a table or a page.
    NoMemory,
    /// The address does not begin a page of this size.
    Misaligned,
    /// No address of the CPU, or a range that leaves the half of the address space it begins in.
    NotCanonical,
    /// A physical address that entries have no room for, or a window that is used up.
    OutOfRange,
    /// The address lies within a large page, which is only changed as a whole.
    InsideLargePage,
    /// Writable and executable at once.
    WritableCode,
    /// The CPU has no pages of this size, or a page cannot change in this way while it is mapped.
    Unsupported,
}

/// A tree of tables. Its frames are its own; those it maps are not.
#[derive(Debug)]
pub struct PageTable {
    root: Frame,
}

/// What was a page. No CPU may still reach the frames when they get another use, so that they are
/// only told once TLBs have been flushed.
#[must_use = "stale translations stay in use until `retire`"]
#[derive(Debug)]
pub struct Unmapped {
    mapping: Mapping,
    tables: ArrayVec<Frame, 3>,
    flush: Flush,
}

impl PageTable {
    /// A table that maps nothing.
    pub fn new(memory: &mut PhysMem, source: &mut impl FrameSource) -> Result<PageTable, MapError> {
        let root = source.take().ok_or(MapError::NoMemory)?;
        // SAFETY: the source gave it to us.
        unsafe { memory.zero(root) };
        Ok(PageTable { root })
    }

    /// The frame of the first table, for the CPU.
    pub fn root(&self) -> Frame {
        self.root
    }

    /// Maps one page.
    pub fn map(
        &mut self,
        at: VirtAddr,
        page: Mapping,
        memory: &mut PhysMem,
        source: &mut impl FrameSource,
    ) -> Result<(), MapError> {
        let level = page.size.level();
        if level < Entry::top_leaf_level() {
            return Err(MapError::Unsupported);
        }
        let request = Request {
            at: at.0,
            phys: page.frame.start().0,
            len: page.size.bytes(),
            leaves: (level, level),
        };
        self.add(request, page.access, memory, source)
    }

    /// Maps a range, with the largest pages that fit.
    ///
    /// Costs a few instructions per entry written, and one descent per table touched.
    pub fn map_range(
        &mut self,
        at: VirtAddr,
        phys: Range<PhysAddr>,
        access: Access,
        memory: &mut PhysMem,
        source: &mut impl FrameSource,
    ) -> Result<(), MapError> {
        let len = phys.end.0.saturating_sub(phys.start.0);
        if len == 0 {
            return Ok(());
        }
        let leaves = (Entry::top_leaf_level(), walker::LAST_LEVEL);
        self.add(Request { at: at.0, phys: phys.start.0, len, leaves }, access, memory, source)
    }

    /// Takes away the page that begins at `at`, and the tables that are empty without it.
    pub fn unmap(&mut self, at: VirtAddr, memory: &mut PhysMem) -> Result<Unmapped, MapError> {
        let path = walker::find_page(memory, self.root, at)?;
        let mapping = path.mapping();
        let tables = path.clear(memory, at);
        let flush = flush(at, mapping.size, !tables.is_empty());
        Ok(Unmapped { mapping, tables, flush })
    }

    /// Changes what may be done with the page that begins at `at`. `DEVICE` and `GLOBAL` have to
    /// stay: a TLB that holds both kinds of translation is allowed to do anything
    /// (Arm ARM D8.17.1, "break-before-make").
    pub fn protect(
        &mut self,
        at: VirtAddr,
        access: Access,
        memory: &mut PhysMem,
    ) -> Result<Flush, MapError> {
        walker::check_access(access)?;
        let path = walker::find_page(memory, self.root, at)?;
        let old = path.mapping();
        let fixed = Access::DEVICE | Access::GLOBAL;
        if (old.access ^ access).intersects(fixed) {
            return Err(MapError::Unsupported);
        }
        path.replace(memory, at, access);
        Ok(flush(at, old.size, false))
    }

    /// The page that `at` lies in.
    pub fn query(&self, at: VirtAddr, memory: &PhysMem) -> Option<Mapping> {
        walker::find(memory, self.root, at).ok().map(|path| path.mapping())
    }

    /// Looks first, takes the frames for all tables it needs, and only then begins: from there on
    /// nothing can fail.
    fn add(
        &mut self,
        request: Request,
        access: Access,
        memory: &mut PhysMem,
        source: &mut impl FrameSource,
    ) -> Result<(), MapError> {
        walker::check_access(access)?;
        request.check()?;
        let needed = walker::plan(memory, Some(self.root), 0, request)?;
        let mut reserve = Reserve::take(needed, memory, source).ok_or(MapError::NoMemory)?;
        walker::fill(memory, self.root, 0, request, access, &mut reserve);
        arch::tlb::publish();
        Ok(())
    }
}

impl Unmapped {
    /// Makes every CPU forget the page, gives back the tables, and tells what was mapped there:
    /// from now on its frames may be used for something else.
    pub fn retire(self, asid: Asid, source: &mut impl FrameSource) -> Mapping {
        arch::tlb::flush(self.flush, asid);
        self.tables.into_iter().for_each(|table| source.give(table));
        self.mapping
    }
}

impl PageSize {
    /// Bytes in such a page.
    pub const fn bytes(self) -> u64 {
        walker::entry_size(self.level())
    }

    /// The level of the tables whose entries map such pages.
    pub(super) const fn level(self) -> u8 {
        match self {
            PageSize::Small => 3,
            PageSize::Large => 2,
            PageSize::Huge => 1,
        }
    }

    pub(super) const fn of_level(level: u8) -> PageSize {
        match level {
            1 => PageSize::Huge,
            2 => PageSize::Large,
            _ => PageSize::Small,
        }
    }
}

fn flush(at: VirtAddr, size: PageSize, tables: bool) -> Flush {
    let step = size.bytes();
    // The last page of the address space ends where 64 bits do.
    Flush { pages: at..VirtAddr(at.0.saturating_add(step)), step, tables }
}
