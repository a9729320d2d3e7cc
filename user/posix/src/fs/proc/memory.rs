//! The memory of a process, as a file: its places are addresses.

use super::Subject;
use crate::errno::{Errno, Result};
use crate::file::{File, Open};
use crate::fs::{Inode, Regular};
use crate::process::Process;
use crate::user::Transfer;
use alloc::rc::Rc;
use rt::abi::PAGE;

/// The file.
pub struct Memory(pub Subject);

impl Regular for Memory {
    fn size(&self) -> u64 {
        0
    }

    fn read(&self, _: u64, _: &mut Transfer<'_>) -> Result<()> {
        Err(Errno::EIO)
    }

    fn opened(&self, _: &Rc<Inode>) -> Option<Rc<dyn File>> {
        Some(Rc::new(OpenMemory(self.0)))
    }
}

/// The file, opened.
struct OpenMemory(Subject);

impl OpenMemory {
    /// Goes over a transfer, at most a page at a time; what is not there ends it.
    fn each(
        &self,
        at: &mut u64,
        transfer: &mut Transfer<'_>,
        mut one: impl FnMut(&Process, u64, &mut [u8], &mut Transfer<'_>) -> Result<()>,
    ) -> Result<()> {
        // Of a process that has ended nothing is there.
        let Ok(process) = self.0.process() else { return Ok(()) };
        let mut bytes = [0; PAGE as usize];
        while transfer.left > 0 {
            let count = transfer.left.min(PAGE - *at % PAGE);
            match one(&process, *at, &mut bytes[..count as usize], transfer) {
                Err(_) if transfer.done > 0 => return Ok(()),
                result => result?,
            }
            *at = at.checked_add(count).ok_or(Errno::EIO)?;
        }
        Ok(())
    }
}

impl File for OpenMemory {
    fn read(&self, _: &Open, at: &mut u64, to: &mut Transfer<'_>) -> Result<()> {
        self.each(at, to, |process, at, bytes, to| {
            process.paid(|native| native.read(at, bytes)).map_err(|_| Errno::EIO)?;
            to.put(bytes).map(|_| ())
        })
    }

    fn write(&self, _: &Open, at: &mut u64, from: &mut Transfer<'_>) -> Result<()> {
        self.each(at, from, |process, at, bytes, from| {
            let count = from.peek(bytes)?;
            process.paid(|native| native.write(at, &bytes[..count])).map_err(|_| Errno::EIO)?;
            from.advance(count as u64);
            Ok(())
        })
    }

    fn seekable(&self) -> bool {
        true
    }
}
