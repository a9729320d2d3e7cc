//! Reading, writing, seeking.

use super::moving::{Moving, Pieces};
use super::{File, Open};
use crate::errno::{Errno, Result};
use crate::fs::{Hole, Kind};
use crate::process::Process;
use crate::server::Call;
use crate::signal;
use crate::user::{Buffer, Transfer};
use crate::wait::Outcome;
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use linux_raw_sys::general::{SEEK_CUR, SEEK_DATA, SEEK_END, SEEK_HOLE, SEEK_SET, SIGPIPE};
use zerocopy::IntoBytes;

/// Bytes that one call moves at most, as Linux has it.
pub const MOST: u64 = 0x7fff_f000;
/// Pieces of a vector.
const PIECES: u64 = 1024;
/// So many of them need no room of their own: most vectors have no more.
const FEW: usize = 8;

/// Which way bytes go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Read,
    Write,
}

pub fn read(call: &Call) -> Outcome {
    plain(call, Way::Read)
}

pub fn write(call: &Call) -> Outcome {
    plain(call, Way::Write)
}

pub fn readv(call: &Call) -> Outcome {
    vector(call, Way::Read, None)
}

pub fn writev(call: &Call) -> Outcome {
    vector(call, Way::Write, None)
}

pub fn pread64(call: &Call) -> Outcome {
    let [fd, address, length, at, ..] = call.args;
    go(call, fd, &[[address, length.min(MOST)]], Way::Read, Some(at as i64))
}

pub fn pwrite64(call: &Call) -> Outcome {
    let [fd, address, length, at, ..] = call.args;
    go(call, fd, &[[address, length.min(MOST)]], Way::Write, Some(at as i64))
}

pub fn preadv(call: &Call) -> Outcome {
    vector(call, Way::Read, Some(call.args[3] as i64))
}

pub fn pwritev(call: &Call) -> Outcome {
    vector(call, Way::Write, Some(call.args[3] as i64))
}

pub fn preadv2(call: &Call) -> Outcome {
    vector2(call, Way::Read)
}

pub fn pwritev2(call: &Call) -> Outcome {
    vector2(call, Way::Write)
}

fn plain(call: &Call, way: Way) -> Outcome {
    let [fd, address, length, ..] = call.args;
    go(call, fd, &[[address, length.min(MOST)]], way, None)
}

fn vector(call: &Call, way: Way, at: Option<i64>) -> Outcome {
    let [fd, address, count, ..] = call.args;
    let mut few = [[0; 2]; FEW];
    let read = match few.get_mut(..count as usize) {
        Some(few) => read_pieces(call.process(), address, few).map(|()| Vec::new()),
        None => pieces(call.process(), address, count),
    };
    match read {
        Ok(many) if many.is_empty() => go(call, fd, &few[..count as usize], way, at),
        Ok(many) => go(call, fd, &many, way, at),
        Err(error) => Outcome::Done(Err(error)),
    }
}

/// With flags, none of which is known, and a place that may be none.
fn vector2(call: &Call, way: Way) -> Outcome {
    if call.args[5] != 0 {
        return Outcome::Done(Err(Errno::EOPNOTSUPP));
    }
    vector(call, way, Some(call.args[3] as i64).filter(|&at| at != -1))
}

/// The pieces of a vector, which together have at most as many bytes as one call moves.
pub fn pieces(process: &Process, address: u64, count: u64) -> Result<Vec<[u64; 2]>> {
    if count > PIECES {
        return Err(Errno::EINVAL);
    }
    let mut pieces = alloc::vec![[0; 2]; count as usize];
    read_pieces(process, address, &mut pieces)?;
    Ok(pieces)
}

/// The same, of which so many are wished.
fn read_pieces(process: &Process, address: u64, pieces: &mut [[u64; 2]]) -> Result<()> {
    if !pieces.is_empty() {
        process.paid(|native| native.read(address, pieces.as_mut_bytes()))?;
    }
    let mut left = MOST;
    for piece in pieces {
        if (piece[1] as i64) < 0 {
            return Err(Errno::EINVAL);
        }
        piece[1] = piece[1].min(left);
        left -= piece[1];
    }
    Ok(())
}

