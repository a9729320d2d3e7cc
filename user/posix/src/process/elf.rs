//! Reads the programs that are to be run: static ELF64 files, at a fixed address or not.

use crate::errno::{Errno, Result};
use alloc::vec::Vec;
use rt::abi::{PAGE, USER_END};
use rt::arch::ELF_MACHINE;

const IDENT: &[u8] = b"\x7fELF\x02\x01\x01";
const EXECUTABLE: u16 = 2;
const DYNAMIC: u16 = 3;
const LOAD: u32 = 1;
const INTERPRETER: u32 = 3;
const PROGRAM_HEADER: usize = 56;
/// Program headers at most.
const MOST: u16 = u16::MAX / PROGRAM_HEADER as u16;
/// Where a program goes that does not say where.
const BASE: u64 = 0x5555_5555_4000;

/// A program.
pub struct Elf {
    /// Where it begins to run.
    pub entry: u64,
    /// Where its program headers are in memory, and how many.
    pub headers: (u64, u64),
    /// What is to be loaded.
    pub segments: Vec<Segment>,
}

/// A part of a program.
pub struct Segment {
    /// Where it goes.
    pub address: u64,
    /// Bytes in memory.
    pub size: u64,
    /// Where it is in the file.
    pub offset: u64,
    /// Bytes in the file.
    pub filled: u64,
    /// It may be written.
    pub write: bool,
    /// It may be executed.
    pub execute: bool,
}

impl Segment {
    /// The pages that it touches, as addresses.
    pub fn pages(&self) -> core::ops::Range<u64> {
        self.address & !(PAGE - 1)..(self.address + self.size).next_multiple_of(PAGE)
    }
}

/// Reads the headers of a program, whose file begins with `head` and has so many bytes. `fill` reads what
/// is at a place of it, if there is enough.
pub fn read(
    head: &[u8],
    length: u64,
    fill: impl Fn(u64, &mut [u8]) -> Result<bool>,
) -> Result<Elf> {
    let half = |at| field(head, at).map(u16::from_le_bytes).ok_or(Errno::ENOEXEC);
    let long = |at| field(head, at).map(u64::from_le_bytes).ok_or(Errno::ENOEXEC);
    if !head.starts_with(IDENT) || half(18)? != ELF_MACHINE || half(54)? as usize != PROGRAM_HEADER
    {
        return Err(Errno::ENOEXEC);
    }
    let base = match half(16)? {
        EXECUTABLE => 0,
        DYNAMIC => BASE,
        _ => return Err(Errno::ENOEXEC),
    };
    let (table, count) = (long(32)?, half(56)?);
    if count > MOST {
        return Err(Errno::ENOEXEC);
    }
    let mut headers = alloc::vec![0; usize::from(count) * PROGRAM_HEADER];
    if !fill(table, &mut headers)? {
        return Err(Errno::ENOEXEC);
    }
    let mut segments: Vec<Segment> = Vec::new();
    for header in headers.chunks_exact(PROGRAM_HEADER) {
        let kind = field(header, 0).map_or(0, u32::from_le_bytes);
        if kind == INTERPRETER {
            // There is nobody to load what it names.
            return Err(Errno::ENOENT);
        }
        if kind == LOAD {
            let segment = segment(header, base, length).ok_or(Errno::ENOEXEC)?;
            let lowest = segments.last().map_or(super::memory::LOWEST, |last| last.pages().end);
            if segment.pages().start < lowest {
                return Err(Errno::ENOEXEC);
            }
            segments.push(segment);
        }
    }
    let entry = long(24)?.checked_add(base).ok_or(Errno::ENOEXEC)?;
    let inside = |s: &Segment| (s.offset..s.offset + s.filled).contains(&table);
    let shown = segments.iter().find(|segment| inside(segment));
    let at = shown.map_or(0, |s| s.address + (table - s.offset));
    if segments.is_empty() {
        return Err(Errno::ENOEXEC);
    }
    Ok(Elf { entry, headers: (at, count.into()), segments })
}

fn segment(header: &[u8], base: u64, length: u64) -> Option<Segment> {
    let long = |at| field(header, at).map(u64::from_le_bytes);
    let flags = field(header, 4).map(u32::from_le_bytes)?;
    let (offset, address, filled, size) = (long(8)?, long(16)?, long(32)?, long(40)?);
    let address = address.checked_add(base)?;
    let fits = address.checked_add(size)? <= USER_END - PAGE && filled <= size;
    let there = offset.checked_add(filled)? <= length;
    let congruent = offset % PAGE == address % PAGE;
    let (execute, write) = (flags & 1 != 0, flags & 2 != 0);
    let sound = fits && there && congruent && !(write && execute);
    sound.then_some(Segment { address, size, offset, filled, write, execute })
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}
