//! Every frame of RAM, free or in use. A bitmap in chunks of 512 frames, each with a summary of its
//! words; the chunks that have free frames are in a ring. Taking one frame, giving it back and
//! counting cost the same whatever the RAM and however full it is.
//!
//! A single frame comes from the first chunk of the ring: one that is partly free, so that whole
//! chunks are left for large pages. A chunk enters at the front with its first free frame: the
//! fullest are filled up first, and those further back have time to become whole. What has become
//! whole goes to the end, where large pages are taken.
//!
//! Invariant: in the ring are the chunks that have free frames, the partly free ones first; the
//! totals are the sums.
//!
//! The bookkeeping, 160 bytes per 2 MiB of the span, and 1 KiB for the owners of shared frames, lies in
//! memory the caller sets aside. Setting it up and releasing RAM to it costs the same for each chunk.

use super::FrameSource;
use super::chunk::{Chunk, FRAMES};
use super::owners::Owners;
use super::ring::Ring;
use crate::layout::PHYS_MAP_SIZE;
use crate::units::{Frame, PAGE_SIZE};
use core::ops::Range;
use core::ptr::NonNull;

/// Frames from the first to the last that one allocator can keep.
pub const MAX_SPAN: u64 = PHYS_MAP_SIZE / PAGE_SIZE;

/// Partly free chunks that are searched for a run before a whole one is broken.
const TRIES: usize = 16;

/// The physical frame allocator.
#[derive(Debug)]
pub struct Frames {
    /// As many chunks as the span has, side by side; the ring's own chunk lies before them.
    chunks: NonNull<Chunk>,
    count: usize,
    ring: Ring,
    /// First frame of the first chunk.
    base: u64,
    stats: Stats,
    /// Who else has a frame.
    pub(super) owners: Owners,
}

// SAFETY: the chunks belong to the allocator alone, whichever CPU it is used on.
unsafe impl Send for Frames {}

/// How many frames there are, and what they do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stats {
    /// The allocator's: what was released.
    pub total: usize,
    /// For anyone to take.
    pub free: usize,
}

/// Some of the frames are not in use, and so cannot be freed. All of them are as they were.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refused;

impl Frames {
    /// Bytes of bookkeeping that `new` needs for RAM within `span`.
    pub const fn metadata_size(span: &Range<Frame>) -> usize {
        (1 + chunks_of(span)) * size_of::<Chunk>() + chunks_of(span) * FRAMES * size_of::<u16>()
    }

    /// Keeps the frames within `span`, of which none is known to be RAM yet. What of it exceeds
    /// `MAX_SPAN` is never RAM.
    ///
    /// # Safety
    /// `metadata` has `metadata_size(span)` bytes, aligned to 8, that are nobody else's for as long
    /// as the allocator exists.
    pub unsafe fn new(span: Range<Frame>, metadata: NonNull<u8>) -> Frames {
        let head = metadata.cast::<Chunk>();
        let base = first_chunk(&span) * FRAMES as u64;
        let count = chunks_of(&span);
        // SAFETY: the first of the chunks that the caller has room for.
        unsafe { head.write(Chunk::new(Frame(base))) };
        for index in 0..count {
            let first = Frame(base + (index * FRAMES) as u64);
            // SAFETY: the ones that follow.
            unsafe { head.add(1 + index).write(Chunk::new(first)) };
        }
        // SAFETY: written, valid as long as the allocator, and only ever borrowed within a method
        // of it, by `chunk`, between two uses of the ring.
        let (chunks, ring) = unsafe { (head.add(1), Ring::new(head)) };
        // SAFETY: after the chunks the caller has room for these.
        let owners = unsafe { Owners::new(chunks.add(count).cast(), base, count * FRAMES) };
        Frames { chunks, count, ring, base, stats: Stats::default(), owners }
    }

    /// One of a frame's owners gives it up; the last frees it, and then this is true.
    #[inline(always)]
    pub(super) fn give_up(&mut self, frame: Frame) -> bool {
        let last = !self.owners.remove(frame);
        if last {
            self.give(frame);
        }
        last
    }

    /// Takes one frame.
    pub fn alloc(&mut self) -> Option<Frame> {
        let at = self.ring.first()?;
        let chunk = self.chunk(at);
        let frame = chunk.take_one();
        if chunk.count() == 0 {
            self.ring.remove(at);
        }
        self.stats.free -= 1;
        Some(frame)
    }

