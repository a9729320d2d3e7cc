//! What a service writes down for its supervisor, which can read it meanwhile and when the service is gone: its
//! last messages, and why it panicked.
//!
//! It is written by one thread. Whoever reads it meanwhile may find a line that is half written.

use super::{LEFT, SAVE};
use crate::abi::{Arrival, Error, PAGE};
use crate::message::Received;
use crate::object::Memory;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Messages that are kept.
pub const RECENT: usize = 16;
/// Words of a line: when, what and its label, the badge, three of its words.
const LINE: usize = 6;
/// Where the counts are, of messages that have arrived and those that are served.
const ARRIVED: usize = 0;
const SERVED: usize = 1;
/// Where it says where [`circle`] is.
const CIRCLE: usize = 2;
/// When it was ready to serve; then when it had served a first message, had that been there already.
const FIRST: usize = 3;
/// Where the lines begin, and why it panicked.
const LINES: usize = 4;
const LAST: usize = LINES + RECENT * LINE;
const WORDS: usize = PAGE as usize / 8;
/// Words of that, ended by a zero.
const LAST_WORDS: usize = 30;
const _: () = assert!(LAST + LAST_WORDS < WORDS);

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

    /// Says where a test can have the service go on for ever.
    pub(super) fn open(&self) {
        self.0[CIRCLE].store(circle as extern "C" fn() -> ! as usize as u64, Relaxed);
    }

    /// Writes down why the service panics.
    pub(super) fn end(&self, why: &[u8]) {
        for (place, bytes) in self.0[LAST..LAST + LAST_WORDS].iter().zip(why.chunks(8)) {
            let mut word = [0; 8];
            word[..bytes.len()].copy_from_slice(bytes);
            place.store(u64::from_le_bytes(word), Relaxed);
        }
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
        let arrived = self.0[ARRIVED].load(Relaxed);
        if self.0[SERVED].load(Relaxed) == 0 {
            self.first(arrived);
        }
        self.0[SERVED].store(arrived, Relaxed);
    }

    /// It is ready to serve, or has served its first message.
    #[cold]
    fn first(&self, arrived: u64) {
        let now = crate::time::now();
        let time = match arrived {
            0 => now,
            _ => self.0[FIRST].load(Relaxed) + (now - self.0[LINES].load(Relaxed)),
        };
        self.0[FIRST].store(time, Relaxed);
    }

    /// One more is served.
    pub(super) fn count(&self) {
        self.0[SERVED].store(self.0[SERVED].load(Relaxed) + 1, Relaxed);
    }

    /// How many messages a service has served, whatever has become of it.
    pub fn served(memory: &Memory) -> Result<u64, Error> {
        read(memory, SERVED).map(|[served]| served)
    }

    /// When a service had served its first message, if it has. It is not to blame for waiting until that came: as
    /// if it had been there when the service was ready.
    pub fn first_served(memory: &Memory) -> Option<u64> {
        let [_, served, _, first] = read(memory, ARRIVED).ok()?;
        (served > 0).then_some(first)
    }

    /// Where a service goes on for ever, for tests of what comes of that.
    pub fn circle(memory: &Memory) -> Result<u64, Error> {
        read(memory, CIRCLE).map(|[circle]| circle)
    }

    /// Why a service has panicked; nothing if it has not.
    pub fn last_words(memory: &Memory) -> Result<String, Error> {
        let bytes = read::<LAST_WORDS>(memory, LAST)?.into_iter().flat_map(u64::to_le_bytes);
        let text: Vec<u8> = bytes.take_while(|&byte| byte != 0).collect();
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// Its last messages, the oldest first.
    pub fn read(memory: &Memory) -> Result<Vec<Entry>, Error> {
        let [arrived] = read(memory, ARRIVED)?;
        let lines = read::<{ RECENT * LINE }>(memory, LINES)?;
        let lines = lines.as_chunks::<LINE>().0;
        let recent = arrived.saturating_sub(RECENT as u64)..arrived;
        Ok(recent.map(|nth| Entry::of(&lines[nth as usize % RECENT])).collect())
    }
}

/// Words of a diary.
fn read<const N: usize>(memory: &Memory, first: usize) -> Result<[u64; N], Error> {
    let mut bytes = [[0; 8]; N];
    memory.read(8 * first as u64, bytes.as_flattened_mut())?;
    Ok(bytes.map(u64::from_le_bytes))
}

/// Runs for ever, and does nothing.
extern "C" fn circle() -> ! {
    loop {
        core::hint::spin_loop();
    }
}

impl Entry {
    fn of(&[time, what, badge, one, two, three]: &[u64; LINE]) -> Entry {
        let (arrival, label) = ((what >> 32) as u32, what as u32);
        Entry { time, arrival, label, badge, words: [one, two, three] }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let &Entry { arrival, label, badge, words: [one, two, three], .. } = self;
        match label {
            _ if arrival == Arrival::Signals as u32 => write!(out, "signals")?,
            SAVE => write!(out, "call save")?,
            LEFT => write!(out, "message left")?,
            _ => {
                let kind = if arrival == Arrival::Call as u32 { "call" } else { "message" };
                // A protocol's version, and the request's number (`docs/protocols.md`).
                write!(out, "{kind} v{} {}", label >> 16, label & 0xffff)?;
            }
        }
        write!(out, " from {badge:#x}: {one:#x} {two:#x} {three:#x}")
    }
}