/// Moves bytes at the file's position, or at a place.
fn go(call: &Call, fd: u64, pieces: &[[u64; 2]], way: Way, at: Option<i64>) -> Outcome {
    let open = match checked(call, fd, way, at) {
        Ok(open) => open,
        Err(error) => return Outcome::Done(Err(error)),
    };
    let at = at.map(|at| at as u64);
    let mut transfer = Transfer::new(Buffer::User(call.process(), pieces));
    let result = attempt(&open, &mut transfer, way, at);
    let done = transfer.done;
    match result {
        Err(Errno::EAGAIN) if open.nonblocking() && done > 0 => Outcome::Done(Ok(done)),
        Err(Errno::EAGAIN) if !open.nonblocking() && open.file.waiters().is_some() => {
            let pieces = match pieces {
                [piece] => Pieces::One([*piece]),
                more => Pieces::Many(more.to_vec()),
            };
            Outcome::Wait(Box::pin(Moving::new(call, open, pieces, way, done)))
        }
        result => Outcome::Done(finish(call, result, done)),
    }
}

fn checked(call: &Call, fd: u64, way: Way, at: Option<i64>) -> Result<Rc<Open>> {
    let open = call.process().files.get(fd)?;
    match way {
        Way::Read => open.readable()?,
        Way::Write => open.writable()?,
    }
    match at {
        Some(_) if !open.file.seekable() => return Err(Errno::ESPIPE),
        Some(..0) => return Err(Errno::EINVAL),
        _ => {}
    }
    open.file.admit(call, way == Way::Write)?;
    Ok(open)
}

pub(super) fn attempt(
    open: &Open,
    transfer: &mut Transfer<'_>,
    way: Way,
    at: Option<u64>,
) -> Result<()> {
    let mut place = at.unwrap_or(open.position.get());
    let result = match way {
        Way::Read => open.file.read(open, &mut place, transfer),
        Way::Write => open.file.write(open, &mut place, transfer),
    };
    if at.is_none() {
        open.position.set(place);
    }
    result
}

/// What was done counts more than why not more was.
pub(super) fn finish(call: &Call, result: Result<()>, done: u64) -> Result {
    if result == Err(Errno::EPIPE) {
        signal::send_to_task(&call.task, SIGPIPE);
    }
    match result {
        Err(error) if done == 0 || error == Errno::LATER => Err(error),
        _ => Ok(done),
    }
}

pub fn lseek(call: &Call) -> Result {
    let [fd, offset, whence, ..] = call.args;
    let open = call.process().files.get(fd)?;
    if !open.file.seekable() {
        return Err(Errno::ESPIPE);
    }
    let (offset, size) = (offset as i64, open.file.size(&open) as i64);
    let find = |wanted| match &open.inode.kind {
        _ if !(0..size).contains(&offset) => Err(Errno::ENXIO),
        Kind::Regular(regular) => match regular.find(offset as u64, wanted) as i64 {
            found if wanted == Hole::Data && found >= size => Err(Errno::ENXIO),
            found => Ok(Some(found)),
        },
        _ => Err(Errno::EINVAL),
    };
    let place = match whence as u32 {
        SEEK_SET => Some(offset),
        SEEK_CUR => (open.position.get() as i64).checked_add(offset),
        SEEK_END => size.checked_add(offset),
        SEEK_DATA => find(Hole::Data)?,
        SEEK_HOLE => find(Hole::Hole)?,
        _ => return Err(Errno::EINVAL),
    };
    let place = place.ok_or(Errno::EINVAL)?;
    if place < 0 {
        return Err(Errno::EINVAL);
    }
    // A device that takes this at all has one place.
    let place = if let Kind::Character(_) = open.inode.kind { 0 } else { place };
    open.position.set(place as u64);
    Ok(place as u64)
}

/// Reads all of a file's bytes at a place into a buffer, for this server's own use.
pub fn read_own(file: &dyn File, open: &Open, at: u64, bytes: &mut [u8]) -> Result<usize> {
    let mut transfer = Transfer::new(Buffer::Own(bytes));
    file.read(open, &mut at.clone(), &mut transfer)?;
    Ok(transfer.done as usize)
}
