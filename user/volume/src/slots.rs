//! Which page is in which slot, and which slot can be had. None of it is kept: it is made anew from
//! the table.
//!
//! A page is found through chains of slots whose pages have the same hash. A slot that can be had is
//! found by a hand that goes round; what was used since it came by last stays once more.

use alloc::vec::Vec;

const NONE: u32 = u32::MAX;

/// How a slot is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Nothing is in it.
    Free,
    /// As the disk has it.
    Clean,
    /// Committed, and not on the disk.
    Dirty,
    /// Of the operation that goes on.
    Staged,
    /// Committed, and staged once more elsewhere.
    Old,
}

/// A slot.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// The page in it.
    pub page: u64,
    /// How it is.
    pub state: State,
    /// Whether it is data of files.
    pub data: bool,
    /// The sum of its entry.
    pub sum: u64,
    used: bool,
    /// The slot that has what was committed of a staged page.
    old: u32,
    /// The next one in its chain.
    next: u32,
}

/// All slots.
#[derive(Debug)]
pub struct Slots {
    all: Vec<Slot>,
    heads: Vec<u32>,
    hand: usize,
}

impl Slots {
    pub fn new(count: usize) -> Slots {
        let free = Slot {
            page: 0,
            state: State::Free,
            data: false,
            sum: 0,
            used: false,
            old: NONE,
            next: NONE,
        };
        let heads = alloc::vec![NONE; count.next_power_of_two()];
        Slots { all: alloc::vec![free; count], heads, hand: 0 }
    }

    pub fn get(&self, slot: usize) -> &Slot {
        &self.all[slot]
    }

    pub fn get_mut(&mut self, slot: usize) -> &mut Slot {
        &mut self.all[slot]
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// The slots in a state, with their numbers.
    pub fn in_state(&self, state: State) -> impl Iterator<Item = (usize, &Slot)> {
        self.all.iter().enumerate().filter(move |(_, slot)| slot.state == state)
    }

    fn head(&self, page: u64) -> usize {
        (page.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize & (self.heads.len() - 1)
    }

    /// Where a page is.
    #[inline]
    pub fn find(&self, page: u64) -> Option<usize> {
        let mut at = self.heads[self.head(page)];
        while at != NONE {
            let slot = &self.all[at as usize];
            if slot.page == page {
                return Some(at as usize);
            }
            at = slot.next;
        }
        None
    }

    /// Whether a page is in this slot, as it is now.
    pub fn is_at(&self, slot: usize, page: u64) -> bool {
        let slot = self.all.get(slot);
        let current = |slot: &Slot| !matches!(slot.state, State::Free | State::Old);
        slot.is_some_and(|slot| slot.page == page && current(slot))
    }

    /// A page was used.
    #[inline]
    pub fn touch(&mut self, slot: usize) {
        self.all[slot].used = true;
    }

    /// A page is found in this slot from now on.
    pub fn put(&mut self, slot: usize, page: u64, state: State, data: bool) {
        let head = self.head(page);
        let next = core::mem::replace(&mut self.heads[head], slot as u32);
        self.all[slot] = Slot { page, state, data, sum: 0, used: false, old: NONE, next };
    }

    /// A page is no longer found in this slot.
    fn hide(&mut self, slot: usize) {
        let (head, next) = (self.head(self.all[slot].page), self.all[slot].next);
        let mut at = self.heads[head];
        if at == slot as u32 {
            self.heads[head] = next;
            return;
        }
        while at != NONE {
            let before = &mut self.all[at as usize];
            if before.next == slot as u32 {
                before.next = next;
                return;
            }
            at = before.next;
        }
    }

    /// Nothing is in a slot any more.
    pub fn clear(&mut self, slot: usize) {
        if !matches!(self.all[slot].state, State::Free | State::Old) {
            self.hide(slot);
        }
        self.all[slot].state = State::Free;
    }

    /// A dirty page is staged in another slot.
    pub fn replace(&mut self, old: usize, slot: usize, data: bool) {
        let page = self.all[old].page;
        self.hide(old);
        self.all[old].state = State::Old;
        self.put(slot, page, State::Staged, data);
        self.all[slot].old = old as u32;
    }

    /// The slot that has what was committed of a page that was staged in another.
    pub fn old(&self, slot: usize) -> Option<usize> {
        Some(self.all[slot].old).filter(|&old| old != NONE).map(|old| old as usize)
    }

    /// A staged page is as if it had not been: what was committed of it is found again.
    pub fn restore(&mut self, slot: usize) {
        let old = self.old(slot);
        self.clear(slot);
        if let Some(old) = old {
            let Slot { page, data, sum, .. } = self.all[old];
            self.put(old, page, State::Dirty, data);
            self.all[old].sum = sum;
        }
    }

    /// A staged page is committed; the slot that nobody needs any more.
    pub fn settle(&mut self, slot: usize) -> Option<usize> {
        let old = self.old(slot);
        (self.all[slot].old, self.all[slot].state) = (NONE, State::Dirty);
        if let Some(old) = old {
            self.all[old].state = State::Free;
        }
        old
    }

    /// Slots side by side that nothing is in, as many as are wanted or fewer: the first, and how many.
    pub fn take(&mut self, wanted: usize) -> Option<(usize, usize)> {
        for _ in 0..2 * self.all.len() {
            let slot = self.hand;
            self.hand = (slot + 1) % self.all.len();
            let used = core::mem::replace(&mut self.all[slot].used, false);
            if used && self.all[slot].state == State::Clean || !self.can_go(slot) {
                continue;
            }
            self.clear(slot);
            let mut count = 1;
            while count < wanted && slot + count < self.all.len() && self.can_go(slot + count) {
                if self.all[slot + count].used && self.all[slot + count].state == State::Clean {
                    break;
                }
                self.clear(slot + count);
                count += 1;
            }
            self.hand = (slot + count) % self.all.len();
            return Some((slot, count));
        }
        None
    }

    fn can_go(&self, slot: usize) -> bool {
        matches!(self.all[slot].state, State::Free | State::Clean)
    }
}
