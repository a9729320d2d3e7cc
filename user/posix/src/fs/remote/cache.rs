//! Bytes of another server's file that are kept here, in pieces: what was read once is read again
//! without asking. Nothing is only here: what is written goes to the server first.

use crate::errno::{Errno, Result};
use crate::fs::Regular;
use crate::fs::content::Content;
use crate::fs::limit::Limit;
use crate::fs::room::Room;
use crate::user::{Buffer, Transfer};
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use files::MOST;
use rt::abi::PAGE;

/// Bytes of a piece: what one request reads.
pub const PIECE: u64 = MOST as u64;

/// New pieces that are noted at most; the server knows them as well.
const NEW: u64 = 64;

/// The bytes of a file that are known, and how many it has.
pub struct Cache {
    size: Cell<u64>,
    bytes: Content,
    /// A bit for each piece that is known.
    known: RefCell<Vec<u64>>,
    /// Pieces that were asked for, with the numbers of the requests.
    pub asked: RefCell<BTreeMap<u64, u64>>,
    /// Where writes that are under way end, and how many there are.
    writing: Cell<(u64, u64)>,
    /// All of it is needed as long as the file is: it is mapped.
    pinned: Cell<bool>,
}

impl Cache {
    /// Nothing of a file of so many bytes.
    pub fn new(size: u64, room: &Rc<Room>) -> Cache {
        Cache {
            size: Cell::new(size),
            bytes: Content::empty(room, &Rc::new(Limit::default())),
            known: RefCell::default(),
            asked: RefCell::default(),
            writing: Cell::default(),
            pinned: Cell::new(false),
        }
    }

    /// How many bytes the file has.
    pub fn size(&self) -> u64 {
        self.size.get()
    }

    /// Where what is appended goes.
    pub fn end(&self) -> u64 {
        self.size().max(self.writing.get().0)
    }

    /// Bytes up to a place are being written.
    pub fn expect(&self, end: u64) {
        let (last, count) = self.writing.get();
        self.writing.set((last.max(end), count + 1));
    }

    /// What is known, as a file in memory.
    pub fn bytes(&self) -> &Content {
        &self.bytes
    }

    /// Whether a piece is known.
    pub fn has(&self, piece: u64) -> bool {
        let known = self.known.borrow();
        known.get(piece as usize / 64).is_some_and(|word| word >> (piece % 64) & 1 != 0)
    }

    /// The first piece that is not known, of those that have bytes between two places.
    pub fn lacks(&self, at: u64, end: u64) -> Option<u64> {
        let (first, last) = (at / PIECE, end.min(self.size()).div_ceil(PIECE));
        let known = self.known.borrow();
        // Most are in one piece.
        (first..last).find(|&piece| {
            let word = known.get(piece as usize / 64).copied().unwrap_or(0);
            word >> (piece % 64) & 1 == 0
        })
    }

    /// A piece was read. Says whether it is kept.
    pub fn fill(&self, piece: u64, bytes: &mut [u8]) -> bool {
        let at = piece * PIECE;
        let wanted = PIECE.min(self.size().saturating_sub(at));
        let is_whole = bytes.len() as u64 >= wanted;
        let kept = is_whole && self.put(at, &mut bytes[..wanted as usize]).is_ok();
        if kept {
            self.mark(piece);
        }
        kept
    }

    /// So many bytes were written at a place as was expected, or fewer.
    pub fn written(&self, mut at: u64, mut bytes: &mut [u8]) {
        let (last, count) = self.writing.get();
        self.writing.set(if count > 1 { (last, count - 1) } else { (0, 0) });
        if bytes.is_empty() {
            return;
        }
        let (old, end) = (self.size(), at + bytes.len() as u64);
        self.grow(old.max(end));
        while !bytes.is_empty() {
            let piece = at / PIECE;
            let (here, rest) = bytes.split_at_mut(bytes.len().min((PIECE - at % PIECE) as usize));
            if self.has(piece) && self.put(at, here).is_err() {
                self.forget(piece);
            }
            at += here.len() as u64;
            bytes = rest;
        }
    }

    /// The file has become shorter or longer.
    pub fn resized(&self, size: u64) {
        if size < self.size() {
            (size.div_ceil(PIECE)..self.size().div_ceil(PIECE))
                .for_each(|piece| self.forget(piece));
            self.size.set(size);
            if self.bytes.size() > size && self.bytes.truncate(size).is_err() {
                self.clear();
            }
        } else {
            self.grow(size);
        }
    }

    /// It has become longer: whole pieces that are new are zeroes, as is the rest of the last one.
    fn grow(&self, size: u64) {
        let old = self.size.replace(size);
        let new = old.div_ceil(PIECE)..size.div_ceil(PIECE);
        new.take(NEW as usize).for_each(|piece| self.mark(piece));
        if size > self.bytes.size() && self.bytes.truncate(size).is_err() {
            self.clear();
        }
    }

    /// Nothing of it is known any more, unless it is mapped; how many bytes of memory that was.
    pub fn clear(&self) -> u64 {
        if self.pinned.get() {
            return 0;
        }
        self.known.take();
        let pages = self.bytes.pages();
        // Less is always possible.
        let _ = self.bytes.truncate(0);
        pages * PAGE
    }

    /// Keeps what is known from now on.
    pub fn pin(&self) -> Result<()> {
        self.pinned.set(true);
        if self.bytes.size() < self.size() { self.bytes.truncate(self.size()) } else { Ok(()) }
    }

    fn put(&self, at: u64, bytes: &mut [u8]) -> Result<()> {
        if self.bytes.size() < self.size() {
            self.bytes.truncate(self.size())?;
        }
        let length = bytes.len() as u64;
        let mut from = Transfer::new(Buffer::Own(bytes));
        self.bytes.write(at, &mut from)?;
        if from.done < length { Err(Errno::ENOSPC) } else { Ok(()) }
    }

    fn mark(&self, piece: u64) {
        let mut known = self.known.borrow_mut();
        let word = piece as usize / 64;
        if known.len() <= word {
            known.resize(word + 1, 0);
        }
        known[word] |= 1 << (piece % 64);
    }

    fn forget(&self, piece: u64) {
        if self.has(piece) {
            self.known.borrow_mut()[piece as usize / 64] &= !(1 << (piece % 64));
        }
    }
}
