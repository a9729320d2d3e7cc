//! A disk in memory, for tests: it can lose its power at any write, and its program at any step.

use crate::{Disk, Failure, PAGE, Page, Result, SECTOR, bytes, bytes_mut};
use alloc::vec::Vec;

const S: usize = SECTOR as usize;

/// Numbers that only look random.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Those that follow from a seed.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) | 1)
    }

    /// The next one.
    #[expect(clippy::should_implement_trait, reason = "there is no end, and so no option")]
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16
    }

    /// The next one below a bound.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// Yes, once in so many times.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

/// What the panic says of a program that was killed.
pub const KILLED: &str = "killed by the test";

/// Such a disk, and its cache.
#[derive(Clone, Debug)]
pub struct Fake {
    cache: Vec<Page>,
    image: Vec<u8>,
    /// What was in the sectors that were written since the last flush, before and in between.
    pending: Vec<(usize, [u8; S])>,
    /// Steps until the program is killed.
    pub kill_in: Option<u64>,
    /// Sectors that are written until the power is cut.
    pub cut_in: Option<u64>,
    /// Sectors that cannot be read.
    pub bad: Vec<u64>,
    /// A page that cannot be written.
    pub worn: Option<u64>,
    /// Reads, writes and flushes that were asked for.
    pub counts: [u64; 3],
}

impl Fake {
    /// A disk with this on it, and a cache of so many pages.
    pub fn new(image: Vec<u8>, pages: usize) -> Fake {
        assert!(image.len().is_multiple_of(S));
        Fake {
            cache: alloc::vec![[0; PAGE / 8]; pages],
            image,
            pending: Vec::new(),
            kill_in: None,
            cut_in: None,
            bad: Vec::new(),
            worn: None,
            counts: [0; 3],
        }
    }

    /// What is on it.
    pub fn image(&self) -> &[u8] {
        &self.image
    }

    /// The cache is new.
    pub fn lose_cache(&mut self) {
        self.cache.iter_mut().for_each(|page| page.fill(0));
    }

    /// The power is cut, and comes back: some of the sectors that were written since the last flush are
    /// as they were at some moment before.
    pub fn cut(&mut self, random: &mut Random) {
        while let Some((sector, was)) = self.pending.pop() {
            if random.once_in(2) {
                self.image[sector * S..][..S].copy_from_slice(&was);
                // What was written there before that may be lost as well, or not.
                if random.once_in(2) {
                    self.pending.retain(|(other, _)| *other != sector);
                }
            }
        }
        self.cut_in = None;
        self.lose_cache();
    }

    fn step(&mut self) {
        if let Some(left) = &mut self.kill_in {
            assert!(*left > 0, "{KILLED}");
            *left -= 1;
        }
    }

    fn range(&self, page: u64, count: usize) -> Result<core::ops::Range<usize>> {
        let first = page as usize * PAGE;
        let end = (first + count * PAGE).min(self.image.len());
        if first < end { Ok(first..end) } else { Err(Failure::Broken) }
    }
}

impl Disk for Fake {
    fn cache(&mut self) -> &mut [Page] {
        self.step();
        &mut self.cache
    }

    fn sectors(&self) -> u64 {
        (self.image.len() / S) as u64
    }

    fn read(&mut self, page: u64, at: usize, count: usize) -> Result<()> {
        self.step();
        self.counts[0] += 1;
        let range = self.range(page, count)?;
        let sectors = (range.start / S) as u64..(range.end / S) as u64;
        if self.bad.iter().any(|bad| sectors.contains(bad)) {
            return Err(Failure::Broken);
        }
        let to = bytes_mut(&mut self.cache[at..at + count]);
        to[..range.len()].copy_from_slice(&self.image[range.clone()]);
        to[range.len()..].fill(0);
        Ok(())
    }

    fn write(&mut self, page: u64, at: usize, count: usize) -> Result<()> {
        self.step();
        self.counts[1] += 1;
        let range = self.range(page, count)?;
        if self.worn.is_some_and(|worn| (page..page + count as u64).contains(&worn)) {
            return Err(Failure::Broken);
        }
        let from = bytes(&self.cache[at..at + count]);
        for (nth, sector) in from[..range.len()].chunks(S).enumerate() {
            match &mut self.cut_in {
                Some(0) => return Err(Failure::Broken),
                Some(left) => *left -= 1,
                None => {}
            }
            let number = range.start / S + nth;
            let place = &mut self.image[number * S..][..S];
            let mut was = [0; S];
            was.copy_from_slice(place);
            place.copy_from_slice(sector);
            self.pending.push((number, was));
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        self.step();
        self.counts[2] += 1;
        if self.cut_in == Some(0) {
            return Err(Failure::Broken);
        }
        self.pending.clear();
        Ok(())
    }
}
