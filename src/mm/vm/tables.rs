//! Page tables of user code: one walk down to an entry, and one sweep over a range of them. Unlike
//! the kernel's own tables (`walker.rs`) they are only a cache: entries may go at any time.

use crate::arch::{Access, Entry, PhysMem, TableEntry};
use crate::units::{Frame, PAGE_SIZE};
use arrayvec::ArrayVec;
use core::ops::Range;

/// The level of the tables whose entries map pages.
pub(super) const PAGES: u8 = 3;
/// The level of the tables whose entries map 2 MiB.
pub(super) const LARGE: u8 = 2;
/// Entries in a table.
pub(super) const ENTRIES: u64 = 512;

/// Bytes that an entry of a table at `level` stands for.
pub(super) const fn span(level: u8) -> u64 {
    PAGE_SIZE << (9 * (PAGES - level))
}

/// Which entry of a table at `level` an address has.
pub(super) const fn index(at: u64, level: u8) -> usize {
    (at / span(level) % ENTRIES) as usize
}

#[inline(always)]
pub(super) fn read(memory: &PhysMem, table: Frame, at: usize) -> Entry {
    // SAFETY: a root, or what an entry named: a frame that was taken for a table.
    Entry::from_bits(unsafe { memory.read(table, at) })
}

#[inline(always)]
pub(super) fn write(memory: &mut PhysMem, table: Frame, at: usize, entry: Entry) {
    // SAFETY: as in `read`; `Vm` alone changes user tables.
    unsafe { memory.write(table, at, entry.bits()) }
}

/// What a sweep does with the entries of pages.
#[derive(Clone, Copy)]
pub(super) enum Change {
    /// Takes them away, and tables that lie within these addresses with them.
    Clear(u64, u64),
    /// Leaves only this to be done there.
    Restrict(Access),
}

/// A sweep over entries.
pub(super) struct Sweep<'a> {
    pub memory: &'a mut PhysMem,
    pub change: Change,
    /// Entries it may still look at.
    pub fuel: u32,
    /// Whether any has become another.
    pub changed: bool,
    /// Tables that nothing leads to any more; CPUs may remember them until they are flushed.
    pub freed: ArrayVec<Frame, 16>,
}

impl Sweep<'_> {
    /// Changes the entries from `at` to `end`, those of large pages as a whole; tells where it
    /// stopped. Three calls deep at most.
    pub fn run(&mut self, table: Frame, level: u8, mut at: u64, end: u64) -> u64 {
        if level == PAGES {
            return self.run_pages(table, at, end);
        }
        while at < end && self.fuel > 0 {
            self.fuel -= 1;
            let index = index(at, level);
            let start = at & !(span(level) - 1);
            let next = start + span(level);
            let entry = read(self.memory, table, index);
            if entry.is_present() && entry.is_leaf(level) {
                let new = match self.change {
                    Change::Clear(..) => Entry::EMPTY,
                    Change::Restrict(access) => Entry::leaf(entry.frame(), level, access),
                };
                write(self.memory, table, index, new);
                self.changed = true;
            } else if entry.is_present() {
                let reached = self.run(entry.frame(), level + 1, at, next.min(end));
                if reached < next.min(end) {
                    return reached;
                }
                if let Change::Clear(low, high) = self.change
                    && low <= start
                    && next <= high
                {
                    if self.freed.try_push(entry.frame()).is_err() {
                        self.fuel = 0;
                        return at;
                    }
                    write(self.memory, table, index, Entry::EMPTY);
                }
            }
            at = next;
        }
        at.min(end)
    }

    /// The same for the last level, where most of the time goes.
    fn run_pages(&mut self, table: Frame, at: u64, end: u64) -> u64 {
        let first = index(at, PAGES);
        let count = ((end - at) / PAGE_SIZE).min(ENTRIES - first as u64).min(self.fuel.into());
        // What is left of an entry, and what it gets besides: in every architecture's entries the
        // frame is in the place where its address has it.
        let (kept, added) = match self.change {
            Change::Clear(..) => (0, 0),
            Change::Restrict(access) => (u64::MAX, Entry::leaf(Frame(0), PAGES, access).bits()),
        };
        for index in first..first + count as usize {
            let entry = read(self.memory, table, index);
            if entry.is_present() {
                let new = Entry::from_bits(entry.frame().start().0 & kept | added);
                if new.bits() != entry.bits() {
                    write(self.memory, table, index, new);
                    self.changed = true;
                }
            }
        }
        self.fuel -= count as u32;
        at + count * PAGE_SIZE
    }
}

/// The entries that lead to an address, from the root on; empty where there is none.
pub(super) fn path(memory: &PhysMem, root: Frame, at: u64) -> [Entry; 4] {
    let mut entries = [Entry::EMPTY; 4];
    let mut table = root;
    for level in 0..=PAGES {
        let entry = read(memory, table, index(at, level));
        entries[level as usize] = entry;
        if !entry.is_present() || entry.is_leaf(level) {
            break;
        }
        table = entry.frame();
    }
    entries
}

/// Addresses of so many pages; `None` where they are no user addresses, or none at all.
pub(super) fn pages_at(at: u64, pages: u64) -> Option<Range<u64>> {
    let end = pages.checked_mul(PAGE_SIZE)?.checked_add(at)?;
    let fits = at.is_multiple_of(PAGE_SIZE) && at < end && end <= crate::abi::USER_END;
    fits.then_some(at..end)
}
