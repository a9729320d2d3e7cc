//! The bytes of a file that is kept in memory.
//!
//! A file of the archive stays there, as long as nobody writes to it. A short one is on the heap. A
//! long one has pages that guests may map as well.

use super::limit::Limit;
use super::pages::Pages;
use super::room::{Charge, Room};
use super::tmpfs::Names;
use super::{Hole, Regular};
use crate::errno::{Errno, Result};
use crate::user::Transfer;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use rt::Memory;
use rt::abi::PAGE;

/// Bytes that are kept on the heap at most.
const SHORT: u64 = 2048;
/// Bytes that a file may have.
const LONGEST: u64 = 1 << 40;

/// Bytes that can be read and written.
pub struct Content {
    bytes: RefCell<Bytes>,
    size: Cell<u64>,
    charge: Charge,
    limit: Rc<Limit>,
    /// Pages that the limit counts.
    counted: Cell<u64>,
}

enum Bytes {
    /// In the archive, which is mapped here: the memory, the offset in it, and the bytes.
    Archive(Rc<Memory>, u64, &'static [u8]),
    /// On the heap; as long as the file.
    Short(Vec<u8>),
    /// In pages. What is behind the file's end is zero.
    Long(Pages),
}

impl Content {
    /// No bytes.
    pub fn empty(room: &Rc<Room>, limit: &Rc<Limit>) -> Content {
        Content {
            bytes: RefCell::new(Bytes::Short(Vec::new())),
            size: Cell::new(0),
            charge: Charge::none(room),
            limit: limit.clone(),
            counted: Cell::new(0),
        }
    }

    /// Bytes of the archive.
    pub fn archived(
        names: &Names,
        archive: &Rc<Memory>,
        offset: u64,
        bytes: &'static [u8],
    ) -> Content {
        let content = Content::empty(names.room(), names.limit());
        content.size.set(bytes.len() as u64);
        content.bytes.replace(Bytes::Archive(archive.clone(), offset, bytes));
        content
    }

    /// Does something with its pages, of which there are enough for so many bytes then.
    fn with_pages<T>(&self, size: u64, act: impl FnOnce(&mut Pages) -> Result<T>) -> Result<T> {
        if size > LONGEST {
            return Err(Errno::EFBIG);
        }
        let mut bytes = self.bytes.borrow_mut();
        let made = match &*bytes {
            Bytes::Long(_) => None,
            Bytes::Archive(_, _, old) => Some(Pages::new(self.charge.room(), old, size)?),
            Bytes::Short(old) => Some(Pages::new(self.charge.room(), old, size)?),
        };
        if let Some(pages) = made {
            *bytes = Bytes::Long(pages);
            self.charge.set(0)?;
        }
        match &mut *bytes {
            Bytes::Long(pages) => {
                pages.lengthen(size)?;
                act(pages)
            }
            _ => Err(Errno::EIO),
        }
    }

    /// Changes what is on the heap, if all of it may stay there with so many bytes.
    fn with_short<T>(&self, size: u64, act: impl FnOnce(&mut Vec<u8>) -> T) -> Option<Result<T>> {
        match &mut *self.bytes.borrow_mut() {
            Bytes::Short(bytes) if size <= SHORT => {
                if let Err(error) = self.charge.set(size) {
                    return Some(Err(error));
                }
                let result = act(bytes);
                self.size.set(bytes.len() as u64);
                Some(Ok(result))
            }
            _ => None,
        }
    }
}

/// Writing.
impl Content {
    /// Takes bytes for a place.
    fn put(&self, at: u64, from: &mut Transfer<'_>) -> Result<()> {
        let (old, end) = (self.size.get(), at + from.left);
        let short = self.with_short(old.max(end), |bytes| {
            bytes.resize(bytes.len().max(end as usize), 0);
            let moved = from.take(&mut bytes[at as usize..end as usize]);
            let reached = moved.as_ref().map_or(0, |&moved| at as usize + moved);
            bytes.truncate(reached.max(old as usize));
            moved
        });
        if let Some(moved) = short {
            return moved?.map(|_| ());
        }
        let before = from.done;
        let result = self.with_pages(old.max(end), |pages| pages.write(at, from));
        if from.done > before {
            self.size.set(old.max(at + (from.done - before)));
        }
        result
    }

