//! Sockets between processes of this machine: streams, packets, datagrams.
//!
//! Each [`Socket`] has an inbox. Sending puts a message into that of the other, with the descriptors
//! and credentials that go along; a stream is read across messages. Two that are connected know each
//! other weakly: one that is gone is a peer that cannot be found any more.

pub mod address;
pub mod calls;
pub mod control;
mod file;
pub mod flight;
pub mod message;
pub mod options;

use crate::errno::{Errno, Result};
use crate::file::Open;
use crate::fs::Inode;
use crate::process::Process;
use crate::server::Server;
use crate::user::Transfer;
use crate::wait::Waiters;
use address::Address;
use alloc::collections::VecDeque;
use alloc::rc::{Rc, Weak};
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

/// Bytes that an inbox takes, as Linux has it.
const CAPACITY: usize = 212_992;
/// Messages that an inbox of datagrams takes.
const MESSAGES: usize = 256;
/// Bytes that a message counts for beside its own.
const OVERHEAD: usize = 256;
/// Bytes of a stream that are kept as one message.
const PIECE: u64 = 32_768;

/// How bytes are kept apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Not at all.
    Stream,
    /// As messages, from anybody.
    Datagram,
    /// As messages, between two.
    Packet,
}

/// Who sent something: process, user, group.
pub type Credentials = [u32; 3];

/// Those of a process.
pub fn credentials(process: &Process) -> Credentials {
    let ids = process.ids.borrow();
    [process.pid, ids.users[0], ids.groups[0]]
}

/// What goes along with bytes.
#[derive(Clone, Default)]
pub struct Along {
    /// Descriptors.
    pub files: Vec<Rc<Open>>,
    /// Who sent it.
    pub credentials: Credentials,
}

/// What was sent, and not received yet.
struct Message {
    bytes: Vec<u8>,
    /// Those before are read.
    start: usize,
    from: Address,
    along: Along,
}

/// What is received.
#[derive(Default)]
pub struct Receipt {
    /// Where it came from.
    pub from: Address,
    /// What came along.
    pub along: Option<Along>,
    /// All bytes that the message had, of which some may have been lost.
    pub length: u64,
}

/// Messages that were sent here.
#[derive(Default)]
struct Inbox {
    messages: VecDeque<Message>,
    bytes: usize,
}

impl Inbox {
    /// Takes the descriptors out of all messages.
    fn take_files(&mut self) -> Vec<Rc<Open>> {
        self.messages.iter_mut().flat_map(|message| message.along.files.drain(..)).collect()
    }
}

/// Connections that nobody has accepted yet.
struct Backlog {
    most: usize,
    sockets: VecDeque<Rc<Socket>>,
}

/// A socket.
pub struct Socket {
    /// How bytes are kept apart.
    pub kind: Kind,
    server: &'static Server,
    /// Its own address, and the file that has it.
    pub address: RefCell<Address>,
    /// See above.
    pub file: RefCell<Option<Rc<Inode>>>,
    peer: RefCell<Option<Weak<Socket>>>,
    peer_credentials: Cell<Credentials>,
    backlog: RefCell<Option<Backlog>>,
    inbox: RefCell<Inbox>,
    /// It receives, or sends, no more.
    shut: Cell<[bool; 2]>,
    /// The other went without having received everything, which is told once.
    reset: Cell<bool>,
    /// Nobody has accepted it yet.
    waits: Cell<bool>,
    options: options::Options,
    waiters: Waiters,
    /// Sockets that wait for room in the inbox.
    blocked: RefCell<Vec<Weak<Socket>>>,
    itself: Weak<Socket>,
}

impl Socket {
    /// One that is connected to nobody.
    pub fn new(server: &'static Server, kind: Kind) -> Rc<Socket> {
        Rc::new_cyclic(|itself| Socket {
            kind,
            server,
            address: RefCell::default(),
            file: RefCell::default(),
            peer: RefCell::default(),
            peer_credentials: Cell::default(),
            backlog: RefCell::default(),
            inbox: RefCell::default(),
            shut: Cell::default(),
            reset: Cell::default(),
            waits: Cell::default(),
            options: options::Options::default(),
            waiters: Waiters::default(),
            blocked: RefCell::default(),
            itself: itself.clone(),
        })
    }

