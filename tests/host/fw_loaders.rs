//! PVH's start information and multiboot2's boot information.

use crate::fw_device_tree::{notes, span};
use crate::fw_memory::{Memory, longs, words};
use crate::fw_random::{Random, cases};
use ochre::boot::{Console, Malformed, multiboot2, pvh};
use ochre::units::PhysAddr;

const AT: PhysAddr = PhysAddr(0x1000);
const NOT_FOUND: Malformed = "its information was not found";
const NO_MEMORY: Malformed = "no memory in its map";
const UNREADABLE: Malformed = "unreadable";

fn map_entry(start: u64, size: u64, kind: u32) -> Vec<u8> {
    [longs(&[start, size]), words(&[kind, 0])].concat()
}

/// What QEMU says of a PC with 128 MiB.
fn map() -> Vec<u8> {
    [
        map_entry(0, 0x9_fc00, 1),
        map_entry(0x9_fc00, 0x400, 2),
        map_entry(0x10_0000, 0x7ee_0000, 1),
        map_entry(0x7fe_0000, 0x2_0000, 2),
        map_entry(0x7e0_0000, 0x1000, 2),
        map_entry(0xfffc_0000, 0x4_0000, 2),
    ]
    .concat()
}

fn start_info(version: u32, modules: u32, line: u64, entries: u32) -> Vec<u8> {
    let head = words(&[0x336e_c578, version, 0, modules]);
    [head, longs(&[0x2000, line, 0xf_5a00, 0x3000]), words(&[entries, 0])].concat()
}

fn pvh_memory(module: (u64, u64)) -> Memory {
    Memory::default()
        .with(AT.0, &start_info(1, 1, 0x4000, 6))
        .with(0x2000, &longs(&[module.0, module.1, 0, 0]))
        .with(0x3000, &map())
        .with(0x4000, &[b"log=debug then=off\0".to_vec(), vec![b'x'; 100]].concat())
}

#[test]
fn pvh_with_all() {
    let info = pvh::read(&pvh_memory((0x40_0000, 0x1234)), AT).unwrap();
    assert_eq!(info.source, "PVH + ACPI");
    assert_eq!(info.memory[..], [span(0..0x9_f000), span(0x10_0000..0x7fe_0000)]);
    // What is reserved outside of RAM is nobody's concern.
    let reserved = [0..0x1000, 0x40_0000..0x40_2000, 0x7e0_0000..0x7e0_1000].map(span);
    assert_eq!(info.reserved[..], reserved);
    assert_eq!(info.initrd, Some(span(0x40_0000..0x40_1234)));
    assert_eq!(info.command_line.as_str(), "log=debug then=off");
    assert_eq!(info.console, Console::Ns16550(0x3f8));
    assert_eq!(info.acpi, Some(PhysAddr(0xf_5a00)));
    assert_eq!(notes(&info), [""; 0]);
}

#[test]
fn pvh_that_cannot_be_used() {
    let only = |info: Vec<u8>| pvh::read(&Memory::default().with(AT.0, &info), AT).unwrap_err();
    assert_eq!(only(vec![]), UNREADABLE);
    assert_eq!(only(vec![0; 56]), NOT_FOUND);
    assert_eq!(only(start_info(0, 0, 0, 0)), NO_MEMORY);
    assert_eq!(only(start_info(1, 0, 0, 0)), NO_MEMORY);
    assert_eq!(only(start_info(1, 0, 0, 1)), UNREADABLE);
}

#[test]
fn pvh_that_lies() {
    let outside = pvh::read(&pvh_memory((0x7fd_f000, 0x2000)), AT).unwrap();
    assert_eq!(outside.initrd, None);
    assert_eq!(notes(&outside), ["initrd 0x7fdf000..0x7fe1000: not in memory, ignored"]);
    let wraps = pvh::read(&pvh_memory((0x1000, u64::MAX)), AT).unwrap();
    assert_eq!(notes(&wraps), ["initrd 0x1000..0xfff: empty, ignored"]);
    let map =
        [map_entry(0x10_0000, 0, 1), map_entry(u64::MAX, 9, 1), map_entry(0x10_0000, 1 << 60, 1)];
    let memory =
        Memory::default().with(AT.0, &start_info(1, 1, 0x4000, 3)).with(0x3000, &map.concat());
    let info = pvh::read(&memory, AT).unwrap();
    assert_eq!(info.memory[..], [span(0x10_0000..1 << 40)]);
    let expected = [
        "memory at 0x100000 is empty: ignored",
        "memory at 0xffffffffffffffff ends beyond the last address: ignored",
        "initrd: its description is unreadable, ignored",
        "command line: unreadable at 0x4000, ignored",
        "memory above 1 TiB: ignored",
    ];
    assert_eq!(notes(&info), expected);
}

