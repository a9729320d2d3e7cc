//! What goes along with a message: descriptors and credentials, as `struct cmsghdr`.

use super::{Along, Socket, credentials};
use crate::errno::{Errno, Result};
use crate::process::Process;
use crate::server::Call;
use alloc::vec::Vec;
use linux_raw_sys::net::{MSG_CMSG_CLOEXEC, MSG_CTRUNC, SCM_CREDENTIALS, SCM_RIGHTS, SOL_SOCKET};

/// Bytes of a header.
const HEADER: usize = 16;
/// Bytes of all that goes along.
const MOST: u64 = 4096;
/// Descriptors that go along.
const FILES: usize = 253;

/// A word of some bytes, which are there.
fn word<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

/// Reads what is to go along.
pub fn read(call: &Call, at: u64, length: u64) -> Result<Along> {
    let process = call.process();
    let mut along = Along { files: Vec::new(), credentials: credentials(process) };
    if length > MOST {
        return Err(Errno::ENOBUFS);
    }
    let mut bytes = alloc::vec![0; length as usize];
    if length > 0 {
        process.native.read(at, &mut bytes)?;
    }
    let mut rest = bytes.as_slice();
    while rest.len() >= HEADER {
        let length = u64::from_ne_bytes(word(rest, 0).unwrap_or_default());
        let length = usize::try_from(length).map_err(|_| Errno::EINVAL)?;
        if length < HEADER || length > rest.len() {
            return Err(Errno::EINVAL);
        }
        let level = u32::from_ne_bytes(word(rest, 8).unwrap_or_default());
        let kind = u32::from_ne_bytes(word(rest, 12).unwrap_or_default());
        let data = &rest[HEADER..length];
        match (level, kind) {
            (SOL_SOCKET, SCM_RIGHTS) => read_files(process, data, &mut along)?,
            (SOL_SOCKET, SCM_CREDENTIALS) => {
                along.credentials = read_credentials(process, data)?;
            }
            (SOL_SOCKET, _) => return Err(Errno::EINVAL),
            _ => {}
        }
        rest = rest.get(length.next_multiple_of(8)..).unwrap_or(&[]);
    }
    Ok(along)
}

fn read_files(process: &Process, data: &[u8], along: &mut Along) -> Result<()> {
    for number in data.chunks_exact(4) {
        let number = i32::from_ne_bytes(word(number, 0).unwrap_or_default());
        along.files.push(process.files.get(number as u64)?);
    }
    if along.files.len() > FILES { Err(Errno::EINVAL) } else { Ok(()) }
}

/// Credentials that a process says it has: its own, unless it may be anybody.
fn read_credentials(process: &Process, data: &[u8]) -> Result<[u32; 3]> {
    let mut said = [0; 3];
    if data.len() != 12 {
        return Err(Errno::EINVAL);
    }
    for (place, word) in said.iter_mut().zip(data.chunks_exact(4)) {
        *place = u32::from_ne_bytes(self::word(word, 0).unwrap_or_default());
    }
    let ids = process.ids.borrow();
    let [pid, uid, gid] = said;
    let own = pid == process.pid && ids.users.contains(&uid) && ids.groups.contains(&gid);
    if own || ids.is_root() { Ok(said) } else { Err(Errno::EPERM) }
}

/// Writes what came along into `room` bytes; how many are used, and the flags that tell of it.
pub fn write(
    call: &Call,
    socket: &Socket,
    along: Option<Along>,
    (at, room): (u64, u64),
    flags: u32,
) -> Result<(u64, u32)> {
    let (process, mut bytes, mut told) = (call.process(), Vec::new(), 0);
    let Some(along) = along else { return Ok((0, 0)) };
    let room = room as usize;
    let mut add = |kind: u32, data: &[u8]| {
        bytes.extend_from_slice(&(HEADER + data.len()).to_ne_bytes());
        bytes.extend_from_slice(&SOL_SOCKET.to_ne_bytes());
        bytes.extend_from_slice(&kind.to_ne_bytes());
        bytes.extend_from_slice(data);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes.len()
    };
    let mut used = 0;
    if socket.options.pass_credentials.get() {
        if room >= HEADER + 12 {
            let words = along.credentials.map(u32::to_ne_bytes);
            used = add(SCM_CREDENTIALS, words.as_flattened());
        } else {
            told |= MSG_CTRUNC;
        }
    }
    if !along.files.is_empty() {
        let fits = room.saturating_sub(used + HEADER) / 4;
        let mut numbers = Vec::new();
        for open in along.files.iter().take(fits) {
            let close = flags & MSG_CMSG_CLOEXEC != 0;
            let Ok(number) = process.add_descriptor(open.clone(), close) else { break };
            numbers.extend_from_slice(&(number as u32).to_ne_bytes());
        }
        if numbers.len() / 4 < along.files.len() {
            told |= MSG_CTRUNC;
        }
        if !numbers.is_empty() {
            add(SCM_RIGHTS, &numbers);
        }
    }
    bytes.truncate(room);
    process.put(at, bytes.as_slice())?;
    Ok((bytes.len() as u64, told))
}
