//! The memory that file systems in memory may take: all of them together, so that a guest that fills
//! `/tmp` starves nobody. Pages are paid for by a process that does nothing else, and has at most that
//! much quota; what it does not use of it goes to guests that need it, and comes back when it can. What
//! is on this server's heap is counted here.

use super::caches::Caches;
use crate::errno::{Errno, Result};
use crate::process::quota;
use alloc::rc::Rc;
use core::cell::Cell;
use rt::Memory;
use rt::abi::{MAP_WRITE, PAGE};

/// Bytes that a file is charged for beside what it has in it.
const FILE: u64 = 1024;
/// Bytes that are too few to go on with, if there are more.
const LITTLE: u64 = 8 << 20;
/// Bytes of quota to begin with.
const BEGIN: u64 = 16 * PAGE;
/// Pages that a window shows.
pub const WINDOW: u64 = 1024;
/// Windows there are.
const WINDOWS: usize = 64;

/// What all file systems in memory share.
pub struct Room {
    payer: rt::Process,
    /// Bytes that pages may take.
    limit: u64,
    heap: u64,
    used: Cell<u64>,
    last: Cell<u64>,
    windows: [Cell<(u64, u64)>; WINDOWS],
    next_window: Cell<usize>,
    base: u64,
    /// What gives memory back for this.
    caches: Option<Rc<Caches>>,
}

impl Room {
    /// A part of what there is, so many of so many, for pages, and an eighth, for the heap. Caches give memory back
    /// for it.
    pub fn new([some, all]: [u64; 2], caches: Option<Rc<Caches>>) -> Result<Rc<Room>> {
        let info = rt::process().info()?;
        let own = info.quota - info.used;
        let free = rt::machine().figures().map_or(own, |figures| figures.free * PAGE).min(own);
        Ok(Rc::new(Room {
            payer: rt::Process::create(BEGIN, 1)?,
            limit: free / all * some,
            heap: free / 8,
            used: Cell::new(0),
            last: Cell::new(0),
            windows: [const { Cell::new((0, 0)) }; WINDOWS],
            next_window: Cell::new(0),
            base: rt::space::reserve(WINDOWS as u64 * WINDOW),
            caches,
        }))
    }

    /// A number for another file system, or whatever needs one.
    pub fn number(&self) -> u64 {
        self.last.set(self.last.get() + 1);
        self.last.get()
    }

    /// Pages in all, and those that are free.
    pub fn pages(&self) -> (u64, u64) {
        let used = self.payer.info().map_or(0, |info| info.used);
        (self.limit / PAGE, self.limit.saturating_sub(used) / PAGE)
    }

    /// Gives back what is not used, for guests that need it.
    pub fn give_back(&self) {
        if let Ok(info) = self.payer.info() {
            // What it uses in the meantime it keeps.
            let _ = self.payer.set_quota(info.used);
        }
    }

    /// Takes a little more, up to the limit, if little is left. There must be so many bytes then: `ENOSPC`
    /// says that the limit is reached.
    pub fn refill(&self, bytes: u64) -> Result<()> {
        let info = self.payer.info()?;
        let left = info.quota - info.used;
        if left >= LITTLE.min(self.limit / 8) {
            return Ok(());
        }
        let more = LITTLE.min(self.limit / 8).max(bytes).min(self.limit.saturating_sub(info.quota));
        if let Some(caches) = &self.caches
            && quota::free() / 2 < more
        {
            caches.reclaim(2 * more);
        }
        let quota = info.quota + more.min(quota::free() / 2);
        if quota > info.quota {
            self.payer.set_quota(quota)?;
        }
        match bytes {
            _ if quota - info.used >= bytes => Ok(()),
            _ if self.limit - info.used < bytes => Err(Errno::ENOSPC),
            _ => Err(Errno::ENOMEM),
        }
    }

    /// Pages that can be taken: the tables of what is there take some, too.
    pub fn free(&self) -> u64 {
        // Without more there is less room.
        let _ = self.refill(0);
        let free = self.payer.info().map_or(0, |info| (info.quota - info.used) / PAGE);
        free.saturating_sub(free / 128 + 8)
    }

    /// Files in all, and those that may still be made.
    pub fn files(&self) -> (u64, u64) {
        (self.heap / FILE, self.heap.saturating_sub(self.used.get()) / FILE)
    }

    /// A memory in the room.
    pub fn memory(&self, pages: u64) -> Result<Memory> {
        // Without more it may be enough still.
        let _ = self.refill(0);
        Memory::create_for(&self.payer, pages).map_err(|_| Errno::ENOSPC)
    }

    /// Where a place of a memory is mapped here, and how many bytes from there on, if it is. A memory
    /// has a number, and remembers where it was found last.
    pub fn find(&self, number: u64, place: u64, last: &Cell<usize>) -> Option<(u64, u64)> {
        let wanted = (number, place / (WINDOW * PAGE));
        if self.windows[last.get()].get() != wanted {
            last.set(self.windows.iter().position(|window| window.get() == wanted)?);
        }
        let offset = place % (WINDOW * PAGE);
        Some((self.address(last.get()) + offset, WINDOW * PAGE - offset))
    }

    /// Maps what is around a place of a memory, which has whole windows.
    pub fn map(&self, number: u64, memory: &Memory, place: u64) -> Result<()> {
        let (at, which) = (self.next_window.get(), place / (WINDOW * PAGE));
        self.next_window.set((at + 1) % WINDOWS);
        self.unmap(at)?;
        rt::process()
            .map(memory, self.address(at), which * WINDOW, WINDOW, MAP_WRITE)
            .map_err(|_| Errno::ENOSPC)?;
        self.windows[at].set((number, which));
        Ok(())
    }

    fn address(&self, window: usize) -> u64 {
        self.base + window as u64 * WINDOW * PAGE
    }

    fn unmap(&self, at: usize) -> Result<()> {
        if self.windows[at].get() != (0, 0) {
            rt::process().unmap(self.address(at), WINDOW)?;
            self.windows[at].set((0, 0));
        }
        Ok(())
    }

    /// Unmaps a memory's windows from one on.
    pub fn unmap_from(&self, number: u64, first: u64) {
        for (at, window) in self.windows.iter().enumerate() {
            let (owner, which) = window.get();
            if owner == number && which >= first {
                // What is mapped can be unmapped.
                let _ = self.unmap(at);
            }
        }
    }
}

/// What a file takes of this server's heap; given back when it is dropped.
pub struct Charge {
    room: Rc<Room>,
    bytes: Cell<u64>,
}

impl Charge {
    /// Nothing yet.
    pub fn none(room: &Rc<Room>) -> Charge {
        Charge { room: room.clone(), bytes: Cell::new(0) }
    }

    /// For a file and its name.
    pub fn file(room: &Rc<Room>) -> Result<Charge> {
        let charge = Charge::none(room);
        charge.set(FILE)?;
        Ok(charge)
    }

    /// The room.
    pub fn room(&self) -> &Rc<Room> {
        &self.room
    }

    /// Charges for so many bytes; there must be room for more.
    pub fn set(&self, bytes: u64) -> Result<()> {
        let used = self.room.used.get() - self.bytes.get() + bytes;
        if bytes > self.bytes.get() && used > self.room.heap {
            return Err(Errno::ENOSPC);
        }
        self.room.used.set(used);
        self.bytes.set(bytes);
        Ok(())
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.room.used.set(self.room.used.get() - self.bytes.get());
    }
}
