//! Frames before there is an allocator: for the first page tables, and for the allocator's own
//! bookkeeping. Takes them one after the other from RAM that nobody has reserved, within a window
//! that can be reached already, and keeps a list of what it took for the allocator to know.

use super::{FrameSource, Frames};
use crate::arch::PhysMem;
use crate::boot::PhysRange;
use crate::units::{Frame, PAGE_SIZE, frames_inside, frames_touching};
use arrayvec::ArrayVec;
use core::ops::Range;

/// Separate ranges it can take; what comes side by side counts as one.
const MAX_TAKEN: usize = 16;

/// Takes frames from RAM, each only once.
#[derive(Debug)]
pub struct EarlyFrames<'a> {
    memory: &'a [PhysRange],
    reserved: &'a [PhysRange],
    window: Range<Frame>,
    taken: ArrayVec<Range<Frame>, MAX_TAKEN>,
}

impl<'a> EarlyFrames<'a> {
    /// Takes from `memory` what is not `reserved` and lies within `window`.
    pub fn new(
        memory: &'a [PhysRange],
        reserved: &'a [PhysRange],
        window: &PhysRange,
    ) -> EarlyFrames<'a> {
        EarlyFrames { memory, reserved, window: frames_inside(window), taken: ArrayVec::new() }
    }

    /// All of RAM can be reached now.
    pub fn open_window(&mut self) {
        self.window = Frame(0)..Frame(u64::MAX);
    }

    /// Takes `count` frames side by side.
    pub fn take_run(&mut self, count: u64) -> Option<Frame> {
        let start = self.memory.iter().find_map(|bank| self.find(&frames_inside(bank), count))?;
        let end = Frame(start.0 + count);
        match self.taken.iter_mut().find(|range| range.end == start) {
            Some(range) => range.end = end,
            None => self.taken.try_push(start..end).ok()?,
        }
        Some(start)
    }

    /// Hands over to the allocator: it knows all RAM, gives out nothing that is reserved, and
    /// counts what was taken here as in use. `None` if its bookkeeping finds no room.
    ///
    /// The window has to be open, since the bookkeeping can lie anywhere. It follows the span of RAM: a
    /// bank so far from the others that an eighth of RAM would go for it is left alone.
    pub fn into_frames(mut self, physical: &PhysMem) -> Option<Frames> {
        let banks = self.memory.iter().map(frames_inside);
        let total: u64 = banks.clone().map(|bank| bank.end.0 - bank.start.0).sum();
        let affordable = total * PAGE_SIZE / 8;
        let span = banks.clone().reduce(|span, bank| {
            let both = span.start.min(bank.start)..span.end.max(bank.end);
            if Frames::metadata_size(&both) as u64 <= affordable { both } else { span }
        })?;
        let size = Frames::metadata_size(&span) as u64;
        let metadata = self.take_run(size.div_ceil(PAGE_SIZE))?;
        let metadata = physical.pointer(metadata.start());
        // SAFETY: these frames are RAM, large enough, and were just taken for this and for good.
        let mut frames = unsafe { Frames::new(span, metadata) };
        banks.for_each(|bank| frames.release(bank));
        for range in self.reserved {
            frames.reserve(frames_touching(range)).ok()?;
        }
        for range in self.taken {
            frames.claim(range).ok()?;
        }
        Some(frames)
    }

    /// The first place in a bank where nothing is in the way.
    fn find(&self, bank: &Range<Frame>, count: u64) -> Option<Frame> {
        let end = bank.end.min(self.window.end);
        let mut at = bank.start.max(self.window.start);
        while at.0.checked_add(count)? <= end.0 {
            match self.obstacle(&(at..Frame(at.0 + count))) {
                Some(past) => at = past,
                None => return Some(at),
            }
        }
        None
    }

    /// Where something ends that is in the way.
    fn obstacle(&self, place: &Range<Frame>) -> Option<Frame> {
        let reserved = self.reserved.iter().map(frames_touching);
        let mut all = reserved.chain(self.taken.iter().cloned());
        all.find(|other| place.start < other.end && other.start < place.end).map(|other| other.end)
    }
}

// SAFETY: gives RAM that nobody has reserved and that the window maps, each frame once.
unsafe impl FrameSource for EarlyFrames<'_> {
    fn take(&mut self) -> Option<Frame> {
        self.take_run(1)
    }

    /// Only the frame that was taken last can be had again before there is an allocator; others
    /// count as in use.
    fn give(&mut self, frame: Frame) {
        if let Some(range) = self.taken.last_mut()
            && range.end.0 == frame.0 + 1
            && range.start < frame
        {
            range.end = frame;
        }
    }
}
