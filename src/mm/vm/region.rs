//! What an address space maps: regions, each some pages of one memory, in order and apart.
//!
//! Invariant: a region lies below `USER_END`, overlaps no other, and is in the list of its memory;
//! what it allows is within its ceiling, and never both writing and executing.

use super::super::tree::{Key, Links, Node};
use super::super::{Arena, Id, Neighbours};
use super::memory::{Backing, MAX_MAPPINGS};
use super::tables;
use super::{FUEL, Memory, Space, Vm};
use crate::abi::{Error, MAP_EXECUTE, MAP_SHARED, MAP_WRITE};
use crate::arch::Access;
use crate::units::{PAGE_SIZE, Result};

/// The most pages that are always unmapped in one piece.
const PIECE: u64 = 512;

/// Pages of a memory in an address space.
pub struct Region {
    pub(super) links: Links<Region>,
    pub(super) space: Id<Space>,
    pub(super) start: u64,
    pub(super) pages: u64,
    pub(super) memory: Id<Memory>,
    /// The page of the memory that is at `start`.
    pub(super) first: u64,
    pub(super) access: Access,
    pub(super) ceiling: Access,
    /// Clones of the address space share the memory.
    pub(super) shared: bool,
    /// Its neighbours in the list of the memory.
    pub(super) siblings: Neighbours<Region>,
}

impl Region {
    /// The first address after it.
    #[inline(always)]
    pub(super) fn end(&self) -> u64 {
        self.start + self.pages * PAGE_SIZE
    }

    /// The page of its memory that is at an address.
    #[inline(always)]
    pub(super) fn page_at(&self, at: u64) -> u64 {
        self.first + (at - self.start) / PAGE_SIZE
    }

    /// The part of it from an address on.
    pub(super) fn from(&self, at: u64) -> Region {
        let (first, pages) = (self.page_at(at), (self.end() - at) / PAGE_SIZE);
        let siblings = Neighbours::default();
        Region { links: Links::NONE, start: at, pages, first, siblings, ..*self }
    }
}

impl Node for Region {
    #[inline(always)]
    fn key(&self) -> Key {
        (self.start, 0)
    }

    #[inline(always)]
    fn links(&self) -> &Links<Region> {
        &self.links
    }

    #[inline(always)]
    fn links_mut(&mut self) -> &mut Links<Region> {
        &mut self.links
    }
}

/// What bits of `MAP_*` allow.
fn allows(bits: u64) -> Access {
    Access::USER | Access::from_bits_truncate((bits & (MAP_WRITE | MAP_EXECUTE)) as u8)
}

/// The same, if the bits make sense and ask for no more than the ceiling.
fn asked(bits: u64, others: u64, ceiling: Access) -> Result<Access> {
    let access = allows(bits);
    if bits & !(MAP_WRITE | MAP_EXECUTE | others) != 0
        || access.contains(Access::WRITE | Access::EXECUTE)
    {
        return Err(Error::Invalid);
    }
    if !ceiling.contains(access) {
        return Err(Error::NoRight);
    }
    Ok(access)
}

impl Vm {
    /// Maps pages of a memory where nothing is. The pages themselves come with faults.
    #[expect(clippy::too_many_arguments, reason = "a call of the interface has as many")]
    pub fn map(
        &mut self,
        space: Id<Space>,
        memory: Id<Memory>,
        at: u64,
        first: u64,
        pages: u64,
        access: u64,
        ceiling: u64,
    ) -> Result {
        let range = tables::pages_at(at, pages).ok_or(Error::Invalid)?;
        let ceiling = allows(ceiling);
        let shared = access & MAP_SHARED != 0;
        let access = asked(access, MAP_SHARED, ceiling)?;
        let last = first.checked_add(pages).ok_or(Error::Invalid)?;
        if last > self.memories[memory].pages {
            return Err(Error::Invalid);
        }
        if self.first_in(space, at, range.end).is_some() {
            return Err(Error::Occupied);
        }
        let region = Region {
            links: Links::NONE,
            space,
            start: at,
            pages,
            memory,
            first,
            access,
            ceiling,
            shared,
            siblings: Neighbours::default(),
        };
        let id = self.add_region(region)?;
        self.join(id);
        Ok(())
    }

    /// Unmaps what is mapped in a range: a piece. Tells how many pages of the range are done; the
    /// caller goes on after them.
    pub fn unmap(&mut self, space: Id<Space>, at: u64, pages: u64) -> Result<u64> {
        let end = tables::pages_at(at, pages).ok_or(Error::Invalid)?.end;
        let Some(id) = self.first_in(space, at, end) else { return Ok(pages) };
        let (start, stop) = (self.regions[id].start, self.regions[id].end());
        let (from, upto) = (start.max(at), stop.min(end));
        // What is cut off from the end of a region is small, or a region of its own.
        let whole = upto == stop && upto - from <= PIECE * PAGE_SIZE;
        let id = if start < from && !whole { self.split(id, from)? } else { id };
        let reached = self.sweep(space, from..upto, true, &mut FUEL.clone());
        self.cut_region(id, from, reached);
        if reached == upto && self.first_in(space, reached, end).is_none() {
            return Ok(pages);
        }
        Ok((reached - at) / PAGE_SIZE)
    }

