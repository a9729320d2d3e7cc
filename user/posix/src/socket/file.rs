//! Sockets as files: reading, writing, what they are ready for, and their end.

use super::{Along, Kind, Socket, credentials};
use crate::errno::{Errno, Result};
use crate::file::{Events, File, Open};
use crate::server::Call;
use crate::user::Transfer;
use crate::wait::Waiters;
use alloc::vec::Vec;
use linux_raw_sys::ioctl::{FIONREAD, TIOCOUTQ};

impl Drop for Socket {
    fn drop(&mut self) {
        self.server.addresses.forget(self);
        let lost = self.waits.get() || !self.inbox.borrow().messages.is_empty();
        if let (Some(peer), true) = (self.peer(), lost && self.kind != Kind::Datagram) {
            peer.reset.set(true);
        }
        self.changed();
        self.server.flights.collect();
    }
}

impl File for Socket {
    fn read(&self, _: &Open, _: &mut u64, to: &mut Transfer<'_>) -> Result<()> {
        self.receive(to, false, false).map(|_| ())
    }

    fn write(&self, _: &Open, _: &mut u64, from: &mut Transfer<'_>) -> Result<()> {
        let credentials = from.process().map(credentials).unwrap_or_default();
        self.send(from, None, &mut Along { files: Vec::new(), credentials })
    }

    fn ready(&self, _: &Open) -> Events {
        let mut events = Events::empty();
        if let Some(backlog) = &*self.backlog.borrow() {
            events.set(Events::READ, !backlog.sockets.is_empty());
            return events;
        }
        let [no_more_in, no_more_out] = self.shut.get();
        let ended = self.has_ended();
        events.set(Events::READ, ended || !self.inbox.borrow().messages.is_empty());
        events.set(Events::RDHUP, ended);
        events.set(Events::WRITE, self.writable());
        events.set(Events::ERR, self.reset.get());
        let alone = self.kind != Kind::Datagram && self.peer().is_none();
        events.set(Events::HUP, alone || no_more_in && no_more_out);
        events
    }

    fn waiters(&self) -> Option<&Waiters> {
        Some(&self.waiters)
    }

    fn ioctl(&self, call: &Call, _: &Open, request: u32, argument: u64) -> Result {
        let inbox = |socket: &Socket| socket.inbox.borrow().bytes;
        let bytes = match request {
            FIONREAD if self.backlog.borrow().is_some() => return Err(Errno::EINVAL),
            FIONREAD if self.kind == Kind::Stream => inbox(self),
            FIONREAD => self.inbox.borrow().messages.front().map_or(0, |first| first.bytes.len()),
            TIOCOUTQ => self.peer().map_or(0, |peer| inbox(&peer)),
            _ => return Err(Errno::ENOTTY),
        };
        call.process().put(argument, &(bytes as u32)).map(|()| 0)
    }
}
