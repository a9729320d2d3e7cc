//! What one file system in memory may take at most, where its mount says so.

use crate::errno::{Errno, Result};
use alloc::rc::Rc;
use core::cell::Cell;
use rt::abi::PAGE;

/// Pages and files: how many there may be, and how many there are.
#[derive(Default)]
pub struct Limit {
    /// Pages that there may be; none if only the room is the limit.
    pub pages: Cell<Option<u64>>,
    /// The same of files.
    pub files: Cell<Option<u64>>,
    used_pages: Cell<u64>,
    used_files: Cell<u64>,
}

/// What was set, and what of it is free.
fn free(most: Option<u64>, used: u64) -> Option<(u64, u64)> {
    most.map(|most| (most, most.saturating_sub(used)))
}

impl Limit {
    /// Pages in all and free ones, if that is limited.
    pub fn free_pages(&self) -> Option<(u64, u64)> {
        free(self.pages.get(), self.used_pages.get())
    }

    /// Files in all and those that may still be made, if that is limited.
    pub fn free_files(&self) -> Option<(u64, u64)> {
        free(self.files.get(), self.used_files.get())
    }

    /// Sets both, of which there must not be more already.
    pub fn set(&self, pages: Option<u64>, files: Option<u64>) -> Result<()> {
        let fits = |most: Option<u64>, used: u64| most.is_none_or(|most| used <= most);
        if !fits(pages, self.used_pages.get()) || !fits(files, self.used_files.get()) {
            return Err(Errno::EINVAL);
        }
        self.pages.set(pages.or(self.pages.get()));
        self.files.set(files.or(self.files.get()));
        Ok(())
    }

    /// A file more.
    pub fn file(self: &Rc<Limit>) -> Result<Counted> {
        self.name().map(|()| Counted(self.clone()))
    }

    /// A file has another name, which counts as much as a file.
    pub fn name(&self) -> Result<()> {
        if let Some((_, 0)) = self.free_files() {
            return Err(Errno::ENOSPC);
        }
        self.used_files.set(self.used_files.get() + 1);
        Ok(())
    }

    /// A file has a name less, and another one.
    pub fn forget_name(&self) {
        self.used_files.set(self.used_files.get() - 1);
    }

    /// A file has so many pages now, of which these were counted before.
    pub fn recount(&self, before: u64, now: u64) {
        self.used_pages.set((self.used_pages.get() + now).saturating_sub(before));
    }

    /// How much of a range can be written of which so many pages are new. There are whole pages only.
    pub fn admit(&self, at: u64, end: u64, new: u64) -> Result {
        let Some((_, free)) = self.free_pages().filter(|&(_, free)| free < new) else {
            return Ok(end - at);
        };
        // The new ones are the last, as far as that matters to who fills a file system.
        let last = end.next_multiple_of(PAGE) - (new - free) * PAGE;
        last.checked_sub(at).filter(|&left| left > 0).ok_or(Errno::ENOSPC)
    }
}

/// A file that is counted, until it is dropped.
pub struct Counted(Rc<Limit>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.forget_name();
    }
}
