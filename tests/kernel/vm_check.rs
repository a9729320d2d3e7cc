//! Looks whether the invariants of virtual memory hold, all of them, everywhere. Part of `src/mm/vm`
//! where tests are.

use super::super::{Arena, Id};
use super::index::{self, Entries};
use super::memory::Backing;
use super::tables;
use super::{Account, Memory, Place, Region, Space, Vm};
use crate::abi::{Error, USER_END};
use crate::arch::{Access, Entry, PhysMem};
use crate::units::{Frame, PAGE_SIZE};
use std::collections::BTreeMap;

type Verdict = Result<(), &'static str>;

fn ensure(holds: bool, what: &'static str) -> Verdict {
    if holds { Ok(()) } else { Err(what) }
}

impl Vm {
    /// Whether all is as it has to be, and each account pays for exactly what there is: `others` is all
    /// that is charged besides, by the account's index.
    pub fn check(&self, others: &BTreeMap<usize, u64>) -> Verdict {
        let mut costs = others.clone();
        let mut holders = BTreeMap::new();
        let mut add = |account: Id<Account>, bytes| {
            *costs.entry(account.index()).or_default() += bytes;
        };
        for (_, account) in self.accounts.iter() {
            if let Some(parent) = account.parent {
                add(parent, account.limit + Arena::<Account>::COST);
            }
        }
        for (id, region) in self.regions.iter() {
            add(self.spaces[region.space].account, Arena::<Region>::COST);
            self.check_region(id, region)?;
        }
        for (_, space) in self.spaces.iter() {
            let cost = Arena::<Space>::COST + (1 + space.tables) * PAGE_SIZE;
            add(space.account, cost);
            self.check_space(space)?;
        }
        for (id, memory) in self.memories.iter() {
            let pages = self.check_memory(id, memory, &mut holders)?;
            add(memory.account, Arena::<Memory>::COST + pages * PAGE_SIZE);
        }
        for (frame, count) in holders {
            // SAFETY: one of the counts; borrowed together with their owner.
            let others = self.ram.frames.owners.at(frame).map_or(0, |at| unsafe { at.read() });
            let several = usize::from(others) + 1;
            ensure(several == count, "a frame has as many owners as are counted")?;
        }
        for (id, account) in self.accounts.iter() {
            let cost = costs.get(&id.index()).copied().unwrap_or(0);
            ensure(account.used == cost, "what there is is charged, and nothing else")?;
            ensure(account.used <= account.limit, "accounts are within their limits")?;
        }
        Ok(())
    }

    /// Writes bytes of the kernel's into a memory.
    pub fn memory_fill(
        &mut self,
        memory: Id<Memory>,
        offset: u64,
        from: &[u8],
    ) -> Result<(), Error> {
        let bytes = from.as_ptr().cast_mut();
        self.move_few(Place::Memory(memory, offset), bytes, from.len(), true)
    }

    /// Whether a page is mapped, be it there already or not.
    pub fn is_mapped(&self, space: Id<Space>, address: u64) -> bool {
        self.region_at(space, address).is_some()
    }

    /// References to a memory, and how many of them are regions.
    pub fn references(&self, id: Id<Memory>) -> (usize, usize) {
        let regions = self.regions.iter().filter(|(_, region)| region.memory == id).count();
        (self.memories[id].refs as usize, regions)
    }

    fn check_region(&self, id: Id<Region>, region: &Region) -> Verdict {
        let inside = region.pages > 0 && region.end() <= USER_END;
        ensure(inside && region.start.is_multiple_of(PAGE_SIZE), "a region has user addresses")?;
        ensure(region.ceiling.contains(region.access), "a region is within its ceiling")?;
        let both = Access::WRITE | Access::EXECUTE;
        ensure(!region.access.contains(both), "no region is writable code")?;
        ensure(self.region_at(region.space, region.start) == Some(id), "a region is found")?;
        let mut list = self.memories[region.memory].regions;
        while let Some(at) = list.filter(|&at| at != id) {
            list = self.regions[at].siblings.1;
        }
        ensure(list == Some(id), "a region is in its memory's list")
    }

