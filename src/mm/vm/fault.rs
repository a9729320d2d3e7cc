//! How pages come: a fault finds the region, has its memory provide the page, and enters it into the
//! tables. The kernel's own accesses do the first two only.

use super::super::Id;
use super::copy::reach;
use super::memory::Backing;
use super::tables;
use super::{Memory, Region, Space, Vm};
use crate::abi::{Error, FaultKind, USER_END};
use crate::arch::{self, Entry};
use crate::units::{Access, Frame, LARGE_PAGE_SIZE, PAGE_SIZE, Result};
use core::ops::Range;

/// A page that is there.
pub(super) struct Page {
    pub frame: Frame,
    /// What is allowed at most, and how it is reached.
    pub access: arch::Access,
    pub kind: PageKind,
}

/// Where a page comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum PageKind {
    /// It was there, or was made.
    Single,
    /// The same, after the memory had to be given one of its own.
    Copied,
    /// Its neighbours in the memory are its neighbours in RAM.
    Run,
    /// The same, in what need not be RAM.
    Window,
}

/// Bytes of a run that are entered together.
const AROUND: u64 = 16 * PAGE_SIZE;

const ANY: arch::Access =
    arch::Access::USER.union(arch::Access::WRITE).union(arch::Access::EXECUTE);
const CONSTANT: arch::Access = arch::Access::USER.union(arch::Access::EXECUTE);

impl Vm {
    /// Maps what user code needs to go on after a fault, or says why there is nothing.
    #[inline(always)]
    pub fn fault(
        &mut self,
        space: Id<Space>,
        address: u64,
        access: Access,
    ) -> Result<(), FaultKind> {
        let at = address & !(PAGE_SIZE - 1);
        let id = self.allowed(space, at, access)?;
        let region = &self.regions[id];
        let (memory, page) = (region.memory, region.page_at(at));
        let provided = self.provide(memory, page, access == Access::Write);
        match provided.and_then(|page| self.show(id, at, &page)) {
            Ok(_) => Ok(()),
            Err(Error::NoMemory) => Err(FaultKind::NoMemory),
            Err(_) => Err(FaultKind::Bus),
        }
    }

    /// The region of an address, if it allows the access: the one of the last time, as a rule.
    #[inline(always)]
    pub(super) fn allowed(
        &mut self,
        space: Id<Space>,
        at: u64,
        access: Access,
    ) -> Result<Id<Region>, FaultKind> {
        let fits = |id: &Id<Region>| {
            self.regions.get(*id).is_some_and(|region| region.start <= at && at < region.end())
        };
        let id = if let Some(recent) = self.spaces[space].recent.filter(fits) {
            recent
        } else {
            let id = if at < USER_END { self.region_at(space, at) } else { None };
            let id = id.ok_or(FaultKind::Unmapped)?;
            self.spaces[space].recent = Some(id);
            id
        };
        let needed = match access {
            Access::Read => arch::Access::empty(),
            Access::Write => arch::Access::WRITE,
            Access::Execute => arch::Access::EXECUTE,
        };
        if !self.regions[id].access.contains(needed) {
            return Err(FaultKind::Permission);
        }
        Ok(id)
    }

    /// A page of a memory: made if it is not there; to be written, the memory's alone.
    #[inline]
    pub(super) fn provide(&mut self, id: Id<Memory>, page: u64, write: bool) -> Result<Page> {
        let memory = &mut self.memories[id];
        if page >= memory.pages {
            return Err(Error::BadAddress);
        }
        let Backing::Demand(index) = &mut memory.backing else {
            let fresh = matches!(memory.backing, Backing::Contiguous(_));
            if fresh && memory.resident < memory.pages {
                // It is still being cleared.
                return Err(Error::BadAddress);
            }
            return Ok(memory.backing.page(page));
        };
        let account = &mut self.accounts[memory.account];
        let slot = index.make(page, &mut self.ram, account)?;
        let Some(old) = slot.get() else {
            let frame = account.take_zeroed(&mut self.ram)?;
            slot.set(Some(frame));
            memory.resident += 1;
            return Ok(Page { frame, access: ANY, kind: PageKind::Single });
        };
        if !self.ram.frames.owners.several(old) {
            return Ok(Page { frame: old, access: ANY, kind: PageKind::Single });
        }
        if !write {
            return Ok(Page { frame: old, access: CONSTANT, kind: PageKind::Single });
        }
        // The page was paid for when it began to be shared.
        let new = self.ram.frames.alloc().ok_or(Error::NoMemory)?;
        let from = self.ram.memory.pointer(old.start()).as_ptr();
        let to = self.ram.memory.pointer(new.start()).as_ptr();
        // SAFETY: two frames of RAM; the new one was just taken, and nobody writes the old one while
        // it has several owners.
        unsafe { arch::user::copy(to, from, PAGE_SIZE as usize) };
        slot.set(Some(new));
        self.forget(id, page..page + 1, false);
        self.ram.frames.give_up(old);
        Ok(Page { frame: new, access: ANY, kind: PageKind::Copied })
    }

