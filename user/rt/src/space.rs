//! Addresses of this process, and memory at them.
//!
//! | from | what |
//! |---|---|
//! | 2 MiB | the program |
//! | [`HEAP`] | the heap, which grows upwards |
//! | [`MAPPINGS`] | what is mapped while it runs; no address is given out twice |
//! | [`STACK_TOP`] | the first thread's stack ends, for programs that [`loader`](crate::loader) starts |
//! | [`GRANTS`] | what a [`service`](crate::service) was given |

use crate::abi::{Error, PAGE};
use crate::object::Memory;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Where the heap begins.
pub const HEAP: u64 = 0x10_0000_0000;
/// Where other mappings begin.
pub const MAPPINGS: u64 = 0x20_0000_0000;
/// Where the first thread's stack ends.
pub const STACK_TOP: u64 = 0x7000_0000_0000;
/// Where a service finds what it was given.
pub const GRANTS: u64 = STACK_TOP + 0x10_0000;

static NEXT: AtomicU64 = AtomicU64::new(MAPPINGS);

/// Addresses for so many pages, that nothing was ever mapped at, with a page before them that
/// nothing ever will be.
pub fn reserve(pages: u64) -> u64 {
    NEXT.fetch_add((pages + 1) * PAGE, Relaxed) + PAGE
}

/// Pages of a memory that are mapped here for as long as this lives.
#[derive(Debug)]
pub struct Mapping {
    address: u64,
    pages: u64,
}

impl Mapping {
    /// Maps pages of a memory somewhere.
    pub fn new(memory: &Memory, first: u64, pages: u64, access: u64) -> Result<Mapping, Error> {
        let address = reserve(pages);
        crate::process().map(memory, address, first, pages, access)?;
        Ok(Mapping { address, pages })
    }

    /// Fresh pages of zeroes, mapped somewhere.
    pub fn fresh(pages: u64, access: u64) -> Result<Mapping, Error> {
        Mapping::new(&Memory::create(pages)?, 0, pages, access)
    }

    /// Where it begins.
    pub fn address(&self) -> u64 {
        self.address
    }

    /// Where it ends.
    pub fn end(&self) -> u64 {
        self.address + self.pages * PAGE
    }

    /// How many pages it has.
    pub fn pages(&self) -> u64 {
        self.pages
    }

    /// A pointer to a value at an offset, for volatile or atomic access.
    pub fn pointer<T>(&self, offset: u64) -> *mut T {
        (self.address + offset) as *mut T
    }

    /// Its bytes.
    ///
    /// # Safety
    /// Nobody may write to the memory while the bytes are borrowed.
    pub unsafe fn bytes(&self) -> &[u8] {
        // SAFETY: they are mapped, whatever they are, and the caller promises that they stay.
        unsafe { core::slice::from_raw_parts(self.pointer(0), (self.pages * PAGE) as usize) }
    }
}

impl Mapping {
    /// Its bytes, which stay mapped from now on.
    ///
    /// # Safety
    /// Nobody may ever write to the memory.
    pub unsafe fn bytes_for_ever(self) -> &'static [u8] {
        let mapping = core::mem::ManuallyDrop::new(self);
        // SAFETY: they are mapped for good, and the caller promises that they stay as they are.
        unsafe { core::slice::from_raw_parts(mapping.pointer(0), (mapping.pages * PAGE) as usize) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // A range that was mapped can be unmapped; there would be nobody to tell.
        let _ = crate::process().unmap(self.address, self.pages);
    }
}
