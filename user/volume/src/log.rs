//! A journal in a stretch of the disk that nothing else uses: a page that says what is stored, and
//! the pages. It counts if its sum is right, so that one flush stores it.

use crate::kept::sum;
use crate::{Disk, Home, Journal, PAGE, Page, Result};
use alloc::vec::Vec;
use core::ops::Range;

const MAGIC: u64 = 0x4c4e_4a2d_4552_4843; // "CHRE-JNL"
/// Words of the first page before the numbers: the magic, how many, the sum.
const HEAD: usize = 3;
/// Pages that it can name.
const MOST: usize = PAGE / 8 - HEAD;

/// Such a stretch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Log {
    first: u64,
    pages: u64,
}

impl Log {
    /// Pages that a stretch has at most.
    pub const MOST: u64 = 1 + MOST as u64;

    /// That of these pages, which are at least two.
    pub fn new(first: u64, pages: u64) -> Log {
        Log { first, pages: pages.clamp(2, Log::MOST) }
    }

    /// How many pages it can store.
    pub fn pages(&self) -> usize {
        self.pages as usize - 1
    }

    /// Brings home what is stored, if that is whole: how many pages.
    pub fn replay(&self, disk: &mut impl Disk, scratch: Range<usize>) -> Result<usize> {
        let Some(stored) = self.stored(disk, scratch.clone())? else { return Ok(0) };
        let mut at = self.first + 1;
        for part in stored.chunks(scratch.len()) {
            disk.read(at, scratch.start, part.len())?;
            for (nth, &page) in part.iter().enumerate() {
                disk.write(page, scratch.start + nth, 1)?;
            }
            at += part.len() as u64;
        }
        disk.flush()?;
        self.empty(disk, scratch)?;
        disk.flush()?;
        Ok(stored.len())
    }

    /// The pages that are stored, if all of them are.
    fn stored(&self, disk: &mut impl Disk, scratch: Range<usize>) -> Result<Option<Vec<u64>>> {
        disk.read(self.first, scratch.start, 1)?;
        let (own, end) = (self.first..self.first + self.pages, disk.sectors().div_ceil(8));
        let head = &disk.cache()[scratch.start];
        let (magic, count, told) = (head[0], head[1], head[2]);
        if magic != MAGIC || count == 0 || count >= self.pages {
            return Ok(None);
        }
        let pages = head[HEAD..HEAD + count as usize].to_vec();
        if pages.iter().any(|page| own.contains(page) || *page >= end) {
            return Ok(None);
        }
        let mut total = self.seed(&pages);
        for (nth, part) in pages.chunks(scratch.len()).enumerate() {
            let from = self.first + 1 + (nth * scratch.len()) as u64;
            disk.read(from, scratch.start, part.len())?;
            let read = &disk.cache()[scratch.start..][..part.len()];
            total = read.iter().fold(total, |total, page| sum(total, page));
        }
        Ok((total == told).then_some(pages))
    }

    /// Where sums begin, for these pages here.
    fn seed(&self, pages: &[u64]) -> u64 {
        sum(MAGIC ^ self.first, pages)
    }

    fn empty(&self, disk: &mut impl Disk, scratch: Range<usize>) -> Result<()> {
        disk.cache()[scratch.start].fill(0);
        disk.write(self.first, scratch.start, 1)
    }
}

impl<D: Disk> Journal<D> for Log {
    fn room(&self) -> usize {
        self.pages()
    }

    fn store(&mut self, disk: &mut D, scratch: Range<usize>, pages: &[Home]) -> Result<()> {
        let mut head: Page = [0; PAGE / 8];
        let numbers: Vec<_> = pages.iter().map(|home| home.page).collect();
        let mut total = self.seed(&numbers);
        let mut at = self.first + 1;
        for part in pages.chunks(scratch.len()) {
            for (nth, home) in part.iter().enumerate() {
                let cache = disk.cache();
                cache.copy_within(home.at..home.at + 1, scratch.start + nth);
                total = sum(total, &cache[home.at]);
            }
            disk.write(at, scratch.start, part.len())?;
            at += part.len() as u64;
        }
        head[..HEAD].copy_from_slice(&[MAGIC, pages.len() as u64, total]);
        head[HEAD..HEAD + numbers.len()].copy_from_slice(&numbers);
        disk.cache()[scratch.start] = head;
        disk.write(self.first, scratch.start, 1)?;
        disk.flush()
    }

    fn clear(&mut self, disk: &mut D, scratch: Range<usize>) -> Result<()> {
        self.empty(disk, scratch)
    }
}
