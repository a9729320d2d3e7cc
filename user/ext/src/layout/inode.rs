//! Inodes: what a file is, apart from its names.
//!
//! An [`Inode`] is a copy of what is known of one; [`Inode::write`] puts it back into its place, where
//! it may have more than we know of.

use super::checksum::{crc32c, crc32c_without};
use super::superblock::{Shape, feature};
use super::{array, put, put_u16, put_u32, split_at, u16_at, u32_at};
use files::{DIRECTORY, KIND, LINK, REGULAR};

/// Its blocks are counted rather than its sectors.
const COUNTS_BLOCKS: u32 = 0x40000;
/// It may not be changed, or only made longer.
pub const FIXED: u32 = 0x10 | 0x20;
/// It is a directory with an index.
pub const INDEXED: u32 = 0x1000;
/// Its bytes are found by extents.
pub const EXTENTS: u32 = 0x80000;
/// Its bytes are in the inode.
pub const INLINE: u32 = 0x1000_0000;
/// Bytes of an inode that are known.
const KNOWN: usize = 160;
/// Where what leads to its bytes is, and how much that is.
const MAP: usize = 0x28;
/// See above.
pub const MAP_BYTES: usize = 60;

/// A file.
#[derive(Clone, Debug)]
pub struct Inode {
    /// Its number.
    pub number: u32,
    /// Its beginning, as it is on the disk.
    bytes: [u8; KNOWN],
    /// How many of those it has.
    known: usize,
}

impl Inode {
    /// Reads the inode at the beginning of some bytes.
    pub fn read(number: u32, bytes: &[u8]) -> Inode {
        let extra = if bytes.len() > 128 { u16_at(bytes, 0x80).into() } else { 0 };
        let known = bytes.len().min(128 + extra).min(KNOWN);
        let mut copy = [0; KNOWN];
        copy[..known].copy_from_slice(&bytes[..known]);
        Inode { number, bytes: copy, known }
    }

    /// A new one.
    pub fn new(shape: &Shape, number: u32, mode: u32, generation: u32) -> Inode {
        let mut inode = Inode::cleared(number, generation);
        if shape.inode_bytes > 128 {
            inode.known = 128 + usize::from(shape.extra_bytes);
            put_u16(&mut inode.bytes, 0x80, shape.extra_bytes);
        }
        put_u16(&mut inode.bytes, 0, mode as u16);
        inode
    }

    /// One that is no file, in the place of one that was.
    pub fn cleared(number: u32, generation: u32) -> Inode {
        let mut inode = Inode { number, bytes: [0; KNOWN], known: 128 };
        put_u32(&mut inode.bytes, 0x64, generation);
        inode
    }

    /// Puts it into its place, and makes the checksum right.
    pub fn write(&self, shape: &Shape, place: &mut [u8]) {
        place[..self.known].copy_from_slice(&self.bytes[..self.known]);
        if let Some(sum) = sum(shape, self, place) {
            put_u16(place, 0x7c, sum as u16);
            if has_high_sum(place) {
                put_u16(place, 0x82, (sum >> 16) as u16);
            }
        }
    }

    /// Whether the checksum where it is, is right.
    pub fn is_whole(&self, shape: &Shape, place: &[u8]) -> bool {
        let Some(sum) = sum(shape, self, place) else { return true };
        let low = u16_at(place, 0x7c) == sum as u16;
        low && (!has_high_sum(place) || u16_at(place, 0x82) == (sum >> 16) as u16)
    }

    /// Kind and permissions.
    pub fn mode(&self) -> u32 {
        u16_at(&self.bytes, 0).into()
    }

    /// It gets other permissions.
    pub fn set_permissions(&mut self, mode: u32) {
        let mode = self.mode() & KIND | mode & !KIND;
        put_u16(&mut self.bytes, 0, mode as u16);
    }

    /// What kind of file it is.
    pub fn kind(&self) -> u32 {
        self.mode() & KIND
    }

    /// Whether it is a directory.
    pub fn is_directory(&self) -> bool {
        self.kind() == DIRECTORY
    }