    /// Takes back one frame.
    pub fn free(&mut self, frame: Frame) -> Result<(), Refused> {
        let place = frame.0.wrapping_sub(self.base) as usize;
        let at = self.at(place / FRAMES).ok_or(Refused)?;
        let chunk = self.chunk(at);
        chunk.put(place % FRAMES)?;
        match chunk.count() {
            1 => self.ring.push_first(at),
            FRAMES => {
                self.ring.remove(at);
                self.ring.push_last(at);
            }
            _ => {}
        }
        self.stats.free += 1;
        Ok(())
    }

    /// Takes up to 512 frames side by side, the first of them a multiple of `align`, a power of two up to
    /// 512. Constant: looks at some partly free chunks, then breaks a whole one. Where neither has room
    /// there may still be some elsewhere.
    pub fn alloc_run(&mut self, count: usize, align: usize) -> Option<Frame> {
        if !(1..=FRAMES).contains(&count) || align > FRAMES || !align.is_power_of_two() {
            return None;
        }
        let find = |at| self.borrow(at).find(count, align).map(|place| (at, place));
        let (at, place) = self.ring.iter().take(TRIES).chain(self.ring.last()).find_map(find)?;
        self.change(at, |chunk| chunk.take(place..place + count));
        Some(Frame(self.borrow(at).first.0 + place as u64))
    }

    /// Takes back frames side by side that `alloc_run` gave, or none of them.
    pub fn free_run(&mut self, start: Frame, count: usize) -> Result<(), Refused> {
        let place = start.0.wrapping_sub(self.base) as usize;
        let at = self.at(place / FRAMES).ok_or(Refused)?;
        let first = place % FRAMES;
        if !(1..=FRAMES - first).contains(&count) {
            return Err(Refused);
        }
        self.change(at, |chunk| chunk.put_all(first..first + count))
    }

    /// Makes these frames the allocator's, free to be taken. Those it has already stay as they are.
    pub fn release(&mut self, range: Range<Frame>) {
        let mut start = range.start.0.saturating_sub(self.base) as usize;
        let end = range.end.0.saturating_sub(self.base) as usize;
        while start < end
            && let Some(at) = self.at(start / FRAMES)
        {
            let first = start % FRAMES;
            let upto = FRAMES.min(first + (end - start));
            self.stats.total += self.change(at, |chunk| chunk.release(first..upto));
            start += upto - first;
        }
    }

    /// How many frames there are, and what they do.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// Changes a chunk, and puts it where its count then says.
    fn change<R>(&mut self, at: NonNull<Chunk>, change: impl FnOnce(&mut Chunk) -> R) -> R {
        let chunk = self.chunk(at);
        let before = chunk.count();
        let result = change(chunk);
        let after = chunk.count();
        self.stats.free = self.stats.free - before + after;
        if before > 0 {
            self.ring.remove(at);
        }
        match after {
            0 => {}
            FRAMES => self.ring.push_last(at),
            _ => self.ring.push_first(at),
        }
        result
    }

    fn at(&self, index: usize) -> Option<NonNull<Chunk>> {
        // SAFETY: `new` wrote so many chunks.
        (index < self.count).then(|| unsafe { self.chunks.add(index) })
    }

    fn chunk(&mut self, mut at: NonNull<Chunk>) -> &mut Chunk {
        // SAFETY: from `at` or the ring: a chunk that `new` wrote; borrowed together with `self`.
        unsafe { at.as_mut() }
    }

    fn borrow(&self, at: NonNull<Chunk>) -> &Chunk {
        // SAFETY: as in `chunk`.
        unsafe { at.as_ref() }
    }
}

// SAFETY: gives what was released to it, each frame once until it is freed.
unsafe impl FrameSource for Frames {
    fn take(&mut self) -> Option<Frame> {
        self.alloc()
    }

    fn give(&mut self, frame: Frame) {
        if let Err(reason) = self.free(frame) {
            crate::error!("frame {:#x} cannot be freed: {reason:?}", frame.0);
        }
    }
}

const fn first_chunk(span: &Range<Frame>) -> u64 {
    span.start.0 / FRAMES as u64
}

const fn chunks_of(span: &Range<Frame>) -> usize {
    let first = first_chunk(span);
    let end = span.end.0.div_ceil(FRAMES as u64);
    let most = MAX_SPAN / FRAMES as u64;
    let count = end.saturating_sub(first);
    (if count < most { count } else { most }) as usize
}
