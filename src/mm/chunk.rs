//! The state of 512 frames, as many as a large page has. Two bits for each: whether it is the
//! allocator's at all, and whether it is free; a summary of the words that have free frames; and
//! their number, which says where in the ring the chunk is.
//!
//! Invariant: what is free is owned; bit `n` of `summary` is set where `free[n]` is not zero;
//! `count` is the number of bits set in `free`.

use super::frames::Refused;
use super::ring::Links;
use crate::units::Frame;
use core::ops::Range;

/// Frames in a chunk.
pub(super) const FRAMES: usize = 512;
const WORDS: usize = FRAMES / 64;

/// 512 frames.
#[repr(C)]
#[derive(Debug)]
pub(super) struct Chunk {
    // In this order no two fields that are zero at first lie side by side: compilers make a few
    // stores of each bitmap, but a call of `memset` of both together.
    free: [u64; WORDS],
    pub links: Links,
    owned: [u64; WORDS],
    pub first: Frame,
    count: u16,
    summary: u8,
}

// 80 KiB of bookkeeping for each GiB of RAM.
const _: () = assert!(size_of::<Chunk>() == 160);

impl Chunk {
    /// Frames that are not the allocator's, from `first` on.
    pub const fn new(first: Frame) -> Chunk {
        Chunk {
            free: [0; WORDS],
            links: Links::NONE,
            owned: [0; WORDS],
            first,
            count: 0,
            summary: 0,
        }
    }

    /// Free frames.
    pub fn count(&self) -> usize {
        self.count as usize
    }

    /// Takes the first free frame of a chunk that has one.
    pub fn take_one(&mut self) -> Frame {
        debug_assert!(self.count > 0);
        // No word or bit is past the last: setting that one spares the CPU the question.
        let word = (self.summary | 1 << (WORDS - 1)).trailing_zeros() as usize;
        let bits = self.free[word];
        let bit = (bits | 1 << 63).trailing_zeros() as usize;
        let rest = bits & bits.wrapping_sub(1);
        self.free[word] = rest;
        if rest == 0 {
            self.summary &= self.summary.wrapping_sub(1);
        }
        self.count -= 1;
        Frame(self.first.0 + (word * 64 + bit) as u64)
    }

    /// Puts back one frame, if it is in use.
    pub fn put(&mut self, place: usize) -> Result<(), Refused> {
        let (word, bit) = (place / 64 % WORDS, 1 << (place % 64));
        if self.owned[word] & !self.free[word] & bit == 0 {
            return Err(Refused);
        }
        self.free[word] |= bit;
        self.summary |= 1 << word;
        self.count += 1;
        Ok(())
    }

    /// The first of `count` free frames side by side, at a multiple of `align`, a power of two.
    pub fn find(&self, count: usize, align: usize) -> Option<usize> {
        let mut at = 0;
        while self.count() >= count {
            let start = self.skip(at, 0).next_multiple_of(align);
            let end = start + count;
            if end > FRAMES {
                break;
            }
            at = self.skip(start, u64::MAX);
            if at >= end {
                return Some(start);
            }
        }
        None
    }

    /// Where frames end to be all in use (`kind` 0) or all free (all ones), from a place on.
    fn skip(&self, mut at: usize, kind: u64) -> usize {
        while at < FRAMES {
            let others = (self.free[at / 64] ^ kind) >> (at % 64);
            if others != 0 {
                return at + others.trailing_zeros() as usize;
            }
            at = (at / 64 + 1) * 64;
        }
        FRAMES
    }

    /// Takes frames that are free.
    pub fn take(&mut self, places: Range<usize>) {
        masks(places).for_each(|(word, mask)| self.free[word] &= !mask);
        self.recount();
    }

    /// Puts back frames, if all of them are in use.
    pub fn put_all(&mut self, places: Range<usize>) -> Result<(), Refused> {
        let used = |(word, mask): (usize, u64)| self.owned[word] & !self.free[word] & mask == mask;
        if !masks(places.clone()).all(used) {
            return Err(Refused);
        }
        masks(places).for_each(|(word, mask)| self.free[word] |= mask);
        self.recount();
        Ok(())
    }

    /// Makes frames the allocator's, and free; tells how many were not its own before.
    pub fn release(&mut self, places: Range<usize>) -> usize {
        if places.len() == FRAMES && self.fill() {
            return FRAMES;
        }
        let mut fresh = 0;
        for (word, mask) in masks(places) {
            let new = mask & !self.owned[word];
            fresh += new.count_ones() as usize;
            self.owned[word] |= new;
            self.free[word] |= new;
        }
        self.recount();
        fresh
    }

    /// The same for all of them, if none is its own yet: at once, for there are many at boot.
    fn fill(&mut self) -> bool {
        // Spelt out: of a loop, and of a comparison of arrays, compilers make several times as much.
        let [a, b, c, d, e, f, g, h] = self.owned;
        let fresh = (a | b | c | d) | (e | f | g | h) == 0;
        if fresh {
            (self.free, self.owned) = ([u64::MAX; WORDS], [u64::MAX; WORDS]);
            (self.count, self.summary) = (FRAMES as u16, u8::MAX);
        }
        fresh
    }

    fn recount(&mut self) {
        (self.count, self.summary) = (0, 0);
        for (word, bits) in self.free.iter().enumerate() {
            self.count += bits.count_ones() as u16;
            self.summary |= u8::from(*bits != 0) << word;
        }
    }
}

/// The words that places lie in, and which bits of them they are.
fn masks(places: Range<usize>) -> impl Iterator<Item = (usize, u64)> {
    let words = places.start / 64..places.end.div_ceil(64).min(WORDS);
    words.map(move |word| {
        let first = places.start.saturating_sub(word * 64);
        let unused = (word * 64 + 64).saturating_sub(places.end);
        (word, u64::MAX << first & u64::MAX >> unused)
    })
}
