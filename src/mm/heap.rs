//! The kernel's heap: a list of free blocks (`linked_list_allocator`) in a window of addresses, of
//! which as much is mapped to frames as was asked for so far. It grows and never shrinks.
//!
//! Running out is an error value, not an abort: an operation of the kernel that will allocate calls
//! [`reserve`](super::global::reserve) while it can still fail, with the [`cost`] of the blocks it
//! will need, and goes on only if there is room for them.

use super::page_table::{MapError, Mapping, PageSize};
use super::{FrameSource, PageTable};
use crate::arch::{Access, PhysMem};
use crate::units::{PAGE_SIZE, VirtAddr};
use core::alloc::Layout;
use core::ops::Range;
use core::ptr::NonNull;
use linked_list_allocator::Heap;

/// The least the heap grows by: growing costs a walk of the page table per page.
const STEP: u64 = 16 * PAGE_SIZE;
/// What the allocator needs to describe a free block.
const HEADER: usize = 16;

/// A heap.
pub struct KernelHeap {
    heap: Heap,
    /// Where the next page goes, and where the last one may end.
    room: Range<u64>,
}

/// How full the heap is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeapStats {
    /// Bytes in use, with what alignment costs.
    pub used: usize,
    /// Bytes that are mapped and free, not necessarily in one piece.
    pub free: usize,
}

impl KernelHeap {
    /// A heap without memory, that may grow within `window`.
    pub const fn new(window: Range<u64>) -> KernelHeap {
        KernelHeap { heap: Heap::empty(), room: window }
    }

    /// A block, where one is free.
    pub fn allocate(&mut self, layout: Layout) -> Option<NonNull<u8>> {
        self.heap.allocate_first_fit(layout).ok()
    }

    /// Takes back a block.
    ///
    /// # Safety
    /// `block` came from `allocate` of this heap with the same layout, and nobody uses it any more.
    pub unsafe fn deallocate(&mut self, block: NonNull<u8>, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { self.heap.deallocate(block, layout) }
    }

    /// Whether blocks that [`cost`] `bytes` together can be had, in whatever order: whether there is
    /// one free block that holds them all.
    pub fn has_room(&mut self, bytes: usize) -> bool {
        let Ok(layout) = Layout::from_size_align(bytes, HEADER) else { return false };
        let Some(block) = self.allocate(layout) else { return false };
        // SAFETY: just allocated, and given to no one.
        unsafe { self.deallocate(block, layout) };
        true
    }

    /// Adds memory that follows what it has, and at first what it begins with.
    ///
    /// # Safety
    /// `start` is mapped, readable and writable for `size` bytes, is nobody else's, and directly
    /// follows what was added before. It is aligned to a page.
    pub unsafe fn extend(&mut self, start: NonNull<u8>, size: usize) {
        if self.heap.bottom().is_null() {
            // SAFETY: the caller's promise.
            unsafe { self.heap.init(start.as_ptr(), size) };
        } else {
            // SAFETY: the caller's promise.
            unsafe { self.heap.extend(size) };
        }
    }

    /// Maps fresh frames at the end, `bytes` at least, and tells where they are. What could be
    /// mapped is the heap's even if it was not enough: call `extend` with it in either case.
    pub fn map_more(
        &mut self,
        bytes: usize,
        table: &mut PageTable,
        memory: &mut PhysMem,
        source: &mut impl FrameSource,
    ) -> (Range<u64>, Result<(), MapError>) {
        let start = self.room.start;
        // A gap for alignment before the block that `has_room` tries to get, and a rest after it.
        let bytes = (bytes as u64).saturating_add(4 * HEADER as u64);
        let goal = bytes.max(STEP).checked_next_multiple_of(PAGE_SIZE);
        let goal = goal.and_then(|bytes| start.checked_add(bytes));
        let Some(goal) = goal.filter(|goal| *goal <= self.room.end) else {
            return (start..start, Err(MapError::OutOfRange));
        };
        let mut result = Ok(());
        while result.is_ok() && self.room.start < goal {
            result = map_page(VirtAddr(self.room.start), table, memory, source);
            if result.is_ok() {
                self.room.start += PAGE_SIZE;
            }
        }
        (start..self.room.start, result)
    }

    /// How full it is.
    pub fn stats(&self) -> HeapStats {
        HeapStats { used: self.heap.used(), free: self.heap.free() }
    }
}

/// What a block takes from the heap at most: its size in units of the allocator's, and a gap before
/// it that is large enough to be described, for its alignment.
pub const fn cost(block: Layout) -> usize {
    block.size().next_multiple_of(HEADER) + HEADER + block.align()
}

fn map_page(
    at: VirtAddr,
    table: &mut PageTable,
    memory: &mut PhysMem,
    source: &mut impl FrameSource,
) -> Result<(), MapError> {
    let frame = source.take().ok_or(MapError::NoMemory)?;
    let access = Access::WRITE | Access::GLOBAL;
    let page = Mapping { frame, size: PageSize::Small, access };
    table.map(at, page, memory, source).inspect_err(|_| source.give(frame))
}
