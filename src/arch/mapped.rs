//! What real machines have in common: physical memory as the kernel reaches it, all RAM at `PHYS_MAP`
//! plus its address; in the folder the image's parts, probes, and
//! the end.

mod frame;
pub(super) mod image;
pub(super) mod power;
pub(super) mod probe;

use crate::layout::{ARENA_SIZE, PHYS_MAP};
use crate::units::{Frame, PhysAddr};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed, Ordering::Release, fence};

/// The right to read and write physical memory.
#[derive(Debug)]
pub struct PhysMem(());

impl PhysMem {
    /// The one value of its kind, for the first who asks. Of RAM it reaches what the page tables in
    /// use map: `early_window` at first, all of it later.
    pub fn claim() -> Option<PhysMem> {
        static CLAIMED: AtomicBool = AtomicBool::new(false);
        (!CLAIMED.swap(true, Relaxed)).then_some(PhysMem(()))
    }

    /// One entry of a table.
    ///
    /// # Safety
    /// The table is a frame of RAM that is mapped, and nobody has a `&mut` to it; it has 512 entries.
    #[inline(always)]
    pub unsafe fn read(&self, table: Frame, index: usize) -> u64 {
        // SAFETY: the caller says that it is mapped; the entry is aligned and inside.
        unsafe { self.entry(table, index).read_volatile() }
    }

    /// Sets one entry of a table.
    ///
    /// # Safety
    /// The table is a frame of RAM that is mapped, and the caller's to change; it has 512 entries.
    #[inline(always)]
    pub unsafe fn write(&mut self, table: Frame, index: usize, bits: u64) {
        // SAFETY: as in `read`, and the table is the caller's.
        unsafe { self.entry(table, index).write_volatile(bits) }
    }

    /// Clears a frame. Other CPUs' walkers see it clear before they see any later `write` lead to it.
    ///
    /// # Safety
    /// The frame is RAM that is mapped, and the caller's to change.
    pub unsafe fn zero(&mut self, frame: Frame) {
        // SAFETY: the frame is mapped, and the caller's.
        unsafe { super::phys::zero_page(self.pointer(frame.start()).as_ptr()) };
        fence(Release);
    }

    /// Where the kernel reaches a byte of RAM.
    pub fn pointer(&self, at: PhysAddr) -> NonNull<u8> {
        NonNull::new(pointer(at)).expect("the physical map does not begin at zero")
    }

    #[inline(always)]
    fn entry(&self, table: Frame, index: usize) -> *mut u64 {
        debug_assert!(index < 512, "a table has no entry {index}");
        pointer(PhysAddr(table.start().0 + 8 * index as u64)).cast()
    }
}

/// Where the objects of a window of addresses are: where it says.
pub struct Objects;

impl Objects {
    /// Bytes there is room for.
    pub const ROOM: u64 = ARENA_SIZE;

    /// Those of any window.
    pub fn window() -> Objects {
        Objects
    }

    /// The byte at an address of which this is the lower half; the upper is all ones.
    pub fn at(&self, place: u32) -> *mut u8 {
        core::ptr::with_exposed_provenance_mut(place as i32 as usize)
    }
}

/// Where a physical address is mapped, if it is.
pub fn pointer(at: PhysAddr) -> *mut u8 {
    PHYS_MAP.wrapping_add(at.0) as *mut u8
}
