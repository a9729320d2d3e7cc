//! Bytes of another server. What is mapped or run is kept here as well, all of it.

use super::Held;
use crate::errno::{Errno, Result};
use crate::fs::content::Content;
use crate::fs::limit::Limit;
use crate::fs::{Inode, Regular};
use crate::user::{Buffer, Transfer};
use alloc::rc::Rc;
use core::cell::{Cell, OnceCell};
use files::{MOST, Operation, Request};
use rt::Memory;

/// Bytes that one call moves at most.
const CALL: u64 = 16 * MOST as u64;

/// The bytes of a file.
pub struct Bytes {
    held: Held,
    size: Cell<u64>,
    /// Those that are kept here, and how many there are already.
    kept: OnceCell<Content>,
    filled: Cell<u64>,
}

impl Bytes {
    pub fn new(held: Held, size: u64) -> Bytes {
        Bytes { held, size: Cell::new(size), kept: OnceCell::new(), filled: Cell::new(0) }
    }

    /// Those from a place on, up to [`MOST`].
    fn piece(&self, at: u64, length: u64) -> Result<files::Tells> {
        let room = length.min(MOST as u64) as usize;
        let request = Request::new(Operation::Read, [self.held.node, at]).room(room);
        self.held.remote.ask(request)
    }

    /// Keeps all of them here.
    fn keep(&self) -> Result<&Content> {
        let room = &self.held.remote.server.room;
        let kept = self.kept.get_or_init(|| Content::empty(room, &Rc::new(Limit::default())));
        while self.filled.get() < self.size.get() {
            let at = self.filled.get();
            let mut told = self.piece(at, self.size.get() - at)?;
            if told.bytes.is_empty() {
                return Err(Errno::EIO);
            }
            kept.write(at, &mut Transfer::new(Buffer::Own(&mut told.bytes)))?;
            self.filled.set(at + told.bytes.len() as u64);
        }
        Ok(kept)
    }

    /// What is kept here is not what it was.
    fn changed(&self, at: u64, bytes: &mut [u8]) -> Result<()> {
        match self.kept.get() {
            Some(kept) if at <= self.filled.get() => {
                kept.write(at, &mut Transfer::new(Buffer::Own(bytes)))?;
                self.filled.set(self.filled.get().max(at + bytes.len() as u64));
            }
            _ => {}
        }
        Ok(())
    }
}

impl Regular for Bytes {
    fn size(&self) -> u64 {
        self.size.get()
    }

    fn pages(&self) -> u64 {
        self.size.get().div_ceil(rt::abi::PAGE)
    }

    fn read(&self, mut at: u64, to: &mut Transfer<'_>) -> Result<()> {
        to.limit(CALL);
        if let Some(kept) = self.kept.get().filter(|_| self.filled.get() >= self.size.get()) {
            return kept.read(at, to);
        }
        while to.left > 0 && at < self.size.get() {
            let told = self.piece(at, to.left.min(self.size.get() - at))?;
            let moved = to.put(&told.bytes)?;
            at += moved as u64;
            if moved < told.bytes.len() || moved == 0 {
                break;
            }
        }
        Ok(())
    }

    fn write(&self, mut at: u64, from: &mut Transfer<'_>) -> Result<()> {
        from.limit(CALL);
        while from.left > 0 {
            let mut bytes = alloc::vec![0; from.left.min(MOST as u64) as usize];
            let count = from.peek(&mut bytes)?;
            bytes.truncate(count);
            let request = Request::new(Operation::Write, [self.held.node, at]).with(&bytes);
            let count = match self.held.remote.ask(request) {
                Ok(told) => (told.count as usize).min(count),
                Err(error) if from.done == 0 || error == Errno::LATER => return Err(error),
                Err(_) => break,
            };
            self.changed(at, &mut bytes[..count])?;
            at += count as u64;
            from.advance(count as u64);
            self.size.set(self.size.get().max(at));
            if count < bytes.len() {
                break;
            }
        }
        Ok(())
    }

    fn truncate(&self, size: u64) -> Result<()> {
        self.held.ask(Operation::Truncate, size)?;
        if let Some(kept) = self.kept.get() {
            kept.truncate(size.min(self.filled.get()))?;
            self.filled.set(size.min(self.filled.get()));
        }
        self.size.set(size);
        Ok(())
    }

    fn memory(&self) -> Result<(Rc<Memory>, u64)> {
        self.keep()?.memory()
    }

    fn prepare(&self) -> Result<()> {
        self.keep().map(|_| ())
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
}
