//! The pages of a long file: a memory, and which of its pages there are. What nobody has written takes
//! no memory, and is not touched, for that would make it.

use super::room::{Room, WINDOW};
use crate::errno::{Errno, Result};
use crate::user::Transfer;
use alloc::collections::BTreeMap;
use alloc::rc::Rc;
use core::cell::Cell;
use rt::Memory;
use rt::abi::PAGE;

/// A bit for each page of a window.
type Bits = [u64; WINDOW as usize / 64];

static ZEROES: [u8; PAGE as usize] = [0; PAGE as usize];

/// The pages of a file.
pub struct Pages {
    memory: Rc<Memory>,
    room: Rc<Room>,
    /// Who has its windows.
    number: u64,
    last_window: Cell<usize>,
    /// How many the memory has: whole windows, unless guests have it mapped.
    count: u64,
    /// Those that were written, by window.
    there: BTreeMap<u64, Bits>,
    /// Guests have it mapped: they may have written anything, and there is nothing behind the end.
    mapped: bool,
    /// Those that were written, are zero again, and still take memory.
    stale: u64,
}

/// Pages that are not given back while there are more of others.
const FEW: u64 = 16;

/// Pages of so many bytes, in whole windows.
fn windows(size: u64) -> u64 {
    size.div_ceil(PAGE).max(1).next_multiple_of(WINDOW)
}

impl Pages {
    /// Pages with these bytes, and room for so many.
    pub fn new(room: &Rc<Room>, bytes: &[u8], size: u64) -> Result<Pages> {
        let length = bytes.len() as u64;
        if length.div_ceil(PAGE) > room.free() {
            return Err(Errno::ENOSPC);
        }
        let count = windows(length.max(size));
        let memory = room.memory(count)?;
        memory.write(0, bytes).map_err(|_| Errno::ENOSPC)?;
        let mut pages = Pages {
            memory: Rc::new(memory),
            room: room.clone(),
            number: room.number(),
            last_window: Cell::new(0),
            count,
            there: BTreeMap::new(),
            mapped: false,
            stale: 0,
        };
        pages.mark(0, length.div_ceil(PAGE));
        Ok(pages)
    }

    /// The memory of a file with so many bytes, for mapping.
    pub fn memory(&mut self, size: u64) -> Result<Rc<Memory>> {
        if !self.mapped {
            self.resize(size.div_ceil(PAGE))?;
            self.mapped = true;
        }
        Ok(self.memory.clone())
    }

    /// How many there are.
    pub fn resident(&self) -> u64 {
        if self.mapped {
            return self.memory.info().map_or(0, |info| info.resident);
        }
        self.there.values().flatten().map(|bits| u64::from(bits.count_ones())).sum()
    }

    /// Makes room for so many bytes.
    pub fn lengthen(&mut self, size: u64) -> Result<()> {
        let count = if self.mapped { size.div_ceil(PAGE) } else { windows(size) };
        if count > self.count { self.resize(count) } else { Ok(()) }
    }

    fn resize(&mut self, count: u64) -> Result<()> {
        self.memory.resize(count).map_err(|_| Errno::ENOSPC)?;
        self.count = count;
        Ok(())
    }

    /// Whether a page was written, and the first behind it, below `last`, of which that may differ.
    pub fn run(&self, page: u64, last: u64) -> (bool, u64) {
        if self.mapped {
            return (true, last);
        }
        let last = last.min((page / WINDOW + 1) * WINDOW);
        let Some(bits) = self.there.get(&(page / WINDOW)) else { return (false, last) };
        let word = |page: u64| bits[(page % WINDOW / 64) as usize];
        let there = word(page) >> (page % 64) & 1 != 0;
        let mut at = page + 1;
        while at < last {
            let word = if there { !word(at) } else { word(at) } >> (at % 64);
            let (same, left) = (u64::from(word.trailing_zeros()), 64 - at % 64);
            at += same.min(left);
            if same < left {
                break;
            }
        }
        (there, at.min(last))
    }

    fn mark(&mut self, first: u64, last: u64) {
        for page in first..last {
            let bits = self.there.entry(page / WINDOW).or_default();
            bits[(page % WINDOW / 64) as usize] |= 1 << (page % 64);
        }
    }

    fn unmark(&mut self, first: u64, last: u64) {
        for page in first..last {
            if let Some(bits) = self.there.get_mut(&(page / WINDOW)) {
                bits[(page % WINDOW / 64) as usize] &= !(1 << (page % 64));
            }
        }
    }

    /// How far one can write: there must be room for what is new.
    fn writable(&self, at: u64, end: u64) -> Result {
        let (mut page, last) = (at / PAGE, end.div_ceil(PAGE));
        let mut free = None;
        while page < last {
            let (there, next) = self.run(page, last);
            if !there || self.mapped {
                let free = free.get_or_insert_with(|| self.room.free());
                if next - page > *free {
                    let end = (page + *free) * PAGE;
                    return if end > at { Ok(end) } else { Err(Errno::ENOSPC) };
                }
                *free -= next - page;
            }
            page = next;
        }
        Ok(end)
    }

