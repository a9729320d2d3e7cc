//! The layout of the kept memory: a page with two records, a table of entries, scratch pages, slots.
//!
//! A record says what holds: it is written last by whatever commits, in turn with the other one, so
//! that there always is a whole one. An entry says which page is in a slot, if that is not as it is
//! on the disk. Both have sums, which no memory of another shape has. A record also has the sum of all
//! entries that hold, so that none can go missing.

use crate::{PAGE, Page};
use core::ops::Range;
use core::sync::atomic::{Ordering, compiler_fence};
use files::Receipt;

/// Words of a file system that go with each commit.
pub const WORDS: usize = 4;
/// Scratch pages.
const SCRATCH: usize = 16;
/// Slots that there are at least.
const LEAST: usize = 32;
/// Words of a record, of an entry, and of a page.
const RECORD: usize = 32;
const ENTRY: usize = 4;
const ALL: usize = PAGE / 8;
/// Entries in a page.
const ENTRIES: usize = ALL / ENTRY;
const MAGIC: u64 = 0x004c_4f56_2d45_5250; // "PRE-VOL"
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// A number that differs if any of the words does.
pub fn sum(seed: u64, words: &[u64]) -> u64 {
    let total = words.iter().fold(seed, |sum, word| (sum ^ word).wrapping_mul(FACTOR));
    // The upper bits of words reach only the upper bits of the product.
    total ^ total >> 29
}

/// What comes before it in the program is in memory before what comes after it: the kernel lets a
/// successor see all that the killed thread has written.
pub fn settle() {
    compiler_fence(Ordering::SeqCst);
}

/// Where everything is.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    slots: usize,
    /// The beginning of sums, which differs where anything is elsewhere.
    seed: u64,
}

impl Layout {
    /// That of a memory of so many pages for a disk of so many sectors, if it is large enough.
    pub fn new(pages: usize, sectors: u64) -> Option<Layout> {
        let left = pages.checked_sub(1 + SCRATCH)?;
        let slots = left * ENTRIES / (ENTRIES + 1);
        let seed = sum(MAGIC, &[pages as u64, sectors]);
        (slots >= LEAST).then_some(Layout { slots, seed })
    }

    /// How many slots there are.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// Pages of the table.
    pub fn table(&self) -> Range<usize> {
        1..1 + self.slots.div_ceil(ENTRIES)
    }

    /// Where the scratch pages are.
    pub fn scratch(&self) -> Range<usize> {
        self.table().end..self.table().end + SCRATCH
    }

    /// Where a slot is.
    pub fn at(&self, slot: usize) -> usize {
        self.scratch().end + slot
    }

    /// The record of a sequence number, or where that would be.
    fn place(sequence: u64) -> Range<usize> {
        let first = (sequence % 2) as usize * RECORD;
        first..first + RECORD
    }

    /// Writes a record.
    pub fn write_record(&self, cache: &mut [Page], record: &Record) {
        settle();
        let words = record.encode(self.seed);
        cache[0][Layout::place(record.sequence)].copy_from_slice(&words);
        settle();
    }

    /// The last whole record.
    pub fn read_record(&self, cache: &[Page]) -> Option<Record> {
        let both = [0, 1].map(|turn| Record::decode(self.seed, &cache[0][Layout::place(turn)]));
        both.into_iter().flatten().max_by_key(|record| record.sequence)
    }

    fn entry(slot: usize) -> (usize, Range<usize>) {
        let first = slot % ENTRIES * ENTRY;
        (1 + slot / ENTRIES, first..first + ENTRY)
    }

    /// Writes the entry of a slot, or that there is none; its sum.
    pub fn write_entry(&self, cache: &mut [Page], slot: usize, entry: Option<&Entry>) -> u64 {
        let mut words = entry.map_or([0; ENTRY], Entry::encode);
        if entry.is_some() {
            words[ENTRY - 1] = sum(self.seed ^ slot as u64, &words[..ENTRY - 1]);
        }
        let (page, place) = Layout::entry(slot);
        cache[page][place].copy_from_slice(&words);
        words[ENTRY - 1]
    }

    /// The entry of a slot, if it is whole, and its sum.
    pub fn read_entry(&self, cache: &[Page], slot: usize) -> Option<(Entry, u64)> {
        let (page, place) = Layout::entry(slot);
        let (words, last) = cache[page][place].split_at(ENTRY - 1);
        let whole = words[1] != 0 && sum(self.seed ^ slot as u64, words) == last[0];
        whole.then(|| (Entry::decode(words), last[0]))
    }
}

/// What holds.
#[derive(Clone, Debug)]
pub struct Record {
    /// The number of the last commit.
    pub sequence: u64,
    /// The pages of this commit and those before are on the disk.
    pub since: u64,
    /// The sums of all entries that hold, together.
    pub entries: u64,
    /// What the file system wants to remember.
    pub words: [u64; WORDS],
    /// What the last request was told.
    pub receipt: Receipt,
}

impl Record {
    fn encode(&self, seed: u64) -> [u64; RECORD] {
        let Receipt { number, count, length, bytes } = &self.receipt;
        let mut words = [0; RECORD];
        words[..6].copy_from_slice(&[
            self.sequence,
            self.since,
            self.entries,
            *number,
            *count,
            *length as u64,
        ]);
        words[6..6 + WORDS].copy_from_slice(&self.words);
        let told = bytes.chunks_exact(8).map(word);
        words[6 + WORDS..].iter_mut().zip(told).for_each(|(place, word)| *place = word);
        words[RECORD - 1] = sum(seed, &words[..RECORD - 1]);
        words
    }

    fn decode(seed: u64, words: &[u64]) -> Option<Record> {
        let whole = sum(seed, &words[..RECORD - 1]) == words[RECORD - 1];
        let mut own = [0; WORDS];
        own.copy_from_slice(&words[6..6 + WORDS]);
        let mut told = [0; Receipt::MOST];
        let places = told.chunks_exact_mut(8).zip(&words[6 + WORDS..]);
        places.for_each(|(place, word)| place.copy_from_slice(&word.to_le_bytes()));
        let told = &told[..(words[5] as usize).min(Receipt::MOST)];
        whole.then(|| Record {
            sequence: words[0],
            since: words[1],
            entries: words[2],
            words: own,
            receipt: Receipt::new(words[3], words[4], told),
        })
    }
}

fn word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
}

/// What is in a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The page.
    pub page: u64,
    /// The commit that it came with.
    pub sequence: u64,
    /// Whether it is data of files, which no journal needs.
    pub data: bool,
    /// The sum of what is in it.
    pub content: u64,
}

impl Entry {
    fn encode(&self) -> [u64; ENTRY] {
        [self.page, self.sequence << 1 | u64::from(self.data), self.content, 0]
    }

    fn decode(words: &[u64]) -> Entry {
        let (page, content) = (words[0], words[2]);
        Entry { page, sequence: words[1] >> 1, data: words[1] & 1 != 0, content }
    }
}
