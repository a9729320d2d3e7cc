//! The last messages of a service, which its supervisor can read while it works and when it is gone.
//!
//! It is written by one thread. Whoever reads it meanwhile may find a line that is half written.

use crate::abi::{Arrival, Error};
use crate::message::Received;
use crate::object::Memory;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Messages that are kept.
pub const RECENT: usize = 16;
/// Words of a line: when, what and its label, the badge, three of its words.
const LINE: usize = 6;
/// Where the counts are, of messages that have arrived and those that are served.
const ARRIVED: usize = 0;
const SERVED: usize = 1;
const LINES: usize = 2;
const WORDS: usize = LINES + RECENT * LINE;

/// A diary, where it is mapped.
#[derive(Clone, Copy, Debug)]
pub struct Diary(&'static [AtomicU64; WORDS]);

/// A message of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// When it arrived.
    pub time: u64,
    /// As what: the number of an [`Arrival`].
    pub arrival: u32,
    /// What it is about.
    pub label: u32,
    /// Who sent it.
    pub badge: u64,
    /// Its first words.
    pub words: [u64; 3],
}

impl Diary {
    /// Its length.
    pub const PAGES: u64 = 1;

    /// The one that is mapped at the address that every service has it at.
    pub(super) fn at(address: u64) -> Diary {
        // SAFETY: it is mapped there for good, it is aligned and so long, and used as atomics only.
        Diary(unsafe { &*(address as *const [AtomicU64; WORDS]) })
    }

    /// A message has arrived.
    pub(super) fn begin(&self, received: &Received) {
        let count = self.0[ARRIVED].load(Relaxed);
        let first = LINES + count as usize % RECENT * LINE;
        let [one, two, three, ..] = received.words;
        let what = (received.arrival as u64) << 32 | u64::from(received.label());
        let line = [crate::time::now(), what, received.badge, one, two, three];
        self.0[first..].iter().zip(line).for_each(|(place, word)| place.store(word, Relaxed));
        self.0[ARRIVED].store(count + 1, Relaxed);
    }

    /// All that have arrived are served.
    pub(super) fn done(&self) {
        self.0[SERVED].store(self.0[ARRIVED].load(Relaxed), Relaxed);
    }

    /// How many messages a service has served, whatever has become of it.
    pub fn served(memory: &Memory) -> Result<u64, Error> {
        let mut bytes = [0; 8];
        memory.read(8 * SERVED as u64, &mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// Its last messages, the oldest first.
    pub fn read(memory: &Memory) -> Result<Vec<Entry>, Error> {
        let mut bytes = [0; 8 * WORDS];
        memory.read(0, &mut bytes)?;
        let mut words = [0; WORDS];
        for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
            *word = u64::from_le_bytes(*bytes);
        }
        let arrived = words[ARRIVED];
        let lines = words[LINES..].as_chunks::<LINE>().0;
        let recent = arrived.saturating_sub(RECENT as u64)..arrived;
        Ok(recent.map(|nth| Entry::of(&lines[nth as usize % RECENT])).collect())
    }
}

impl Entry {
    fn of(&[time, what, badge, one, two, three]: &[u64; LINE]) -> Entry {
        let (arrival, label) = ((what >> 32) as u32, what as u32);
        Entry { time, arrival, label, badge, words: [one, two, three] }
    }

    /// Whether somebody waited for an answer.
    pub fn is_call(&self) -> bool {
        self.arrival == Arrival::Call as u32
    }
}
