//! Windows of addresses in which arenas grow, a page at a time. They never shrink and never move. On
//! the developer's machine a window is one allocation of the test program.

use super::Ram;

pub use kind::Window;

/// How many windows there are: one for each arena.
pub const WINDOWS: usize = 15;

#[cfg(target_os = "none")]
mod kind {
    use super::*;
    use crate::layout::{ARENA_SIZE, ARENAS};
    use crate::units::{PAGE_SIZE, VirtAddr};

    /// A window of addresses.
    pub struct Window {
        start: u64,
        size: u64,
    }

    impl Window {
        /// The `nth` window, of which nothing is mapped yet.
        pub fn new(nth: usize) -> Window {
            assert!(nth < WINDOWS);
            Window { start: ARENAS + nth as u64 * ARENA_SIZE, size: 0 }
        }

        /// The place where it begins.
        #[inline(always)]
        pub fn first(&self) -> u32 {
            self.start as u32
        }

        /// The byte at a place: the lower half of its address, whose upper half is all ones.
        #[inline(always)]
        pub fn at(&self, place: u32) -> *mut u8 {
            const { assert!(ARENAS >> 32 == 0xffff_ffff) };
            core::ptr::with_exposed_provenance_mut(place as i32 as usize)
        }

        /// How much of it is mapped.
        pub fn size(&self) -> usize {
            self.size as usize
        }

        /// Maps another page.
        pub fn grow(&mut self, ram: &mut Ram) -> Option<()> {
            if self.size == ARENA_SIZE {
                return None;
            }
            let Ram { memory, frames, space, .. } = ram;
            let at = VirtAddr(self.start + self.size);
            space.table.map_fresh(at, memory, frames).ok()?;
            self.size += PAGE_SIZE;
            ram.object_pages += 1;
            Some(())
        }
    }
}

#[cfg(not(target_os = "none"))]
mod kind {
    use super::*;
    use crate::units::PAGE_SIZE;
    use core::ptr::NonNull;
    use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};

    /// The most a window grows to: little, so that tests get to where it is used up.
    const LIMIT: usize = 256 << 10;

    /// A window of addresses.
    pub struct Window {
        start: NonNull<u8>,
        size: usize,
    }

    impl Window {
        /// A window, none of which may be used yet.
        pub fn new(_nth: usize) -> Window {
            // SAFETY: the layout's size is not zero.
            let start = NonNull::new(unsafe { alloc(layout()) });
            let start = start.unwrap_or_else(|| handle_alloc_error(layout()));
            Window { start, size: 0 }
        }

        /// The place where it begins.
        pub fn first(&self) -> u32 {
            0
        }

        /// The byte at a place.
        pub fn at(&self, place: u32) -> *mut u8 {
            self.start.as_ptr().wrapping_add(place as usize)
        }

        /// How much of it may be used.
        pub fn size(&self) -> usize {
            self.size
        }

        /// Another page may be used; a frame of the simulated RAM goes, as on a real machine.
        pub fn grow(&mut self, ram: &mut Ram) -> Option<()> {
            if self.size == LIMIT {
                return None;
            }
            ram.frames.alloc()?;
            self.size += PAGE_SIZE as usize;
            ram.object_pages += 1;
            Some(())
        }
    }

    impl Drop for Window {
        fn drop(&mut self) {
            // SAFETY: allocated in `new` with the same layout.
            unsafe { dealloc(self.start.as_ptr(), layout()) }
        }
    }

    fn layout() -> Layout {
        Layout::from_size_align(LIMIT, PAGE_SIZE as usize).expect("it fits")
    }
}
