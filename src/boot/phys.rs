//! Physical memory as the readers of firmware's tables see it: asked for by address and length, and
//! there or not. The tables of a PC are little-endian and lie anywhere.

use crate::units::PhysAddr;

/// Gives access to what firmware left in memory.
pub trait PhysRead {
    /// The `len` bytes at `at`, if all of them are memory that can be read.
    fn bytes(&self, at: PhysAddr, len: usize) -> Option<&[u8]>;
}

/// The `N` bytes at an offset, if they are there.
pub(super) fn chunk<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// The 32-bit number at an offset.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    chunk(bytes, at).map(u32::from_le_bytes)
}

/// The 64-bit number at an offset.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    chunk(bytes, at).map(u64::from_le_bytes)
}
