//! Searches the bitmaps for frames that lie side by side. Frames are numbered here from the first
//! chunk's first frame.

use super::chunk::{Chunk, FRAMES};
use core::ops::Range;

/// What is looked for.
#[derive(Clone, Copy)]
pub(super) struct Run {
    /// This many frames.
    pub count: usize,
    /// The first of them a multiple of this, counted from physical address 0.
    pub align: usize,
    /// Where physical address 0 is, seen from the first chunk: this many frames before.
    pub base: usize,
}

/// The first such run of free frames within `place`.
///
/// Costs a few instructions for each chunk that is all free or all in use, for each word of the
/// others, and for each gap in them that is too small.
pub(super) fn find(chunks: &[Chunk], place: Range<usize>, run: Run) -> Option<usize> {
    let mut at = place.start;
    loop {
        let start = (run.base + skip(chunks, at..place.end, 0)).next_multiple_of(run.align);
        let start = start - run.base;
        let end = start + run.count;
        if end > place.end {
            return None;
        }
        at = skip(chunks, start..end, u64::MAX);
        if at == end {
            return Some(start);
        }
    }
}

/// Where frames end to be all of one kind: in use (`kind` 0) or free (all ones).
fn skip(chunks: &[Chunk], place: Range<usize>, kind: u64) -> usize {
    let uniform = if kind == 0 { 0 } else { FRAMES };
    let mut at = place.start;
    while at < place.end {
        let chunk = &chunks[at / FRAMES];
        if at.is_multiple_of(FRAMES) && chunk.count() == uniform {
            at += FRAMES;
            continue;
        }
        let others = (chunk.free_word(at / 64 % 8) ^ kind) >> (at % 64);
        if others != 0 {
            at += others.trailing_zeros() as usize;
            break;
        }
        at = (at / 64 + 1) * 64;
    }
    at.min(place.end)
}
