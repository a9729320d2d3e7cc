//! Files and directories of a file system, opened.

use super::{File, Open};
use crate::errno::{Errno, Result};
use crate::fs::Inode;
use crate::time;
use crate::user::Transfer;
use alloc::rc::Rc;
use linux_raw_sys::general::O_APPEND;
use rt::Memory;

/// A file with bytes.
pub struct RegularFile(pub Rc<Inode>);

impl File for RegularFile {
    fn read(&self, _: &Open, at: &mut u64, to: &mut Transfer<'_>) -> Result<()> {
        let before = to.done;
        self.0.regular()?.read(*at, to)?;
        *at += to.done - before;
        Ok(())
    }

    fn write(&self, open: &Open, at: &mut u64, from: &mut Transfer<'_>) -> Result<()> {
        let regular = self.0.regular()?;
        if open.flags.get() & O_APPEND != 0 {
            *at = regular.size();
        }
        let before = from.done;
        regular.write(*at, from)?;
        *at += from.done - before;
        self.0.touch(time::realtime());
        Ok(())
    }

    fn seekable(&self) -> bool {
        true
    }

    fn memory(&self, _: bool) -> Result<(Rc<Memory>, u64)> {
        self.0.regular()?.memory()
    }
}

/// A directory, which is read by `getdents64`, or what only `O_PATH` can open.
pub struct NoBytes;

impl File for NoBytes {
    fn read(&self, open: &Open, _: &mut u64, _: &mut Transfer<'_>) -> Result<()> {
        Err(if open.inode.is_directory() { Errno::EISDIR } else { Errno::EBADF })
    }

    fn seekable(&self) -> bool {
        true
    }
}
