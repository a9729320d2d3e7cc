//! The heap: a free list over pages that are added at its end when it runs out.

use crate::abi::{Error, MAP_WRITE, PAGE};
use crate::object::Memory;
use crate::space::HEAP;
use crate::sync::Lock;
use core::alloc::{GlobalAlloc, Layout};
use core::ptr::{NonNull, null_mut};

/// Pages that are added at least.
const STEP: u64 = 64;

#[global_allocator]
static ALLOCATOR: Heap = Heap(Lock::new(linked_list_allocator::Heap::empty()));

struct Heap(Lock<linked_list_allocator::Heap>);

// SAFETY: the list hands out what it owns, once, and owns only the pages that `grow` mapped for it.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let mut heap = self.0.lock();
        let found = heap.allocate_first_fit(layout).or_else(|()| {
            grow(&mut heap, layout).map_err(|_| ())?;
            heap.allocate_first_fit(layout)
        });
        found.map_or(null_mut(), NonNull::as_ptr)
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if let Some(pointer) = NonNull::new(pointer) {
            // SAFETY: the caller got it from `alloc` with this layout.
            unsafe { self.0.lock().deallocate(pointer, layout) }
        }
    }
}

/// Adds pages that hold at least the layout, and what the list keeps beside it.
fn grow(heap: &mut linked_list_allocator::Heap, layout: Layout) -> Result<(), Error> {
    let wanted = (layout.size() + layout.align()) as u64 + PAGE;
    let pages = wanted.div_ceil(PAGE).next_multiple_of(STEP);
    let memory = Memory::create(pages)?;
    let (end, bytes) = (HEAP + heap.size() as u64, (pages * PAGE) as usize);
    crate::process().map(&memory, end, 0, pages, MAP_WRITE)?;
    drop(memory);
    if heap.size() == 0 {
        // SAFETY: the pages are mapped there, and stay for as long as the program runs.
        unsafe { heap.init(end as *mut u8, bytes) };
    } else {
        // SAFETY: the pages lie behind the last, where nothing else is mapped.
        unsafe { heap.extend(bytes) };
    }
    Ok(())
}
