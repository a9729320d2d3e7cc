//! Pages: demand-zero, contiguous, or a window to physical memory. A memory pays for itself, its
//! pages and its index, and lives as long as anything refers to it: handles and regions.
//!
//! Invariant: no page is there or mapped at or above `held`, and none at or above `pages` is handed
//! out; `held` is above `pages` only until a memory that shrank has given back what it lost.

use super::super::{Arena, Frames, Id};
use super::index::{ENTRIES, Index};
use super::{Account, FUEL, Region, Vm};
use crate::abi::Error;
use crate::units::{Frame, PAGE_SIZE, PhysAddr, Result};

/// The largest memory.
pub const MAX_PAGES: u64 = 1 << 36;
/// The largest contiguous one.
pub const MAX_CONTIGUOUS: u64 = 512;
/// Regions that map one memory: all of them are looked at when one of its pages is replaced.
pub const MAX_MAPPINGS: u32 = 128;

/// Pages cleared in one piece.
const CLEARED: u64 = 32;
/// Pages looked at in one step of taking pages away.
const STEP: u64 = 128;
/// What a step costs, as seen from looking at an entry that is empty.
const STEPPING: u64 = 12;
/// What a region costs where pages are looked up, as seen from looking at an entry that is empty.
pub(super) const VISIT: u64 = 12;
/// What giving up a shared frame costs, as seen from looking at an entry that is empty, and what freeing
/// it costs besides.
const SHARED: u64 = 2;
const FREEING: u64 = 7;

/// Pages, wherever they are mapped.
pub struct Memory {
    pub(super) account: Id<Account>,
    pub(super) pages: u64,
    pub(super) held: u64,
    pub(super) resident: u64,
    pub(super) backing: Backing,
    pub(super) refs: u32,
    /// The first of the regions that map it, and how many they are.
    pub(super) regions: Option<Id<Region>>,
    pub(super) mapped: u32,
    next_dying: Option<Id<Memory>>,
}

/// Where pages come from.
pub(super) enum Backing {
    /// They are made when they are first used.
    Demand(Index),
    /// Side by side in RAM.
    Contiguous(Frame),
    /// Somebody else's, or a device's registers.
    Window { first: Frame, device: bool },
}

impl Vm {
    /// Pages of zeroes, none of which takes memory before it is used. The caller has the reference.
    pub fn memory_create(&mut self, account: Id<Account>, pages: u64) -> Result<Id<Memory>> {
        if pages > MAX_PAGES {
            return Err(Error::Invalid);
        }
        self.new_memory(account, pages, Backing::Demand(Index::new(pages)))
    }

    /// Pages side by side; 512 of them are a large page. Nobody reaches them before `memory_clear` has
    /// been called until it is done.
    pub fn memory_contiguous(
        &mut self,
        account: Id<Account>,
        pages: u64,
    ) -> Result<(Id<Memory>, PhysAddr)> {
        if pages == 0 || pages > MAX_CONTIGUOUS {
            return Err(Error::Invalid);
        }
        let bytes = pages * PAGE_SIZE;
        self.charge(account, bytes)?;
        let align = if pages == MAX_CONTIGUOUS { pages as usize } else { 1 };
        let first = self.ram.frames.alloc_run(pages as usize, align).ok_or(Error::NoMemory);
        let made = first.and_then(|first| {
            let id = self.new_memory(account, pages, Backing::Contiguous(first));
            id.map(|id| (id, first.start()))
                .inspect_err(|_| give_run(&mut self.ram.frames, first, pages))
        });
        made.inspect_err(|_| self.uncharge(account, bytes))
    }

    /// Clears a piece of a contiguous memory that is new: true when all of it is.
    pub fn memory_clear(&mut self, id: Id<Memory>) -> Result<bool> {
        let memory = &mut self.memories[id];
        let Backing::Contiguous(first) = memory.backing else { return Err(Error::Invalid) };
        let upto = memory.pages.min(memory.resident + CLEARED);
        for nth in memory.resident..upto {
            // SAFETY: the frames are this memory's, and nobody reaches them yet.
            unsafe { self.ram.memory.zero(Frame(first.0 + nth)) };
        }
        memory.resident = upto;
        Ok(upto == memory.pages)
    }

    /// Physical memory as it lies there: the caller knows that it is not the allocator's.
    pub fn memory_window(
        &mut self,
        account: Id<Account>,
        at: PhysAddr,
        pages: u64,
        device: bool,
    ) -> Result<Id<Memory>> {
        let end = at.0.saturating_add(pages.saturating_mul(PAGE_SIZE));
        if pages == 0 || !at.0.is_multiple_of(PAGE_SIZE) || end > 1 << 48 {
            return Err(Error::Invalid);
        }
        self.new_memory(account, pages, Backing::Window { first: at.frame(), device })
    }

