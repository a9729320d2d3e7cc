//! Sending and receiving: `sendto`, `sendmsg`, `recvfrom`, `recvmsg`, and several messages at once.

use super::address::{self, Address};
use super::calls::socket_of;
use super::{Along, Kind, Socket, control, credentials};
use crate::errno::{Errno, Result};
use crate::file::{Open, io};
use crate::process::Process;
use crate::server::Call;
use crate::signal;
use crate::time;
use crate::user::{Buffer, Transfer};
use crate::wait::{Outcome, partly};
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use linux_raw_sys::general::SIGPIPE;
use linux_raw_sys::net::{
    MSG_CMSG_CLOEXEC, MSG_DONTWAIT, MSG_NOSIGNAL, MSG_OOB, MSG_PEEK, MSG_TRUNC, MSG_WAITALL,
};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// Only the first of several messages is waited for.
const MSG_WAITFORONE: u32 = 0x1_0000;
/// Messages of one call.
const MANY: u64 = 1024;
/// Bytes of `struct mmsghdr`, and where in it the count is.
const MANY_SIZE: u64 = 64;
const MANY_COUNT: u64 = 56;

/// `struct msghdr`.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Head {
    name: u64,
    name_length: u32,
    padding: u32,
    pieces: u64,
    piece_count: u64,
    control: u64,
    control_length: u64,
    flags: u32,
    padding2: u32,
}

/// Where the head of a message is that is to be filled in, and the place of its flags and lengths.
const NAME_LENGTH: u64 = 8;
const CONTROL_LENGTH: u64 = 40;
const FLAGS: u64 = 48;

/// A message that is to be sent or received.
struct Job {
    open: Rc<Open>,
    pieces: Vec<[u64; 2]>,
    flags: u32,
    /// Bytes that are done.
    done: Cell<u64>,
}

impl Job {
    fn new(call: &Call, fd: u64, pieces: Vec<[u64; 2]>, flags: u32) -> Result<Job> {
        let open = call.process().files.get(fd)?;
        socket_of(&open)?;
        if flags & MSG_OOB != 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        Ok(Job { open, pieces, flags, done: Cell::new(0) })
    }

    /// The socket, which it is.
    fn socket(&self) -> Result<&Socket> {
        socket_of(&self.open)
    }

