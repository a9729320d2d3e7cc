//! How many memories hold each frame besides its first owner: what copy-on-write has to know. Nothing
//! is counted for a frame that has one owner, which is how every frame begins and ends.

use crate::units::Frame;
use core::ptr::NonNull;

/// The counts of a span of frames. A clone is of the same counts, and lives no longer.
#[derive(Clone, Debug)]
pub(super) struct Owners {
    counts: NonNull<u16>,
    base: u64,
    count: usize,
}

impl Owners {
    /// One owner each for `count` frames from `base` on.
    ///
    /// # Safety
    /// `counts` has room for so many, which is nobody else's for as long as this exists.
    pub unsafe fn new(counts: NonNull<u16>, base: u64, count: usize) -> Owners {
        // SAFETY: the caller has room for them.
        unsafe { counts.write_bytes(0, count) };
        Owners { counts, base, count }
    }

    /// How many owners besides one a frame has.
    #[inline(always)]
    pub fn others(&self, frame: Frame) -> u16 {
        // SAFETY: `at` is one of the counts; borrowed together with `self`.
        self.at(frame).map_or(0, |at| unsafe { at.read() })
    }

    /// Whether a frame has more than one owner.
    #[inline(always)]
    pub fn several(&self, frame: Frame) -> bool {
        self.others(frame) != 0
    }

    /// A frame has another owner, if that can be counted.
    #[inline(always)]
    #[must_use]
    pub fn add(&mut self, frame: Frame) -> bool {
        let Some(at) = self.at(frame) else { return false };
        // SAFETY: as in `others`, and borrowed mutably.
        unsafe {
            let more = at.read().checked_add(1);
            more.inspect(|&more| at.write(more)).is_some()
        }
    }

    /// An owner gives a frame up. True if another has it still.
    #[inline(always)]
    #[must_use]
    pub fn remove(&mut self, frame: Frame) -> bool {
        let Some(at) = self.at(frame) else { return false };
        // SAFETY: as in `add`.
        unsafe {
            let less = at.read().checked_sub(1);
            less.inspect(|&less| at.write(less)).is_some()
        }
    }

    #[inline(always)]
    fn at(&self, frame: Frame) -> Option<NonNull<u16>> {
        let place = frame.0.wrapping_sub(self.base) as usize;
        // SAFETY: `new` was given so many.
        (place < self.count).then(|| unsafe { self.counts.add(place) })
    }
}
