//! The superblock: what a file system is like, and whether we can have it.
//!
//! It is 1,024 bytes at byte 1,024. What does not change while it is mounted is a [`Shape`]; what does
//! is read and written where it is.

use super::checksum::{START, crc32c};
use super::{array, put_split, put_u32, split_at, u16_at, u32_at};
use core::fmt;
use files::Failure;

/// Where it is, and its bytes.
pub const AT: usize = 1024;
/// See above.
pub const BYTES: usize = 1024;

/// Places in it of what changes.
pub mod at {
    /// How many inodes are free.
    pub const FREE_INODES: usize = 0x10;
    /// Whether it was unmounted, and has errors.
    pub const STATE: usize = 0x3a;
    /// Features that whoever does not know them can ignore.
    pub const COMPATIBLE: usize = 0x5c;
    /// Features that whoever does not know them cannot read past.
    pub const INCOMPATIBLE: usize = 0x60;
    /// Features that whoever does not know them must not write past.
    pub const READ_ONLY: usize = 0x64;
    /// The first of the files that have no name any more.
    pub const LAST_ORPHAN: usize = 0xe8;
}

/// Features.
pub mod feature {
    /// Has a journal.
    pub const JOURNAL: u32 = 0x4;
    /// Backups of the superblock are in two groups only.
    pub const SPARSE_2: u32 = 0x200;
    /// A file lists files that have no name any more.
    pub const ORPHAN_FILE: u32 = 0x1000;

    /// Entries of directories have the kind of file.
    pub const KINDS: u32 = 0x2;
    /// The journal has what is not in its place yet.
    pub const RECOVER: u32 = 0x4;
    /// Descriptors of groups are spread.
    pub const META_GROUPS: u32 = 0x10;
    /// Files may have extents.
    pub const EXTENTS: u32 = 0x40;
    /// Block numbers have 64 bits.
    pub const WIDE: u32 = 0x80;
    /// Bitmaps and tables of several groups are together.
    pub const FLEXIBLE: u32 = 0x200;
    /// The seed of checksums is written down.
    pub const SEED: u32 = 0x2000;
    /// Directories may be larger than 2 GiB.
    pub const LARGE_DIRECTORIES: u32 = 0x4000;
    /// Small files may be in their inode.
    pub const INLINE: u32 = 0x8000;
    /// What may be there for us to read.
    pub const READABLE: u32 = KINDS
        | RECOVER
        | META_GROUPS
        | EXTENTS
        | WIDE
        | FLEXIBLE
        | SEED
        | LARGE_DIRECTORIES
        | INLINE;

    /// Backups of the superblock are in few groups.
    pub const SPARSE: u32 = 0x1;
    /// Files may be larger than 2 GiB.
    pub const LARGE_FILES: u32 = 0x2;
    /// Files may count blocks rather than sectors.
    pub const HUGE_FILES: u32 = 0x8;
    /// Groups have checksums, and need not be initialised.
    pub const GROUP_SUMS: u32 = 0x10;
    /// Directories may have any number of directories.
    pub const MANY_LINKS: u32 = 0x20;
    /// Inodes are larger than they were.
    pub const LARGE_INODES: u32 = 0x40;
    /// All metadata have checksums.
    pub const SUMS: u32 = 0x400;
    /// The file of files without names may have some.
    pub const ORPHANS: u32 = 0x10000;
    /// What may be there for us to write.
    pub const WRITABLE: u32 =
        SPARSE | LARGE_FILES | HUGE_FILES | GROUP_SUMS | MANY_LINKS | LARGE_INODES | SUMS | ORPHANS;
}

