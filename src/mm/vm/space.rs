//! Address spaces: a root of page tables, a tag, and regions in order. It pays for itself, its tables
//! and its regions.

use super::super::asid::{Seat, Tag};
use super::super::tree::Tree;
use super::super::{Arena, FrameSource, Id};
use super::tables;
use super::{Account, FUEL, Memory, Region, Vm};
use crate::abi::{Error, USER_END};
use crate::arch::{self, Access, Entry};
use crate::units::{Frame, MAX_CPUS, PAGE_SIZE, Result, VirtAddr};
use arrayvec::ArrayVec;
use core::ops::Range;

/// Up to so many pages are flushed one by one.
const FEW: u64 = 16;
/// What a table costs, whether it goes or only some of its entries, and what a region does that goes, as
/// seen from looking at an entry that is empty.
const STEP: u64 = 16;
const REGION: u64 = 128;

/// An address space.
pub struct Space {
    pub(super) root: Frame,
    pub(super) account: Id<Account>,
    pub(super) regions: Tree<Region>,
    /// Tables besides the root.
    pub(super) tables: u64,
    /// The region that was looked for last.
    pub(super) recent: Option<Id<Region>>,
    tag: Tag,
}

impl Vm {
    /// An address space that maps nothing.
    pub fn space_create(&mut self, account: Id<Account>) -> Result<Id<Space>> {
        let cost = Arena::<Space>::COST + PAGE_SIZE;
        self.charge(account, cost)?;
        let space = self.spaces.reserve(&mut self.ram).and_then(|_| {
            let root = self.ram.frames.take().ok_or(Error::NoMemory)?;
            // SAFETY: the frame was just taken for this.
            unsafe { self.ram.memory.zero(root) };
            arch::user::adopt(root, self.ram.space.table.root(), &mut self.ram.memory);
            let (regions, recent, tag) = (Tree::EMPTY, None, Tag::default());
            self.spaces
                .insert(Space { root, account, regions, tables: 0, recent, tag }, &mut self.ram)
        });
        space.inspect_err(|_| self.uncharge(account, cost))
    }

    /// Destroys a piece of an address space that no CPU runs. True when it is gone.
    pub fn space_destroy(&mut self, id: Id<Space>) -> bool {
        let Some(space) = self.spaces.get(id) else { return true };
        let account = space.account;
        let mut fuel = FUEL;
        while let Some(first) = self.spaces[id].regions.first(&self.regions) {
            let Region { start, pages, .. } = self.regions[first];
            let end = start + pages * PAGE_SIZE;
            let reached = self.sweep(id, start..end, true, &mut fuel);
            self.cut_region(first, start, reached);
            fuel = fuel.saturating_sub(REGION);
            if fuel == 0 {
                return false;
            }
        }
        let Some(space) = self.spaces.remove(id) else { return true };
        self.ram.frames.give(space.root);
        self.uncharge(account, Arena::<Space>::COST + PAGE_SIZE);
        true
    }

    /// What a CPU loads to run in an address space, while other CPUs have others loaded.
    pub fn enter(&mut self, space: Id<Space>, others: [Option<Id<Space>>; MAX_CPUS]) -> Seat {
        let tag = |id: Id<Space>| self.spaces.get(id).map_or(Tag::default(), |space| space.tag);
        let others = others.map(|space| space.map_or(Tag::default(), tag));
        let space = &mut self.spaces[space];
        if self.asids.switch(&mut space.tag, &others) {
            arch::tlb::flush_all();
        }
        Seat::new(space.root, space.tag)
    }

    /// Whether nothing is mapped there.
    pub fn space_empty(&self, space: Id<Space>) -> bool {
        self.spaces[space].regions.is_empty()
    }

    /// The entries that translate an address, from the root on; zero where there is none.
    pub fn translation(&self, space: Id<Space>, at: u64) -> [u64; 4] {
        if at >= USER_END {
            return [0; 4];
        }
        tables::path(&self.ram.memory, self.spaces[space].root, at)
    }

    /// Clears what is in the tables for a range, as far as the fuel goes, and makes CPUs forget what was.
    /// If nothing will be mapped there, tables go that nothing around it needs. Tells where it stopped.
    pub(super) fn sweep(
        &mut self,
        id: Id<Space>,
        range: Range<u64>,
        trim: bool,
        fuel: &mut u64,
    ) -> u64 {
        let gap = match trim {
            true => self.gap_before(id, range.start)..self.gap_after(id, range.end),
            false => 0..0,
        };
        let root = self.spaces[id].root;
        let (mut freed, mut changed) = (ArrayVec::new(), false);
        let Range { start: mut at, end } = range;
        while at < end && *fuel > 0 {
            let past = (at | (tables::span(tables::LARGE) - 1)) + 1;
            let goes = gap.contains(&(past - tables::span(tables::LARGE))) && past <= gap.end;
            let memory = &mut self.ram.memory;
            let (next, level, looked) =
                tables::change(memory, root, (at, end), None, goes, &mut changed);
            let next = next.min(end);
            *fuel = fuel.saturating_sub(looked + STEP);
            if !tables::trim(memory, root, level, (at, next, end), &gap, &mut freed) {
                *fuel = 0;
                break;
            }
            at = next;
        }
        let gone = freed.len() as u64;
        if changed || gone > 0 {
            self.flush(id, range.start..at, gone > 0);
        }
        if gone > 0 {
            freed.iter().for_each(|&table| self.ram.frames.give(table));
            let space = &mut self.spaces[id];
            space.tables -= gone;
            let account = space.account;
            self.uncharge(account, gone * PAGE_SIZE);
        }
        at
    }

    /// Makes CPUs forget a range, or all of an address space if that is less work.
    #[inline(always)]
    pub(super) fn flush(&self, space: Id<Space>, range: Range<u64>, tables: bool) {
        // What has no tag has never run since everything was last forgotten.
        let Some(asid) = self.asids.current(self.spaces[space].tag) else { return };
        if range.end - range.start > FEW * PAGE_SIZE {
            return arch::tlb::flush_space(asid);
        }
        arch::tlb::flush(VirtAddr(range.start)..VirtAddr(range.end), tables, asid);
    }

    /// Clears the entries of these pages wherever a memory is mapped, or only makes them read-only.
    pub(super) fn forget(&mut self, memory: Id<Memory>, pages: Range<u64>, read_only: bool) {
        let mut next = self.memories[memory].regions;
        while let Some(id) = next {
            let region = &self.regions[id];
            next = region.siblings.1;
            let low = pages.start.max(region.first);
            let high = pages.end.min(region.first + region.pages);
            if low >= high {
                continue;
            }
            if read_only && !region.access.contains(Access::WRITE) {
                // It has no entry that is writable.
                continue;
            }
            let access = region.access - Access::WRITE;
            let left = read_only.then(|| Entry::leaf(Frame(0), tables::PAGES, access));
            let start = region.start + (low - region.first) * PAGE_SIZE;
            let end = start + (high - low) * PAGE_SIZE;
            let (space, mut at, mut changed) = (region.space, start, false);
            let root = self.spaces[space].root;
            while at < end {
                let range = (at, end);
                (at, ..) =
                    tables::change(&mut self.ram.memory, root, range, left, false, &mut changed);
            }
            if changed {
                self.flush(space, start..end, false);
            }
        }
    }
}
