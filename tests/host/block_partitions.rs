//! Tables of partitions: those that tools make, and any other bytes.

use block::partition::{Partition, partitions};
use proptest::prelude::*;

const SECTORS: u64 = 4096;

/// What is found on a disk of these bytes; and it lies on it.
fn found(disk: &[u8], sectors: u64) -> Vec<(u8, u64, u64, u32)> {
    let mut reads = 0;
    let result = partitions(sectors, &mut |sector, bytes| {
        reads += 1;
        assert!(sector < sectors && reads < 1000, "sector {sector}, read {reads}");
        let at = sector as usize * 512;
        let there = disk.get(at..at + 512).unwrap_or(&[0; 512]);
        bytes.copy_from_slice(there);
        Ok(())
    });
    let all = result.expect("nothing fails");
    for Partition { number, first, sectors: length, .. } in &all {
        assert!(*number > 0 && *first > 0 && *length > 0 && first + length <= sectors);
    }
    all.iter().map(|it| (it.number, it.first, it.sectors, it.kind)).collect()
}

struct Disk(Vec<u8>);

impl Disk {
    fn new() -> Disk {
        Disk(vec![0; SECTORS as usize * 512])
    }

    /// An entry of the table in a sector.
    fn entry(mut self, sector: usize, nth: usize, kind: u8, first: u32, count: u32) -> Disk {
        let table = &mut self.0[sector * 512..][..512];
        table[510..].copy_from_slice(&[0x55, 0xaa]);
        let entry = &mut table[446 + 16 * nth..][..16];
        entry[4] = kind;
        entry[8..12].copy_from_slice(&first.to_le_bytes());
        entry[12..].copy_from_slice(&count.to_le_bytes());
        self
    }

    /// A GPT with two partitions, as the third and the first entry; its head in one sector, its entries from another on.
    fn gpt(mut self, head: usize, entries: usize) -> Disk {
        for (nth, first, last) in [(0usize, 40u64, 99u64), (2, 100, 2000)] {
            let at = entries * 512 + nth * 128;
            self.0[at..at + 4].copy_from_slice(&0x0fc6_3daf_u32.to_le_bytes());
            self.0[at + 32..at + 40].copy_from_slice(&first.to_le_bytes());
            self.0[at + 40..at + 48].copy_from_slice(&last.to_le_bytes());
        }
        let sum = crc(&self.0[entries * 512..][..128 * 128]);
        let table = &mut self.0[head * 512..][..512];
        table[..8].copy_from_slice(b"EFI PART");
        table[12..16].copy_from_slice(&92u32.to_le_bytes());
        table[24..32].copy_from_slice(&(head as u64).to_le_bytes());
        table[72..80].copy_from_slice(&(entries as u64).to_le_bytes());
        table[80..84].copy_from_slice(&128u32.to_le_bytes());
        table[84..88].copy_from_slice(&128u32.to_le_bytes());
        table[88..92].copy_from_slice(&sum.to_le_bytes());
        let sum = crc(&table[..92]);
        table[16..20].copy_from_slice(&sum.to_le_bytes());
        self.entry(0, 0, 0xee, 1, u32::MAX)
    }
}

/// The same sum by a table, as a second opinion.
fn crc(bytes: &[u8]) -> u32 {
    let table: Vec<u32> = (0..256u32)
        .map(|byte| (0..8).fold(byte, |crc, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1))))
        .collect();
    !bytes
        .iter()
        .fold(!0, |crc: u32, &byte| (crc >> 8) ^ table[((crc ^ u32::from(byte)) & 0xff) as usize])
}

#[test]
fn a_disk_without_a_table_has_no_partitions() {
    assert_eq!(found(&[], SECTORS), []);
    assert_eq!(found(&[], 0), []);
    assert_eq!(crc(b"123456789"), 0xcbf4_3926);
}

#[test]
fn the_primary_partitions_keep_their_numbers() {
    let disk = Disk::new().entry(0, 1, 0x83, 100, 50).entry(0, 3, 0x0c, 200, SECTORS as u32 - 200);
    assert_eq!(found(&disk.0, SECTORS), [(2, 100, 50, 0x83), (4, 200, SECTORS - 200, 0x0c)]);
    assert_eq!(found(&disk.0, SECTORS - 1), [], "the last one ends behind the disk");
}

#[test]
fn a_table_that_makes_no_sense_is_none() {
    let mut disk = Disk::new().entry(0, 0, 0x83, 100, 50);
    disk.0[446] = 0x33;
    assert_eq!(found(&disk.0, SECTORS), []);
    disk.0[446] = 0x80;
    assert_eq!(found(&disk.0, SECTORS).len(), 1);
    disk.0[511] = 0;
    assert_eq!(found(&disk.0, SECTORS), []);
}

#[test]
fn logical_partitions_are_numbered_from_five() {
    let disk = Disk::new()
        .entry(0, 0, 0x83, 10, 10)
        .entry(0, 1, 0x05, 1000, 1000)
        .entry(1000, 0, 0x83, 1, 99)
        .entry(1000, 1, 0x05, 100, 200)
        .entry(1100, 0, 0x0b, 2, 198);
    let expected = [(1, 10, 10, 0x83), (5, 1001, 99, 0x83), (6, 1102, 198, 0x0b)];
    assert_eq!(found(&disk.0, SECTORS), expected);
    // A chain that bites its tail, and one that leaves.
    let tail = disk.entry(1100, 1, 0x05, 100, 200);
    assert_eq!(found(&tail.0, SECTORS), expected);
    let away = tail.entry(1100, 1, 0x05, 999, 2);
    assert_eq!(found(&away.0, SECTORS), expected);
}

#[test]
fn a_gpt_is_read_from_either_end() {
    let expected = [(1, 40, 60, 0x0fc6_3daf), (3, 100, 1901, 0x0fc6_3daf)];
    let mut front = Disk::new().gpt(1, 2);
    assert_eq!(found(&front.0, SECTORS), expected);
    front.0[512 + 40] ^= 1;
    assert_eq!(found(&front.0, SECTORS), [], "the sum is wrong, and there is no other");
    let mut both = Disk(front.0).gpt(SECTORS as usize - 1, SECTORS as usize - 33);
    assert_eq!(found(&both.0, SECTORS), expected);
    both.0[(SECTORS as usize - 33) * 512 + 32] ^= 1;
    assert_eq!(found(&both.0, SECTORS), []);
}

proptest! {
    #[test]
    fn whatever_is_on_a_disk_what_is_found_lies_on_it(
        kinds in prop::collection::vec(prop::sample::select(vec![0u8, 5, 0x0f, 0x83, 0xee]), 16),
        places in prop::collection::vec((0u32..5000, 0u32..5000), 16),
        noise in prop::collection::vec((0usize..2048, any::<u8>()), 0..16),
        is_gpt in any::<bool>(),
    ) {
        let mut disk = Disk::new();
        for (nth, (kind, (first, count))) in kinds.iter().zip(places).enumerate() {
            disk = disk.entry([0, 100, 1000, 2000][nth / 4], nth % 4, *kind, first, count);
        }
        if is_gpt {
            disk = disk.gpt(1, 2);
        }
        for (at, byte) in noise {
            disk.0[at] = byte;
        }
        found(&disk.0, SECTORS);
        found(&disk.0, 17);
    }
}
