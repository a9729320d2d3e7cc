//! The boot sector: where everything is. Microsoft's FAT specification 1.03, section 3.

use crate::le::{u16_at, u32_at};

/// The smallest cluster, and the first.
pub const FIRST: u32 = 2;
/// Most clusters of FAT12, and of FAT16, as Linux counts them.
const MOST_12: u32 = 0xff4;
const MOST_16: u32 = 0xfff4;
const MOST_32: u32 = 0x0fff_fff6;
/// Bytes of a cluster at most.
const CLUSTER: u64 = 256 << 10;
const ENTRY: u64 = 32;

/// How wide the entries of the table are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// 12 bits.
    Fat12,
    /// 16 bits.
    Fat16,
    /// 32 bits, of which 28 are used.
    Fat32,
}

/// Where the root directory is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Root {
    /// At a place of its own, with so many entries.
    Fixed(u64, u64),
    /// In the chain that begins with a cluster.
    Chain(u32),
}

/// Where everything is, in bytes from the beginning of the disk.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// How wide the table is.
    pub kind: Kind,
    /// Bytes of a cluster.
    pub cluster: u64,
    /// Where the table is, how long it is, and how many copies there are of it.
    pub table: u64,
    /// See above.
    pub table_bytes: u64,
    /// See above.
    pub copies: u64,
    /// The root directory.
    pub root: Root,
    /// Where the first cluster is.
    pub data: u64,
    /// The last cluster.
    pub last: u32,
    /// Where the free clusters are counted.
    pub info: Option<u64>,
}

impl Shape {
    /// That of a disk with this boot sector, or why there is none.
    pub fn read(boot: &[u8], disk: u64) -> Result<Shape, &'static str> {
        let sector = u64::from(u16_at(boot, 11));
        let cluster = sector * u64::from(boot[13]);
        if !(512..=4096).contains(&sector) || !sector.is_power_of_two() {
            return Err("no FAT: its sectors have no size that there is");
        }
        if !cluster.is_power_of_two() || cluster > CLUSTER {
            return Err("no FAT: its clusters have no size that there is");
        }
        let (reserved, tables) = (u64::from(u16_at(boot, 14)), u64::from(boot[16]));
        if reserved == 0 || !(1..=4).contains(&tables) {
            return Err("no FAT: it has no sectors that are reserved, or no table");
        }
        let short = u64::from(u16_at(boot, 22));
        let is_32 = short == 0;
        let length = if is_32 { u64::from(u32_at(boot, 36)) } else { short };
        let sectors = match u16_at(boot, 19) {
            0 => u64::from(u32_at(boot, 32)),
            sectors => sectors.into(),
        };
        let entries = u64::from(u16_at(boot, 17));
        let root = (reserved + tables * length) * sector;
        let data = (root + entries * ENTRY).next_multiple_of(sector);
        if length == 0 || sectors * sector > disk || data >= sectors * sector {
            return Err("the FAT is larger than its disk, or empty");
        }
        let clusters = (sectors * sector - data) / cluster;
        let (kind, bits) = match () {
            () if is_32 => (Kind::Fat32, 32),
            () if clusters > MOST_12.into() => (Kind::Fat16, 16),
            () => (Kind::Fat12, 12),
        };
        let most = match kind {
            Kind::Fat12 => MOST_12,
            Kind::Fat16 => MOST_16,
            Kind::Fat32 => MOST_32,
        };
        let clusters = clusters.min(length * sector * 8 / bits - 2);
        if clusters == 0 || clusters > most.into() {
            return Err("the FAT has more clusters than it can have, or none");
        }
        let last = clusters as u32 + 1;
        let flags = u16_at(boot, 40);
        let (first, copies) = match is_32 && flags & 0x80 != 0 {
            true => (u64::from(flags & 15), 1),
            false => (0, tables),
        };
        let first_root = u32_at(boot, 44);
        if first >= tables || is_32 && !(FIRST..=last).contains(&first_root) {
            return Err("the FAT has no root directory, or not the table that it uses");
        }
        let info = u64::from(u16_at(boot, 48));
        Ok(Shape {
            kind,
            cluster,
            table: (reserved + first * length) * sector,
            table_bytes: length * sector,
            copies,
            root: if is_32 { Root::Chain(first_root) } else { Root::Fixed(root, entries) },
            data,
            last,
            info: (is_32 && info > 0 && info < reserved).then_some(info * sector),
        })
    }

    /// Where a cluster is.
    pub fn at(&self, cluster: u32) -> u64 {
        self.data + u64::from(cluster - FIRST) * self.cluster
    }

    /// Whether there is such a cluster.
    pub fn has(&self, cluster: u32) -> bool {
        (FIRST..=self.last).contains(&cluster)
    }

    /// How many clusters so many bytes take.
    pub fn clusters(&self, bytes: u64) -> u32 {
        bytes.div_ceil(self.cluster) as u32
    }
}
