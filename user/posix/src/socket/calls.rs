//! Making sockets and connecting them.

use super::address::{self, Address};
use super::{Backlog, Kind, Socket, credentials};
use crate::errno::{Errno, Result};
use crate::file::Open;
use crate::fs;
use crate::server::Call;
use crate::wait::Outcome;
use alloc::collections::VecDeque;
use alloc::rc::Rc;
use linux_raw_sys::general::{O_CLOEXEC, O_NONBLOCK, O_RDWR};
use linux_raw_sys::net::{
    AF_UNIX, SHUT_RD, SHUT_RDWR, SHUT_WR, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET, SOCK_STREAM,
};

/// Connections that wait to be accepted at most.
const BACKLOG: u32 = 128;
/// The bits of a socket's type that are flags.
const FLAGS: u32 = O_NONBLOCK | O_CLOEXEC;
/// The bits of it that are not, and the first number there that means nothing.
const KINDS: u32 = 0xf;
const UNKNOWN: u32 = 11;

/// The socket that an opening is.
pub fn socket_of(open: &Open) -> Result<&Socket> {
    open.file.downcast().ok_or(Errno::ENOTSOCK)
}

/// The same, so that it can be kept.
fn shared(open: &Open) -> Result<Rc<Socket>> {
    socket_of(open)?.itself.upgrade().ok_or(Errno::ENOTSOCK)
}

fn kind_of(domain: u64, kind: u64, protocol: u64) -> Result<Kind> {
    if kind as u32 & !(KINDS | FLAGS) != 0 || kind as u32 & KINDS >= UNKNOWN {
        return Err(Errno::EINVAL);
    }
    if domain as u32 != AF_UNIX {
        return Err(Errno::EAFNOSUPPORT);
    }
    if protocol as u32 != 0 && protocol as u32 != AF_UNIX {
        return Err(Errno::EPROTONOSUPPORT);
    }
    match kind as u32 & KINDS {
        SOCK_STREAM => Ok(Kind::Stream),
        SOCK_DGRAM | SOCK_RAW => Ok(Kind::Datagram),
        SOCK_SEQPACKET => Ok(Kind::Packet),
        _ => Err(Errno::ESOCKTNOSUPPORT),
    }
}

/// Gives a process a descriptor of a socket.
fn add(call: &Call, socket: Rc<Socket>, flags: u32) -> Result {
    let open = call.server.open_anonymous(socket, fs::Kind::Socket, O_RDWR | flags & O_NONBLOCK);
    call.process().add_descriptor(open, flags & O_CLOEXEC != 0)
}

pub fn socket(call: &Call) -> Result {
    let [domain, kind, protocol, ..] = call.args;
    let socket = Socket::new(call.server, kind_of(domain, kind, protocol)?);
    add(call, socket, kind as u32)
}

pub fn socketpair(call: &Call) -> Result {
    let [domain, kind, protocol, at, ..] = call.args;
    let flags = kind as u32;
    let kind = kind_of(domain, kind, protocol)?;
    let (one, other) = (Socket::new(call.server, kind), Socket::new(call.server, kind));
    let me = credentials(call.process());
    one.connect_to(&other, me);
    other.connect_to(&one, me);
    let files = &call.process().files;
    let first = add(call, one, flags)?;
    let second = add(call, other, flags).inspect_err(|_| drop(files.close(first)))?;
    call.process().put(at, &[first as u32, second as u32]).inspect_err(|_| {
        drop(files.close(first));
        drop(files.close(second));
    })?;
    Ok(0)
}

pub fn bind(call: &Call) -> Result {
    let [fd, at, length, ..] = call.args;
    let open = call.process().files.get(fd)?;
    let socket = shared(&open)?;
    let address = address::read(call.process(), at, length)?;
    call.server.addresses.bind(call, &socket, &address).map(|()| 0)
}

pub fn listen(call: &Call) -> Result {
    let [fd, most, ..] = call.args;
    let open = call.process().files.get(fd)?;
    let socket = socket_of(&open)?;
    if socket.kind == Kind::Datagram {
        return Err(Errno::EOPNOTSUPP);
    }
    if *socket.address.borrow() == Address::None || socket.is_connected() {
        return Err(Errno::EINVAL);
    }
    let most = (most as u32).min(BACKLOG) as usize;
    socket.peer_credentials.set(credentials(call.process()));
    let mut backlog = socket.backlog.borrow_mut();
    match &mut *backlog {
        Some(backlog) => backlog.most = most,
        None => *backlog = Some(Backlog { most, sockets: VecDeque::new() }),
    }
    drop(backlog);
    socket.waiters.wake();
    Ok(0)
}

