//! Descriptors of groups: where their bitmaps and inodes are, and how much is free.

use super::checksum::{crc16, crc32c, crc32c_without};
use super::superblock::{Shape, feature};
use super::{put_u16, u16_at, u32_at};

/// The inode bitmap was never written: all are free.
pub const NO_INODES: u16 = 1;
/// The block bitmap was never written: nothing but metadata is there.
pub const NO_BLOCKS: u16 = 2;

/// Where the checksum is.
const SUM: usize = 0x1e;

/// What a descriptor says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Group {
    /// The blocks of the block bitmap, the inode bitmap, and the first inodes.
    pub block_bitmap: u64,
    /// See above.
    pub inode_bitmap: u64,
    /// See above.
    pub table: u64,
    /// What is free.
    pub free_blocks: u32,
    /// See above.
    pub free_inodes: u32,
    /// How many directories there are.
    pub directories: u32,
    /// [`NO_INODES`], [`NO_BLOCKS`], and others.
    pub flags: u16,
    /// Inodes at the end of the table that were never used.
    pub unused: u32,
    /// The checksums of the bitmaps.
    pub block_sum: u32,
    /// See above.
    pub inode_sum: u32,
}

impl Group {
    /// Reads a descriptor.
    pub fn read(shape: &Shape, bytes: &[u8]) -> Group {
        let wide = shape.group_bytes >= 64;
        let number = |low, high| {
            let high = if wide { u32_at(bytes, high) } else { 0 };
            u64::from(u32_at(bytes, low)) | u64::from(high) << 32
        };
        let half = |low, high| {
            let high = if wide { u16_at(bytes, high) } else { 0 };
            u32::from(u16_at(bytes, low)) | u32::from(high) << 16
        };
        Group {
            block_bitmap: number(0x0, 0x20),
            inode_bitmap: number(0x4, 0x24),
            table: number(0x8, 0x28),
            free_blocks: half(0xc, 0x2c),
            free_inodes: half(0xe, 0x2e),
            directories: half(0x10, 0x30),
            flags: u16_at(bytes, 0x12),
            unused: half(0x1c, 0x32),
            block_sum: half(0x18, 0x38),
            inode_sum: half(0x1a, 0x3a),
        }
    }

    /// Writes what may change of a descriptor, and its checksum.
    pub fn write(&self, shape: &Shape, number: u32, bytes: &mut [u8]) {
        let mut half = |low, high, value: u32| {
            put_u16(bytes, low, value as u16);
            if shape.group_bytes >= 64 {
                put_u16(bytes, high, (value >> 16) as u16);
            }
        };
        half(0xc, 0x2c, self.free_blocks);
        half(0xe, 0x2e, self.free_inodes);
        half(0x10, 0x30, self.directories);
        half(0x1c, 0x32, self.unused);
        half(0x18, 0x38, self.block_sum);
        half(0x1a, 0x3a, self.inode_sum);
        put_u16(bytes, 0x12, self.flags);
        if let Some(sum) = sum(shape, number, bytes) {
            put_u16(bytes, SUM, sum);
        }
    }

    /// Whether a bitmap's checksum is this.
    pub fn is_sum(shape: &Shape, written: u32, sum: u32) -> bool {
        let mask = if shape.group_bytes >= 64 { u32::MAX } else { 0xffff };
        !shape.sums() || (written ^ sum) & mask == 0
    }
}

/// Whether a descriptor has the checksum that it should have.
pub fn is_whole(shape: &Shape, number: u32, bytes: &[u8]) -> bool {
    sum(shape, number, bytes).is_none_or(|sum| sum == u16_at(bytes, SUM))
}

/// The checksum of a descriptor, if there is any.
fn sum(shape: &Shape, number: u32, bytes: &[u8]) -> Option<u16> {
    let name = number.to_le_bytes();
    if shape.sums() {
        let sum = crc32c(shape.seed, &name);
        return Some(crc32c_without(sum, bytes, SUM, 2) as u16);
    }
    let (before, rest) = bytes.split_at(SUM.min(bytes.len()));
    let after = rest.get(2..).unwrap_or(&[]);
    (shape.read_only & feature::GROUP_SUMS != 0)
        .then(|| crc16([&shape.uuid[..], &name, before, after]))
}

/// Whether groups may be without bitmaps.
pub fn are_lazy(shape: &Shape) -> bool {
    shape.read_only & (feature::SUMS | feature::GROUP_SUMS) != 0
}
