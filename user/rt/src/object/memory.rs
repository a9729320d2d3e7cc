//! Pages.

use super::{Machine, Object, Process, objects};
use crate::abi::{Call, Error};
use crate::call::invoke;

objects! {
    /// Pages, which can be mapped, read and written.
    Memory, MemoryRights;
}

/// How a memory is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MemoryInfo {
    /// How long it is.
    pub pages: u64,
    /// How many of its pages there are.
    pub resident: u64,
    /// Where it lies, if it is contiguous.
    pub physical: u64,
}

impl Memory {
    /// Pages of zeroes.
    pub fn create(pages: u64) -> Result<Memory, Error> {
        invoke(Call::MemoryCreate, [pages]).map(|out| Memory::from_raw(out[1]))
    }

    /// Pages of zeroes that a process pays for.
    pub fn create_for(payer: &Process, pages: u64) -> Result<Memory, Error> {
        let out = invoke(Call::MemoryCreate, [pages, payer.raw()])?;
        Ok(Memory::from_raw(out[1]))
    }

    /// Pages side by side in physical memory, and where that is.
    pub fn contiguous(machine: &Machine, pages: u64) -> Result<(Memory, u64), Error> {
        let out = invoke(Call::MemoryContiguous, [machine.raw(), pages])?;
        Ok((Memory::from_raw(out[1]), out[2]))
    }

    /// Physical memory that is no RAM of the kernel's.
    pub fn window(
        machine: &Machine,
        physical: u64,
        pages: u64,
        attributes: u64,
    ) -> Result<Memory, Error> {
        let out = invoke(Call::MemoryWindow, [machine.raw(), physical, pages, attributes])?;
        Ok(Memory::from_raw(out[1]))
    }

    /// A copy of some of the pages, which shares them until one side writes.
    pub fn try_clone(&self, first: u64, pages: u64) -> Result<Memory, Error> {
        let out = invoke(Call::MemoryClone, [self.raw(), first, pages])?;
        Ok(Memory::from_raw(out[1]))
    }

    /// The same, which a process pays for.
    pub fn clone_for(&self, payer: &Process, first: u64, pages: u64) -> Result<Memory, Error> {
        let out = invoke(Call::MemoryClone, [self.raw(), first, pages, payer.raw()])?;
        Ok(Memory::from_raw(out[1]))
    }

    /// Makes it longer or shorter.
    pub fn resize(&self, pages: u64) -> Result<(), Error> {
        invoke(Call::MemoryResize, [self.raw(), pages]).map(|_| ())
    }

    /// How it is.
    pub fn info(&self) -> Result<MemoryInfo, Error> {
        let out = invoke(Call::MemoryInfo, [self.raw()])?;
        Ok(MemoryInfo { pages: out[1], resident: out[2], physical: out[3] })
    }

    /// Copies bytes out of it.
    pub fn read(&self, offset: u64, bytes: &mut [u8]) -> Result<(), Error> {
        let (address, length) = (bytes.as_mut_ptr() as u64, bytes.len() as u64);
        invoke(Call::MemoryRead, [self.raw(), offset, address, length]).map(|_| ())
    }

    /// Copies bytes into it.
    pub fn write(&self, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        let (address, length) = (bytes.as_ptr() as u64, bytes.len() as u64);
        invoke(Call::MemoryWrite, [self.raw(), offset, address, length]).map(|_| ())
    }

    /// Copies bytes into it from an address of this process, which may be one that others write to.
    pub fn write_from(&self, offset: u64, address: u64, length: u64) -> Result<(), Error> {
        invoke(Call::MemoryWrite, [self.raw(), offset, address, length]).map(|_| ())
    }
}
