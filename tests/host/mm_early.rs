//! Frames before there is an allocator.

use crate::support::cases;
use ochre::arch::PhysMem;
use ochre::mm::FrameSource;
use ochre::mm::early::EarlyFrames;
use ochre::mm::frames::Refused;
use ochre::units::{Frame, PAGE_SIZE, PhysAddr};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::ops::Range;

type Bytes = Range<PhysAddr>;

fn bytes(frames: Range<u64>) -> Bytes {
    PhysAddr(frames.start * PAGE_SIZE)..PhysAddr(frames.end * PAGE_SIZE)
}

/// Disjoint ranges in order, from lengths of gaps and of what lies between them.
fn ranges(from: u64, lengths: &[(u64, u64)]) -> Vec<Range<u64>> {
    let mut at = from;
    let range = |&(gap, len): &(u64, u64)| {
        let start = at + gap;
        at = start + len;
        start..at
    };
    lengths.iter().map(range).collect()
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn takes_what_is_free_in_the_window_and_hands_it_over(
        banks in prop::collection::vec((1u64..300, 1u64..900), 1..5),
        reserved in prop::collection::vec((1u64..200, 1u64..100), 0..8),
        window in (0u64..1500, 0u64..600),
        count in 0usize..if cfg!(miri) { 20 } else { 200 },
    ) {
        let banks = ranges(64, &banks);
        let reserved = ranges(0, &reserved);
        let window = window.0..window.0 + window.1;
        let memory: Vec<Bytes> = banks.iter().cloned().map(bytes).collect();
        let kept: Vec<Bytes> = reserved.iter().cloned().map(bytes).collect();
        let free: BTreeSet<u64> = banks.iter().cloned().flatten()
            .filter(|frame| !reserved.iter().any(|range| range.contains(frame))).collect();

        let mut early = EarlyFrames::new(&memory, &kept, &bytes(window.clone()));
        let taken: Vec<Frame> = (0..count).map_while(|_| early.take()).collect();
        let distinct: BTreeSet<u64> = taken.iter().map(|frame| frame.0).collect();
        prop_assert_eq!(distinct.len(), taken.len());
        prop_assert!(distinct.iter().all(|at| free.contains(at) && window.contains(at)));
        let possible = free.iter().filter(|at| window.contains(at)).count();
        prop_assert_eq!(taken.len(), possible.min(count));

        early.open_window();
        let last = banks.last().map_or(1, |bank| bank.end);
        let physical = PhysMem::simulate(Frame(0)..Frame(last));
        if let Some(mut frames) = early.into_frames(&physical) {
            let books = free.len() - taken.len() - frames.stats().free;
            prop_assert!(books > 0 && books < 6);
            prop_assert_eq!(frames.stats().used(), 0);
            while let Some(frame) = frames.alloc() {
                prop_assert!(free.contains(&frame.0) && !distinct.contains(&frame.0));
            }
            for frame in taken {
                prop_assert_eq!(frames.free(frame), Err(Refused));
            }
        }
    }
}

#[test]
fn no_memory_is_an_error() {
    let window = bytes(0..100);
    assert_eq!(EarlyFrames::new(&[], &[], &window).take(), None);
    let memory = [bytes(10..12)];
    let reserved = [bytes(11..12)];
    let mut early = EarlyFrames::new(&memory, &reserved, &window);
    assert_eq!(early.take_run(2), None);
    assert_eq!(early.take_run(u64::MAX), None);
    assert_eq!(early.take(), Some(Frame(10)));
    assert_eq!(early.take(), None);
    let physical = PhysMem::simulate(Frame(10)..Frame(12));
    early.open_window();
    assert!(early.into_frames(&physical).is_none());
}

#[test]
fn what_was_taken_last_can_be_had_again() {
    let memory = [bytes(10..20)];
    let mut early = EarlyFrames::new(&memory, &[], &bytes(0..100));
    let frames = [early.take(), early.take()];
    assert_eq!(frames, [Some(Frame(10)), Some(Frame(11))]);
    early.give(Frame(11));
    assert_eq!(early.take(), Some(Frame(11)));
}
