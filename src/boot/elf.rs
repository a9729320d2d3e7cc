//! Reads the first process's program: a static ELF64 file, strictly. Whatever is unusual is refused.
//!
//! What comes out can be mapped as it is: segments in ascending order, each with pages of its own,
//! none writable and executable, all inside the range that the caller names, the entry in code.

use super::Malformed;
use crate::abi::{MAP_EXECUTE, MAP_WRITE};
use arrayvec::ArrayVec;
use core::ops::Range;

/// Segments that a program may have.
pub const MAX_SEGMENTS: usize = 8;

/// `e_machine` of AArch64.
pub const AARCH64: u16 = 183;
/// `e_machine` of x86-64.
pub const X86_64: u16 = 62;

/// A program that can be mapped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Program {
    /// Where it begins to run.
    pub entry: u64,
    /// What to map.
    pub segments: ArrayVec<Segment, MAX_SEGMENTS>,
}

/// A range of pages with one use.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Segment {
    /// The first page.
    pub address: u64,
    /// Bytes in memory; those that `data` does not reach are zero.
    pub size: u64,
    /// Which bytes of the file it begins with.
    pub data: Range<u64>,
    /// `MAP_WRITE`, `MAP_EXECUTE`, or neither.
    pub access: u64,
}

const PAGE: u64 = 4096;
const IDENT: &[u8] = b"\x7fELF\x02\x01\x01";
const EXECUTABLE: u16 = 2;
const PROGRAM_HEADER: u16 = 56;
const LOAD: u32 = 1;
const DYNAMIC: u32 = 2;
const INTERPRETER: u32 = 3;
const READ: u32 = 4;
const READ_WRITE: u32 = 6;
const READ_EXECUTE: u32 = 5;

/// Reads a program for `machine`, all of which lies inside of `user`, or says what is wrong with it.
pub fn read(file: &[u8], machine: u16, user: Range<u64>) -> Result<Program, Malformed> {
    if !file.starts_with(IDENT) {
        return Err("no 64-bit ELF file");
    }
    let half = |at| field(file, at).map(u16::from_le_bytes).ok_or("no 64-bit ELF file");
    let long = |at| field(file, at).map(u64::from_le_bytes).ok_or("no 64-bit ELF file");
    if half(18)? != machine {
        return Err("for another machine");
    }
    if half(16)? != EXECUTABLE || half(54)? != PROGRAM_HEADER {
        return Err("no static executable");
    }
    let entry = long(24)?;
    let headers = part(file, long(32)?, u64::from(half(56)?) * 56);
    let headers = headers.and_then(|headers| file.get(headers)).ok_or("no 64-bit ELF file")?;
    let mut segments = ArrayVec::new();
    let mut free = user;
    for header in headers.chunks_exact(PROGRAM_HEADER.into()) {
        match field(header, 0).map(u32::from_le_bytes) {
            Some(LOAD) => {}
            Some(DYNAMIC | INTERPRETER) => return Err("no static executable"),
            _ => continue,
        }
        let segment = segment(file, header, &free).ok_or("a segment that cannot be mapped")?;
        if segment.size != 0 {
            free.start = (segment.address + segment.size).next_multiple_of(PAGE);
            segments.try_push(segment).map_err(|_| "no static executable")?;
        }
    }
    let starts =
        |s: &Segment| s.access == MAP_EXECUTE && (s.address..s.address + s.size).contains(&entry);
    if !segments.iter().any(starts) {
        return Err("its entry is not in its code");
    }
    Ok(Program { entry, segments })
}

/// The segment of a program header, which must lie in what is still free.
fn segment(file: &[u8], header: &[u8], free: &Range<u64>) -> Option<Segment> {
    let long = |at| field(header, at).map(u64::from_le_bytes);
    let (offset, address, size) = (long(8)?, long(16)?, long(40)?);
    let access = match field(header, 4).map(u32::from_le_bytes)? & 7 {
        READ => 0,
        READ_WRITE => MAP_WRITE,
        READ_EXECUTE => MAP_EXECUTE,
        _ => return None,
    };
    let data = part(file, offset, long(32)?)?;
    let fits = address >= free.start && address.checked_add(size)? <= free.end;
    let aligned = address.is_multiple_of(PAGE) && offset.is_multiple_of(PAGE);
    let empty = size == 0 && data.is_empty();
    let sound = empty || fits && aligned && data.len() as u64 <= size;
    let data = data.start as u64..data.end as u64;
    sound.then_some(Segment { address, size, data, access })
}

/// Bytes of a file, if it has them.
fn part(file: &[u8], offset: u64, length: u64) -> Option<Range<usize>> {
    let end = offset.checked_add(length).filter(|&end| end <= file.len() as u64)?;
    Some(offset as usize..end as usize)
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}