/// Why a file system cannot be had.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// It is none.
    NotExt,
    /// It has features that we do not know.
    Features(u32),
    /// It says what cannot be.
    Nonsense(&'static str),
    /// The superblock has another checksum.
    Checksum,
    /// It is larger than the disk.
    TooSmallDisk,
    /// Its journal is of a kind that we cannot read, and has something in it.
    Journal(&'static str),
    /// The disk failed.
    Disk,
}

impl Refusal {
    /// What whoever asks for something is told.
    pub fn failure(&self) -> Failure {
        match self {
            Refusal::Disk => Failure::Broken,
            Refusal::Features(_) => Failure::Unsupported,
            _ => Failure::Invalid,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Refusal::NotExt => write!(out, "this is no ext2, ext3 or ext4 file system"),
            Refusal::Features(bits) => {
                write!(out, "the file system has features that are not known here: {bits:#x}")
            }
            Refusal::Nonsense(what) => write!(out, "the superblock makes no sense: {what}"),
            Refusal::Checksum => write!(out, "the superblock's checksum is wrong"),
            Refusal::TooSmallDisk => write!(out, "the file system is larger than the disk"),
            Refusal::Journal(what) => write!(out, "the journal cannot be used: {what}"),
            Refusal::Disk => write!(out, "the disk cannot be read or written"),
        }
    }
}

/// What a file system is like.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The logarithm of a block's bytes: 10 to 12.
    pub block_bits: u32,
    /// Blocks, the first of them that belongs to a group, and those of a group.
    pub blocks: u64,
    /// See above.
    pub first_block: u64,
    /// See above.
    pub group_blocks: u64,
    /// Groups.
    pub groups: u32,
    /// Inodes, those of a group, the first that is not reserved.
    pub inodes: u32,
    /// See above.
    pub group_inodes: u32,
    /// See above.
    pub first_inode: u32,
    /// Bytes of an inode, and those of the large part that new ones have.
    pub inode_bytes: usize,
    /// See above.
    pub extra_bytes: u16,
    /// Bytes of a group's descriptor.
    pub group_bytes: usize,
    /// The first group of those of which descriptors are spread, in units of blocks of descriptors.
    pub first_meta: u32,
    /// Blocks that are kept free for descriptors to come.
    pub reserved_descriptors: u64,
    /// The groups that have a backup of the superblock if only two have.
    pub backups: [u32; 2],
    /// Features.
    pub compatible: u32,
    /// See above.
    pub incompatible: u32,
    /// See above.
    pub read_only: u32,
    /// The name that checksums of groups begin with.
    pub uuid: [u8; 16],
    /// The seed of checksums.
    pub seed: u32,
    /// The journal's inode, and that of the file of files without names.
    pub journal: u32,
    /// See above.
    pub orphan_file: u32,
}

impl Shape {
    /// Reads a superblock; its checksum counts only if it says so.
    pub fn read(bytes: &[u8], strict: bool) -> Result<Shape, Refusal> {
        if u16_at(bytes, 0x38) != 0xef53 {
            return Err(Refusal::NotExt);
        }
        let modern = u32_at(bytes, 0x4c) >= 1;
        let features = |at| if modern { u32_at(bytes, at) } else { 0 };
        let incompatible = features(at::INCOMPATIBLE);
        if incompatible & !feature::READABLE != 0 {
            return Err(Refusal::Features(incompatible & !feature::READABLE));
        }
        let wide = incompatible & feature::WIDE != 0;
        let uuid = array(bytes, 0x68);
        let written = incompatible & feature::SEED != 0;
        let shape = Shape {
            block_bits: u32_at(bytes, 0x18).saturating_add(10),
            blocks: if wide { split_at(bytes, 0x4, 0x150) } else { u32_at(bytes, 0x4).into() },
            first_block: u32_at(bytes, 0x14).into(),
            group_blocks: u32_at(bytes, 0x20).into(),
            groups: 0,
            inodes: u32_at(bytes, 0),
            group_inodes: u32_at(bytes, 0x28),
            first_inode: if modern { u32_at(bytes, 0x54) } else { 11 },
            inode_bytes: if modern { u16_at(bytes, 0x58).into() } else { 128 },
            extra_bytes: u16_at(bytes, 0x15e),
            group_bytes: if wide { u16_at(bytes, 0xfe).into() } else { 32 },
            first_meta: u32_at(bytes, 0x104),
            reserved_descriptors: u16_at(bytes, 0xce).into(),
            backups: [u32_at(bytes, 0x24c), u32_at(bytes, 0x250)],
            compatible: features(at::COMPATIBLE),
            incompatible,
            read_only: features(at::READ_ONLY),
            uuid,
            seed: if written { u32_at(bytes, 0x270) } else { crc32c(START, &uuid) },
            journal: u32_at(bytes, 0xe0),
            orphan_file: u32_at(bytes, 0x280),
        };
        shape.check(bytes, strict)
    }

    /// Believes it, or not.
    fn check(mut self, bytes: &[u8], strict: bool) -> Result<Shape, Refusal> {
        if strict && self.sums() && superblock_sum(bytes) != u32_at(bytes, 0x3fc) {
            return Err(Refusal::Checksum);
        }
        let sensible = |so, what| if so { Ok(()) } else { Err(Refusal::Nonsense(what)) };
        sensible((10..=12).contains(&self.block_bits), "blocks have neither 1, 2 nor 4 KiB")?;
        let bits = 8 << self.block_bits;
        sensible(self.first_block == u64::from(self.block_bits == 10), "the first block")?;
        let eights = |number: u64| (8..=bits).contains(&number) && number.is_multiple_of(8);
        sensible(eights(self.group_blocks), "blocks of a group")?;
        sensible(self.first_block < self.blocks && self.blocks < 1 << 48, "the number of blocks")?;
        let groups = (self.blocks - self.first_block).div_ceil(self.group_blocks);
        self.groups = u32::try_from(groups).map_err(|_| Refusal::Nonsense("too many groups"))?;
        sensible(eights(self.group_inodes.into()), "inodes of a group")?;
        let inodes = u64::from(self.group_inodes) * u64::from(self.groups);
        sensible(u64::from(self.inodes) == inodes, "the number of inodes")?;
        sensible((11..=self.inodes).contains(&self.first_inode), "the first inode")?;
        let inode = self.inode_bytes;
        sensible(inode.is_power_of_two() && (128..=self.block()).contains(&inode), "inodes' size")?;
        let group = self.group_bytes;
        sensible(group.is_power_of_two() && (32..=self.block()).contains(&group), "groups' size")?;
        self.extra_bytes = self.extra_bytes.clamp(28, 32);
        Ok(self)
    }

