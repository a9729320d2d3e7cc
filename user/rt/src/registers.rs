//! Registers of devices, in the windows that services are given.

use crate::abi::{Error, MAP_WRITE, PAGE};
use crate::service::Window;
use crate::space::Mapping;

/// A window's registers, by their offsets.
#[derive(Debug)]
pub struct Registers {
    mapping: Mapping,
    /// Where the first is in the mapping, and how many bytes there are.
    first: u64,
    bytes: u64,
}

impl Registers {
    /// Maps a window.
    pub fn new(window: Window) -> Result<Registers, Error> {
        let first = window.physical % PAGE;
        let pages = (first + window.bytes).div_ceil(PAGE);
        let mapping = Mapping::new(window.memory, 0, pages, MAP_WRITE)?;
        Ok(Registers { mapping, first, bytes: window.bytes })
    }

    /// Whether a register is in the window.
    pub fn has<T>(&self, at: u64) -> bool {
        at.is_multiple_of(size_of::<T>() as u64)
            && at.checked_add(size_of::<T>() as u64).is_some_and(|end| end <= self.bytes)
    }

    /// Reads a register of one, two or four bytes.
    pub fn get<T: Copy>(&self, at: u64) -> T {
        assert!(self.has::<T>(at), "no such register");
        // SAFETY: it is mapped for as long as this lives, and aligned, as windows are.
        unsafe { self.mapping.pointer::<T>(self.first + at).read_volatile() }
    }

    /// Writes one.
    pub fn set<T: Copy>(&self, at: u64, value: T) {
        assert!(self.has::<T>(at), "no such register");
        // SAFETY: as above.
        unsafe { self.mapping.pointer::<T>(self.first + at).write_volatile(value) }
    }
}
