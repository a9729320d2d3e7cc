//! The guests' memory: what a call's arguments point to, copied in and out. An address is a claim,
//! which the kernel checks; a wrong one is `EFAULT`.

use crate::errno::{Errno, Result};
use crate::process::Process;
use crate::process::quota::heap_has;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::ops::Deref;
use rt::abi::PAGE;
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// The longest path, with its terminator.
pub const PATH_MAX: usize = 4096;

impl Process {
    /// Reads a value.
    pub fn get<T: FromBytes + IntoBytes>(&self, at: u64) -> Result<T> {
        let mut value = T::new_zeroed();
        self.paid(|native| native.read(at, value.as_mut_bytes()))?;
        Ok(value)
    }

    /// Writes a value.
    pub fn put<T: IntoBytes + Immutable + ?Sized>(&self, at: u64, value: &T) -> Result<()> {
        self.paid(|native| native.write(at, value.as_bytes()))
    }

    /// Writes a value, unless the address is null.
    pub fn put_if<T: IntoBytes + Immutable + ?Sized>(&self, at: u64, value: &T) -> Result<()> {
        if at == 0 { Ok(()) } else { self.put(at, value) }
    }

    /// Reads a string up to its terminator, which must come before `most` bytes.
    pub fn string(&self, at: u64, most: usize, too_long: Errno) -> Result<Vec<u8>> {
        /// Most strings are shorter.
        const FIRST: usize = 64;
        let mut string = Vec::new();
        let mut buffer = [0; FIRST];
        if self.string_piece(at, &mut buffer, &mut string)? {
            return if string.len() < most { Ok(string) } else { Err(too_long) };
        }
        let mut buffer = [0; 256];
        while string.len() < most {
            if string.len() == string.capacity() {
                heap_has(2 * string.len())?;
            }
            let from = at.checked_add(string.len() as u64).ok_or(Errno::EFAULT)?;
            if self.string_piece(from, &mut buffer, &mut string)? {
                return if string.len() < most { Ok(string) } else { Err(too_long) };
            }
        }
        Err(too_long)
    }

    /// Reads as much of a string as fits into a buffer; whether that was all.
    fn string_piece(&self, at: u64, buffer: &mut [u8], string: &mut Vec<u8>) -> Result<bool> {
        // No further than the page, for the next one may not be there.
        let piece = (PAGE - at % PAGE).min(buffer.len() as u64) as usize;
        let piece = &mut buffer[..piece];
        self.paid(|native| native.read(at, piece))?;
        let end = piece.iter().position(|&byte| byte == 0);
        string.extend_from_slice(&piece[..end.unwrap_or(piece.len())]);
        Ok(end.is_some())
    }

    /// Reads a path.
    pub fn path(&self, at: u64) -> Result<Path> {
        /// Most paths are shorter.
        const FIRST: usize = 64;
        let mut path = Path::new(&self.server.paths);
        let mut most = FIRST;
        while path.length < PATH_MAX {
            let from = at.checked_add(path.length as u64).ok_or(Errno::EFAULT)?;
            // No further than the page, for the next one may not be there.
            let end = PATH_MAX.min(path.length + most.min((PAGE - from % PAGE) as usize));
            let piece = &mut path.buffer[path.length..end];
            self.paid(|native| native.read(from, piece))?;
            if let Some(end) = terminator(piece) {
                path.length += end;
                return Ok(path);
            }
            (path.length, most) = (end, PATH_MAX);
        }
        Err(Errno::ENAMETOOLONG)
    }
}

/// Where a string ends: looks at eight bytes at a time.
fn terminator(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let (words, rest) = bytes.as_chunks();
    for (nth, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // The lowest bit that is set is the top one of the first byte that is zero.
        let zeroes = word.wrapping_sub(ONES) & !word & ONES << 7;
        if zeroes != 0 {
            return Some(nth * 8 + zeroes.trailing_zeros() as usize / 8);
        }
    }
    rest.iter().position(|&byte| byte == 0).map(|end| words.len() * 8 + end)
}

/// Buffers of paths that are not in use.
pub type Paths = RefCell<Vec<Vec<u8>>>;

/// A path of a guest, in a buffer that is used again and again.
pub struct Path {
    buffer: Vec<u8>,
    length: usize,
    home: &'static Paths,
}

impl Path {
    /// An empty one.
    pub fn new(home: &'static Paths) -> Path {
        let buffer = home.borrow_mut().pop().unwrap_or_else(|| alloc::vec![0; PATH_MAX]);
        Path { buffer, length: 0, home }
    }
}

impl Deref for Path {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.buffer[..self.length]
    }
}

impl Drop for Path {
    fn drop(&mut self) {
        self.home.borrow_mut().push(core::mem::take(&mut self.buffer));
    }
}

/// Pieces of memory in order: a guest's, or this server's own.
pub enum Buffer<'a> {
    /// A guest's, each with address and length.
    User(&'a Process, &'a [[u64; 2]]),
    /// This server's own.
    Own(&'a mut [u8]),
}

/// Where bytes go to or come from, with a position that moves on.
pub struct Transfer<'a> {
    buffer: Buffer<'a>,
    /// The piece, and how much of it is done.
    piece: usize,
    within: u64,
    /// Bytes that are left.
    pub left: u64,
    /// Bytes that are done.
    pub done: u64,
}

