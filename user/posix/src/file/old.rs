//! Calls by their older names, which only x86-64 has: each is a newer one with fewer arguments.

use super::names::HERE;
use super::poll::{self, Limit};
use super::{attributes, directory, epoll, eventfd, inotify, names, open, rename, signalfd, stat};
use crate::errno::{Errno, Result};
use crate::server::Call;
use crate::time::SECOND;
use crate::wait::Outcome;
use attributes::{Change, moment};
use linux_raw_sys::general::{AT_REMOVEDIR, AT_SYMLINK_NOFOLLOW, O_CREAT, O_TRUNC, O_WRONLY};

/// A symbolic link is not followed.
const ITSELF: u64 = AT_SYMLINK_NOFOLLOW as u64;

pub fn open(call: &Call) -> Outcome {
    let [path, flags, mode, ..] = call.args;
    open::openat(&call.with([HERE, path, flags, mode, 0, 0]))
}

pub fn creat(call: &Call) -> Outcome {
    let [path, mode, ..] = call.args;
    let flags = O_CREAT | O_WRONLY | O_TRUNC;
    open::openat(&call.with([HERE, path, flags.into(), mode, 0, 0]))
}

pub fn dup2(call: &Call) -> Result {
    let [old, new, ..] = call.args;
    if old as u32 == new as u32 {
        return call.process().files.get(old).map(|_| new);
    }
    open::dup3(&call.with([old, new, 0, 0, 0, 0]))
}

pub fn pipe(call: &Call) -> Result {
    open::pipe2(&call.with([call.args[0], 0, 0, 0, 0, 0]))
}

pub fn stat(call: &Call) -> Outcome {
    let [path, to, ..] = call.args;
    stat::newfstatat(&call.with([HERE, path, to, 0, 0, 0]))
}

pub fn lstat(call: &Call) -> Outcome {
    let [path, to, ..] = call.args;
    stat::newfstatat(&call.with([HERE, path, to, ITSELF, 0, 0]))
}

pub fn getdents(call: &Call) -> Result {
    directory::getdents_as(call, true)
}

pub fn access(call: &Call) -> Result {
    let [path, wanted, ..] = call.args;
    attributes::faccessat2(&call.with([HERE, path, wanted, 0, 0, 0]))
}

pub fn chmod(call: &Call) -> Result {
    let [path, mode, ..] = call.args;
    attributes::fchmodat2(&call.with([HERE, path, mode, 0, 0, 0]))
}

pub fn chown(call: &Call) -> Result {
    let [path, uid, gid, ..] = call.args;
    attributes::fchownat(&call.with([HERE, path, uid, gid, 0, 0]))
}

pub fn lchown(call: &Call) -> Result {
    let [path, uid, gid, ..] = call.args;
    attributes::fchownat(&call.with([HERE, path, uid, gid, ITSELF, 0]))
}

/// With `struct timeval`s.
pub fn futimesat(call: &Call) -> Result {
    let [at, path, times, ..] = call.args;
    let mut changes = [Change::Now; 2];
    if times != 0 {
        let times = call.process().get::<[[i64; 2]; 2]>(times)?;
        for (change, [seconds, micros]) in changes.iter_mut().zip(times) {
            if !(0..1_000_000).contains(&micros) {
                return Err(Errno::EINVAL);
            }
            *change = moment(seconds, micros * 1000);
        }
    }
    attributes::set_times_at(call, at, path, changes, 0)
}

pub fn utimes(call: &Call) -> Result {
    let [path, times, ..] = call.args;
    futimesat(&call.with([HERE, path, times, 0, 0, 0]))
}

/// With whole seconds.
pub fn utime(call: &Call) -> Result {
    let [path, times, ..] = call.args;
    let changes = match times {
        0 => [Change::Now; 2],
        times => call.process().get::<[i64; 2]>(times)?.map(|seconds| moment(seconds, 0)),
    };
    attributes::set_times_at(call, HERE, path, changes, 0)
}

pub fn mkdir(call: &Call) -> Result {
    let [path, mode, ..] = call.args;
    names::mkdirat(&call.with([HERE, path, mode, 0, 0, 0]))
}

pub fn mknod(call: &Call) -> Result {
    let [path, mode, device, ..] = call.args;
    names::mknodat(&call.with([HERE, path, mode, device, 0, 0]))
}

pub fn symlink(call: &Call) -> Result {
    let [target, path, ..] = call.args;
    names::symlinkat(&call.with([target, HERE, path, 0, 0, 0]))
}

pub fn unlink(call: &Call) -> Result {
    names::unlinkat(&call.with([HERE, call.args[0], 0, 0, 0, 0]))
}

pub fn rmdir(call: &Call) -> Result {
    names::unlinkat(&call.with([HERE, call.args[0], AT_REMOVEDIR.into(), 0, 0, 0]))
}

pub fn link(call: &Call) -> Result {
    let [old, new, ..] = call.args;
    names::linkat(&call.with([HERE, old, HERE, new, 0, 0]))
}

pub fn readlink(call: &Call) -> Result {
    let [path, to, room, ..] = call.args;
    names::readlinkat(&call.with([HERE, path, to, room, 0, 0]))
}

pub fn rename(call: &Call) -> Result {
    let [old, new, ..] = call.args;
    rename::renameat2(&call.with([HERE, old, HERE, new, 0, 0]))
}

pub fn poll(call: &Call) -> Outcome {
    let [watches, count, limit, ..] = call.args;
    poll::poll_with(call, watches, count, Limit::milliseconds(limit), None)
}

pub fn select(call: &Call) -> Outcome {
    match timeval(call, call.args[4]) {
        Ok(limit) => poll::select_with(call, limit, None),
        Err(error) => Outcome::Done(Err(error)),
    }
}

/// The limit that a `struct timeval` is, of which any microseconds are taken.
fn timeval(call: &Call, at: u64) -> Result<Limit> {
    if at == 0 {
        return Ok(Limit::new(u64::MAX));
    }
    let [seconds, micros] = call.process().get::<[i64; 2]>(at)?;
    if seconds < 0 || micros < 0 {
        return Err(Errno::EINVAL);
    }
    let wish = (seconds as u64).saturating_mul(SECOND);
    let wish = wish.saturating_add((micros as u64).saturating_mul(1000));
    Ok(Limit { at, part: 1000, ..Limit::new(wish) })
}

pub fn epoll_create(call: &Call) -> Result {
    if call.args[0] as i32 <= 0 {
        return Err(Errno::EINVAL);
    }
    epoll::epoll_create1(&call.with([0; 6]))
}

pub fn epoll_wait(call: &Call) -> Outcome {
    let [fd, at, most, limit, ..] = call.args;
    epoll::epoll_pwait(&call.with([fd, at, most, limit, 0, 0]))
}

pub fn eventfd(call: &Call) -> Result {
    eventfd::eventfd2(&call.with([call.args[0], 0, 0, 0, 0, 0]))
}

pub fn inotify_init(call: &Call) -> Result {
    inotify::inotify_init1(&call.with([0; 6]))
}

pub fn signalfd(call: &Call) -> Result {
    let [fd, set, size, ..] = call.args;
    signalfd::signalfd4(&call.with([fd, set, size, 0, 0, 0]))
}