pub fn connect(call: &Call) -> Outcome {
    let [fd, at, length, ..] = call.args;
    let find = || {
        let open = call.process().files.get(fd)?;
        let (socket, bytes) = (shared(&open)?, call.process().get::<u16>(at)?);
        // Only a socket of datagrams can be disconnected again.
        if bytes == 0 && socket.kind == Kind::Datagram {
            socket.peer.replace(None);
            return Ok(None);
        }
        let address = address::read(call.process(), at, length)?;
        Ok(Some((open, socket, address)))
    };
    let (open, socket, address) = match find() {
        Ok(Some(found)) => found,
        Ok(None) => return Outcome::Done(Ok(0)),
        Err(error) => return Outcome::Done(Err(error)),
    };
    match try_connect(call, &socket, &address) {
        Err(Errno::EAGAIN) if !open.nonblocking() => {
            let call = call.clone();
            Outcome::wait(async move {
                socket.waiters.until(|| try_connect(&call, &socket, &address)).await
            })
        }
        result => Outcome::Done(result),
    }
}

/// Connects to an address; if too many wait there already, it hears when one of them is accepted.
fn try_connect(call: &Call, socket: &Rc<Socket>, address: &Address) -> Result {
    let other = call.server.addresses.find(call, address)?;
    if other.kind != socket.kind {
        return Err(Errno::EPROTOTYPE);
    }
    let me = credentials(call.process());
    if socket.kind == Kind::Datagram {
        socket.connect_to(&other, other.peer_credentials.get());
        return Ok(0);
    }
    if socket.is_connected() {
        return Err(Errno::EISCONN);
    }
    if socket.backlog.borrow().is_some() {
        return Err(Errno::EINVAL);
    }
    let mut backlog = other.backlog.borrow_mut();
    let listens = backlog.as_mut().filter(|_| !other.shut.get()[0]);
    let backlog = listens.ok_or(Errno::ECONNREFUSED)?;
    if backlog.sockets.len() > backlog.most {
        other.tell_later(socket);
        return Err(Errno::EAGAIN);
    }
    let accepted = Socket::new(call.server, socket.kind);
    accepted.address.replace(other.address.borrow().clone());
    accepted.options.pass_credentials.set(other.options.pass_credentials.get());
    accepted.waits.set(true);
    accepted.connect_to(socket, me);
    socket.connect_to(&accepted, other.peer_credentials.get());
    backlog.sockets.push_back(accepted);
    other.waiters.wake();
    Ok(0)
}

pub fn accept(call: &Call) -> Outcome {
    accept_with(call, 0)
}

pub fn accept4(call: &Call) -> Outcome {
    accept_with(call, call.args[3] as u32)
}

fn accept_with(call: &Call, flags: u32) -> Outcome {
    let [fd, at, length, ..] = call.args;
    let find = || {
        if flags & !FLAGS != 0 {
            return Err(Errno::EINVAL);
        }
        let open = call.process().files.get(fd)?;
        call.process().free_descriptor()?;
        let socket = shared(&open)?;
        if socket.kind == Kind::Datagram {
            return Err(Errno::EOPNOTSUPP);
        }
        Ok((open, socket))
    };
    let (open, socket) = match find() {
        Ok(found) => found,
        Err(error) => return Outcome::Done(Err(error)),
    };
    let (caller, listener) = (call.clone(), socket.clone());
    let attempt = move || {
        let mut backlog = listener.backlog.borrow_mut();
        let backlog = backlog.as_mut().ok_or(Errno::EINVAL)?;
        caller.process().free_descriptor()?;
        let accepted = match backlog.sockets.pop_front() {
            Some(accepted) => accepted,
            None if listener.shut.get()[0] => return Err(Errno::EINVAL),
            None => return Err(Errno::EAGAIN),
        };
        accepted.waits.set(false);
        listener.changed();
        if at != 0 {
            let peer = accepted.peer().map(|peer| peer.address.borrow().clone());
            peer.unwrap_or_default().put(caller.process(), at, length)?;
        }
        add(&caller, accepted, flags)
    };
    match attempt() {
        Err(Errno::EAGAIN) if !open.nonblocking() => {
            let server = call.server;
            let end = socket.options.deadline(false);
            Outcome::wait(async move {
                let accepted = server.clock.limit(end, socket.waiters.until(attempt)).await;
                accepted.unwrap_or(Err(Errno::EAGAIN))
            })
        }
        result => Outcome::Done(result),
    }
}

pub fn shutdown(call: &Call) -> Result {
    let [fd, how, ..] = call.args;
    let open = call.process().files.get(fd)?;
    let socket = socket_of(&open)?;
    match how as u32 {
        SHUT_RD => socket.shut_down(true, false),
        SHUT_WR => socket.shut_down(false, true),
        SHUT_RDWR => socket.shut_down(true, true),
        _ => return Err(Errno::EINVAL),
    }
    Ok(0)
}

pub fn getsockname(call: &Call) -> Result {
    let [fd, at, length, ..] = call.args;
    let open = call.process().files.get(fd)?;
    let address = socket_of(&open)?.address.borrow();
    address.put(call.process(), at, length).map(|()| 0)
}

pub fn getpeername(call: &Call) -> Result {
    let [fd, at, length, ..] = call.args;
    let open = call.process().files.get(fd)?;
    let peer = socket_of(&open)?.peer().ok_or(Errno::ENOTCONN)?;
    let address = peer.address.borrow();
    address.put(call.process(), at, length).map(|()| 0)
}
