//! `ioctl`: what is the same for all files, and the way to the rest.

use super::Open;
use crate::errno::{Errno, Result};
use crate::fs::Kind;
use crate::server::Call;
use crate::wait::Outcome;
use linux_raw_sys::general::{O_NONBLOCK, O_PATH};
use linux_raw_sys::ioctl::{FIGETBSZ, FIOASYNC, FIOCLEX, FIONBIO, FIONCLEX, FIONREAD};

/// Bytes of a block.
const BLOCK: u32 = 4096;

/// Nanoseconds until it is looked again whether something is out: nobody tells.
const PATIENCE: u64 = 1_000_000;

pub fn ioctl(call: &Call) -> Outcome {
    match attempt(call) {
        Err(Errno::EAGAIN) => {
            let call = call.clone();
            Outcome::wait(async move {
                loop {
                    call.server.clock.until(rt::time::now() + PATIENCE).await;
                    match attempt(&call) {
                        Err(Errno::EAGAIN) => {}
                        result => return result,
                    }
                }
            })
        }
        result => Outcome::Done(result),
    }
}

/// `EAGAIN` says that something must be waited for.
fn attempt(call: &Call) -> Result {
    let [fd, request, argument, ..] = call.args;
    let process = call.process();
    let open = process.files.get(fd)?;
    if open.flags.get() & O_PATH != 0 {
        return Err(Errno::EBADF);
    }
    match request as u32 {
        FIOCLEX => process.files.set_close_on_exec(fd, true).map(|()| 0),
        FIONCLEX => process.files.set_close_on_exec(fd, false).map(|()| 0),
        FIONBIO => {
            let on = process.get::<u32>(argument)? != 0;
            let flags = open.flags.get() & !O_NONBLOCK;
            open.flags.set(if on { flags | O_NONBLOCK } else { flags });
            Ok(0)
        }
        FIOASYNC if process.get::<u32>(argument)? == 0 => Ok(0),
        FIONREAD if matches!(open.inode.kind, Kind::Regular(_)) => {
            let left = open.inode.size().saturating_sub(open.position.get());
            process.put(argument, &(left as u32)).map(|()| 0)
        }
        FIGETBSZ if has_blocks(&open) => process.put(argument, &BLOCK).map(|()| 0),
        request => open.file.ioctl(call, &open, request, argument),
    }
}

fn has_blocks(open: &Open) -> bool {
    matches!(open.inode.kind, Kind::Regular(_) | Kind::Directory(_))
}