    /// Enters a page of a region into the tables; tells which one it is in.
    #[inline(always)]
    pub(super) fn show(&mut self, id: Id<Region>, at: u64, page: &Page) -> Result<Frame> {
        let region = &self.regions[id];
        let mut access = region.access & page.access | page.access & arch::Access::DEVICE;
        if matches!(page.kind, PageKind::Single | PageKind::Copied) {
            return self.enter_page(region.space, at, page, access);
        }
        let reach = reach(&self.ram, page, access.contains(arch::Access::WRITE));
        access.set(arch::Access::FAR, reach.is_empty());
        self.enter_run(id, at, page, access, reach)
    }

    /// Enters a page of a run into the tables, as part of a large one if it can be, and else with those
    /// around it, for that is less work than their faults.
    fn enter_run(
        &mut self,
        id: Id<Region>,
        at: u64,
        page: &Page,
        access: arch::Access,
        reach: Range<u64>,
    ) -> Result<Frame> {
        let region = &self.regions[id];
        let space = region.space;
        let block = at & !(AROUND - 1);
        let around = block.max(region.start)..(block + AROUND).min(region.end());
        let base = at & !(LARGE_PAGE_SIZE - 1);
        let before = (at - base) / PAGE_SIZE;
        let large = !access.contains(arch::Access::EXECUTE)
            && base >= region.start
            && base + LARGE_PAGE_SIZE <= region.end()
            && page.frame.0 >= before
            && (page.frame.0 - before).is_multiple_of(tables::ENTRIES);
        if large {
            let table = self.table_of(space, base, tables::LARGE)?;
            let index = tables::index(base, tables::LARGE);
            let old = tables::read(&self.ram.memory, table, index);
            if !old.is_present() || old.is_leaf(tables::LARGE) {
                // Of a window's pages some may be out of the kernel's reach.
                let far = match page.kind {
                    PageKind::Window => arch::Access::FAR,
                    _ => arch::Access::empty(),
                };
                let new = Entry::leaf(Frame(page.frame.0 - before), tables::LARGE, access | far);
                tables::write(&mut self.ram.memory, table, index, new);
                arch::tlb::publish();
                return Ok(table);
            }
        }
        let table = self.enter_page(space, at, page, access)?;
        if page.kind == PageKind::Window || !access.contains(arch::Access::EXECUTE) {
            for near in around.step_by(PAGE_SIZE as usize) {
                let index = tables::index(near, tables::PAGES);
                let frame = (page.frame.0 + near / PAGE_SIZE).wrapping_sub(at / PAGE_SIZE);
                let empty = !tables::read(&self.ram.memory, table, index).is_present();
                if empty && reach.contains(&frame) {
                    let new = Entry::leaf(Frame(frame), tables::PAGES, access);
                    tables::write(&mut self.ram.memory, table, index, new);
                }
            }
            arch::tlb::publish();
        }
        Ok(table)
    }

    /// Enters a page into the tables; tells which one it is in.
    #[inline]
    fn enter_page(
        &mut self,
        space: Id<Space>,
        at: u64,
        page: &Page,
        access: arch::Access,
    ) -> Result<Frame> {
        if access.contains(arch::Access::EXECUTE) && page.kind != PageKind::Window {
            // SAFETY: a page of RAM.
            unsafe {
                arch::user::publish_code(self.ram.memory.pointer(page.frame.start()).as_ptr())
            };
        }
        let root = self.spaces[space].root;
        let (table, level) = tables::walk(&self.ram.memory, root, at, tables::PAGES);
        let table =
            if level == tables::PAGES { table } else { self.table_of(space, at, tables::PAGES)? };
        let index = tables::index(at, tables::PAGES);
        let old = tables::read(&self.ram.memory, table, index);
        let new = Entry::leaf(page.frame, tables::PAGES, access);
        tables::write(&mut self.ram.memory, table, index, new);
        arch::tlb::publish();
        // The same frame with more rights than before: CPUs may remember the refusal.
        if old.is_present() {
            self.flush(space, at..at + PAGE_SIZE, false);
        }
        Ok(table)
    }

    /// The table at `lowest` that has the entry of an address, made if it is not there. There is no
    /// large page on the way: regions that get smaller take theirs with them.
    #[inline(never)]
    fn table_of(&mut self, space: Id<Space>, at: u64, lowest: u8) -> Result<Frame> {
        let space = &mut self.spaces[space];
        let account = &mut self.accounts[space.account];
        let (mut table, reached) = tables::walk(&self.ram.memory, space.root, at, lowest);
        for level in reached..lowest {
            let below = account.take_zeroed(&mut self.ram)?;
            let entry = Entry::table(below);
            tables::write(&mut self.ram.memory, table, tables::index(at, level), entry);
            space.tables += 1;
            table = below;
        }
        Ok(table)
    }
}

impl Backing {
    /// A page of one that has its frames side by side.
    fn page(&self, page: u64) -> Page {
        let (first, kind, device) = match *self {
            Backing::Window { first, device } => (first, PageKind::Window, device),
            Backing::Demand(_) => (Frame(0), PageKind::Run, false),
            Backing::Contiguous(first) => (first, PageKind::Run, false),
        };
        let access = if device { ANY | arch::Access::DEVICE } else { ANY };
        Page { frame: Frame(first.0 + page), access, kind }
    }
}
