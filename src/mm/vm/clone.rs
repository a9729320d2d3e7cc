//! Copies that share their frames until one side writes: of memories, and of whole address spaces.
//! A copy pays for its pages as if they were its own, so a write never fails for want of quota.

use super::super::Id;
use super::index::ENTRIES;
use super::memory::{Backing, VISIT};
use super::region::Region;
use super::{Account, FUEL, Memory, Space, Vm};
use crate::abi::Error;
use crate::arch::Access;
use crate::units::{PAGE_SIZE, Result};

/// What sharing a page costs, as seen from looking at an entry that is empty.
const SHARING: u64 = 2;
/// And what a region does.
const REGION: u64 = 192;

impl Vm {
    /// What is to be a copy of pages of a memory, for `memory_clone_more`: nothing is in it yet.
    pub fn memory_clone(
        &mut self,
        account: Id<Account>,
        from: Id<Memory>,
        first: u64,
        pages: u64,
    ) -> Result<Id<Memory>> {
        let source = &self.memories[from];
        if !matches!(source.backing, Backing::Demand(_)) {
            return Err(Error::Unsupported);
        }
        if first.checked_add(pages).is_none_or(|end| end > source.pages) {
            return Err(Error::Invalid);
        }
        self.memory_create(account, pages)
    }

    /// A piece of a copy that began at page `first`, from page `at` of the copy on; where to go on
    /// from, unless it is complete. What was written in the meantime is in it or not.
    pub fn memory_clone_more(
        &mut self,
        to: Id<Memory>,
        from: Id<Memory>,
        first: u64,
        at: u64,
    ) -> Result<Option<u64>> {
        let pages = self.memories[to].pages;
        let left = pages.checked_sub(at).ok_or(Error::Invalid)?;
        let start = first.checked_add(at).ok_or(Error::Invalid)?;
        let done = at + self.share((from, start), (to, at), left, &mut FUEL.clone())?;
        Ok((done < pages).then_some(done))
    }

    /// Maps in one address space what is mapped in another: a piece from address `cursor` on, 0 at
    /// first; where to go on from, unless all is done. What is not writable, shared, or no RAM of its
    /// own is the same memory; of the rest it gets copies.
    pub fn space_clone(
        &mut self,
        to: Id<Space>,
        from: Id<Space>,
        cursor: u64,
    ) -> Result<Option<u64>> {
        if to == from || cursor == 0 && !self.space_empty(to) {
            return Err(Error::Occupied);
        }
        let mut at = cursor;
        let mut fuel = FUEL;
        while let Some(id) = self.first_in(from, at, u64::MAX) {
            at = at.max(self.regions[id].start);
            if fuel == 0 {
                return Ok(Some(at));
            }
            let (source, end) = (&self.regions[id], self.regions[id].end());
            let (memory, page) = (source.memory, source.page_at(at));
            let copy = match self.region_at(to, at) {
                Some(copy) => copy,
                None => {
                    fuel = fuel.saturating_sub(REGION);
                    self.clone_region(to, id, at)?
                }
            };
            let copy = &self.regions[copy];
            let end = end.min(copy.end());
            let target = (copy.memory, copy.page_at(at));
            if copy.memory == memory {
                at = end;
                continue;
            }
            let pages = (end - at) / PAGE_SIZE;
            at += self.share((memory, page), target, pages, &mut fuel)? * PAGE_SIZE;
        }
        Ok(None)
    }

    /// A region like another's part from `at` on, in another address space; its memory is the same,
    /// or a new one without pages.
    fn clone_region(&mut self, to: Id<Space>, id: Id<Region>, at: u64) -> Result<Id<Region>> {
        let region = Region { space: to, ..self.regions[id].from(at) };
        if self.first_in(to, at, region.end()).is_some() {
            return Err(Error::Occupied);
        }
        let demand = matches!(self.memories[region.memory].backing, Backing::Demand(_));
        if region.shared || !demand || !region.ceiling.contains(Access::WRITE) {
            return self.add_region(region);
        }
        let memory = self.memory_create(self.spaces[to].account, region.pages)?;
        let copy = self.add_region(Region { memory, first: 0, ..region });
        self.release(memory);
        copy
    }

    /// Shares pages of one memory with another, which has none there. Tells how many pages it got
    /// past before the fuel was used up.
    fn share(
        &mut self,
        (from, first): (Id<Memory>, u64),
        (to, start): (Id<Memory>, u64),
        pages: u64,
        fuel: &mut u64,
    ) -> Result<u64> {
        let (source, target) = self.memories.pair(from, to).ok_or(Error::Invalid)?;
        let (Backing::Demand(index), Backing::Demand(copy)) =
            (&source.backing, &mut target.backing)
        else {
            return Err(Error::Unsupported);
        };
        let account = &mut self.accounts[target.account];
        // A page is looked at here, and in each region, where it cannot be written any more.
        let mapped = u64::from(source.mapped);
        let look = 1 + mapped;
        *fuel = fuel.saturating_sub(mapped * VISIT).max(1);
        let (mut done, mut changed, mut result) = (0, 0, Ok(()));
        while done < pages && *fuel > 0 && result.is_ok() {
            let (page, place) = (first + done, start + done);
            let entries = match index.entries(page, &self.ram.memory) {
                Ok(entries) => entries,
                Err(block) => {
                    done += block - page % block;
                    *fuel = fuel.saturating_sub(SHARING);
                    continue;
                }
            };
            let here = (ENTRIES - page % ENTRIES).min(ENTRIES - place % ENTRIES);
            let run = here.min(pages - done).min(fuel.div_ceil(look));
            let empty = entries.empty(run);
            done += empty;
            *fuel = fuel.saturating_sub(empty * look);
            if empty == run || *fuel == 0 {
                continue;
            }
            result = copy.make(place + empty, &mut self.ram, account).and_then(|slots| {
                let affordable = (account.limit - account.used) / PAGE_SIZE;
                let most = affordable.min(fuel.div_ceil(look + SHARING));
                let owners = self.ram.frames.owners.clone();
                let (looked, shared) = entries.from(empty).share(slots, run - empty, most, owners);
                account.used += shared * PAGE_SIZE;
                target.resident += shared;
                (done, changed) = (done + looked, done + looked);
                *fuel = fuel.saturating_sub(looked * look + shared * SHARING);
                if looked == 0 { Err(Error::NoMemory) } else { Ok(()) }
            });
        }
        if changed > 0 {
            self.forget(from, first..first + changed, true);
        }
        result.map(|()| done.min(pages))
    }
}