    fn check_space(&self, space: &Space) -> Verdict {
        space.regions.check(&self.regions)?;
        let (mut at, mut next) = (0, space.regions.first(&self.regions));
        while let Some(id) = next {
            let region = &self.regions[id];
            ensure(region.start >= at, "regions are apart")?;
            at = region.end();
            next = space.regions.next_after(&self.regions, (region.start, 0));
        }
        let mut count = 0;
        self.check_table(space, (space.root, 0, 0), &mut count)?;
        ensure(count == space.tables, "tables are counted")
    }

    fn check_table(
        &self,
        space: &Space,
        (table, level, start): (Frame, u8, u64),
        count: &mut u64,
    ) -> Verdict {
        for index in 0..tables::ENTRIES {
            let at = start + index * tables::span(level);
            let entry = tables::read(&self.ram.memory, table, index as usize);
            if !entry.is_present() {
                continue;
            }
            let end = at + tables::span(level);
            let last = space.regions.floor(&self.regions, (end - 1, 0));
            let region = last.map(|id| &self.regions[id]).filter(|region| region.end() > at);
            let region = region.ok_or("tables are where regions are")?;
            if !entry.is_leaf(level) {
                *count += 1;
                self.check_table(space, (entry.frame(), level + 1, at), count)?;
                continue;
            }
            ensure(region.start <= at && end <= region.end(), "a page is within its region")?;
            self.check_entry(region, at, entry)?;
        }
        Ok(())
    }

    fn check_entry(&self, region: &Region, at: u64, entry: Entry) -> Verdict {
        let (memory, page) = (&self.memories[region.memory], region.page_at(at));
        ensure(page < memory.pages.max(memory.held), "what is mapped is within the memory")?;
        let (frame, sole) = match &memory.backing {
            Backing::Demand(index) => {
                let frame = index.entries(page, &self.ram.memory).ok().and_then(Entries::get);
                (frame, !frame.is_some_and(|frame| self.ram.frames.owners.several(frame)))
            }
            Backing::Contiguous(first) | Backing::Window { first, .. } => {
                (Some(Frame(first.0 + page)), true)
            }
        };
        ensure(frame == Some(entry.frame()), "what is mapped is the memory's page")?;
        let access = entry.access() - Access::DEVICE - Access::FAR;
        ensure(region.access.contains(access), "a page allows what its region does")?;
        ensure(sole || !access.contains(Access::WRITE), "what is shared is not writable")
    }

    /// Counts the pages it pays for, and the holders of frames.
    fn check_memory(
        &self,
        id: Id<Memory>,
        memory: &Memory,
        holders: &mut BTreeMap<Frame, usize>,
    ) -> Result<u64, &'static str> {
        let (mut next, mut prev, mut regions) = (memory.regions, None, 0);
        while let Some(at) = next {
            let region = &self.regions[at];
            ensure(region.siblings.0 == prev && region.memory == id, "the list of regions agrees")?;
            (prev, next, regions) = (next, region.siblings.1, regions + 1);
        }
        ensure(memory.refs >= regions, "regions are references")?;
        let index = match &memory.backing {
            Backing::Demand(index) => index,
            Backing::Contiguous(_) => return Ok(memory.pages),
            Backing::Window { .. } => return Ok(0),
        };
        let (mut at, mut resident) = (0, 0);
        while at < index.capacity() {
            match index.entries(at, &self.ram.memory).map(Entries::get) {
                Err(block) => at += block,
                Ok(None) => at += 1,
                Ok(Some(frame)) => {
                    ensure(at < memory.held, "nothing is there beyond the end")?;
                    *holders.entry(frame).or_default() += 1;
                    (at, resident) = (at + 1, resident + 1);
                }
            }
        }
        ensure(resident == memory.resident, "pages are counted")?;
        Ok(resident + index_pages(&self.ram.memory, index.root(), index.height))
    }
}

/// How many index pages there are below an entry, at so many levels above the last.
fn index_pages(memory: &PhysMem, entry: Entries, height: u8) -> u64 {
    let Some(table) = entry.get().filter(|_| height > 0) else { return 0 };
    let entries = (0..index::ENTRIES).map(|at| Entries::of(table, at, 0, memory));
    1 + entries.map(|entry| index_pages(memory, entry, height - 1)).sum::<u64>()
}