    /// Connects it to another, one way.
    pub fn connect_to(&self, peer: &Rc<Socket>, credentials: Credentials) {
        self.peer.replace(Some(Rc::downgrade(peer)));
        self.peer_credentials.set(credentials);
        self.waiters.wake();
    }

    /// Whether it was connected; the other may be gone.
    pub fn is_connected(&self) -> bool {
        self.peer.borrow().is_some()
    }

    /// Whom it is connected to.
    pub fn peer(&self) -> Option<Rc<Socket>> {
        self.peer.borrow().as_ref().and_then(Weak::upgrade)
    }

    /// It receives, or sends, no more; and of two that are connected the other neither.
    pub fn shut_down(&self, receive: bool, send: bool) {
        let add = |socket: &Socket, receive: bool, send: bool| {
            let [was_receiving, was_sending] = socket.shut.get();
            socket.shut.set([was_receiving || receive, was_sending || send]);
            socket.changed();
        };
        add(self, receive, send);
        if let (Some(peer), true) = (self.peer(), self.kind != Kind::Datagram) {
            add(&peer, send, receive);
        }
    }

    /// Everybody who may wait for a change looks again.
    fn changed(&self) {
        self.waiters.wake();
        for other in self.blocked.take() {
            other.upgrade().inspect(|other| other.waiters.wake());
        }
        if self.kind != Kind::Datagram {
            self.peer().inspect(|peer| peer.waiters.wake());
        }
    }

    /// Tells once that the other went without having received everything.
    fn fail(&self) -> Result<()> {
        if self.reset.take() { Err(Errno::ECONNRESET) } else { Ok(()) }
    }

    /// Whether nobody will send anything any more.
    fn has_ended(&self) -> bool {
        let gone = self.is_connected() && self.peer().is_none();
        self.shut.get()[0] || gone && self.kind != Kind::Datagram
    }

    /// Whether so many bytes can be sent here, by somebody who is told later if they cannot.
    fn admits(&self, from: &Socket, bytes: usize) -> bool {
        let inbox = self.inbox.borrow();
        let crowded = self.kind == Kind::Datagram && inbox.messages.len() >= MESSAGES;
        let charge = inbox.bytes + inbox.messages.len() * OVERHEAD;
        let full = charge > 0 && charge + bytes > CAPACITY;
        drop(inbox);
        if !crowded && !full {
            return true;
        }
        self.tell_later(from);
        false
    }

    /// Another socket hears of the next change.
    fn tell_later(&self, other: &Socket) {
        let mut blocked = self.blocked.borrow_mut();
        if !blocked.iter().any(|known| known.ptr_eq(&other.itself)) {
            blocked.push(other.itself.clone());
        }
    }

    /// Sends bytes, and what goes along, to whom it is connected or to somebody else.
    pub fn send(
        &self,
        from: &mut Transfer<'_>,
        to: Option<&Rc<Socket>>,
        along: &mut Along,
    ) -> Result<()> {
        let peer = match to {
            Some(to) => Some(to.clone()),
            None if !self.is_connected() => return Err(Errno::ENOTCONN),
            None => self.peer(),
        };
        if self.kind == Kind::Packet {
            self.fail()?;
        }
        let gone = if self.kind == Kind::Datagram { Errno::ECONNREFUSED } else { Errno::EPIPE };
        if self.shut.get()[1] {
            return Err(Errno::EPIPE);
        }
        let peer = peer.ok_or(gone)?;
        if peer.shut.get()[0] {
            return Err(Errno::EPIPE);
        }
        if self.kind != Kind::Stream {
            if from.left as usize > CAPACITY {
                return Err(Errno::EMSGSIZE);
            }
            return self.send_piece(&peer, from, from.left as usize, along);
        }
        while from.left > 0 {
            self.send_piece(&peer, from, from.left.min(PIECE) as usize, along)?;
        }
        Ok(())
    }

