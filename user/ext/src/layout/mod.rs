//! What is on the disk, as bytes: this part knows no cache and no requests.
//!
//! All numbers are little-endian, but those of the journal. Reading beyond the end of some bytes gives
//! zero, and writing there does nothing: so that nothing a disk may hold can stop the server. Whoever
//! reads checks that the numbers make sense.

pub mod checksum;
pub mod entry;
pub mod extent;
pub mod group;
pub mod inode;
pub mod log;
pub mod superblock;

/// Two bytes as a number.
pub fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array(bytes, at))
}

/// Four bytes as a number.
pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array(bytes, at))
}

/// Four bytes as a number of the journal.
pub fn big_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(array(bytes, at))
}

/// A number of which the halves are in two places.
pub fn split_at(bytes: &[u8], low: usize, high: usize) -> u64 {
    u64::from(u32_at(bytes, low)) | u64::from(u32_at(bytes, high)) << 32
}

/// Some bytes.
pub fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let some = bytes.get(at..).and_then(|rest| rest.first_chunk());
    some.copied().unwrap_or([0; N])
}

/// Writes a number, of as many bytes as its type has.
pub fn put<const N: usize>(bytes: &mut [u8], at: usize, number: [u8; N]) {
    if let Some(place) = bytes.get_mut(at..).and_then(|rest| rest.first_chunk_mut()) {
        *place = number;
    }
}

/// Writes two bytes.
pub fn put_u16(bytes: &mut [u8], at: usize, number: u16) {
    put(bytes, at, number.to_le_bytes());
}

/// Writes four bytes.
pub fn put_u32(bytes: &mut [u8], at: usize, number: u32) {
    put(bytes, at, number.to_le_bytes());
}

/// Writes four bytes of the journal.
pub fn put_big(bytes: &mut [u8], at: usize, number: u32) {
    put(bytes, at, number.to_be_bytes());
}

/// Writes a number of which the halves are in two places.
pub fn put_split(bytes: &mut [u8], low: usize, high: usize, number: u64) {
    put_u32(bytes, low, number as u32);
    put_u32(bytes, high, (number >> 32) as u32);
}
