//! Windows of addresses in which arenas grow, a page at a time. They never shrink and never move.

use super::Ram;
use crate::arch::phys::Objects;
use crate::layout::{ARENA_SIZE, ARENAS};
use crate::units::{PAGE_SIZE, VirtAddr};

/// How many windows there are: one for each arena.
pub const WINDOWS: usize = 15;

/// A window of addresses.
pub struct Window {
    start: u64,
    size: u64,
    objects: Objects,
}

impl Window {
    /// The `nth` window, of which nothing is mapped yet.
    pub fn new(nth: usize) -> Window {
        assert!(nth < WINDOWS);
        Window { start: ARENAS + nth as u64 * ARENA_SIZE, size: 0, objects: Objects::window() }
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
        self.objects.at(place)
    }

    /// How much of it is mapped.
    pub fn size(&self) -> usize {
        self.size as usize
    }

    /// Maps another page.
    pub fn grow(&mut self, ram: &mut Ram) -> Option<()> {
        if self.size == Objects::ROOM {
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
