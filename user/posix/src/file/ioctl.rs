//! `ioctl`: what all descriptors can do; the rest is the file's.

use super::pipe::PipeEnd;
use crate::errno::{Errno, Result};
use crate::server::Call;
use linux_raw_sys::general::{O_NONBLOCK, O_PATH};
use linux_raw_sys::ioctl::{FIOCLEX, FIONBIO, FIONCLEX, FIONREAD};

pub fn ioctl(call: &Call) -> Result {
    let [fd, request, argument, ..] = call.args;
    let process = call.process();
    let open = process.files.get(fd)?;
    if open.flags.get() & O_PATH != 0 {
        return Err(Errno::EBADF);
    }
    match request as u32 {
        FIOCLEX | FIONCLEX => process.files.set_close_on_exec(fd, request as u32 == FIOCLEX)?,
        FIONBIO => {
            let flag = if process.get::<u32>(argument)? == 0 { 0 } else { O_NONBLOCK };
            open.flags.set(open.flags.get() & !O_NONBLOCK | flag);
        }
        FIONREAD if open.inode.regular().is_ok() => {
            let left = open.inode.size() as i64 - open.position.get() as i64;
            process.put(argument, &(left as i32))?;
        }
        FIONREAD if open.file.downcast::<PipeEnd>().is_some() => {
            let end = open.file.downcast::<PipeEnd>();
            process.put(argument, &(end.map_or(0, |end| end.0.length()) as u32))?;
        }
        request => return open.file.ioctl(call, &open, request, argument),
    }
    Ok(0)
}