    /// Owner and group.
    pub fn owner(&self) -> [u32; 2] {
        let half = |low, high| {
            u32::from(u16_at(&self.bytes, low)) | u32::from(u16_at(&self.bytes, high)) << 16
        };
        [half(2, 0x78), half(0x18, 0x7a)]
    }

    /// It gets another owner and group.
    pub fn set_owner(&mut self, [owner, group]: [u32; 2]) {
        for (number, low, high) in [(owner, 2, 0x78), (group, 0x18, 0x7a)] {
            put_u16(&mut self.bytes, low, number as u16);
            put_u16(&mut self.bytes, high, (number >> 16) as u16);
        }
    }

    /// Bytes.
    pub fn size(&self) -> u64 {
        split_at(&self.bytes, 4, 0x6c)
    }

    /// It has so many bytes.
    pub fn set_size(&mut self, size: u64) {
        put_u32(&mut self.bytes, 4, size as u32);
        put_u32(&mut self.bytes, 0x6c, (size >> 32) as u32);
    }

    /// How many names it has.
    pub fn links(&self) -> u32 {
        u16_at(&self.bytes, 0x1a).into()
    }

    /// It has so many names.
    pub fn set_links(&mut self, links: u32) {
        put_u16(&mut self.bytes, 0x1a, links as u16);
    }

    /// What it is, besides.
    pub fn flags(&self) -> u32 {
        u32_at(&self.bytes, 0x20)
    }

    /// It is that, besides.
    pub fn set_flags(&mut self, flags: u32) {
        put_u32(&mut self.bytes, 0x20, flags);
    }

    /// Whether it is something besides.
    pub fn has(&self, flag: u32) -> bool {
        self.flags() & flag != 0
    }

    /// Sectors of 512 bytes that it takes.
    pub fn sectors(&self, shape: &Shape) -> u64 {
        let low = u64::from(u32_at(&self.bytes, 0x1c));
        if shape.read_only & feature::HUGE_FILES == 0 {
            return low;
        }
        let all = low | u64::from(u16_at(&self.bytes, 0x74)) << 32;
        if self.has(COUNTS_BLOCKS) { all << (shape.block_bits - 9) } else { all }
    }

    /// It takes so many blocks more, or fewer.
    pub fn add_blocks(&mut self, shape: &Shape, blocks: i64) {
        let (bits, counts) = (shape.block_bits - 9, self.has(COUNTS_BLOCKS));
        let sectors = self.sectors(shape).saturating_add_signed(blocks << bits);
        let number = if counts { sectors >> bits } else { sectors };
        put_u32(&mut self.bytes, 0x1c, number as u32);
        if shape.read_only & feature::HUGE_FILES != 0 {
            put_u16(&mut self.bytes, 0x74, (number >> 32) as u16);
        }
    }

    /// When it was read, changed, and its attributes changed: nanoseconds since 1970.
    pub fn times(&self) -> [i64; 3] {
        [(0x8, 0x8c), (0x10, 0x88), (0xc, 0x84)].map(|(at, extra)| {
            let more = if extra + 4 <= self.known { u32_at(&self.bytes, extra) } else { 0 };
            let low = i64::from(u32_at(&self.bytes, at) as i32);
            let seconds = low + (i64::from(more & 3) << 32);
            seconds.saturating_mul(1_000_000_000).saturating_add(i64::from(more >> 2))
        })
    }

    /// It has such times, as far as they can be written.
    pub fn set_times(&mut self, times: [i64; 3]) {
        for ((at, extra), time) in [(0x8, 0x8c), (0x10, 0x88), (0xc, 0x84)].into_iter().zip(times) {
            self.set_time(at, extra, time);
        }
    }

    /// It was changed at this time, itself or but what is known of it; nobody may know the time.
    pub fn touch(&mut self, now: i64, itself: bool) {
        let [read, changed, _] = self.times();
        if now != 0 {
            self.set_times([read, if itself { now } else { changed }, now]);
        }
    }

    /// When it was made.
    pub fn set_birth(&mut self, time: i64) {
        if self.known >= 0x98 {
            self.set_time(0x90, 0x94, time);
        }
    }

