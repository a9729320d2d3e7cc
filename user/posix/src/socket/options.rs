//! Options of sockets.

use super::{CAPACITY, Kind, Socket};
use crate::errno::{Errno, Result};
use crate::process::Process;
use crate::server::Call;
use crate::time::{SECOND, split};
use core::cell::Cell;
use linux_raw_sys::net::{
    AF_UNIX, SO_ACCEPTCONN, SO_BROADCAST, SO_DOMAIN, SO_ERROR, SO_KEEPALIVE, SO_LINGER,
    SO_PASSCRED, SO_PEERCRED, SO_PROTOCOL, SO_RCVBUF, SO_RCVTIMEO, SO_REUSEADDR, SO_REUSEPORT,
    SO_SNDBUF, SO_SNDTIMEO, SO_TYPE, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM, SOL_SOCKET,
};
use rt::abi::FOREVER;
use zerocopy::IntoBytes;

/// Those that do something.
#[derive(Default)]
pub struct Options {
    /// Whoever receives is told who sent.
    pub pass_credentials: Cell<bool>,
    /// Nanoseconds that receiving, and sending, wait at most; 0 if there is no limit.
    pub limits: [Cell<u64>; 2],
}

impl Options {
    /// When receiving or sending that begins now gives up.
    pub fn deadline(&self, sends: bool) -> u64 {
        match self.limits[usize::from(sends)].get() {
            0 => FOREVER,
            limit => rt::time::now().saturating_add(limit),
        }
    }
}

impl Kind {
    /// `SOCK_*`.
    fn number(self) -> u32 {
        match self {
            Kind::Stream => SOCK_STREAM,
            Kind::Datagram => SOCK_DGRAM,
            Kind::Packet => SOCK_SEQPACKET,
        }
    }
}

/// Writes a value as far as there is room.
fn put(process: &Process, at: u64, length: u64, value: &[u8]) -> Result {
    let room = process.get::<i32>(length)?;
    let fits = usize::try_from(room).map_err(|_| Errno::EINVAL)?.min(value.len());
    process.put(at, &value[..fits])?;
    process.put(length, &(fits as u32)).map(|()| 0)
}

pub fn getsockopt(call: &Call) -> Result {
    let [fd, level, name, at, length, ..] = call.args;
    let process = call.process();
    let open = process.files.get(fd)?;
    let socket = open.file.downcast::<Socket>().ok_or(Errno::ENOTSOCK)?;
    if level as u32 != SOL_SOCKET {
        return Err(Errno::EOPNOTSUPP);
    }
    let options = &socket.options;
    let value = match name as u32 {
        SO_TYPE => socket.kind.number(),
        SO_DOMAIN => AF_UNIX,
        SO_ACCEPTCONN => socket.backlog.borrow().is_some().into(),
        SO_PASSCRED => options.pass_credentials.get().into(),
        SO_SNDBUF | SO_RCVBUF => CAPACITY as u32,
        SO_ERROR if socket.reset.take() => Errno::ECONNRESET.0,
        SO_ERROR | SO_PROTOCOL | SO_KEEPALIVE | SO_BROADCAST | SO_REUSEADDR | SO_REUSEPORT => 0,
        SO_LINGER => return put(process, at, length, [0u32; 2].as_bytes()),
        SO_PEERCRED => {
            let [pid, uid, gid] = socket.peer_credentials.get();
            let known = if pid == 0 { [0, u32::MAX, u32::MAX] } else { [pid, uid, gid] };
            return put(process, at, length, known.as_bytes());
        }
        SO_RCVTIMEO | SO_SNDTIMEO => {
            let limit = &options.limits[usize::from(name as u32 == SO_SNDTIMEO)];
            return put(process, at, length, split(limit.get(), 1000).as_bytes());
        }
        _ => return Err(Errno::ENOPROTOOPT),
    };
    put(process, at, length, value.as_bytes())
}

pub fn setsockopt(call: &Call) -> Result {
    let [fd, level, name, at, length, ..] = call.args;
    let process = call.process();
    let open = process.files.get(fd)?;
    let socket = open.file.downcast::<Socket>().ok_or(Errno::ENOTSOCK)?;
    if level as u32 != SOL_SOCKET {
        return Err(Errno::ENOPROTOOPT);
    }
    if (length as u32) < 4 {
        return Err(Errno::EINVAL);
    }
    let value = process.get::<u32>(at)?;
    match name as u32 {
        SO_PASSCRED => socket.options.pass_credentials.set(value != 0),
        SO_RCVTIMEO | SO_SNDTIMEO => {
            if (length as u32) < 16 {
                return Err(Errno::EINVAL);
            }
            let [seconds, micros] = process.get::<[u64; 2]>(at)?;
            if micros >= 1_000_000 {
                return Err(Errno::EINVAL);
            }
            let limit = seconds.saturating_mul(SECOND).saturating_add(micros * 1000);
            socket.options.limits[usize::from(name as u32 == SO_SNDTIMEO)].set(limit);
        }
        SO_SNDBUF | SO_RCVBUF | SO_KEEPALIVE | SO_BROADCAST | SO_REUSEADDR | SO_REUSEPORT
        | SO_LINGER => {}
        _ => return Err(Errno::ENOPROTOOPT),
    }
    Ok(0)
}
