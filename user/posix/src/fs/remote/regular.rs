//! Bytes of another server.

use super::Held;
use super::cache::{Cache, PIECE};
use crate::errno::{Errno, Result};
use crate::fs::{Inode, Regular};
use crate::later::Answer;
use crate::process::quota::heap_has;
use crate::user::Transfer;
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use files::requests::{Read, Truncate, Write};
use files::{MOST, Request, Tells};
use rt::Memory;

/// Bytes that one call moves at most.
const CALL: u64 = 16 * PIECE;
/// Pieces that are asked for before anybody reads them, if those before were read.
const AHEAD: u64 = 8;

/// The bytes of a file.
pub struct Bytes {
    held: Held,
    cache: Rc<Cache>,
}

impl Bytes {
    pub fn new(held: Held, size: u64) -> Bytes {
        let room = &held.remote.server.room;
        let cache = Rc::new(Cache::new(size, room, &held.remote.cached));
        Bytes { held, cache }
    }

    /// What is kept of it.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// The request for a piece.
    fn piece(&self, piece: u64) -> Request {
        Request::of(Read { file: self.held.node, place: piece * PIECE }).room(MOST)
    }

    /// Asks for a piece, unless that was done; the number of the request.
    fn fetch(&self, piece: u64) -> u64 {
        if let Some(&number) = self.cache.asked.borrow().get(&piece) {
            return number;
        }
        self.held.remote.make_room(self.held.node);
        let cache = self.cache.clone();
        let fill = Box::new(move |answer: &mut Answer| {
            cache.asked.borrow_mut().remove(&piece);
            answer.as_mut().is_ok_and(|told| cache.fill(piece, &mut told.bytes))
        });
        let number = self.held.remote.start(self.piece(piece), fill);
        self.cache.asked.borrow_mut().insert(piece, number);
        number
    }

    /// Has pieces at hand from one on that is not; or gives that one, if it is not kept.
    fn get(&self, first: u64, end: u64) -> Result<Tells> {
        let Held { remote, .. } = &self.held;
        if let Some(told) = remote.known(&self.piece(first)) {
            return told;
        }
        let is_sequence = first == 0 || self.cache.has(first - 1);
        let last = end.div_ceil(PIECE).max(if is_sequence { first + AHEAD } else { 0 });
        let last = last.min(self.cache.size().div_ceil(PIECE)).min(first + CALL / PIECE);
        for piece in (first..last).filter(|&piece| !self.cache.has(piece)) {
            let number = self.fetch(piece);
            if piece * PIECE < end {
                // It is asked for all the rest first.
                let _ = remote.server.later.wait_for::<()>(number);
            }
        }
        Err(Errno::LATER)
    }

    /// Keeps all of them here.
    fn keep(&self) -> Result<()> {
        match self.cache.lacks(0, u64::MAX) {
            Some(piece) => match self.get(piece, piece * PIECE + CALL) {
                Ok(_) => Err(Errno::ENOMEM),
                Err(error) => Err(error),
            },
            None => self.cache.pin(),
        }
    }
}

impl Regular for Bytes {
    fn size(&self) -> u64 {
        self.cache.size()
    }

    fn pages(&self) -> u64 {
        self.size().div_ceil(rt::abi::PAGE)
    }

    fn read(&self, at: u64, to: &mut Transfer<'_>) -> Result<()> {
        to.limit(CALL);
        let end = at.saturating_add(to.left);
        let Some(piece) = self.cache.lacks(at, end) else {
            return self.cache.bytes().read(at, to);
        };
        let told = self.get(piece, end)?;
        // There is no room to keep it: what is before it, or what is there of it.
        let start = piece * PIECE;
        if at < start {
            to.limit(start - at);
            return self.cache.bytes().read(at, to);
        }
        to.put(told.bytes.get((at - start) as usize..).unwrap_or_default()).map(|_| ())
    }

    fn end(&self) -> u64 {
        let cache = &self.cache;
        let end = self.held.remote.server.later.once(|| Ok(Rc::new(cache.end())));
        end.map_or(cache.end(), |end| *end)
    }

    fn write(&self, at: u64, from: &mut Transfer<'_>) -> Result<()> {
        from.limit(CALL);
        heap_has(2 * from.left as usize)?;
        let mut bytes = alloc::vec![0; from.left as usize];
        let length = from.peek(&mut bytes)?;
        let mut results = Vec::new();
        let mut place = at;
        for piece in bytes[..length].chunks(MOST) {
            results.push((piece.len() as u64, self.put(place, piece)));
            place += piece.len() as u64;
        }
        if results.iter().any(|(_, result)| *result == Err(Errno::LATER)) {
            return Err(Errno::LATER);
        }
        for (length, result) in results {
            match result {
                Ok(count) => {
                    from.advance(count);
                    if count < length {
                        break;
                    }
                }
                Err(error) if from.done == 0 => return Err(error),
                Err(_) => break,
            }
        }
        Ok(())
    }

    fn truncate(&self, size: u64) -> Result<()> {
        let cache = self.cache.clone();
        let request = Request::of(Truncate { file: self.held.node, size });
        let resize = move |answer: &Answer| {
            if answer.is_ok() {
                cache.resized(size);
            }
        };
        self.held.remote.change(request, || (), resize).map(|_| ())
    }

    fn memory(&self) -> Result<(Rc<Memory>, u64)> {
        self.keep()?;
        self.cache.bytes().memory()
    }

    fn prepare(&self) -> Result<()> {
        self.keep()
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn sync(&self) -> Result<()> {
        self.held.sync()
    }

    fn store(&self, this: &Inode) -> Result<()> {
        self.held.store(this)
    }

    fn as_remote(&self) -> Option<&Bytes> {
        Some(self)
    }
}

impl Bytes {
    /// Has the server take bytes; how many it took.
    fn put(&self, at: u64, bytes: &[u8]) -> Result {
        let (cache, mut own) = (self.cache.clone(), bytes.to_vec());
        let request = Request::of(Write { file: self.held.node, place: at }).with(bytes);
        let end = at + bytes.len() as u64;
        let told = self.held.remote.change(
            request,
            || self.cache.expect(end),
            move |answer| {
                let count = answer.as_ref().map_or(0, |told| own.len().min(told.count as usize));
                cache.written(at, &mut own[..count]);
            },
        )?;
        Ok(told.count.min(bytes.len() as u64))
    }
}
