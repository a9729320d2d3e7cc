//! What is known of files without opening them.

use crate::errno::{Errno, Result};
use crate::fs::{Inode, Kind};
use crate::server::Call;
use crate::wait::Outcome;
use linux_raw_sys::general::{
    AT_EMPTY_PATH, AT_NO_AUTOMOUNT, AT_STATX_SYNC_TYPE, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS,
    STATX_BTIME,
};
use zerocopy::{Immutable, IntoBytes};

const SECOND: i64 = 1_000_000_000;
const BLOCK: u64 = 4096;

/// `struct stat` of this architecture.
#[cfg(target_arch = "aarch64")]
#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct Stat {
    device: u64,
    number: u64,
    mode: u32,
    links: u32,
    uid: u32,
    gid: u32,
    rdev: u64,
    pad: u64,
    size: u64,
    block: u32,
    pad2: u32,
    blocks: u64,
    times: [i64; 6],
    unused: [u32; 2],
}

/// `struct stat` of this architecture.
#[cfg(target_arch = "x86_64")]
#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct Stat {
    device: u64,
    number: u64,
    links: u64,
    mode: u32,
    uid: u32,
    gid: u32,
    pad: u32,
    rdev: u64,
    size: u64,
    block: u64,
    blocks: u64,
    times: [i64; 6],
    unused: [u64; 3],
}

fn times(inode: &Inode) -> [i64; 6] {
    let mut times = [0; 6];
    let all = [&inode.meta.accessed, &inode.meta.modified, &inode.meta.changed];
    for (pair, time) in times.chunks_exact_mut(2).zip(all) {
        pair.copy_from_slice(&[time.get().div_euclid(SECOND), time.get().rem_euclid(SECOND)]);
    }
    times
}

/// Blocks of 512 bytes that a file takes.
fn blocks(inode: &Inode) -> u64 {
    match inode.kind {
        Kind::Regular(ref regular) => regular.pages() * (BLOCK / 512),
        _ => 0,
    }
}

#[cfg(target_arch = "aarch64")]
fn stat_of(inode: &Inode) -> Stat {
    Stat {
        device: inode.device,
        number: inode.number,
        mode: inode.mode(),
        links: inode.meta.links.get(),
        uid: inode.meta.uid.get(),
        gid: inode.meta.gid.get(),
        rdev: inode.rdev(),
        pad: 0,
        size: inode.size(),
        block: BLOCK as u32,
        pad2: 0,
        blocks: blocks(inode),
        times: times(inode),
        unused: [0; 2],
    }
}

#[cfg(target_arch = "x86_64")]
fn stat_of(inode: &Inode) -> Stat {
    Stat {
        device: inode.device,
        number: inode.number,
        links: inode.meta.links.get().into(),
        mode: inode.mode(),
        uid: inode.meta.uid.get(),
        gid: inode.meta.gid.get(),
        pad: 0,
        rdev: inode.rdev(),
        size: inode.size(),
        block: BLOCK,
        blocks: blocks(inode),
        times: times(inode),
        unused: [0; 3],
    }
}

/// `struct statx`.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct Statx {
    mask: u32,
    block: u32,
    attributes: u64,
    links: u32,
    uid: u32,
    gid: u32,
    mode: u16,
    pad: u16,
    number: u64,
    size: u64,
    blocks: u64,
    attributes_mask: u64,
    accessed: [i64; 2],
    born: [i64; 2],
    changed: [i64; 2],
    modified: [i64; 2],
    rdev: [u32; 2],
    device: [u32; 2],
    rest: [u64; 14],
}

/// Major and minor number.
fn split(device: u64) -> [u32; 2] {
    [(device >> 8 & 0xfff) as u32, (device & 0xff | device >> 12 & 0xfff00) as u32]
}

pub fn fstat(call: &Call) -> Result {
    let open = call.process().files.get(call.args[0])?;
    call.process().put(call.args[1], &stat_of(&open.inode)).map(|()| 0)
}

pub fn newfstatat(call: &Call) -> Outcome {
    let [at, path, to, flags, ..] = call.args;
    stat_path(call, at, path, to, flags as u32).into()
}

fn stat_path(call: &Call, at: u64, path: u64, to: u64, flags: u32) -> Result {
    if flags & !(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT) != 0 {
        return Err(Errno::EINVAL);
    }
    let inode = call.inode_at(at, path, flags)?;
    call.process().put(to, &stat_of(&inode)).map(|()| 0)
}

pub fn statx(call: &Call) -> Result {
    let [at, path, flags, mask, to, ..] = call.args;
    let flags = flags as u32;
    let known = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_STATX_SYNC_TYPE;
    if flags & !known != 0 || mask & 1 << 31 != 0 {
        return Err(Errno::EINVAL);
    }
    let inode = call.inode_at(at, path, flags)?;
    let [a, an, m, mn, c, cn] = times(&inode);
    let statx = Statx {
        mask: STATX_BASIC_STATS & !STATX_BTIME,
        block: BLOCK as u32,
        attributes: 0,
        links: inode.meta.links.get(),
        uid: inode.meta.uid.get(),
        gid: inode.meta.gid.get(),
        mode: inode.mode() as u16,
        pad: 0,
        number: inode.number,
        size: inode.size(),
        blocks: blocks(&inode),
        attributes_mask: 0,
        accessed: [a, an],
        born: [0; 2],
        changed: [c, cn],
        modified: [m, mn],
        rdev: split(inode.rdev()),
        device: split(inode.device),
        rest: [0; 14],
    };
    call.process().put(to, &statx).map(|()| 0)
}