    /// Makes it shorter or longer.
    fn resize(&self, size: u64) -> Result<()> {
        let old = self.size.get();
        if size == 0 {
            self.bytes.replace(Bytes::Short(Vec::new()));
            self.charge.set(0)?;
            self.size.set(0);
            return Ok(());
        }
        if let Some(done) = self.with_short(size, |bytes| bytes.resize(size as usize, 0)) {
            return done;
        }
        self.with_pages(size.max(old), |pages| if size < old { pages.cut(size) } else { Ok(()) })?;
        self.size.set(size);
        Ok(())
    }
}

/// Pages that are counted, where their number is limited.
impl Content {
    /// How much of a range can be written.
    fn admit(&self, at: u64, end: u64) -> Result {
        if self.limit.pages.get().is_none() {
            return Ok(end - at);
        }
        let (mut page, last) = (at / PAGE, end.div_ceil(PAGE));
        let mut new = 0;
        match &*self.bytes.borrow() {
            Bytes::Long(pages) => {
                while page < last {
                    let (there, next) = pages.run(page, last);
                    new += if there { 0 } else { next - page };
                    page = next;
                }
            }
            _ => new = last - page.max(self.size.get().div_ceil(PAGE)).min(last),
        }
        self.limit.admit(at, end, new)
    }

    /// Its pages have become more or less.
    fn recount(&self) {
        if self.limit.pages.get().is_some() {
            let now = self.pages();
            self.limit.recount(self.counted.replace(now), now);
        }
    }
}

impl Drop for Content {
    fn drop(&mut self) {
        self.limit.recount(self.counted.get(), 0);
    }
}

impl Regular for Content {
    fn size(&self) -> u64 {
        self.size.get()
    }

    fn pages(&self) -> u64 {
        match &*self.bytes.borrow() {
            Bytes::Long(pages) => pages.resident(),
            _ => self.size.get().div_ceil(PAGE),
        }
    }

    fn read(&self, at: u64, to: &mut Transfer<'_>) -> Result<()> {
        let length = to.left.min(self.size.get().saturating_sub(at));
        if length == 0 {
            return Ok(());
        }
        let end = at + length;
        match &*self.bytes.borrow() {
            Bytes::Archive(_, _, bytes) => to.put(&bytes[at as usize..end as usize]).map(|_| ()),
            Bytes::Short(bytes) => to.put(&bytes[at as usize..end as usize]).map(|_| ()),
            Bytes::Long(pages) => pages.read(at, end, to),
        }
    }

    fn write(&self, at: u64, from: &mut Transfer<'_>) -> Result<()> {
        if from.left == 0 {
            return Ok(());
        }
        if at >= LONGEST {
            return Err(Errno::EFBIG);
        }
        from.limit(LONGEST - at);
        from.limit(self.admit(at, at + from.left)?);
        let result = self.put(at, from);
        self.recount();
        result
    }

    fn truncate(&self, size: u64) -> Result<()> {
        let result = self.resize(size);
        self.recount();
        result
    }

    fn reserve(&self, at: u64, end: u64) -> Result<()> {
        if self.admit(at, end)? < end - at {
            return Err(Errno::ENOSPC);
        }
        let size = self.size.get().max(end);
        let result = self.with_pages(size, |pages| pages.reserve(at, end));
        self.recount();
        result
    }

    fn punch(&self, at: u64, end: u64) -> Result<()> {
        // The last page goes as a whole.
        let size = self.size.get();
        let end = if end >= size { size.next_multiple_of(PAGE) } else { end };
        if at >= size {
            return Ok(());
        }
        let result = self.with_pages(size, |pages| pages.punch(at, end));
        self.recount();
        result
    }

    fn find(&self, at: u64, wanted: Hole) -> u64 {
        let size = self.size.get();
        let bytes = self.bytes.borrow();
        let Bytes::Long(pages) = &*bytes else {
            return if wanted == Hole::Data { at } else { size };
        };
        let (mut page, last) = (at / PAGE, size.div_ceil(PAGE));
        while page < last {
            let (there, next) = pages.run(page, last);
            if there == (wanted == Hole::Data) {
                return at.max(page * PAGE);
            }
            page = next;
        }
        size
    }

    fn memory(&self) -> Result<(Rc<Memory>, u64)> {
        if let Bytes::Archive(memory, offset, _) = &*self.bytes.borrow()
            && offset.is_multiple_of(PAGE)
        {
            return Ok((memory.clone(), offset / PAGE));
        }
        let size = self.size.get();
        self.with_pages(size, |pages| Ok((pages.memory(size)?, 0)))
    }
}
