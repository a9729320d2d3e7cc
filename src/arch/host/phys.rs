//! Simulated RAM: one allocation of the test program. What lies outside it is no memory, and
//! touching that is a bug of the kernel: a panic.

use crate::layout::ARENA_SIZE;
use crate::units::{Frame, PAGE_SIZE, PhysAddr};
use core::ops::Range;
use core::ptr::NonNull;
use std::alloc::{Layout, alloc, alloc_zeroed, dealloc, handle_alloc_error};

/// Physical memory.
#[derive(Debug)]
pub struct PhysMem {
    ram: Range<Frame>,
    bytes: NonNull<u8>,
}

// SAFETY: the allocation is this value's alone, whichever thread has it.
unsafe impl Send for PhysMem {}

impl PhysMem {
    /// A machine with this RAM, all zeroes.
    pub fn simulate(ram: Range<Frame>) -> PhysMem {
        let layout = PhysMem::layout(&ram);
        // SAFETY: the layout's size is not zero: `layout` refuses an empty range.
        let bytes = unsafe { alloc_zeroed(layout) };
        let bytes = NonNull::new(bytes).unwrap_or_else(|| handle_alloc_error(layout));
        PhysMem { ram, bytes }
    }

    /// The memory of a machine that is booted: there is none, machines are simulated in parts.
    pub fn claim() -> Option<PhysMem> {
        None
    }

    /// One entry of a table.
    ///
    /// # Safety
    /// The table is a frame of RAM that is mapped, and nobody has a `&mut` to it.
    pub unsafe fn read(&self, table: Frame, index: usize) -> u64 {
        // SAFETY: `entry` points to an aligned word of the allocation.
        unsafe { self.entry(table, index).read() }
    }

    /// Sets one entry of a table.
    ///
    /// # Safety
    /// The table is a frame of RAM that is mapped, and the caller's to change.
    pub unsafe fn write(&mut self, table: Frame, index: usize, bits: u64) {
        // SAFETY: `entry` points to an aligned word of the allocation.
        unsafe { self.entry(table, index).write(bits) }
    }

    /// Clears a frame.
    ///
    /// # Safety
    /// The frame is RAM that is mapped, and the caller's to change.
    pub unsafe fn zero(&mut self, frame: Frame) {
        let bytes = self.pointer(frame.start());
        // SAFETY: a frame that begins in RAM lies in it: RAM is counted in whole frames.
        unsafe { bytes.write_bytes(0, PAGE_SIZE as usize) }
    }

    /// Where the kernel reaches a byte of RAM.
    pub fn pointer(&self, at: PhysAddr) -> NonNull<u8> {
        assert!(self.ram.contains(&at.frame()), "no RAM at {at:?}");
        let offset = (at.0 - self.ram.start.start().0) as usize;
        // SAFETY: the address lies in RAM, so the offset lies in the allocation.
        unsafe { self.bytes.add(offset) }
    }

    fn entry(&self, table: Frame, index: usize) -> NonNull<u64> {
        assert!(index < 512, "a table has no entry {index}");
        self.pointer(PhysAddr(table.start().0 + 8 * index as u64)).cast()
    }

    fn layout(ram: &Range<Frame>) -> Layout {
        assert!(ram.start < ram.end, "a machine needs RAM");
        let size = (ram.end.0 - ram.start.0) * PAGE_SIZE;
        Layout::from_size_align(size as usize, PAGE_SIZE as usize).expect("RAM fits the host")
    }
}

impl Drop for PhysMem {
    fn drop(&mut self) {
        // SAFETY: allocated in `simulate` with the same layout.
        unsafe { dealloc(self.bytes.as_ptr(), PhysMem::layout(&self.ram)) }
    }
}

/// Where the objects of a window of addresses are: in one allocation of the test program.
pub struct Objects(NonNull<u8>);

impl Objects {
    /// Bytes there is room for: few, so that tests get to where it is used up.
    pub const ROOM: u64 = 256 << 10;

    /// Those of another window.
    pub fn window() -> Objects {
        // SAFETY: the layout's size is not zero.
        let start = NonNull::new(unsafe { alloc(Objects::layout()) });
        Objects(start.unwrap_or_else(|| handle_alloc_error(Objects::layout())))
    }

    /// The byte at an address of which this is the lower half.
    pub fn at(&self, place: u32) -> *mut u8 {
        self.0.as_ptr().wrapping_add(place as usize % ARENA_SIZE as usize)
    }

    fn layout() -> Layout {
        Layout::from_size_align(Objects::ROOM as usize, PAGE_SIZE as usize).expect("it fits")
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        // SAFETY: allocated in `window` with the same layout.
        unsafe { dealloc(self.0.as_ptr(), Objects::layout()) }
    }
}