    /// Goes on where it was.
    fn attempt<T>(
        &self,
        process: &Process,
        step: impl FnOnce(&mut Transfer<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut transfer = Transfer::new(Buffer::User(process, &self.pieces));
        transfer.advance(self.done.get());
        let result = step(&mut transfer);
        self.done.set(transfer.done);
        result
    }
}

/// Tries, and if it must waits for another chance, at most as long as the socket's options say.
fn go(
    call: &Call,
    job: Rc<Job>,
    sends: bool,
    attempt: impl Fn(&Call, &Job) -> Result + 'static,
) -> Outcome {
    let waits = job.flags & MSG_DONTWAIT == 0 && !job.open.nonblocking();
    let result = match attempt(call, &job) {
        Err(Errno::EAGAIN) if waits => {
            let (call, told) = (call.clone(), job.clone());
            return Outcome::wait_with(move || Some(partly(told.done.get())), async move {
                let socket = job.socket()?;
                let again = socket.waiters.until(|| attempt(&call, &job));
                let end = socket.options.deadline(sends);
                let result = call.server.clock.limit(end, again).await;
                finish(&call, &job, result.unwrap_or(Err(Errno::EAGAIN)))
            });
        }
        result => result,
    };
    Outcome::Done(finish(call, &job, result))
}

/// What was done counts more than why not more was.
fn finish(call: &Call, job: &Job, result: Result) -> Result {
    if result == Err(Errno::EPIPE) && job.flags & MSG_NOSIGNAL == 0 {
        signal::send_to_task(&call.task, SIGPIPE);
    }
    match result {
        Err(_) if job.done.get() > 0 && job.socket()?.kind == Kind::Stream => Ok(job.done.get()),
        result => result,
    }
}

/// Sends to an address, if there is one.
fn send(
    call: &Call,
    fd: u64,
    pieces: Vec<[u64; 2]>,
    flags: u32,
    to: Option<Address>,
    along: Along,
) -> Outcome {
    let job = match Job::new(call, fd, pieces, flags).and_then(|job| addressable(job, &to)) {
        Ok(job) => job,
        Err(error) => return Outcome::Done(Err(error)),
    };
    let along = RefCell::new(along);
    go(call, Rc::new(job), true, move |call, job| {
        let to = match &to {
            Some(to) => Some(call.server.addresses.find(call, to)?),
            None => None,
        };
        let socket = job.socket()?;
        if to.as_ref().is_some_and(|to| to.kind != socket.kind) {
            return Err(Errno::EPROTOTYPE);
        }
        let step =
            |from: &mut Transfer<'_>| socket.send(from, to.as_ref(), &mut along.borrow_mut());
        job.attempt(call.process(), step)?;
        Ok(job.done.get())
    })
}

/// Only datagrams have addresses.
fn addressable(job: Job, to: &Option<Address>) -> Result<Job> {
    let socket = job.socket()?;
    match (to, socket.kind) {
        (None, _) | (_, Kind::Datagram | Kind::Packet) => Ok(job),
        _ if socket.is_connected() => Err(Errno::EISCONN),
        _ => Err(Errno::EOPNOTSUPP),
    }
}

pub fn sendto(call: &Call) -> Outcome {
    let [fd, at, length, flags, to, to_length] = call.args;
    let read = || {
        let process = call.process();
        let to = if to == 0 { None } else { Some(address::read(process, to, to_length)?) };
        Ok((to, Along { files: Vec::new(), credentials: credentials(process) }))
    };
    match read() {
        Ok((to, along)) => {
            send(call, fd, alloc::vec![[at, length.min(io::MOST)]], flags as u32, to, along)
        }
        Err(error) => Outcome::Done(Err(error)),
    }
}

pub fn sendmsg(call: &Call) -> Outcome {
    let [fd, head, flags, ..] = call.args;
    send_head(call, fd, head, flags as u32)
}

fn send_head(call: &Call, fd: u64, at: u64, flags: u32) -> Outcome {
    let read = || {
        let process = call.process();
        let head = process.get::<Head>(at)?;
        let to = match head.name {
            0 => None,
            at => Some(address::read(process, at, head.name_length.into())?),
        };
        let pieces = io::pieces(process, head.pieces, head.piece_count)?;
        Ok((pieces, to, control::read(call, head.control, head.control_length)?))
    };
    match read() {
        Ok((pieces, to, along)) => send(call, fd, pieces, flags, to, along),
        Err(error) => Outcome::Done(Err(error)),
    }
}

/// Receives, and has somebody write down where it came from and what came along.
fn receive(
    call: &Call,
    fd: u64,
    pieces: Vec<[u64; 2]>,
    flags: u32,
    tell: impl Fn(&Call, &Socket, super::Receipt, u32) -> Result<()> + 'static,
) -> Outcome {
    let job = match Job::new(call, fd, pieces, flags) {
        Ok(job) => job,
        Err(error) => return Outcome::Done(Err(error)),
    };
    go(call, Rc::new(job), false, move |call, job| {
        let (socket, flags) = (job.socket()?, job.flags);
        let (peek, all) = (flags & MSG_PEEK != 0, flags & MSG_WAITALL != 0);
        let receipt = job.attempt(call.process(), |to| socket.receive(to, peek, all))?;
        let whole = receipt.length;
        let lost = socket.kind != Kind::Stream && whole > job.done.get();
        tell(call, socket, receipt, if lost { MSG_TRUNC } else { 0 })?;
        Ok(if lost && flags & MSG_TRUNC != 0 { whole } else { job.done.get() })
    })
}

pub fn recvfrom(call: &Call) -> Outcome {
    let [fd, at, length, flags, from, from_length] = call.args;
    let pieces = alloc::vec![[at, length.min(io::MOST)]];
    receive(call, fd, pieces, flags as u32, move |call, _, receipt, _| {
        receipt.from.put(call.process(), from, from_length)
    })
}

pub fn recvmsg(call: &Call) -> Outcome {
    let [fd, head, flags, ..] = call.args;
    receive_head(call, fd, head, flags as u32)
}

fn receive_head(call: &Call, fd: u64, at: u64, flags: u32) -> Outcome {
    let read = || {
        let head = call.process().get::<Head>(at)?;
        Ok((head, io::pieces(call.process(), head.pieces, head.piece_count)?))
    };
    let (head, pieces) = match read() {
        Ok(read) => read,
        Err(error) => return Outcome::Done(Err(error)),
    };
    receive(call, fd, pieces, flags, move |call, socket, receipt, told| {
        let process = call.process();
        receipt.from.put(process, head.name, at.wrapping_add(NAME_LENGTH))?;
        let room = (head.control, head.control_length);
        let (used, more) = control::write(call, socket, receipt.along, room, flags)?;
        process.put(at.wrapping_add(CONTROL_LENGTH), &used)?;
        process.put(at.wrapping_add(FLAGS), &(told | more | flags & MSG_CMSG_CLOEXEC))
    })
}

pub fn sendmmsg(call: &Call) -> Outcome {
    let [fd, heads, count, flags, ..] = call.args;
    several(call, heads, count, move |call, head, first| {
        let wait = if first { 0 } else { MSG_DONTWAIT };
        send_head(call, fd, head, flags as u32 | wait)
    })
}

pub fn recvmmsg(call: &Call) -> Outcome {
    let [fd, heads, count, flags, limit, ..] = call.args;
    let deadline = match time::deadline(call.process(), limit) {
        Ok(deadline) => deadline,
        Err(error) => return Outcome::Done(Err(error)),
    };
    several(call, heads, count, move |call, head, first| {
        let late = rt::time::now() >= deadline;
        let wait =
            if !first && (late || flags as u32 & MSG_WAITFORONE != 0) { MSG_DONTWAIT } else { 0 };
        receive_head(call, fd, head, flags as u32 & !MSG_WAITFORONE | wait)
    })
}

/// Deals with one message after the other; how many were dealt with before one could not be.
fn several(
    call: &Call,
    heads: u64,
    count: u64,
    each: impl Fn(&Call, u64, bool) -> Outcome + 'static,
) -> Outcome {
    let count = u64::from(count as u32).min(MANY);
    let (call, done) = (call.clone(), Rc::new(Cell::new(0)));
    while done.get() < count {
        match each(&call, head(heads, &done), done.get() == 0) {
            Outcome::Done(result) => {
                if let Some(result) = note(&call, heads, &done, result) {
                    return Outcome::Done(result);
                }
            }
            Outcome::Wait(waiting) => {
                return Outcome::wait_partly(done.clone(), async move {
                    let mut result = waiting.await;
                    loop {
                        if let Some(result) = note(&call, heads, &done, result) {
                            return result;
                        }
                        if done.get() == count {
                            return Ok(count);
                        }
                        result = match each(&call, head(heads, &done), false) {
                            Outcome::Wait(waiting) => waiting.await,
                            Outcome::Done(result) => result,
                            Outcome::Gone | Outcome::AsIs => return Ok(done.get()),
                        };
                    }
                });
            }
            other => return other,
        }
    }
    Outcome::Done(Ok(count))
}

/// Where the head of the next message is.
fn head(heads: u64, done: &Cell<u64>) -> u64 {
    heads.wrapping_add(done.get() * MANY_SIZE)
}

/// Notes how the next one went; what the call gives, if that was the last.
fn note(call: &Call, heads: u64, done: &Cell<u64>, result: Result) -> Option<Result> {
    let at = head(heads, done).wrapping_add(MANY_COUNT);
    match result.and_then(|length| call.process().put(at, &(length as u32))) {
        Ok(()) => {
            done.set(done.get() + 1);
            None
        }
        Err(error) if done.get() == 0 => Some(Err(error)),
        Err(_) => Some(Ok(done.get())),
    }
}
