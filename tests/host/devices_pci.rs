//! Devices on PCI buses: QEMU's, behind bridges, and such as no bus would have.

use crate::fw_random::{Random, cases};
use devices::pci::{Address, Config, devices, enable};
use devices::{Device, Window};
use std::collections::BTreeMap;

/// A configuration space of words; no device where there are none.
#[derive(Default)]
struct Space(BTreeMap<(Address, u8), u32>);

impl Config for Space {
    fn read(&mut self, at: Address, offset: u8) -> u32 {
        assert!(at.device < 32 && at.function < 8 && offset.is_multiple_of(4));
        let there = self.0.contains_key(&(at, 0));
        self.0.get(&(at, offset)).copied().unwrap_or(if there { 0 } else { !0 })
    }

    fn write(&mut self, at: Address, offset: u8, value: u32) {
        self.0.insert((at, offset), value);
    }
}

fn at(bus: u8, device: u8, function: u8) -> Address {
    Address { bus, device, function }
}

impl Space {
    fn with(mut self, at: Address, words: &[(u8, u32)]) -> Space {
        self.0.extend(words.iter().map(|&(offset, word)| ((at, offset), word)));
        self
    }

    /// What QEMU makes of `-device virtio-blk-pci`.
    fn disk(self, at: Address, line: u8) -> Space {
        let capability =
            |nth: u32, next: u32, length: u32| 9 | next << 8 | length << 16 | nth << 24;
        self.with(
            at,
            &[
                (0x00, 0x1001_1af4),
                (0x04, 0x0010_0100),
                (0x08, 0x0100_0000),
                (0x10, 0xc001),
                (0x14, 0xfebd_1000),
                (0x20, 0xfe00_000c),
                (0x24, 0x0000_0001),
                (0x2c, 0x0002_1af4),
                (0x34, 0x98),
                (0x3c, 0x100 | u32::from(line)),
                // MSI-X comes first.
                (0x98, 0x0001_8411),
                (0x84, capability(5, 0x70, 20)),
                (0x70, capability(2, 0x60, 20)),
                (0x74, 4),
                (0x78, 0x3000),
                (0x7c, 0x1000),
                (0x80, 4),
                (0x60, capability(4, 0x50, 16)),
                (0x64, 4),
                (0x68, 0x2000),
                (0x6c, 0x1000),
                (0x50, capability(3, 0x40, 16)),
                (0x54, 4),
                (0x58, 0x1000),
                (0x5c, 0x1000),
                (0x40, capability(1, 0, 16)),
                (0x44, 4),
                (0x48, 0),
                (0x4c, 0x1000),
            ],
        )
    }
}

const DISK: [u64; 4] = [0x1_fe00_0000, 0x1_fe00_3000, 0x1_fe00_1000, 0x1_fe00_2000];

fn disks(all: &[Device]) -> Vec<&Device> {
    all.iter().filter(|device| device.is("virtio-blk")).collect()
}

#[test]
fn a_disk_of_the_older_board() {
    let mut space = Space::default().with(at(0, 0, 0), &[(0, 0x1237_8086), (8, 0x0600_0000)]);
    space = space.disk(at(0, 4, 0), 11);
    let all = devices(&mut space);
    assert_eq!(all.len(), 2);
    let disk = disks(&all)[0];
    assert_eq!(disk.name, "00:04.0");
    assert_eq!(disk.compatible, ["virtio-blk", "pci1af4,1001", "pciclass,0100"]);
    assert_eq!(disk.windows, DISK.map(|physical| Window { physical, bytes: 0x1000 }));
    assert_eq!(disk.words, [("notify-step", 4)]);
    assert_eq!(disk.interrupt, Some(11));
    assert_eq!(disk.pci, Some(at(0, 4, 0)));
    enable(&mut space, at(0, 4, 0), true);
    assert_eq!(space.read(at(0, 4, 0), 4), 0x106);
    enable(&mut space, at(0, 4, 0), false);
    assert_eq!(space.read(at(0, 4, 0), 4), 0x100);
}

#[test]
fn lines_of_q35_and_of_bridges_on_it() {
    let mut space = Space::default()
        .with(at(0, 0, 0), &[(0, 0x29c0_8086), (8, 0x0600_0000)])
        .with(
            at(0, 6, 0),
            &[(0, 0x000c_1b36), (8, 0x0604_0000), (12, 0x1_0000), (0x18, 0x0003_0300)],
        )
        .disk(at(0, 2, 0), 11)
        .disk(at(0, 3, 0), 10)
        .disk(at(3, 1, 0), 0)
        // It leads back.
        .with(at(3, 2, 0), &[(0, 0x000c_1b36), (8, 0x0604_0000), (12, 0x1_0000), (0x18, 0)]);
    let all = devices(&mut space);
    let lines: Vec<_> = disks(&all).iter().map(|disk| disk.interrupt).collect();
    assert_eq!(lines, [Some(22), Some(23), Some(20 + (6 + 1) % 4)]);
}

#[test]
fn functions_are_looked_for_where_there_are_several() {
    let one = Space::default().with(at(0, 1, 0), &[(0, 1), (8, 0)]).with(at(0, 1, 1), &[(0, 2)]);
    assert_eq!(devices(&mut Space(one.0.clone())).len(), 1);
    let many = one.with(at(0, 1, 0), &[(12, 0x80_0000)]);
    assert_eq!(devices(&mut Space(many.0)).len(), 2);
}

#[test]
fn a_virtio_device_without_its_windows_is_none() {
    let broken: [&[(u8, u32)]; 6] = [
        // No list, one that bites its tail, I/O ports, no base register, no length, beyond the end.
        &[(0x04, 0)],
        &[(0x84, 0x0514_9809)],
        &[(0x44, 0)],
        &[(0x44, 6)],
        &[(0x4c, 0)],
        &[(0x20, 0xffff_f00c), (0x24, !0), (0x48, 0x1000)],
    ];
    for words in broken {
        let mut space = Space::default().disk(at(0, 4, 0), 11).with(at(0, 4, 0), words);
        let all = devices(&mut space);
        assert_eq!((all.len(), disks(&all).len()), (1, 0), "{words:x?}");
    }
}

#[test]
fn thousands_of_spaces_of_noise() {
    let mut random = Random::new(7);
    for _ in 0..cases(2000) {
        let mut space = Space::default().disk(at(0, 4, 0), 11);
        for _ in 0..random.below(40) {
            let place = at(random.below(3) as u8, random.below(6) as u8, random.below(2) as u8);
            let word =
                [0x1041_1af4, 0x0604_0000, 0x8001_0000, random.next() as u32][random.below(4)];
            space = space.with(place, &[(0, 0x1042_1af4), (random.below(64) as u8 * 4, word)]);
        }
        for _ in 0..random.below(8) {
            let offset = random.below(64) as u8 * 4;
            space = space.with(at(0, 4, 0), &[(offset, random.next() as u32)]);
        }
        for device in devices(&mut space) {
            assert!(device.windows.iter().all(|it| it.physical.checked_add(it.bytes).is_some()));
            assert!(device.windows.len() == 4 || device.windows.is_empty());
            assert!(device.interrupt.is_none_or(|line| (1..24).contains(&line)));
        }
    }
}
