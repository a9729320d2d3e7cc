//! Frames and page tables on the real machine.

use crate::cpus::{SPARE, change, map, unmap};
use crate::table::Test;
use ochre::arch::{self, Access, Entry};
use ochre::kernel::{self, Kernel};
use ochre::mm::Ram;
use ochre::units::{Frame, VirtAddr};

pub const TESTS: &[Test] = &[
    Test::pass("memory", "frames-run-out-and-return", exhaust),
    Test::pass("memory", "frames-hold-what-is-written", frames_hold),
    Test::pass("memory", "frames-double-free-is-caught", double_free),
    Test::pass("memory", "frames-in-runs", runs),
    Test::pass("memory", "one-frame-at-two-addresses", two_addresses),
    Test::pass("memory", "large-page", large_page),
    Test::pass("memory", "protect", protect),
    Test::pass("stress", "frames-fragmented", fragmented),
];

/// Reads a word of a frame that the test has taken.
fn read(kernel: &Kernel, frame: Frame, index: usize) -> u64 {
    // SAFETY: the allocator gave it to the test.
    unsafe { kernel.vm.ram.memory.read(frame, index) }
}

/// Writes one.
pub fn write(kernel: &mut Kernel, frame: Frame, index: usize, value: u64) {
    // SAFETY: as in `read`.
    unsafe { kernel.vm.ram.memory.write(frame, index, value) }
}

/// Takes every frame, keeping them in a list that is threaded through the frames themselves.
fn take_all(kernel: &mut Kernel) -> (Option<Frame>, usize) {
    let (mut list, mut count) = (None::<Frame>, 0);
    while let Some(frame) = kernel.vm.ram.frames.alloc() {
        write(kernel, frame, 0, list.map_or(0, |next| next.0));
        write(kernel, frame, 1, !frame.0);
        (list, count) = (Some(frame), count + 1);
    }
    (list, count)
}

fn give_all(kernel: &mut Kernel, mut list: Option<Frame>) {
    while let Some(frame) = list {
        assert_eq!(read(kernel, frame, 1), !frame.0, "two owners of {frame:?}");
        let next = read(kernel, frame, 0);
        list = (next != 0).then_some(Frame(next));
        kernel.vm.ram.frames.free(frame).expect("it was taken");
    }
}

fn exhaust() {
    let kernel = &mut *kernel::lock();
    let before = kernel.vm.ram.frames.stats();
    let (list, count) = take_all(kernel);
    assert_eq!(count, before.free);
    assert_eq!(kernel.vm.ram.frames.stats().free, 0);
    assert_eq!(kernel.vm.ram.frames.alloc(), None);
    give_all(kernel, list);
    assert_eq!(kernel.vm.ram.frames.stats(), before);
}

/// No frame that is given out holds the kernel itself, or the page tables that map it: writing all
/// of them full disturbs nothing.
fn frames_hold() {
    let kernel = &mut *kernel::lock();
    let (list, _) = take_all(kernel);
    let mut next = list;
    while let Some(frame) = next {
        (2..512).for_each(|index| write(kernel, frame, index, frame.0 ^ index as u64));
        let link = read(kernel, frame, 0);
        next = (link != 0).then_some(Frame(link));
    }
    let mut next = list;
    while let Some(frame) = next {
        assert!((2..512).all(|index| read(kernel, frame, index) == frame.0 ^ index as u64));
        let link = read(kernel, frame, 0);
        next = (link != 0).then_some(Frame(link));
    }
    give_all(kernel, list);
}

fn double_free() {
    let kernel = &mut *kernel::lock();
    let frame = kernel.vm.ram.frames.alloc().expect("there is memory");
    assert_eq!(kernel.vm.ram.frames.free(frame), Ok(()));
    let before = kernel.vm.ram.frames.stats();
    assert!(kernel.vm.ram.frames.free(frame).is_err());
    assert!(kernel.vm.ram.frames.free(Frame(u64::MAX)).is_err());
    let image = kernel.info.reserved[0].start.frame();
    assert!(kernel.vm.ram.frames.free(image).is_err(), "a reserved frame was taken back");
    assert_eq!(kernel.vm.ram.frames.stats(), before);
}

