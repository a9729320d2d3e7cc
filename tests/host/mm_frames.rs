//! The frame allocator against a model of two sets.

use crate::support::{books, cases};
use ochre::mm::Frames;
use ochre::mm::frames::Refused;
use ochre::units::Frame;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::ops::Range;

const FIRST: u64 = 0x40000 + 100;
const LAST: u64 = FIRST + if cfg!(miri) { 2 } else { 6 } * 512 + 77;
/// Frames there are to begin with.
const START: u64 = if cfg!(miri) { 520 } else { 1800 };

#[derive(Clone, Debug)]
enum Step {
    Alloc(usize),
    /// Frees what has been taken, by number.
    Free(usize),
    /// Frees whatever comes.
    FreeAny(u64),
    Run(usize, u32),
    FreeRun(u64, usize),
    Release(Range<u64>),
}

fn range(longest: u64) -> impl Strategy<Value = Range<u64>> {
    (FIRST - 600..LAST + 600, 0..longest).prop_map(|(start, len)| start..start + len)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1usize..300).prop_map(Step::Alloc),
        6 => any::<usize>().prop_map(Step::Free),
        2 => (FIRST - 600..LAST + 600).prop_map(Step::FreeAny),
        3 => (1usize..520, 0u32..11).prop_map(|(count, order)| Step::Run(count, order)),
        1 => Just(Step::Run(512, 9)),
        2 => (FIRST..LAST, 1usize..20).prop_map(|(start, count)| Step::FreeRun(start, count)),
        2 => range(1500).prop_map(Step::Release),
    ]
}

/// What the allocator ought to do, as slowly as can be.
#[derive(Default)]
struct Model {
    free: BTreeSet<u64>,
    used: BTreeSet<u64>,
}

impl Model {
    fn why_not_free(&self, frame: u64) -> Result<(), Refused> {
        self.used.contains(&frame).then_some(()).ok_or(Refused)
    }

    fn take(&mut self, frame: u64) {
        assert!(self.free.remove(&frame), "{frame} was not free");
        self.used.insert(frame);
    }

    fn put(&mut self, frame: u64) {
        assert!(self.used.remove(&frame));
        self.free.insert(frame);
    }

    /// Whether there is such a run within a chunk.
    fn has_run(&self, count: usize, align: u64) -> bool {
        let mut length = 0;
        let mut before = None;
        // Counts how many free frames end at each place: a run ends where they are enough.
        self.free.iter().any(|&frame| {
            let follows = before == Some(frame.wrapping_sub(1)) && frame % 512 != 0;
            length = if follows { length + 1 } else { 1 };
            before = Some(frame);
            let first = (frame + 1 - length).next_multiple_of(align);
            first + count as u64 <= frame + 1
        })
    }

    fn check(&self, frames: &Frames) {
        let stats = frames.stats();
        assert_eq!(stats.free, self.free.len());
        assert_eq!(stats.used(), self.used.len());
        assert_eq!(stats.total, self.free.len() + self.used.len());
        let large = |chunk: &u64| self.free.range(chunk * 512..(chunk + 1) * 512).count() == 512;
        assert_eq!(stats.free_large, (FIRST / 512..=LAST / 512).filter(large).count());
    }
}

fn play(frames: &mut Frames, model: &mut Model, step: Step) {
    match step {
        Step::Alloc(count) => {
            for _ in 0..count {
                match frames.alloc() {
                    Some(frame) => model.take(frame.0),
                    None => assert!(model.free.is_empty()),
                }
            }
        }
        Step::Free(which) => {
            if let Some(&frame) = model.used.iter().nth(which % model.used.len().max(1)) {
                assert_eq!(frames.free(Frame(frame)), Ok(()));
                model.put(frame);
            }
        }
        Step::FreeAny(frame) => {
            let expected = model.why_not_free(frame);
            assert_eq!(frames.free(Frame(frame)), expected);
            if expected.is_ok() {
                model.put(frame);
            }
        }
        Step::Run(count, order) => match frames.alloc_run(count, 1 << order) {
            Some(start) => {
                assert!(start.0.is_multiple_of(1 << order));
                (start.0..start.0 + count as u64).for_each(|frame| model.take(frame));
            }
            None => assert!(count > 512 || order > 9 || !model.has_run(count, 1 << order)),
        },
        Step::FreeRun(start, count) => {
            let run = start..start + count as u64;
            let together = start % 512 + count as u64 <= 512;
            let all = together && run.clone().all(|frame| model.why_not_free(frame).is_ok());
            assert_eq!(frames.free_run(Frame(start), count).is_ok(), all);
            if all {
                run.for_each(|frame| model.put(frame));
            }
        }
        Step::Release(range) => {
            frames.release(Frame(range.start)..Frame(range.end));
            let known = FIRST / 512 * 512..LAST.next_multiple_of(512);
            let fresh = range.filter(|frame| known.contains(frame) && !model.used.contains(frame));
            model.free.extend(fresh);
        }
    }
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn agrees_with_sets(steps in prop::collection::vec(step(), 1..if cfg!(miri) { 3 } else { 60 })) {
        let mut books = books(FIRST..LAST);
        let mut model = Model::default();
        play(&mut books.frames, &mut model, Step::Release(FIRST..FIRST + START));
        for step in steps {
            play(&mut books.frames, &mut model, step);
            model.check(&books.frames);
        }
    }
}

