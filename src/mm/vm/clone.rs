//! Copies that share their frames until one side writes: of memories, and of whole address spaces.
//! A copy pays for its pages as if they were its own, so a write never fails for want of quota.

use super::super::{Id, Ram};
use super::index::Leaf;
use super::memory::{Backing, VISIT};
use super::region::Region;
use super::{Account, FUEL, Memory, Space, Vm};
use crate::abi::Error;
use crate::arch::{Access, PhysMem};
use crate::units::{Frame, PAGE_SIZE};

/// What sharing a page costs, as seen from looking at an entry that is empty.
const SHARING: u32 = 2;
/// And what a region does.
const REGION: u32 = 192;

impl Vm {
    /// A copy of pages of a memory. Where there are many, it is not complete: then with the page to go
    /// on from, for `memory_clone_more`.
    pub fn memory_clone(
        &mut self,
        ram: &mut Ram,
        account: Id<Account>,
        from: Id<Memory>,
        first: u64,
        pages: u64,
    ) -> Result<(Id<Memory>, Option<u64>), Error> {
        let source = &self.memories[from];
        if !matches!(source.backing, Backing::Demand(_)) {
            return Err(Error::Unsupported);
        }
        if first.checked_add(pages).is_none_or(|end| end > source.pages) {
            return Err(Error::Invalid);
        }
        let to = self.memory_create(ram, account, pages)?;
        let more = self.memory_clone_more(ram, to, from, first, 0);
        more.map(|more| (to, more)).inspect_err(|_| {
            self.release(to);
        })
    }

    /// Another piece of a copy that began at page `first`, from page `at` of the copy on; where to go
    /// on from, unless it is complete. What was written in the meantime is in it or not.
    pub fn memory_clone_more(
        &mut self,
        ram: &mut Ram,
        to: Id<Memory>,
        from: Id<Memory>,
        first: u64,
        at: u64,
    ) -> Result<Option<u64>, Error> {
        let pages = self.memories[to].pages;
        let left = pages.checked_sub(at).ok_or(Error::Invalid)?;
        let start = first.checked_add(at).ok_or(Error::Invalid)?;
        let done = at + self.share(ram, (from, start), (to, at), left, &mut FUEL.clone())?;
        Ok((done < pages).then_some(done))
    }

    /// Maps in one address space what is mapped in another: a piece from address `cursor` on, 0 at
    /// first; where to go on from, unless all is done. What is not writable, shared, or no RAM of its
    /// own is the same memory; of the rest it gets copies.
    pub fn space_clone(
        &mut self,
        ram: &mut Ram,
        to: Id<Space>,
        from: Id<Space>,
        cursor: u64,
    ) -> Result<Option<u64>, Error> {
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
                    self.clone_region(ram, to, id, at)?
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
            at += self.share(ram, (memory, page), target, pages, &mut fuel)? * PAGE_SIZE;
        }
        Ok(None)
    }

    /// A region like another's part from `at` on, in another address space; its memory is the same,
    /// or a new one without pages.
    fn clone_region(
        &mut self,
        ram: &mut Ram,
        to: Id<Space>,
        id: Id<Region>,
        at: u64,
    ) -> Result<Id<Region>, Error> {
        let region = Region { space: to, ..self.regions[id].from(at) };
        if self.first_in(to, at, region.end()).is_some() {
            return Err(Error::Occupied);
        }
        let demand = matches!(self.memories[region.memory].backing, Backing::Demand(_));
        if region.shared || !demand || !region.ceiling.contains(Access::WRITE) {
            return self.add_region(ram, region);
        }
        let memory = self.memory_create(ram, self.spaces[to].account, region.pages)?;
        let copy = self.add_region(ram, Region { memory, first: 0, ..region });
        self.release(memory);
        copy
    }

    /// Shares pages of one memory with another, which has none there. Tells how many pages it got
    /// past before the fuel was used up.
    fn share(
        &mut self,
        ram: &mut Ram,
        from: (Id<Memory>, u64),
        to: (Id<Memory>, u64),
        pages: u64,
        fuel: &mut u32,
    ) -> Result<u64, Error> {
        let (mut done, mut result) = (0, Ok(()));
        let mut shared = from.1..from.1;
        while done < pages && *fuel > 0 && result.is_ok() {
            let (source, target) = (from.1 + done, to.1 + done);
            let leaf = match &self.memories[from.0].backing {
                Backing::Demand(index) => index.leaf(source, &ram.memory),
                _ => return Err(Error::Unsupported),
            };
            match leaf {
                Leaf::Absent(block) => {
                    done += block - source % block;
                    *fuel = fuel.saturating_sub(SHARING);
                }
                Leaf::There(leaf) => {
                    let run = 512 - source % 512;
                    let run = run.min(512 - target % 512).min(pages - done);
                    let memory = &self.memories[from.0];
                    let (run, visits) = (run.min(memory.piece(512)), memory.mapped * VISIT);
                    let before = done;
                    let source = (from.0, leaf, source);
                    result = self.share_run(ram, source, (to.0, target), run, &mut done, fuel);
                    if done > before {
                        shared.end = from.1 + done;
                    }
                    *fuel = fuel.saturating_sub(visits);
                }
            }
        }
        if !shared.is_empty() {
            self.forget(ram, from.0, shared, Some(!Access::WRITE));
        }
        result.map(|()| done.min(pages))
    }

    /// The same for pages that have their entries in one place, on both sides; counts them in `done`.
    fn share_run(
        &mut self,
        ram: &mut Ram,
        (from, leaf, first): (Id<Memory>, Option<Frame>, u64),
        (to, target): (Id<Memory>, u64),
        run: u64,
        done: &mut u64,
        fuel: &mut u32,
    ) -> Result<(), Error> {
        let Ram { memory: physical, frames, .. } = ram;
        let (from, to) = self.memories.pair(from, to).ok_or(Error::Invalid)?;
        let (Backing::Demand(source), Backing::Demand(index)) = (&from.backing, &mut to.backing)
        else {
            return Err(Error::Unsupported);
        };
        let account = &mut self.accounts[to.account];
        let empty = source.empty(leaf, first, run, physical);
        *done += empty;
        *fuel = fuel.saturating_sub(empty as u32);
        if empty == run || *fuel == 0 {
            return Ok(());
        }
        let take = |physical: &mut PhysMem| account.take_zeroed(physical, frames);
        let slot = index.slot(target + empty, physical, take)?;
        let entries = (source, source.slot_in(leaf, first + empty));
        let affordable = (account.limit - account.used) / PAGE_SIZE;
        let most = affordable.min(u64::from(*fuel).div_ceil(SHARING.into()));
        let owners = frames.owners.clone();
        let (looked, shared) = index.share(slot, entries, run - empty, most, physical, owners);
        account.used += shared * PAGE_SIZE;
        to.resident += shared;
        *done += looked;
        *fuel = fuel.saturating_sub((looked + shared * u64::from(SHARING)) as u32);
        if looked == 0 { Err(Error::NoMemory) } else { Ok(()) }
    }
}
