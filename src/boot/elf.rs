//! Reads the first process's program: a static ELF64 file, strictly. Whatever is unusual is refused.
//!
//! What comes out can be mapped as it is: segments in ascending order, each with pages of its own,
//! none writable and executable, all inside the range that the caller names, the entry in code.

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
pub struct Program<'a> {
    /// Where it begins to run.
    pub entry: u64,
    /// What to map.
    pub segments: ArrayVec<Segment<'a>, MAX_SEGMENTS>,
}

/// A range of pages with one use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment<'a> {
    /// The first page.
    pub address: u64,
    /// Bytes in memory; those that `data` does not reach are zero.
    pub size: u64,
    /// What it begins with.
    pub data: &'a [u8],
    /// It may be written.
    pub write: bool,
    /// It may be executed.
    pub execute: bool,
}

const PAGE: u64 = 4096;
const IDENT: &[u8] = b"\x7fELF\x02\x01\x01";
const EXECUTABLE: u16 = 2;
const PROGRAM_HEADER: u16 = 56;
const LOAD: u32 = 1;
const DYNAMIC: u32 = 2;
const INTERPRETER: u32 = 3;
const FLAG_EXECUTE: u32 = 1;
const FLAG_WRITE: u32 = 2;
const FLAG_READ: u32 = 4;

/// Reads a program for `machine`, all of which lies inside of `user`, or says what is wrong with it.
pub fn read(file: &[u8], machine: u16, user: Range<u64>) -> Result<Program<'_>, &'static str> {
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
    let headers = part(file, long(32)?, u64::from(half(56)?) * 56).ok_or("no 64-bit ELF file")?;
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
    let starts = |s: &Segment| s.execute && (s.address..s.address + s.size).contains(&entry);
    if !segments.iter().any(starts) {
        return Err("its entry is not in its code");
    }
    Ok(Program { entry, segments })
}

/// The segment of a program header, which must lie in what is still free.
fn segment<'a>(file: &'a [u8], header: &[u8], free: &Range<u64>) -> Option<Segment<'a>> {
    let long = |at| field(header, at).map(u64::from_le_bytes);
    let flags = field(header, 4).map(u32::from_le_bytes)?;
    let (offset, address, size) = (long(8)?, long(16)?, long(40)?);
    let (write, execute) = (flags & FLAG_WRITE != 0, flags & FLAG_EXECUTE != 0);
    let data = part(file, offset, long(32)?)?;
    let fits = address >= free.start && address.checked_add(size)? <= free.end;
    let aligned = address.is_multiple_of(PAGE) && offset.is_multiple_of(PAGE);
    let sound = flags & FLAG_READ != 0 && !(write && execute) && data.len() as u64 <= size;
    let empty = size == 0 && data.is_empty();
    (empty || fits && aligned && sound).then_some(Segment { address, size, data, write, execute })
}

fn part(file: &[u8], offset: u64, length: u64) -> Option<&[u8]> {
    file.get(usize::try_from(offset).ok()?..offset.checked_add(length)?.try_into().ok()?)
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}