    fn set_time(&mut self, at: usize, extra: usize, time: i64) {
        let (seconds, rest) = (time.div_euclid(1_000_000_000), time.rem_euclid(1_000_000_000));
        let has_extra = extra + 4 <= self.known;
        let highest = if has_extra { i64::from(i32::MAX) + (3 << 32) } else { i32::MAX.into() };
        let seconds = seconds.clamp(i32::MIN.into(), highest);
        put_u32(&mut self.bytes, at, seconds as u32);
        if has_extra {
            let epoch = ((seconds - i64::from(seconds as i32)) >> 32) as u32 & 3;
            put_u32(&mut self.bytes, extra, (rest as u32) << 2 | epoch);
        }
    }

    /// When it went, or the next of those without a name.
    pub fn gone(&self) -> u32 {
        u32_at(&self.bytes, 0x14)
    }

    /// See above.
    pub fn set_gone(&mut self, number: u32) {
        put_u32(&mut self.bytes, 0x14, number);
    }

    /// How often its number was used.
    pub fn generation(&self) -> u32 {
        u32_at(&self.bytes, 0x64)
    }

    /// The block of extended attributes, or 0.
    pub fn attributes(&self) -> u64 {
        u64::from(u32_at(&self.bytes, 0x68)) | u64::from(u16_at(&self.bytes, 0x76)) << 32
    }

    /// It has no extended attributes in a block of their own.
    pub fn clear_attributes(&mut self) {
        put_u32(&mut self.bytes, 0x68, 0);
        put_u16(&mut self.bytes, 0x76, 0);
    }

    /// What leads to its bytes.
    pub fn map(&self) -> [u8; MAP_BYTES] {
        array(&self.bytes, MAP)
    }

    /// Something else leads to its bytes.
    pub fn set_map(&mut self, map: [u8; MAP_BYTES]) {
        put(&mut self.bytes, MAP, map);
    }

    /// Whether it is a link so short that it is in the inode: it takes no blocks, but perhaps that of
    /// its extended attributes.
    pub fn is_short_link(&self) -> bool {
        let others = if self.attributes() != 0 { 8 } else { 0 };
        let short = self.size() < MAP_BYTES as u64 && u32_at(&self.bytes, 0x1c) <= others;
        self.kind() == LINK && !self.has(INLINE) && short
    }

    /// Whether it is a file or a link that has blocks, or a directory.
    pub fn has_blocks(&self) -> bool {
        let kind = [REGULAR, DIRECTORY, LINK].contains(&self.kind());
        kind && !self.has(INLINE) && !self.is_short_link()
    }

    /// The device that it stands for: as Linux has it in a word.
    pub fn device(&self) -> u64 {
        let (old, new) = (u32_at(&self.bytes, MAP), u32_at(&self.bytes, MAP + 4));
        if old != 0 { u64::from(old & 0xffff) } else { new.into() }
    }

    /// It stands for a device.
    pub fn set_device(&mut self, device: u64) {
        let (major, minor) = (device >> 8 & 0xfff, device & 0xff | device >> 12 & 0xfff00);
        let fits = major < 256 && minor < 256;
        put_u32(&mut self.bytes, MAP, if fits { device as u32 } else { 0 });
        put_u32(&mut self.bytes, MAP + 4, if fits { 0 } else { device as u32 });
    }

    /// What checksums of its blocks begin with.
    pub fn seed(&self, shape: &Shape) -> u32 {
        let sum = crc32c(shape.seed, &self.number.to_le_bytes());
        crc32c(sum, &self.generation().to_le_bytes())
    }
}

fn has_high_sum(place: &[u8]) -> bool {
    place.len() > 128 && u16_at(place, 0x80) >= 4
}

fn sum(shape: &Shape, inode: &Inode, place: &[u8]) -> Option<u32> {
    if !shape.sums() {
        return None;
    }
    let (low, high) = place.split_at(128.min(place.len()));
    let sum = crc32c_without(inode.seed(shape), low, 0x7c, 2);
    let hidden = if has_high_sum(place) { 2 } else { 0 };
    Some(crc32c_without(sum, high, 2, hidden))
}
