//! What several tests need: how often a law is tried, and a machine with a frame allocator.

use ochre::arch::{self, Handoff, PhysMem};
use ochre::boot::{BootInfo, CpuInfo, CpuStart, Options, regions};
use ochre::clock::Clock;
use ochre::kernel::{Kernel, Next};
use ochre::mm::page_table::MapError;
use ochre::mm::{FrameSource, Frames};
use ochre::start;
use ochre::units::{CpuId, Frame, PAGE_SIZE, PhysAddr};
use proptest::prelude::ProptestConfig;
use std::collections::BTreeSet;
use std::ops::Range;

/// So many random cases of a law; one of them under Miri, which takes its time, and which has
/// no files to keep failing cases in.
pub fn cases(count: u32) -> ProptestConfig {
    if cfg!(miri) {
        return ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1) };
    }
    ProptestConfig::with_cases(count)
}

/// Where the RAM of `machine` is.
pub const RAM: u64 = 0x4000_0000;
pub const MIB: u64 = 1 << 20;

/// A machine that was just switched on, with this much RAM and so many CPUs, booted as far as a value
/// can be. Its counter counts nanoseconds.
pub fn machine(bytes: u64, cpus: usize) -> Result<Kernel, MapError> {
    arch::reset();
    let mut info = BootInfo::new("a test");
    info.memory.push(PhysAddr(RAM)..PhysAddr(RAM + bytes));
    for id in 0..cpus as u64 {
        info.cpus.push(CpuInfo { hardware_id: id, start: CpuStart::Boot });
    }
    let handoff = Handoff { info, entry_time: 0 };
    let mut info = handoff.info.clone();
    let image = arch::image(&handoff);
    regions::reserve(&mut info.reserved, image.physical(&image.all));
    regions::order_reserved(&mut info.reserved);
    let memory = PhysMem::simulate(Frame(RAM / PAGE_SIZE)..Frame((RAM + bytes) / PAGE_SIZE));
    let (mut kernel, _) = start::build(&handoff, &info, image, Options::default(), memory)?;
    kernel.clock = Clock::new(1_000_000_000);
    kernel.cpus.iter_mut().take(cpus).for_each(|cpu| cpu.online = true);
    // All of them begin by finding that they have nothing to do.
    for cpu in (0..cpus as u8).rev().map(CpuId) {
        arch::cpu::set_current(cpu);
        assert_eq!(kernel.pick(cpu), Next::Idle);
    }
    Ok(kernel)
}

/// An allocator of frames together with the memory it keeps its books in.
pub struct Books {
    pub frames: Frames,
    _memory: PhysMem,
}

/// An allocator that knows of no RAM yet.
pub fn books(span: Range<u64>) -> Books {
    let span = Frame(span.start)..Frame(span.end);
    let pages = Frames::metadata_size(&span).div_ceil(4096) as u64;
    let memory = PhysMem::simulate(Frame(0)..Frame(pages));
    // SAFETY: so many pages of memory that live as long as the allocator, in one struct with it.
    let frames = unsafe { Frames::new(span, memory.pointer(Frame(0).start())) };
    Books { frames, _memory: memory }
}

/// Gives out a fixed number of frames, and knows which are out.
pub struct Pool {
    free: Vec<Frame>,
    out: BTreeSet<Frame>,
}

impl Pool {
    pub fn new(frames: Range<u64>) -> Pool {
        Pool { free: frames.map(Frame).collect(), out: BTreeSet::new() }
    }

    pub fn out(&self) -> usize {
        self.out.len()
    }

    /// Keeps all but `left` frames back, and tells which.
    pub fn hold_back(&mut self, left: usize) -> Vec<Frame> {
        self.free.split_off(left.min(self.free.len()))
    }

    pub fn put_back(&mut self, frames: Vec<Frame>) {
        self.free.extend(frames);
    }
}

// SAFETY: gives each of its frames once, of RAM that the test simulates.
unsafe impl FrameSource for Pool {
    fn take(&mut self) -> Option<Frame> {
        let frame = self.free.pop()?;
        assert!(self.out.insert(frame));
        Some(frame)
    }

    fn give(&mut self, frame: Frame) {
        assert!(self.out.remove(&frame), "{frame:?} was given back, and is not out");
        self.free.push(frame);
    }
}