    /// Changes what may be done in a range, all of which is mapped: a piece, as `unmap`.
    pub fn protect(&mut self, space: Id<Space>, at: u64, pages: u64, access: u64) -> Result<u64> {
        let end = tables::pages_at(at, pages).ok_or(Error::Invalid)?.end;
        let id = self.region_at(space, at).ok_or(Error::NotFound)?;
        let (start, stop) = (self.regions[id].start, self.regions[id].end());
        let access = asked(access, 0, self.regions[id].ceiling)?;
        let upto = stop.min(end);
        if self.regions[id].access == access {
            return Ok((upto - at) / PAGE_SIZE);
        }
        // The entries go; faults bring them back as they shall be.
        let reached = self.sweep(space, at..upto, false, &mut FUEL.clone());
        let id = if start < at { self.split(id, at)? } else { id };
        if reached < stop
            && let Err(error) = self.split(id, reached)
        {
            self.join(id);
            return Err(error);
        }
        self.regions[id].access = access;
        self.join(id);
        if let Some(next) = self.region_at(space, reached) {
            self.join(next);
        }
        Ok((reached - at) / PAGE_SIZE)
    }

    /// The region that an address lies in.
    #[inline(always)]
    pub(super) fn region_at(&self, space: Id<Space>, at: u64) -> Option<Id<Region>> {
        let id = self.spaces[space].regions.floor(&self.regions, (at, 0))?;
        (at < self.regions[id].end()).then_some(id)
    }

    /// The first region with anything in a range.
    pub(super) fn first_in(&self, space: Id<Space>, at: u64, end: u64) -> Option<Id<Region>> {
        let next = || self.spaces[space].regions.next_after(&self.regions, (at, 0));
        let id = self.region_at(space, at).or_else(next)?;
        (self.regions[id].start < end).then_some(id)
    }

    /// Where what is mapped before an address ends.
    pub(super) fn gap_before(&self, space: Id<Space>, at: u64) -> u64 {
        let before = at.checked_sub(1);
        let id = before.and_then(|at| self.spaces[space].regions.floor(&self.regions, (at, 0)));
        id.map_or(0, |id| self.regions[id].end().min(at))
    }

    /// Where something is mapped again from an address on.
    pub(super) fn gap_after(&self, space: Id<Space>, at: u64) -> u64 {
        let next = self.first_in(space, at, u64::MAX);
        next.map_or(1 << 47, |id| self.regions[id].start.max(at))
    }

    /// The memory that is mapped at an address, the page that is there, how many there are from it on,
    /// and what they may be used for at most.
    pub fn mapped_at(&self, space: Id<Space>, at: u64) -> Option<(Id<Memory>, u64, u64, Access)> {
        let region = &self.regions[self.region_at(space, at)?];
        let pages = (region.end() - at).div_ceil(PAGE_SIZE);
        Some((region.memory, region.page_at(at), pages, region.ceiling))
    }

    /// Puts in a region that overlaps no other.
    pub(super) fn add_region(&mut self, region: Region) -> Result<Id<Region>> {
        let (space, memory) = (region.space, region.memory);
        let Memory { backing, mapped, .. } = &self.memories[memory];
        // Only these have pages that go or are shared, for which all regions are looked at.
        if matches!(backing, Backing::Demand(_)) && *mapped == MAX_MAPPINGS {
            return Err(Error::NoMemory);
        }
        let account = self.spaces[space].account;
        self.charge(account, Arena::<Region>::COST)?;
        let id = self.regions.insert(region, &mut self.ram);
        let id = id.inspect_err(|_| self.uncharge(account, Arena::<Region>::COST))?;
        self.spaces[space].regions.insert(&mut self.regions, id);
        let memory = &mut self.memories[memory];
        memory.refs += 1;
        memory.mapped += 1;
        self.regions.link(&mut memory.regions, None, id, |region| &mut region.siblings);
        Ok(id)
    }

    fn remove_region(&mut self, id: Id<Region>) {
        let space = self.regions[id].space;
        self.spaces[space].regions.remove(&mut self.regions, id);
        let shown = self.regions[id].memory;
        let memory = &mut self.memories[shown];
        self.regions.unlink(&mut memory.regions, id, |region| &mut region.siblings);
        memory.mapped -= 1;
        self.regions.remove(id);
        self.release(shown);
        self.uncharge(self.spaces[space].account, Arena::<Region>::COST);
    }

    /// Makes two of a region; tells the second, which begins at `at`.
    fn split(&mut self, id: Id<Region>, at: u64) -> Result<Id<Region>> {
        let second = self.regions[id].from(at);
        let pages = second.pages;
        self.regions[id].pages -= pages;
        let second = self.add_region(second);
        second.inspect_err(|_| self.regions[id].pages += pages)
    }

    /// Makes one region of this and the one before it, if they can be one.
    fn join(&mut self, id: Id<Region>) {
        let region = &self.regions[id];
        let before = region.start.checked_sub(1).and_then(|at| self.region_at(region.space, at));
        let Some(before) = before else { return };
        let (one, two) = (&self.regions[before], &self.regions[id]);
        let follows = one.memory == two.memory && one.first + one.pages == two.first;
        let alike = (one.access, one.ceiling, one.shared) == (two.access, two.ceiling, two.shared);
        if follows && alike {
            let pages = two.pages;
            self.remove_region(id);
            self.regions[before].pages += pages;
        }
    }

    /// Takes a range out of a region, at its beginning or its end.
    pub(super) fn cut_region(&mut self, id: Id<Region>, from: u64, upto: u64) {
        let region = &mut self.regions[id];
        if from > region.start {
            region.pages = (from - region.start) / PAGE_SIZE;
        } else if upto == region.end() {
            self.remove_region(id);
        } else if upto > from {
            region.first = region.page_at(upto);
            region.pages -= (upto - from) / PAGE_SIZE;
            region.start = upto;
        }
    }
}
