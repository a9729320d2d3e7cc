//! Files and directories of a file system, opened.

use super::seal::WRITING;
use super::{File, Open, size};
use crate::errno::{Errno, Result};
use crate::fs::Inode;
use crate::time;
use crate::user::Transfer;
use alloc::rc::Rc;
use linux_raw_sys::general::{
    F_SEAL_GROW, IN_ACCESS, IN_MODIFY, O_APPEND, O_NOATIME, RLIMIT_FSIZE,
};
use rt::Memory;
use rt::abi::PAGE;

/// Seals that matter to writing.
const SEALED: u32 = WRITING | F_SEAL_GROW;

/// A file with bytes.
pub struct RegularFile(pub Rc<Inode>);

impl File for RegularFile {
    fn read(&self, open: &Open, at: &mut u64, to: &mut Transfer<'_>) -> Result<()> {
        let before = to.done;
        self.0.regular()?.read(*at, to)?;
        *at += to.done - before;
        if open.flags.get() & O_NOATIME == 0 {
            self.0.was_read();
        }
        if to.done > before {
            open.tell(IN_ACCESS);
        }
        Ok(())
    }

    fn write(&self, open: &Open, at: &mut u64, from: &mut Transfer<'_>) -> Result<()> {
        let regular = self.0.regular()?;
        if from.left == 0 {
            return Ok(());
        }
        if open.flags.get() & O_APPEND != 0 {
            *at = regular.end();
        }
        if self.0.seals.get() & SEALED != 0 {
            self.0.unsealed(WRITING)?;
            if at.saturating_add(from.left) > regular.size() {
                // Bytes are written by pages.
                let end = regular.size() & !(PAGE - 1);
                from.limit(end.checked_sub(*at).filter(|&left| left > 0).ok_or(Errno::EPERM)?);
            }
        }
        if let Some(process) = from.process() {
            let most = process.limits.borrow()[RLIMIT_FSIZE as usize][0];
            if *at >= most {
                size::limit(process, u64::MAX)?;
            }
            from.limit(most - *at);
            self.0.drop_privileges(&process.ids.borrow());
        }
        let before = from.done;
        let result = regular.write(*at, from);
        if result == Err(Errno::LATER) {
            return result;
        }
        *at += from.done - before;
        self.0.touch(time::stamp());
        if from.done > before {
            open.tell(IN_MODIFY);
        }
        result
    }

    fn seekable(&self) -> bool {
        true
    }

    fn size(&self, _: &Open) -> u64 {
        self.0.size()
    }

    fn sync(&self, _: &Open) -> Result<()> {
        self.0.sync()
    }

    fn closed(&self, open: &Open) {
        if open.writable().is_ok() {
            self.0.writers.set(self.0.writers.get().saturating_sub(1));
        }
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