    /// Reads.
    pub fn read(&self, mut at: u64, end: u64, to: &mut Transfer<'_>) -> Result<()> {
        while at < end {
            let (there, next) = self.run(at / PAGE, end.div_ceil(PAGE));
            let end = end.min(next * PAGE);
            let (moved, length) = if there {
                let (here, length) = self.window(at, end)?;
                (to.put_mapped(here, length)?, length)
            } else {
                let length = (end - at).min(PAGE);
                (to.put(&ZEROES[..length as usize])?, length)
            };
            at += moved as u64;
            if (moved as u64) < length {
                break;
            }
        }
        Ok(())
    }

    /// Writes.
    pub fn write(&mut self, mut at: u64, from: &mut Transfer<'_>) -> Result<()> {
        let end = self.writable(at, at + from.left)?;
        from.limit(end - at);
        self.mark(at / PAGE, end.div_ceil(PAGE));
        while at < end {
            let (here, length) = self.window(at, end)?;
            let moved = from.take_mapped(here, length)? as u64;
            at += moved;
            if moved < length {
                break;
            }
        }
        Ok(())
    }

    /// A piece of a range, as it is mapped here.
    fn window(&self, at: u64, end: u64) -> Result<(u64, u64)> {
        let found = match self.room.find(self.number, at, &self.last_window) {
            Some(found) => found,
            None => self.show(at)?,
        };
        Ok((found.0, found.1.min(end - at)))
    }

    /// Maps what is around a place here.
    #[cold]
    fn show(&self, at: u64) -> Result<(u64, u64)> {
        if self.mapped {
            self.memory.resize(windows(self.count * PAGE)).map_err(|_| Errno::ENOSPC)?;
        }
        self.room.map(self.number, &self.memory, at)?;
        if self.mapped {
            self.memory.resize(self.count)?;
        }
        self.room.find(self.number, at, &self.last_window).ok_or(Errno::EIO)
    }

    /// Cuts off what is behind a place, so that it is zero when the file grows again.
    pub fn cut(&mut self, size: u64) -> Result<()> {
        let kept = size.div_ceil(PAGE);
        self.room.unmap_from(self.number, kept / WINDOW);
        self.resize(kept)?;
        self.lengthen(size)?;
        self.there.split_off(&kept.div_ceil(WINDOW));
        self.unmark(kept, kept.next_multiple_of(WINDOW));
        self.clear(size, kept * PAGE)
    }

    /// Takes memory for a range, in which nothing changes.
    pub fn reserve(&mut self, at: u64, end: u64) -> Result<()> {
        if self.writable(at, end)? < end {
            return Err(Errno::ENOSPC);
        }
        let (mut page, last) = (at / PAGE, end.div_ceil(PAGE));
        while page < last && !self.mapped {
            let (there, next) = self.run(page, last);
            for page in if there { next..next } else { page..next } {
                self.memory.write(page * PAGE, &[0]).map_err(|_| Errno::ENOSPC)?;
            }
            self.mark(page, next);
            page = next;
        }
        Ok(())
    }

    /// Makes a hole: zeroes, and of whole pages nothing. Memory can only be given back by moving what is
    /// left, so that happens when it is less.
    pub fn punch(&mut self, at: u64, end: u64) -> Result<()> {
        self.clear(at, end)?;
        let (mut page, last) = (at.div_ceil(PAGE), end / PAGE);
        if self.mapped {
            return Ok(());
        }
        while page < last {
            let (there, next) = self.run(page, last);
            if there {
                self.stale += next - page;
                self.unmark(page, next);
            }
            page = next;
        }
        let left = self.resident();
        if self.stale >= left.max(FEW) && left <= self.room.free() {
            self.move_on()
        } else {
            Ok(())
        }
    }

    /// Takes another memory for what is there.
    fn move_on(&mut self) -> Result<()> {
        let new = self.room.memory(self.count)?;
        let (mut page, mut bytes) = (0, alloc::vec![0; PAGE as usize]);
        while page < self.count {
            let (there, next) = self.run(page, self.count);
            for page in if there { page..next } else { next..next } {
                self.memory.read(page * PAGE, &mut bytes)?;
                new.write(page * PAGE, &bytes).map_err(|_| Errno::ENOSPC)?;
            }
            page = next;
        }
        self.room.unmap_from(self.number, 0);
        (self.memory, self.stale) = (Rc::new(new), 0);
        Ok(())
    }

    /// Writes zeroes where there is something.
    fn clear(&self, mut at: u64, end: u64) -> Result<()> {
        let end = self.writable(at, end)?;
        while at < end {
            let (there, next) = self.run(at / PAGE, end.div_ceil(PAGE));
            let length = if there { (PAGE - at % PAGE).min(end - at) } else { next * PAGE - at };
            if there {
                self.memory.write(at, &ZEROES[..length as usize]).map_err(|_| Errno::ENOSPC)?;
            }
            at += length;
        }
        Ok(())
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.room.unmap_from(self.number, 0);
    }
}
