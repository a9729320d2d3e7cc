//! The heap that `alloc` uses on bare metal. It begins empty, and [`reserve`] is the only way it
//! grows. On the developer's machine `alloc` has the test program's heap, and there is always room.
//!
//! Only the kernel, with its lock held, allocates; a trap handler that has not got the lock does
//! not. So the lock in here is never waited for, and is there for the compiler's sake and a panic's.

use super::heap::HeapStats;
use super::page_table::MapError;
use super::{FrameSource, PageTable};
use crate::arch::PhysMem;

/// Makes sure that blocks that [`cost`](super::heap::cost) `bytes` together can be allocated, growing
/// the heap if need be. With `Ok`, allocating them next cannot fail; otherwise the operation that
/// wanted them is refused.
pub fn reserve(
    bytes: usize,
    table: &mut PageTable,
    memory: &mut PhysMem,
    source: &mut impl FrameSource,
) -> Result<(), MapError> {
    bare::reserve(bytes, table, memory, source)
}

/// How full the heap is.
pub fn stats() -> HeapStats {
    bare::stats()
}

#[cfg(target_os = "none")]
mod bare {
    use super::*;
    use crate::layout::HEAP;
    use crate::mm::heap::KernelHeap;
    use core::alloc::{GlobalAlloc, Layout};
    use core::ptr::{self, NonNull};
    use spin::Mutex;

    struct Global(Mutex<KernelHeap>);

    #[global_allocator]
    static GLOBAL: Global = Global(Mutex::new(KernelHeap::new(HEAP)));

    pub fn reserve(
        bytes: usize,
        table: &mut PageTable,
        memory: &mut PhysMem,
        source: &mut impl FrameSource,
    ) -> Result<(), MapError> {
        let mut heap = GLOBAL.0.lock();
        if heap.has_room(bytes) {
            return Ok(());
        }
        let (pages, result) = heap.map_more(bytes, table, memory, source);
        if let Some(start) = NonNull::new(pages.start as *mut u8) {
            // SAFETY: these pages were just mapped, for this heap, after those it has.
            unsafe { heap.extend(start, (pages.end - pages.start) as usize) };
        }
        result
    }

    pub fn stats() -> HeapStats {
        GLOBAL.0.lock().stats()
    }

    // SAFETY: blocks come from `KernelHeap`, which gives each byte to one owner at a time.
    unsafe impl GlobalAlloc for Global {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            self.0.lock().allocate(layout).map_or(ptr::null_mut(), NonNull::as_ptr)
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            let Some(block) = NonNull::new(block) else { return };
            // SAFETY: the caller's promise: the block came from `alloc` with this layout.
            unsafe { self.0.lock().deallocate(block, layout) }
        }
    }
}

#[cfg(not(target_os = "none"))]
mod bare {
    use super::*;

    pub fn reserve(
        _bytes: usize,
        _table: &mut PageTable,
        _memory: &mut PhysMem,
        _source: &mut impl FrameSource,
    ) -> Result<(), MapError> {
        Ok(())
    }

    pub fn stats() -> HeapStats {
        HeapStats { used: 0, free: 0 }
    }
}