fn tag(kind: u32, body: &[u8]) -> Vec<u8> {
    let mut tag = [words(&[kind, 8 + body.len() as u32]), body.to_vec()].concat();
    tag.resize(tag.len().next_multiple_of(8), 0);
    tag
}

fn information(tags: &[Vec<u8>]) -> Vec<u8> {
    let tags = tags.concat();
    [words(&[8 + tags.len() as u32, 0]), tags].concat()
}

fn multiboot2_information() -> Vec<u8> {
    let end = tag(0, &[]);
    let map = tag(6, &[words(&[24, 0]), map()].concat());
    let first = tag(3, &[words(&[0x40_0000, 0x40_1234]), b"initrd\0".to_vec()].concat());
    let second = tag(3, &words(&[0x50_0000, 0x50_1000]));
    let unknown = tag(4711, &[1, 2, 3]);
    let root = [tag(15, &[0; 36]), tag(14, &[0; 20])];
    let [new, old] = root;
    information(&[tag(1, b"quiet hz=50\0"), unknown, new, old, first, second, map, end])
}

#[test]
fn multiboot2_with_all() {
    let memory = Memory::default().with(AT.0, &multiboot2_information());
    let info = multiboot2::read(&memory, AT).unwrap();
    assert_eq!(info.source, "multiboot2 + ACPI");
    assert_eq!(info.memory[..], [span(0..0x9_f000), span(0x10_0000..0x7fe_0000)]);
    assert_eq!(info.initrd, Some(span(0x40_0000..0x40_1234)));
    assert_eq!(info.command_line.as_str(), "quiet hz=50");
    // 8 of header, 24 of command line, 16 of the unknown, 8 of its own header.
    assert_eq!(info.acpi, Some(PhysAddr(AT.0 + 56)));
    assert_eq!(notes(&info), ["module at 0x500000: only the first is used"]);
}

#[test]
fn multiboot2_that_cannot_be_used() {
    let only =
        |bytes: &[u8]| multiboot2::read(&Memory::default().with(AT.0, bytes), AT).unwrap_err();
    assert_eq!(only(&[]), UNREADABLE);
    assert_eq!(only(&words(&[0, 0])), NOT_FOUND);
    assert_eq!(only(&words(&[64, 0])), UNREADABLE);
    assert_eq!(only(&information(&[tag(0, &[])])), NO_MEMORY);
    let bad = "malformed tag";
    assert_eq!(only(&information(&[])), bad);
    assert_eq!(only(&information(&[words(&[1, 0])])), bad);
    assert_eq!(only(&information(&[words(&[1, 7])])), bad);
    assert_eq!(only(&information(&[words(&[1, u32::MAX])])), bad);
    assert_eq!(only(&information(&[tag(3, &[1, 2])])), bad);
    assert_eq!(only(&information(&[tag(6, &words(&[0, 0, 0]))])), bad);
    // No end tag.
    let endless = information(&[tag(6, &[words(&[24, 0]), map()].concat())]);
    assert_eq!(only(&endless), "malformed tag");
}

#[test]
fn mutated() {
    let pvh_memory = pvh_memory((0x40_0000, 0x1234));
    let grub_memory = Memory::default().with(AT.0, &multiboot2_information());
    let mut passed = 0;
    for case in 0..cases(10_000) {
        let mut random = Random::new(case);
        let results = [
            pvh::read(&pvh_memory.mutated(&mut random), AT),
            multiboot2::read(&grub_memory.mutated(&mut random), AT),
        ];
        for info in results.into_iter().flatten() {
            passed += 1;
            assert!(!info.memory.is_empty());
            assert!(info.memory.windows(2).all(|pair| pair[0].end < pair[1].start));
        }
    }
    assert!(cfg!(miri) || passed > cases(10_000), "{passed}");
}
