//! Address spaces: a root of page tables, a tag, and regions in order. It pays for itself, its tables
//! and its regions.

use super::super::asid::{Seat, Tag};
use super::super::tree::Tree;
use super::super::{Arena, FrameSource, Id, Ram};
use super::tables::{self, Change, Sweep};
use super::{Account, FUEL, Memory, Region, Vm};
use crate::abi::{Error, USER_END};
use crate::arch::{self, Entry, Flush, TableEntry};
use crate::units::{Frame, MAX_CPUS, PAGE_SIZE, VirtAddr};
use arrayvec::ArrayVec;
use core::ops::Range;

/// Up to so many pages are flushed one by one.
const FEW: u64 = 16;
/// What a region costs that goes, as seen from looking at an entry that is empty.
const REGION: u32 = 128;

/// An address space.
pub struct Space {
    pub(super) root: Frame,
    pub(super) account: Id<Account>,
    pub(super) regions: Tree<Region>,
    /// Tables besides the root.
    pub(super) tables: u64,
    tag: Tag,
}

impl Vm {
    /// An address space that maps nothing.
    pub fn space_create(
        &mut self,
        ram: &mut Ram,
        account: Id<Account>,
    ) -> Result<Id<Space>, Error> {
        let cost = Arena::<Space>::COST + PAGE_SIZE;
        self.charge(account, cost)?;
        let space = self.spaces.reserve(ram).and_then(|_| {
            let root = ram.frames.take().ok_or(Error::NoMemory)?;
            // SAFETY: the frame was just taken for this.
            unsafe { ram.memory.zero(root) };
            arch::user::adopt(root, ram.space.table.root(), &mut ram.memory);
            let (regions, tag) = (Tree::EMPTY, Tag::default());
            self.spaces.insert(Space { root, account, regions, tables: 0, tag }, ram)
        });
        space.inspect_err(|_| self.uncharge(account, cost))
    }

    /// Destroys a piece of an address space that no CPU runs. True when it is gone.
    pub fn space_destroy(&mut self, ram: &mut Ram, id: Id<Space>) -> bool {
        let Some(space) = self.spaces.get(id) else { return true };
        let account = space.account;
        let mut fuel = FUEL;
        while let Some(first) = self.spaces[id].regions.first(&self.regions) {
            let Region { start, pages, .. } = self.regions[first];
            let end = start + pages * PAGE_SIZE;
            let change = Change::Clear(0, self.gap_after(id, end));
            let reached = self.sweep(ram, id, start..end, change, &mut fuel);
            self.cut_region(first, start, reached);
            fuel = fuel.saturating_sub(REGION);
            if fuel == 0 {
                return false;
            }
        }
        let Some(space) = self.spaces.remove(id) else { return true };
        ram.frames.give(space.root);
        self.uncharge(account, Arena::<Space>::COST + PAGE_SIZE);
        true
    }

    /// What a CPU loads to run in an address space, while other CPUs have others loaded.
    pub fn enter(&mut self, space: Id<Space>, others: [Option<Id<Space>>; MAX_CPUS]) -> Seat {
        let tag = |id: Id<Space>| self.spaces.get(id).map_or(Tag::default(), |space| space.tag);
        let others = others.map(|space| space.map_or(Tag::default(), tag));
        let space = &mut self.spaces[space];
        let switch = self.asids.switch(&mut space.tag, &others);
        if switch.flush_all {
            arch::tlb::flush_all();
        }
        Seat::new(space.root, space.tag)
    }

    /// Whether nothing is mapped there.
    pub fn space_empty(&self, space: Id<Space>) -> bool {
        self.spaces[space].regions.is_empty()
    }

    /// The entries that translate an address, from the root on; zero where there is none.
    pub fn translation(&self, ram: &Ram, space: Id<Space>, at: u64) -> [u64; 4] {
        if at >= USER_END {
            return [0; 4];
        }
        tables::path(&ram.memory, self.spaces[space].root, at).map(Entry::bits)
    }

    /// Changes what is in the tables for a range, as far as the fuel goes, and makes CPUs forget what
    /// was. Tells where it stopped.
    pub(super) fn sweep(
        &mut self,
        ram: &mut Ram,
        id: Id<Space>,
        range: Range<u64>,
        change: Change,
        fuel: &mut u32,
    ) -> u64 {
        let space = &mut self.spaces[id];
        let freed = ArrayVec::new();
        let memory = &mut ram.memory;
        let mut sweep = Sweep { memory, change, fuel: *fuel, changed: false, freed };
        let reached = sweep.run(space.root, 0, range.start, range.end);
        *fuel = sweep.fuel;
        let gone = sweep.freed.len() as u64;
        if sweep.changed || gone > 0 {
            self.flush(id, range.start..reached, gone > 0);
        }
        if gone > 0 {
            sweep.freed.iter().for_each(|&table| ram.frames.give(table));
            let space = &mut self.spaces[id];
            space.tables -= gone;
            let account = space.account;
            self.uncharge(account, gone * PAGE_SIZE);
        }
        reached
    }

    /// Makes CPUs forget a range, or all of an address space if that is less work.
    pub(super) fn flush(&self, space: Id<Space>, range: Range<u64>, tables: bool) {
        // What has no tag has never run since everything was last forgotten.
        let Some(asid) = self.asids.current(self.spaces[space].tag) else { return };
        if range.end - range.start > FEW * PAGE_SIZE {
            return arch::tlb::flush_space(asid);
        }
        let pages = VirtAddr(range.start)..VirtAddr(range.end);
        arch::tlb::flush(Flush { pages, step: PAGE_SIZE, tables }, asid);
    }

    /// Changes the entries of these pages wherever a memory is mapped.
    pub(super) fn forget(
        &mut self,
        ram: &mut Ram,
        memory: Id<Memory>,
        pages: Range<u64>,
        change: Change,
    ) {
        let mut next = self.memories[memory].regions;
        while let Some(id) = next {
            let region = &self.regions[id];
            next = region.next;
            let low = pages.start.max(region.first);
            let high = pages.end.min(region.first + region.pages);
            if low >= high {
                continue;
            }
            let at = |page: u64| region.start + (page - region.first) * PAGE_SIZE;
            let change = match change {
                Change::Restrict(access) => Change::Restrict(region.access & access),
                clear => clear,
            };
            let (range, space) = (at(low)..at(high), region.space);
            self.sweep(ram, space, range, change, &mut u32::MAX.clone());
        }
    }
}
