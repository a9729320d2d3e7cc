//! The reader of the first process's program: what it takes, and all that it refuses.

use crate::fw_random::{Random, cases, mutate};
use ochre::abi::{MAP_EXECUTE, MAP_WRITE};
use ochre::boot::elf::{AARCH64, Program, Segment, X86_64, read};
use std::ops::Range;

const USER: Range<u64> = 0x1000..0x7fff_ffff_f000;
const R: u32 = 4;
const RW: u32 = 6;
const RX: u32 = 5;
const LOAD: u32 = 1;

/// A program header, as far as it is read.
#[derive(Clone, Copy)]
struct Header {
    kind: u32,
    flags: u32,
    offset: u64,
    address: u64,
    in_file: u64,
    in_memory: u64,
}

const TEXT: Header = Header {
    kind: LOAD,
    flags: RX,
    offset: 0x1000,
    address: 0x20_0000,
    in_file: 0x1800,
    in_memory: 0x1800,
};
const DATA: Header = Header {
    kind: LOAD,
    flags: RW,
    offset: 0x3000,
    address: 0x20_2000,
    in_file: 0x10,
    in_memory: 0x5000,
};

fn file(entry: u64, headers: &[Header]) -> Vec<u8> {
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    file.extend([2u16, AARCH64].map(u16::to_le_bytes).concat());
    file.extend(1u32.to_le_bytes());
    file.extend([entry, 64, 0].map(u64::to_le_bytes).concat());
    file.extend(0u32.to_le_bytes());
    file.extend([64, 56, headers.len() as u16, 64, 0, 0].map(u16::to_le_bytes).concat());
    for header in headers {
        file.extend([header.kind, header.flags].map(u32::to_le_bytes).concat());
        let Header { offset, address, in_file, in_memory, .. } = *header;
        let words = [offset, address, address, in_file, in_memory, 0x1000];
        file.extend(words.map(u64::to_le_bytes).concat());
    }
    file.resize(0x3010, 0xa5);
    file
}

fn outcome(headers: &[Header]) -> Result<u64, &'static str> {
    read(&file(0x20_0004, headers), AARCH64, USER).map(|program| program.entry)
}

#[test]
fn a_program() {
    let bytes = file(0x20_0004, &[TEXT, DATA]);
    let program = read(&bytes, AARCH64, USER).expect("a sound program");
    assert_eq!(program.entry, 0x20_0004);
    let text = (0x20_0000, 0x1800, 0x1000..0x2800, MAP_EXECUTE);
    let data = (0x20_2000, 0x5000, 0x3000..0x3010, MAP_WRITE);
    let segment = |Segment { address, size, data, access }| (address, size, data, access);
    assert_eq!(program.segments.into_iter().map(segment).collect::<Vec<_>>(), [text, data]);
}

#[test]
fn what_is_not_to_be_loaded_is_skipped() {
    let empty = Header { in_file: 0, in_memory: 0, address: 3, ..DATA };
    let note = Header { kind: 4, address: u64::MAX, ..DATA };
    let stack = Header { kind: 0x6474_e551, flags: 7, ..DATA };
    assert_eq!(outcome(&[note, TEXT, empty, stack]), Ok(0x20_0004));
}