impl<'a> Transfer<'a> {
    /// From the beginning of the buffer.
    pub fn new(buffer: Buffer<'a>) -> Transfer<'a> {
        let left = match &buffer {
            Buffer::User(_, pieces) => pieces.iter().map(|piece| piece[1]).sum(),
            Buffer::Own(bytes) => bytes.len() as u64,
        };
        Transfer { buffer, piece: 0, within: 0, left, done: 0 }
    }

    /// Whose memory it is, if it is a guest's.
    pub fn process(&self) -> Option<&'a Process> {
        match self.buffer {
            Buffer::User(process, _) => Some(process),
            Buffer::Own(_) => None,
        }
    }

    /// Moves no more than so many bytes.
    pub fn limit(&mut self, bytes: u64) {
        self.left = self.left.min(bytes);
    }

    /// Copies bytes from there, and stays where it is.
    pub fn peek(&mut self, bytes: &mut [u8]) -> Result<usize> {
        let (piece, within, left, done) = (self.piece, self.within, self.left, self.done);
        let taken = self.take(bytes);
        (self.piece, self.within, self.left, self.done) = (piece, within, left, done);
        taken
    }

    /// Goes over so many bytes, which were done before.
    pub fn advance(&mut self, mut bytes: u64) {
        while bytes > 0 && self.left > 0 {
            let room = match &self.buffer {
                Buffer::User(_, pieces) => pieces[self.piece][1] - self.within,
                Buffer::Own(_) => self.left,
            };
            let count = room.min(bytes);
            self.within += count;
            self.left -= count;
            self.done += count;
            bytes -= count;
            if count == room && bytes > 0 {
                (self.piece, self.within) = (self.piece + 1, 0);
            }
        }
    }

    /// Goes over all that is left.
    pub fn skip(&mut self) {
        self.advance(self.left);
    }

    /// Puts bytes there, as many as there is room for; how many. What cannot be reached after
    /// something was done ends the transfer.
    pub fn put(&mut self, bytes: &[u8]) -> Result<usize> {
        self.each(bytes.len(), |place, range| match place {
            Place::User(process, at) => {
                process.paid(|native| native.write(at, &bytes[range.clone()]))
            }
            Place::Own(own) => {
                own.copy_from_slice(&bytes[range]);
                Ok(())
            }
        })
    }

    /// Takes bytes from there; how many there were.
    pub fn take(&mut self, bytes: &mut [u8]) -> Result<usize> {
        self.each(bytes.len(), |place, range| match place {
            Place::User(process, at) => {
                process.paid(|native| native.read(at, &mut bytes[range.clone()]))
            }
            Place::Own(own) => {
                bytes[range].copy_from_slice(own);
                Ok(())
            }
        })
    }

    /// Puts bytes there that are mapped in this server at an address. Guests may map them as well, so
    /// only the kernel touches them.
    pub fn put_mapped(&mut self, address: u64, length: u64) -> Result<usize> {
        self.each(length as usize, |place, range| {
            let (from, bytes) = (address + range.start as u64, range.len() as u64);
            match place {
                Place::User(process, at) => {
                    process.paid(|native| native.write_from(at, from, bytes))
                }
                Place::Own(own) => Ok(rt::process().read(from, own)?),
            }
        })
    }

    /// Takes bytes from there to where they are mapped in this server.
    pub fn take_mapped(&mut self, address: u64, length: u64) -> Result<usize> {
        self.each(length as usize, |place, range| {
            let (to, bytes) = (address + range.start as u64, range.len() as u64);
            match place {
                Place::User(process, at) => process.paid(|native| native.read_to(at, to, bytes)),
                Place::Own(own) => Ok(rt::process().write(to, own)?),
            }
        })
    }

    fn each(
        &mut self,
        length: usize,
        mut copy: impl FnMut(Place<'_>, core::ops::Range<usize>) -> Result<()>,
    ) -> Result<usize> {
        let mut moved = 0;
        while moved < length && self.left > 0 {
            let wanted = (length - moved) as u64;
            let (place, count) = match &mut self.buffer {
                Buffer::User(process, pieces) => {
                    let [address, size] = pieces[self.piece];
                    if self.within == size {
                        (self.piece, self.within) = (self.piece + 1, 0);
                        continue;
                    }
                    let place = Place::User(process, address.wrapping_add(self.within));
                    (place, wanted.min(size - self.within))
                }
                Buffer::Own(bytes) => {
                    let count = wanted.min(self.left);
                    let end = (self.done + count) as usize;
                    (Place::Own(&mut bytes[self.done as usize..end]), count)
                }
            };
            match copy(place, moved..moved + count as usize) {
                Ok(()) => {}
                Err(error) if self.done == 0 => return Err(error),
                Err(_) => {
                    self.left = 0;
                    return Ok(moved);
                }
            }
            moved += count as usize;
            self.within += count;
            self.left -= count;
            self.done += count;
        }
        Ok(moved)
    }
}

enum Place<'a> {
    User(&'a Process, u64),
    Own(&'a mut [u8]),
}