    /// Bytes of a block.
    pub fn block(&self) -> usize {
        1 << self.block_bits
    }

    /// Whether all metadata have checksums.
    pub fn sums(&self) -> bool {
        self.read_only & feature::SUMS != 0
    }

    /// Whether it has a journal.
    pub fn has_journal(&self) -> bool {
        self.compatible & feature::JOURNAL != 0
    }

    /// Whether it may be written, for all that we know of features.
    pub fn is_writable(&self) -> bool {
        self.read_only & !feature::WRITABLE == 0
    }

    /// Whether new files have extents.
    pub fn extents(&self) -> bool {
        self.incompatible & feature::EXTENTS != 0
    }

    /// The blocks of a group: the last may have fewer.
    pub fn blocks_of(&self, group: u32) -> u64 {
        let before = self.first_block + u64::from(group) * self.group_blocks;
        self.group_blocks.min(self.blocks.saturating_sub(before))
    }

    /// The first block of a group.
    pub fn first_of(&self, group: u32) -> u64 {
        self.first_block + u64::from(group) * self.group_blocks
    }

    /// Where the descriptor of a group is: its block, and the byte in that.
    pub fn descriptor(&self, group: u32) -> (u64, usize) {
        let many = (self.block() / self.group_bytes) as u32;
        let (nth, within) = (group / many, group as usize % many as usize * self.group_bytes);
        let spread = self.incompatible & feature::META_GROUPS != 0 && nth >= self.first_meta;
        let block = if spread {
            let first = nth * many;
            self.first_of(first) + u64::from(self.has_backup(first))
        } else {
            self.first_block + 1 + u64::from(nth)
        };
        (block, within)
    }

    /// Whether a group begins with a superblock, or a backup of it.
    fn has_backup(&self, group: u32) -> bool {
        if group == 0 {
            return true;
        }
        if self.compatible & feature::SPARSE_2 != 0 {
            return self.backups.contains(&group);
        }
        let power =
            |of: u32| (1..).map(|n| of.saturating_pow(n)).find(|&n| n >= group) == Some(group);
        self.read_only & feature::SPARSE == 0 || group == 1 || [3, 5, 7].into_iter().any(power)
    }

    /// How many blocks at the beginning of a group have the superblock and descriptors.
    pub fn overhead(&self, group: u32) -> u64 {
        let many = (self.block() / self.group_bytes) as u32;
        let backup = u64::from(self.has_backup(group));
        let spread = self.incompatible & feature::META_GROUPS != 0;
        if spread && group / many >= self.first_meta {
            let has = [0, 1, many - 1].contains(&(group % many));
            return backup + u64::from(has);
        }
        let all =
            if spread { self.first_meta.into() } else { u64::from(self.groups.div_ceil(many)) };
        if backup == 0 { 0 } else { 1 + all + self.reserved_descriptors }
    }
}

/// The checksum of a superblock.
fn superblock_sum(bytes: &[u8]) -> u32 {
    crc32c(START, bytes.get(..0x3fc).unwrap_or(&[]))
}

/// The superblock's checksum becomes right.
pub fn seal(shape: &Shape, bytes: &mut [u8]) {
    if shape.sums() {
        let sum = superblock_sum(bytes);
        put_u32(bytes, 0x3fc, sum);
    }
}

/// How many blocks are free.
pub fn free_blocks(shape: &Shape, bytes: &[u8]) -> u64 {
    let wide = shape.incompatible & feature::WIDE != 0;
    if wide { split_at(bytes, 0xc, 0x158) } else { u32_at(bytes, 0xc).into() }
}

/// So many blocks are free.
pub fn put_free_blocks(shape: &Shape, bytes: &mut [u8], free: u64) {
    if shape.incompatible & feature::WIDE != 0 {
        put_split(bytes, 0xc, 0x158, free);
    } else {
        put_u32(bytes, 0xc, free as u32);
    }
}