    /// Makes it longer, or shorter: at once for whoever looks, but what it lost is given back in
    /// pieces. False: to be called again.
    pub fn memory_resize(&mut self, id: Id<Memory>, pages: u64) -> Result<bool> {
        let memory = &mut self.memories[id];
        if !matches!(memory.backing, Backing::Demand(_)) {
            return Err(Error::Unsupported);
        }
        if pages > MAX_PAGES {
            return Err(Error::Invalid);
        }
        memory.pages = memory.pages.min(pages);
        if !self.cut(id) {
            return Ok(false);
        }
        let memory = &mut self.memories[id];
        let account = &mut self.accounts[memory.account];
        if let Backing::Demand(index) = &mut memory.backing {
            while index.capacity() < pages {
                index.heighten(&mut self.ram, account)?;
            }
        }
        (memory.pages, memory.held) = (pages, pages);
        Ok(true)
    }

    /// How many pages it has, how many of them are there, and where it lies if it is contiguous or a
    /// window.
    pub fn memory_info(&self, id: Id<Memory>) -> (u64, u64, u64) {
        let memory = &self.memories[id];
        let physical = match memory.backing {
            Backing::Demand(_) => 0,
            Backing::Contiguous(first) | Backing::Window { first, .. } => first.start().0,
        };
        (memory.pages, memory.resident, physical)
    }

    /// Another reference.
    pub fn retain(&mut self, id: Id<Memory>) {
        self.memories[id].refs += 1;
    }

    /// One reference less. After the last it waits for `destroy_dying`, and this is true.
    pub fn release(&mut self, id: Id<Memory>) -> bool {
        let memory = &mut self.memories[id];
        memory.refs -= 1;
        let last = memory.refs == 0;
        if last {
            memory.next_dying = self.dying.replace(id);
        }
        last
    }

    /// Whether there is a memory that nothing refers to.
    pub fn has_dying(&self) -> bool {
        self.dying.is_some()
    }

    /// Destroys a piece of a memory that nothing refers to.
    pub fn destroy_dying(&mut self) {
        let Some(id) = self.dying else { return };
        let memory = &mut self.memories[id];
        let pages = core::mem::take(&mut memory.pages);
        let account = memory.account;
        if let Backing::Contiguous(first) = memory.backing {
            give_run(&mut self.ram.frames, first, pages);
            self.uncharge(account, pages * PAGE_SIZE);
        }
        if self.cut(id) {
            self.dying = self.memories[id].next_dying;
            self.memories.remove(id);
            self.uncharge(account, Arena::<Memory>::COST);
        }
    }

    fn new_memory(
        &mut self,
        account: Id<Account>,
        pages: u64,
        backing: Backing,
    ) -> Result<Id<Memory>> {
        self.charge(account, Arena::<Memory>::COST)?;
        let held = if matches!(backing, Backing::Demand(_)) { pages } else { 0 };
        let memory = Memory {
            account,
            pages,
            held,
            resident: 0,
            backing,
            refs: 1,
            regions: None,
            mapped: 0,
            next_dying: None,
        };
        let id = self.memories.insert(memory, &mut self.ram);
        id.inspect_err(|_| self.uncharge(account, Arena::<Memory>::COST))
    }

    /// Gives back pages from the last one down to the memory's size: a piece; true when all are.
    fn cut(&mut self, id: Id<Memory>) -> bool {
        let mut fuel = FUEL;
        loop {
            let memory = &self.memories[id];
            let Backing::Demand(index) = &memory.backing else { return true };
            let (pages, held, account) = (memory.pages, memory.held, memory.account);
            if held <= pages {
                return true;
            }
            if fuel == 0 {
                return false;
            }
            let found = index.entries(held - 1, &self.ram.memory);
            let low = match found {
                Err(block) => (held - 1) & !(block - 1),
                Ok(_) => ((held - 1) & !(ENTRIES - 1)).max(held.saturating_sub(memory.step())),
            };
            let low = low.max(pages);
            fuel = fuel.saturating_sub(STEPPING);
            if found.is_ok() {
                fuel = fuel.saturating_sub(u64::from(memory.mapped) * VISIT);
                self.forget(id, low..held, false);
            }
            let memory = &mut self.memories[id];
            let Backing::Demand(index) = &mut memory.backing else { return true };
            let (mut gone, mut freed) = (0, 0);
            if let Ok(entries) = index.entries(low, &self.ram.memory) {
                gone = entries.take_out(held - low, |frame| {
                    freed += u64::from(self.ram.frames.give_up(frame));
                });
                fuel = fuel.saturating_sub(held - low + gone * SHARED + freed * FREEING);
            }
            memory.held = low;
            memory.resident -= gone;
            gone += index.trim(low, &mut self.ram);
            self.uncharge(account, gone * PAGE_SIZE);
        }
    }
}

impl Memory {
    /// How many pages one step of taking pages away looks at, wherever they are mapped.
    fn step(&self) -> u64 {
        STEP.min((FUEL / u64::from(self.mapped.max(1))).saturating_sub(VISIT).max(1))
    }
}

fn give_run(frames: &mut Frames, first: Frame, pages: u64) {
    if let Err(reason) = frames.free_run(first, pages as usize) {
        crate::error!("{pages} frames from {:#x} cannot be freed: {reason:?}", first.0);
    }
}
