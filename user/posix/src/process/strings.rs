//! The strings that a program is started with: its arguments, its environment. They are kept as they
//! will lie on its stack, one after the other, each with its terminator.

use super::Process;
use crate::errno::{Errno, Result};
use alloc::vec::Vec;
use rt::abi::PAGE;

/// Bytes of one string, with its terminator.
const LONGEST: usize = 128 << 10;
/// Bytes that are read at a time: strings that are passed together most often lie together.
const WINDOW: u64 = 512;

/// Strings in order.
#[derive(Default)]
pub struct Strings {
    /// All of them.
    pub bytes: Vec<u8>,
    /// How many they are.
    pub count: usize,
}

impl Strings {
    /// A list of pointers that ends with a null pointer, and what they point to: all of it has so much
    /// room, of which it takes its part.
    pub fn read(process: &Process, list: u64, room: &mut usize) -> Result<Strings> {
        let mut strings = Strings::default();
        if list == 0 {
            return Ok(strings);
        }
        let (mut pointers, mut text) = (Window::new(process), Window::new(process));
        loop {
            let at = pointers.word(list.wrapping_add(strings.count as u64 * 8))?;
            if at == 0 {
                return Ok(strings);
            }
            let length = text.string(at, &mut strings.bytes)?;
            *room = room.checked_sub(length + 8).ok_or(Errno::E2BIG)?;
            strings.count += 1;
        }
    }

    /// Another one.
    pub fn push(&mut self, string: &[u8]) {
        self.bytes.extend_from_slice(string);
        self.bytes.push(0);
        self.count += 1;
    }

    /// Each without its terminator.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.bytes.split(|&byte| byte == 0).take(self.count)
    }
}

impl<'a> FromIterator<&'a [u8]> for Strings {
    fn from_iter<I: IntoIterator<Item = &'a [u8]>>(all: I) -> Strings {
        let mut strings = Strings::default();
        all.into_iter().for_each(|string| strings.push(string));
        strings
    }
}

/// A guest's memory around the address that was read last.
struct Window<'a> {
    process: &'a Process,
    start: u64,
    length: usize,
    bytes: [u8; WINDOW as usize],
}

impl Window<'_> {
    fn new(process: &Process) -> Window<'_> {
        Window { process, start: 0, length: 0, bytes: [0; WINDOW as usize] }
    }

    /// The bytes from an address on that are at hand: one at least.
    fn at(&mut self, address: u64) -> Result<&[u8]> {
        if address.wrapping_sub(self.start) >= self.length as u64 {
            // No further than the page, for the next one may not be there.
            let length = (PAGE - address % PAGE).min(WINDOW) as usize;
            let piece = &mut self.bytes[..length];
            self.length = 0;
            self.process.paid(|native| native.read(address, piece))?;
            (self.start, self.length) = (address, length);
        }
        Ok(&self.bytes[(address - self.start) as usize..self.length])
    }

    fn word(&mut self, address: u64) -> Result {
        match self.at(address)?.first_chunk() {
            Some(word) => Ok(u64::from_ne_bytes(*word)),
            None => self.process.get(address),
        }
    }

    /// Appends a string; how long it is with its terminator.
    fn string(&mut self, start: u64, to: &mut Vec<u8>) -> Result<usize> {
        let before = to.len();
        loop {
            let length = to.len() - before;
            let here = self.at(start.checked_add(length as u64).ok_or(Errno::EFAULT)?)?;
            let end = here.iter().position(|&byte| byte == 0).map(|end| end + 1);
            if length + end.unwrap_or(here.len()) > LONGEST {
                return Err(Errno::E2BIG);
            }
            to.extend_from_slice(&here[..end.unwrap_or(here.len())]);
            if end.is_some() {
                return Ok(to.len() - before);
            }
        }
    }
}