#[test]
fn files_that_are_no_programs() {
    let good = file(0x20_0004, &[TEXT, DATA]);
    let changed = |at: usize, bytes: &[u8]| {
        let mut file = good.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        read(&file, AARCH64, USER).err()
    };
    assert_eq!(changed(0, b"\x7fELF"), None);
    assert_eq!(changed(0, b"#!/b"), Some("no 64-bit ELF file"));
    assert_eq!(changed(4, &[1]), Some("no 64-bit ELF file"), "32 bits");
    assert_eq!(changed(5, &[2]), Some("no 64-bit ELF file"), "big endian");
    assert_eq!(changed(16, &[3]), Some("no static executable"), "position-independent");
    assert_eq!(changed(32, &u64::MAX.to_le_bytes()), Some("no 64-bit ELF file"), "headers outside");
    assert_eq!(changed(54, &[32]), Some("no static executable"), "headers of another size");
    assert_eq!(changed(56, &[0xff, 0xff]), Some("no 64-bit ELF file"), "more headers than bytes");
    assert_eq!(changed(56, &[0, 0]), Some("its entry is not in its code"), "no headers");
    assert_eq!(read(&good, X86_64, USER), Err("for another machine"));
    for length in 0..64 + 2 * 56 {
        assert!(read(&good[..length], AARCH64, USER).is_err(), "cut to {length}");
    }
}

#[test]
fn segments_that_are_refused() {
    let refused =
        |second| assert_eq!(outcome(&[TEXT, second]), Err("a segment that cannot be mapped"));
    refused(Header { flags: 7, ..DATA });
    refused(Header { flags: 2, ..DATA });
    refused(Header { offset: 0x3008, address: 0x20_2008, in_file: 8, ..DATA });
    refused(Header { offset: 0x2f00, ..DATA });
    refused(Header { in_file: 0x11, ..DATA });
    refused(Header { in_file: u64::MAX, ..DATA });
    refused(Header { offset: u64::MAX - 0xfff, ..DATA });
    refused(Header { in_memory: 0xf, ..DATA });
    refused(Header { in_memory: 0, ..DATA });
    refused(Header { in_memory: u64::MAX, ..DATA });
    refused(Header { address: 0xffff_8000_0000_0000, ..DATA });
    refused(Header { address: USER.end - 0x4000, ..DATA });
    refused(Header { address: 0x20_1000, ..DATA });
    refused(Header { address: 0x1f_f000, in_memory: 0x1000, ..DATA });
    assert_eq!(outcome(&[Header { address: 0, ..TEXT }]), Err("a segment that cannot be mapped"));
    assert!(outcome(&[TEXT, Header { address: USER.end - 0x5000, ..DATA }]).is_ok());
    assert!(outcome(&[TEXT, Header { flags: R, ..DATA }]).is_ok());
    let dynamic = Header { kind: 2, ..DATA };
    assert_eq!(outcome(&[TEXT, dynamic]), Err("no static executable"));
    let many: Vec<_> = (0..9).map(|n| Header { address: 0x20_0000 + n * 0x2000, ..TEXT }).collect();
    assert_eq!(outcome(&many[..8]), Ok(0x20_0004));
    assert_eq!(outcome(&many), Err("no static executable"));
}

#[test]
fn entries_that_are_refused() {
    for entry in [0, 0x1f_ffff, 0x20_1800, 0x20_2000, u64::MAX] {
        let file = file(entry, &[TEXT, DATA]);
        assert_eq!(read(&file, AARCH64, USER), Err("its entry is not in its code"), "{entry:#x}");
    }
}

#[test]
fn mutated_programs() {
    for case in 0..cases(20_000) {
        let mut random = Random::new(case);
        let mut head = file(0x20_0004, &[TEXT, DATA])[..64 + 2 * 56].to_vec();
        let body = vec![0; 0x3010 - head.len()];
        mutate(&mut head, &mut random);
        let file = [head, body].concat();
        if let Ok(program) = read(&file, AARCH64, USER) {
            assert_is_sound(&program, file.len());
        }
    }
}

fn assert_is_sound(program: &Program, file: usize) {
    let mut free = USER.start;
    for segment in &program.segments {
        assert!(segment.address >= free && segment.address % 0x1000 == 0);
        assert!(segment.size > 0 && segment.address + segment.size <= USER.end);
        assert!(segment.data.end - segment.data.start <= segment.size);
        assert!(segment.data.start <= segment.data.end && segment.data.end <= file as u64);
        free = (segment.address + segment.size).next_multiple_of(0x1000);
    }
}