    fn send_piece(
        &self,
        peer: &Rc<Socket>,
        from: &mut Transfer<'_>,
        length: usize,
        along: &mut Along,
    ) -> Result<()> {
        if !peer.admits(self, length) {
            return Err(Errno::EAGAIN);
        }
        let mut bytes = alloc::vec![0; length];
        let length = from.take(&mut bytes)?;
        bytes.truncate(length);
        let files = core::mem::take(&mut along.files);
        let along = Along { files, credentials: along.credentials };
        let mut inbox = peer.inbox.borrow_mut();
        inbox.bytes += length;
        match inbox.messages.back_mut().filter(|last| self.joins(last, &bytes, &along)) {
            Some(last) => last.bytes.append(&mut bytes),
            None => {
                let from = self.address.borrow().clone();
                inbox.messages.push_back(Message { bytes, start: 0, from, along });
            }
        }
        let carries = inbox.messages.back().is_some_and(|last| flight::has_sockets(&last.along));
        drop(inbox);
        if carries {
            self.server.flights.note(peer);
        }
        peer.waiters.wake();
        Ok(())
    }

    /// Whether bytes of a stream may be kept together with those of a message before.
    fn joins(&self, last: &Message, bytes: &[u8], along: &Along) -> bool {
        self.kind == Kind::Stream
            && along.files.is_empty()
            && last.along.files.is_empty()
            && last.along.credentials == along.credentials
            && last.bytes.len() + bytes.len() <= PIECE as usize
    }

    /// Receives bytes, or only looks at them.
    pub fn receive(&self, to: &mut Transfer<'_>, peek: bool, all: bool) -> Result<Receipt> {
        if self.kind != Kind::Datagram && !self.is_connected() {
            return Err(if self.kind == Kind::Stream { Errno::EINVAL } else { Errno::ENOTCONN });
        }
        let receipt = match self.kind {
            Kind::Stream => self.receive_stream(to, peek, all)?,
            _ => self.receive_message(to, peek)?,
        };
        if !peek {
            self.changed();
        }
        Ok(receipt)
    }

    fn receive_message(&self, to: &mut Transfer<'_>, peek: bool) -> Result<Receipt> {
        let mut inbox = self.inbox.borrow_mut();
        if self.kind == Kind::Packet {
            self.fail()?;
        }
        let Some(message) = inbox.messages.front() else {
            return if self.has_ended() { Ok(Receipt::default()) } else { Err(Errno::EAGAIN) };
        };
        let length = message.bytes.len();
        let fits = length.min(to.left as usize);
        to.put(&message.bytes[..fits])?;
        let (from, along) = (message.from.clone(), Some(message.along.clone()));
        if !peek {
            inbox.messages.pop_front();
            inbox.bytes -= length;
        }
        Ok(Receipt { from, along, length: length as u64 })
    }

    /// Receives up to where something else came along.
    fn receive_stream(&self, to: &mut Transfer<'_>, peek: bool, all: bool) -> Result<Receipt> {
        let mut receipt = Receipt::default();
        if to.left == 0 {
            return Ok(receipt);
        }
        let mut inbox = self.inbox.borrow_mut();
        let Inbox { messages, bytes } = &mut *inbox;
        let mut at = 0;
        while to.left > 0 {
            let Some(message) = messages.get_mut(at) else { break };
            if let Some(before) = &receipt.along {
                let same = before.credentials == message.along.credentials;
                if !same || !message.along.files.is_empty() || !before.files.is_empty() {
                    break;
                }
            }
            let rest = &message.bytes[message.start..];
            let count = to.put(&rest[..rest.len().min(to.left as usize)])?;
            receipt.from = message.from.clone();
            if receipt.along.is_none() {
                receipt.along = Some(message.along.clone());
            }
            if peek {
                at += 1;
                continue;
            }
            message.along.files.clear();
            message.start += count;
            *bytes -= count;
            if message.start == message.bytes.len() {
                messages.pop_front();
            }
        }
        drop(inbox);
        receipt.length = to.done;
        if to.done == 0 {
            self.fail()?;
        }
        if to.left > 0 && !self.has_ended() && (to.done == 0 || all && !peek) {
            if to.done > 0 {
                self.changed();
            }
            return Err(Errno::EAGAIN);
        }
        Ok(receipt)
    }

    /// Whether sending would not wait.
    fn writable(&self) -> bool {
        match self.peer() {
            Some(peer) => self.shut.get()[1] || peer.admits(self, PIECE as usize),
            None => true,
        }
    }
}