fn runs() {
    let kernel = &mut *kernel::lock();
    let before = kernel.vm.ram.frames.stats();
    for (count, align) in [(1, 1), (2, 2), (7, 8), (64, 64), (100, 1), (512, 512)] {
        let start = kernel.vm.ram.frames.alloc_run(count, align).expect("a run");
        assert!(start.0.is_multiple_of(align as u64), "{count} frames are not aligned to {align}");
        kernel.vm.ram.frames.free_run(start, count).expect("it was taken");
    }
    assert_eq!(kernel.vm.ram.frames.stats(), before);
}

fn fragmented() {
    let kernel = &mut *kernel::lock();
    let before = kernel.vm.ram.frames.stats();
    let (list, _) = take_all(kernel);
    let (mut kept, mut next) = (None::<Frame>, list);
    while let Some(frame) = next {
        let link = read(kernel, frame, 0);
        next = (link != 0).then_some(Frame(link));
        if frame.0 % 2 == 0 {
            kernel.vm.ram.frames.free(frame).expect("it was taken");
        } else {
            write(kernel, frame, 0, kept.map_or(0, |frame| frame.0));
            kept = Some(frame);
        }
    }
    assert_eq!(kernel.vm.ram.frames.alloc_run(2, 1), None, "every second frame is taken");
    give_all(kernel, kept);
    assert_eq!(kernel.vm.ram.frames.stats(), before);
}

/// One frame at two addresses is one frame.
fn two_addresses() {
    let frame = kernel::lock().vm.ram.frames.alloc().expect("there is memory");
    map(frame);
    write(&mut kernel::lock(), frame, 5, 0xdead_beef);
    assert_eq!(arch::probe::read(VirtAddr(SPARE.0 + 40)), Ok(0xdead_beef));
    unmap();
    assert!(arch::probe::read(SPARE).is_err());
}

fn large_page() {
    let kernel = &mut *kernel::lock();
    let before = kernel.vm.ram.frames.stats();
    let start = kernel.vm.ram.frames.alloc_run(512, 512).expect("a large page");
    (0..512).for_each(|nth| write(kernel, Frame(start.0 + nth), 0, nth));
    let Ram { memory, frames, space, .. } = &mut kernel.vm.ram;
    let phys = start.start()..Frame(start.0 + 512).start();
    let mapped = space.table.map(SPARE, phys, Access::WRITE | Access::GLOBAL, memory, frames);
    mapped.expect("the page is free");
    for nth in 0..512 {
        assert_eq!(arch::probe::read(VirtAddr(SPARE.0 + nth * 4096)), Ok(nth));
    }
    let mapping = space.table.query(VirtAddr(SPARE.0 + 511 * 4096), memory).expect("it is mapped");
    assert_eq!((mapping.start, mapping.bytes), (start.start(), 2 << 20));
    change(kernel, |_| Entry::EMPTY);
    assert!(arch::probe::read(SPARE).is_err());
    kernel.vm.ram.frames.free_run(start, 512).expect("it was taken");
    assert_eq!(kernel.vm.ram.frames.stats(), before);
}

fn protect() {
    let frame = kernel::lock().vm.ram.frames.alloc().expect("there is memory");
    map(frame);
    // SAFETY: the page was just mapped, for this.
    assert_eq!(unsafe { arch::probe::write(SPARE, 1) }, Ok(()));
    change(&mut kernel::lock(), |page| Entry::leaf(page.frame(), 3, Access::GLOBAL));
    // SAFETY: as above.
    assert!(unsafe { arch::probe::write(SPARE, 2) }.is_err(), "a read-only page was written");
    assert_eq!(arch::probe::read(SPARE).map(|word| word as u8), Ok(1));
}
