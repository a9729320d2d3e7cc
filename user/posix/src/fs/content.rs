//! The bytes of a file that is kept in memory.
//!
//! A file of the archive stays there, as long as nobody writes to it. A short one is on the heap. A
//! long one is a `Memory`, mapped here so that its bytes go to a guest in one copy, and mapped by the
//! guests as well.

use super::Regular;
use crate::errno::{Errno, Result};
use crate::user::Transfer;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use rt::Memory;
use rt::abi::{MAP_WRITE, PAGE};
use rt::space::Mapping;

/// Bytes that are kept on the heap at most.
const SHORT: u64 = 2048;
/// Bytes that a file may have.
pub const LONGEST: u64 = 1 << 40;
/// Pages that a file is given room for at first.
const FIRST: u64 = 16;

/// Bytes that can be read and written.
pub struct Content {
    bytes: RefCell<Bytes>,
    size: Cell<u64>,
}

enum Bytes {
    /// In the archive, which is mapped here: the memory, the offset in it, and the bytes.
    Archive(Rc<Memory>, u64, &'static [u8]),
    /// On the heap; as long as the file.
    Short(Vec<u8>),
    /// In a memory of its own. What is behind the file's end is zero.
    Long(Pages),
}

struct Pages {
    memory: Rc<Memory>,
    mapping: Mapping,
}

impl Content {
    /// No bytes.
    pub fn empty() -> Content {
        Content { bytes: RefCell::new(Bytes::Short(Vec::new())), size: Cell::new(0) }
    }

    /// Bytes of the archive.
    pub fn archived(archive: &Rc<Memory>, offset: u64, bytes: &'static [u8]) -> Content {
        let size = Cell::new(bytes.len() as u64);
        Content { bytes: RefCell::new(Bytes::Archive(archive.clone(), offset, bytes)), size }
    }

    /// Bytes that were made here.
    pub fn from_bytes(bytes: Vec<u8>) -> Content {
        let content = Content::empty();
        content.size.set(bytes.len() as u64);
        content.bytes.replace(Bytes::Short(bytes));
        content
    }

    /// Pages that it takes.
    pub fn pages(&self) -> u64 {
        match &*self.bytes.borrow() {
            Bytes::Long(pages) => pages.memory.info().map_or(0, |info| info.resident),
            _ => self.size.get().div_ceil(PAGE),
        }
    }

    /// Gives it a memory of its own with room for so many bytes.
    fn grow(&self, size: u64) -> Result<()> {
        if size > LONGEST {
            return Err(Errno::EFBIG);
        }
        let mut bytes = self.bytes.borrow_mut();
        let pages = size.div_ceil(PAGE).next_power_of_two().max(FIRST);
        match &mut *bytes {
            Bytes::Long(long) if long.mapping.pages() >= pages => {}
            Bytes::Long(long) => {
                long.memory.resize(pages).map_err(|_| Errno::ENOSPC)?;
                long.mapping = Mapping::new(&long.memory, 0, pages, MAP_WRITE)?;
            }
            Bytes::Archive(_, _, old) => *bytes = Bytes::Long(Pages::with(old, pages)?),
            Bytes::Short(old) => *bytes = Bytes::Long(Pages::with(old, pages)?),
        }
        Ok(())
    }
}

impl Pages {
    fn with(bytes: &[u8], pages: u64) -> Result<Pages> {
        let memory = Memory::create(pages).map_err(|_| Errno::ENOSPC)?;
        if !bytes.is_empty() {
            memory.write(0, bytes).map_err(|_| Errno::ENOSPC)?;
        }
        let mapping = Mapping::new(&memory, 0, pages, MAP_WRITE)?;
        Ok(Pages { memory: Rc::new(memory), mapping })
    }
}

impl Regular for Content {
    fn size(&self) -> u64 {
        self.size.get()
    }

    fn read(&self, at: u64, to: &mut Transfer<'_>) -> Result<()> {
        let length = to.left.min(self.size.get().saturating_sub(at));
        if length == 0 {
            return Ok(());
        }
        let (from, end) = (at as usize, (at + length) as usize);
        match &*self.bytes.borrow() {
            Bytes::Archive(_, _, bytes) => to.put(&bytes[from..end])?,
            Bytes::Short(bytes) => to.put(&bytes[from..end])?,
            Bytes::Long(pages) => to.put_mapped(pages.mapping.address() + at, length)?,
        };
        Ok(())
    }

    fn write(&self, at: u64, from: &mut Transfer<'_>) -> Result<()> {
        let end = at.checked_add(from.left).ok_or(Errno::EFBIG)?;
        if let Bytes::Short(bytes) = &mut *self.bytes.borrow_mut()
            && end <= SHORT
        {
            let length = bytes.len().max(end as usize);
            bytes.resize(length, 0);
            let moved = from.take(&mut bytes[at as usize..end as usize]);
            let end = (at as usize + *moved.as_ref().unwrap_or(&0)).max(self.size.get() as usize);
            bytes.truncate(end);
            self.size.set(end as u64);
            return moved.map(|_| ());
        }
        self.grow(end.max(self.size.get()))?;
        if let Bytes::Long(pages) = &*self.bytes.borrow() {
            let moved = from.take_mapped(pages.mapping.address() + at, end - at)?;
            self.size.set(self.size.get().max(at + moved as u64));
        }
        Ok(())
    }

    fn truncate(&self, size: u64) -> Result<()> {
        let old = self.size.get();
        if let Bytes::Short(bytes) = &mut *self.bytes.borrow_mut()
            && size <= SHORT
        {
            bytes.resize(size as usize, 0);
            self.size.set(size);
            return Ok(());
        }
        if size == 0 {
            self.bytes.replace(Bytes::Short(Vec::new()));
            self.size.set(0);
            return Ok(());
        }
        self.grow(size.max(old))?;
        if let Bytes::Long(pages) = &mut *self.bytes.borrow_mut()
            && size < old
        {
            // What is cut off must be zero when the file grows again.
            let kept = size.div_ceil(PAGE);
            let room = pages.mapping.pages();
            pages.memory.resize(kept)?;
            pages.memory.resize(room)?;
            let tail = (kept * PAGE - size) as usize;
            pages.memory.write(size, &[0; PAGE as usize][..tail])?;
        }
        self.size.set(size);
        Ok(())
    }

    fn memory(&self) -> Result<(Rc<Memory>, u64)> {
        if let Bytes::Archive(memory, offset, _) = &*self.bytes.borrow()
            && offset.is_multiple_of(PAGE)
        {
            return Ok((memory.clone(), offset / PAGE));
        }
        self.grow(self.size.get())?;
        match &*self.bytes.borrow() {
            Bytes::Long(pages) => Ok((pages.memory.clone(), 0)),
            _ => Err(Errno::ENODEV),
        }
    }
}
