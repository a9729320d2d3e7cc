//! Threads that wait for the same thing, the highest priority first and each priority in the order of
//! arrival. Every operation takes the same few steps, however many wait.
//!
//! Invariant: a priority's bit is set if a thread of that priority is in the queue, and then `last`
//! has the last of them; the list is in falling order of priority. A thread's priority does not
//! change while it is in a queue.

use super::Thread;
use crate::abi::PRIORITIES;
use crate::mm::{Arena, Id};

/// A queue of threads. A thread is in one queue at most.
#[derive(Debug)]
pub struct Queue {
    first: Option<Id<Thread>>,
    present: u64,
    last: [Option<Id<Thread>>; PRIORITIES as usize],
}

impl Queue {
    /// A queue without threads.
    pub const EMPTY: Queue = Queue { first: None, present: 0, last: [None; PRIORITIES as usize] };

    /// The thread whose turn it is.
    #[inline(always)]
    pub fn first(&self) -> Option<Id<Thread>> {
        self.first
    }

    /// Whether nobody waits.
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.present == 0
    }

    /// Whether a thread of a higher priority waits.
    #[inline(always)]
    pub fn has_above(&self, priority: u8) -> bool {
        self.present >> (priority & 63) > 1
    }

    /// Whether a thread of this priority or a higher one waits.
    #[inline(always)]
    pub fn rivals(&self, priority: u8) -> bool {
        self.present >> (priority & 63) != 0
    }

    /// Whether a thread of this priority waits.
    pub fn has(&self, priority: u8) -> bool {
        self.present >> (priority & 63) & 1 == 1
    }

    /// The last thread of a priority, for tests.
    #[cfg(not(target_os = "none"))]
    pub fn last(&self, priority: u8) -> Option<Id<Thread>> {
        self.last[priority as usize].filter(|_| self.has(priority))
    }

    /// Adds a thread behind those of its priority.
    #[inline(always)]
    pub fn push(&mut self, threads: &mut Arena<Thread>, id: Id<Thread>) {
        let priority = threads[id].priority & 63;
        if self.present == 0 {
            return self.begin(id, priority);
        }
        let before = self.last_from(priority);
        threads.link(&mut self.first, before, id, |thread| &mut thread.links);
        self.last[priority as usize] = Some(id);
        self.present |= 1 << priority;
    }

    /// Adds a thread before those of its priority: its turn was interrupted.
    pub fn push_first(&mut self, threads: &mut Arena<Thread>, id: Id<Thread>) {
        let priority = threads[id].priority & 63;
        let before = if priority == 63 { None } else { self.last_from(priority + 1) };
        threads.link(&mut self.first, before, id, |thread| &mut thread.links);
        if !self.has(priority) {
            self.last[priority as usize] = Some(id);
            self.present |= 1 << priority;
        }
    }

    /// Takes out the first thread.
    #[inline(always)]
    pub fn pop(&mut self, threads: &mut Arena<Thread>) -> Option<Id<Thread>> {
        let id = self.first?;
        self.remove(threads, id);
        Some(id)
    }

    /// Takes a thread out, wherever in the queue it is.
    #[inline(always)]
    pub fn remove(&mut self, threads: &mut Arena<Thread>, id: Id<Thread>) {
        let priority = threads[id].priority & 63;
        let before = threads.unlink(&mut self.first, id, |thread| &mut thread.links);
        if self.last[priority as usize] == Some(id) {
            match before.filter(|&before| threads[before].priority & 63 == priority) {
                Some(before) => self.last[priority as usize] = Some(before),
                None => self.present &= !(1 << priority),
            }
        }
    }

    /// Takes out the only thread of the queue.
    #[inline(always)]
    pub fn clear(&mut self) {
        (self.first, self.present) = (None, 0);
    }

    /// Puts a thread into a queue that has none. Its links are those of a thread in no queue.
    #[inline(always)]
    pub fn begin(&mut self, id: Id<Thread>, priority: u8) {
        self.first = Some(id);
        self.present = 1 << (priority & 63);
        self.last[priority as usize & 63] = Some(id);
    }

    /// The last thread of this priority or the next higher one that is present.
    #[inline(always)]
    fn last_from(&self, priority: u8) -> Option<Id<Thread>> {
        let above = self.present >> priority;
        if above == 0 {
            return None;
        }
        self.last[(priority as u32 + above.trailing_zeros()) as usize & 63]
    }
}