#[test]
fn gives_every_frame_once_and_takes_it_back() {
    let mut books = books(0..1200);
    books.frames.release(Frame(3)..Frame(1100));
    let taken: BTreeSet<Frame> = std::iter::from_fn(|| books.frames.alloc()).collect();
    assert_eq!(taken, (3..1100).map(Frame).collect());
    assert_eq!(books.frames.stats().free, 0);
    for frame in taken {
        assert_eq!(books.frames.free(frame), Ok(()));
        assert_eq!(books.frames.free(frame), Err(Refused));
    }
    assert_eq!(books.frames.stats().free, 1097);
    assert_eq!(books.frames.stats().free_large, 1);
}

#[test]
fn never_gives_what_was_not_released() {
    let mut books = books(0..1024);
    books.frames.release(Frame(0)..Frame(500));
    books.frames.release(Frame(600)..Frame(1024));
    while let Some(frame) = books.frames.alloc() {
        assert!(!(500..600).contains(&frame.0));
    }
    assert_eq!(books.frames.free(Frame(550)), Err(Refused));
    assert_eq!(books.frames.free_run(Frame(499), 2), Err(Refused));
    assert_eq!(books.frames.alloc(), None);
}

#[test]
fn single_frames_leave_large_pages_whole() {
    let mut books = books(0..4 * 512);
    books.frames.release(Frame(0)..Frame(4 * 512));
    let singles: Vec<Frame> = (0..512).filter_map(|_| books.frames.alloc()).collect();
    assert_eq!(books.frames.stats().free_large, 3);
    for frame in singles.iter().step_by(2) {
        assert_eq!(books.frames.free(*frame), Ok(()));
    }
    assert!((0..256).all(|_| books.frames.alloc().is_some()));
    assert_eq!(books.frames.stats().free_large, 3);
    let large: Vec<Frame> = (0..4).filter_map(|_| books.frames.alloc_run(512, 512)).collect();
    assert_eq!(large.len(), 3);
    assert!(large.iter().all(|frame| frame.0.is_multiple_of(512)));
}

#[test]
fn finds_runs_between_holes() {
    let mut books = books(0..8 * 512);
    books.frames.release(Frame(0)..Frame(700));
    books.frames.release(Frame(1000)..Frame(8 * 512));
    assert_eq!(books.frames.alloc_run(188, 1), Some(Frame(512)));
    assert_eq!(books.frames.alloc_run(24, 8), Some(Frame(1000)));
    assert_eq!(books.frames.alloc_run(512, 512).map(|frame| frame.0 % 512), Some(0));
    assert_eq!(books.frames.alloc_run(513, 1), None);
    assert_eq!(books.frames.alloc_run(1, 3), None);
    assert_eq!(books.frames.alloc_run(0, 1), None);
    assert_eq!(books.frames.free_run(Frame(512), 188), Ok(()));
    assert_eq!(books.frames.free_run(Frame(512), 188), Err(Refused));
}

#[test]
fn absurd_numbers_are_refused() {
    let mut books = books(512..1024);
    books.frames.release(Frame(0)..Frame(u64::MAX));
    assert_eq!(books.frames.stats().total, 512);
    for frame in [0, 511, 1024, 1 << 40, u64::MAX] {
        assert_eq!(books.frames.free(Frame(frame)), Err(Refused));
        assert_eq!(books.frames.free_run(Frame(frame), 1), Err(Refused));
    }
    assert_eq!(books.frames.free_run(Frame(600), usize::MAX), Err(Refused));
    assert_eq!(books.frames.alloc_run(usize::MAX, 1), None);
    assert_eq!(books.frames.alloc_run(1, 1 << 63), None);
    books.frames.release(Frame(5)..Frame(3));
    assert_eq!(books.frames.stats().total, 512);
}
