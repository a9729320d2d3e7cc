//! Frames before there is an allocator: for the first page tables, and for the allocator's own
//! bookkeeping. Takes them for good, one after the other, from RAM that nobody has reserved, within a
//! window that can be reached already. The allocator never knows of what was taken here.

use super::{FrameSource, Frames};
use crate::arch::PhysMem;
use crate::boot::{MAX_REGIONS, PhysRange, regions};
use crate::units::{Frame, PAGE_SIZE, frames_inside};
use arrayvec::ArrayVec;
use core::ops::Range;

/// Banks, with as many reservations each of which makes two of one, and the window's beginning.
const MAX_PIECES: usize = 2 * MAX_REGIONS + 1;

/// Takes frames from RAM, each only once.
#[derive(Debug)]
pub struct EarlyFrames {
    /// What is left, in ascending order. The window begins where one of them does.
    pieces: ArrayVec<Range<Frame>, MAX_PIECES>,
    window: Range<Frame>,
}

impl EarlyFrames {
    /// Takes from `memory` what is not `reserved` and lies within `window`. The lists are in order.
    pub fn new(memory: &[PhysRange], reserved: &[PhysRange], window: &PhysRange) -> EarlyFrames {
        let window = frames_inside(window);
        let split = |piece: PhysRange| {
            let piece = frames_inside(&piece);
            let at = window.start.clamp(piece.start, piece.end);
            [piece.start..at, at..piece.end].into_iter().filter(|part| !part.is_empty())
        };
        let pieces = regions::free(memory, reserved).flat_map(split).collect();
        EarlyFrames { pieces, window }
    }

    /// All of RAM can be reached now.
    pub fn open_window(&mut self) {
        self.window = Frame(0)..Frame(u64::MAX);
    }

    /// Takes `count` frames side by side.
    pub fn take_run(&mut self, count: u64) -> Option<Frame> {
        let Range { start, end } = self.window;
        let fits = |piece: &&mut Range<Frame>| {
            let upto = piece.start.0.checked_add(count);
            piece.start >= start && upto.is_some_and(|upto| upto <= piece.end.min(end).0)
        };
        let piece = self.pieces.iter_mut().find(fits)?;
        let first = piece.start;
        piece.start.0 += count;
        Some(first)
    }

    /// Hands over to the allocator what is left. `None` if its bookkeeping finds no room.
    ///
    /// The window has to be open, since the bookkeeping can lie anywhere. It follows the span of RAM: a
    /// piece so far from the others that an eighth of RAM would go for it is left alone.
    pub fn into_frames(mut self, physical: &PhysMem) -> Option<Frames> {
        let total: u64 = self.pieces.iter().map(|piece| piece.end.0 - piece.start.0).sum();
        let affordable = total * PAGE_SIZE / 8;
        let span = self.pieces.iter().cloned().reduce(|span, piece| {
            let both = span.start.min(piece.start)..span.end.max(piece.end);
            if Frames::metadata_size(&both) as u64 <= affordable { both } else { span }
        })?;
        let size = Frames::metadata_size(&span) as u64;
        let metadata = self.take_run(size.div_ceil(PAGE_SIZE))?;
        let metadata = physical.pointer(metadata.start());
        // SAFETY: these frames are RAM, large enough, and were just taken for this and for good.
        let mut frames = unsafe { Frames::new(span, metadata) };
        self.pieces.into_iter().for_each(|piece| frames.release(piece));
        Some(frames)
    }
}

// SAFETY: gives RAM that nobody has reserved and that the window maps, each frame once.
unsafe impl FrameSource for EarlyFrames {
    fn take(&mut self) -> Option<Frame> {
        self.take_run(1)
    }

    /// What is not the frame before a piece stays taken.
    fn give(&mut self, frame: Frame) {
        let after = Frame(frame.0 + 1);
        if let Some(piece) = self.pieces.iter_mut().find(|piece| piece.start == after) {
            piece.start = frame;
        }
    }
}
