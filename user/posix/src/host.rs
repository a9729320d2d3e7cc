//! Standard input, output and error of whoever started the machine, instead of a terminal: that is how
//! `make exec-virt` is the command that it runs.
//!
//! Both sides send frames over the console: the byte 0x10, a kind, the length in two bytes, the lower
//! first, and so many bytes. `tools/exec.py` is the other side, and has the kinds.

use crate::errno::{Errno, Result};
use crate::file::{Events, File, Open};
use crate::user::Transfer;
use crate::wait::Waiters;
use alloc::collections::VecDeque;
use alloc::rc::Rc;
use alloc::vec::Vec;
use console::Client;
use core::cell::{Cell, RefCell};

const FRAME: u8 = 0x10;
const HEAD: usize = 4;
/// Bytes of input that are kept for whoever reads them.
const INPUT: usize = 64 << 10;
/// Bytes that a frame has at most.
const LONGEST: usize = 4096;
/// Bytes of a command.
const COMMAND: usize = 128 << 10;

/// The other side.
pub struct Host {
    /// What frames go through.
    pub client: Client,
    /// What was received and is no whole frame yet.
    partial: RefCell<Vec<u8>>,
    command: RefCell<Vec<u8>>,
    input: RefCell<VecDeque<u8>>,
    /// Nothing more will come.
    ended: Cell<bool>,
    waiters: Waiters,
}

/// What a frame is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard input.
    Input,
    /// Standard output.
    Output,
    /// Standard error.
    Errors,
}

impl Host {
    /// The other side of a console, which is told that it may begin.
    pub fn new(client: Client) -> Result<Rc<Host>> {
        client.write(&[FRAME, b'r', 0, 0])?;
        Ok(Rc::new(Host {
            client,
            partial: RefCell::default(),
            command: RefCell::default(),
            input: RefCell::default(),
            ended: Cell::new(false),
            waiters: Waiters::default(),
        }))
    }

    /// Takes in what has arrived; the command, when that is complete.
    pub fn arrived(&self) -> Option<Vec<u8>> {
        let mut command = None;
        let mut buffer = [0; 512];
        // What there is no room for stays with the driver, and then with the host.
        while self.input.borrow().len() < INPUT {
            match self.client.read(&mut buffer) {
                Ok(0) | Err(_) => break,
                Ok(count) => command = self.take(&buffer[..count]).or(command),
            }
        }
        self.waiters.wake();
        command
    }

    fn take(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut partial = self.partial.borrow_mut();
        partial.extend_from_slice(bytes);
        let (mut at, mut command) = (0, None);
        while let Some([FRAME, kind, low, high]) = partial.get(at..at + HEAD) {
            let length = usize::from(u16::from_le_bytes([*low, *high]));
            let Some(data) = partial.get(at + HEAD..at + HEAD + length) else { break };
            at += HEAD + length;
            match kind {
                b'c' if data.is_empty() => command = Some(self.command.take()),
                b'c' if self.command.borrow().len() < COMMAND => {
                    self.command.borrow_mut().extend_from_slice(data);
                }
                b'i' if data.is_empty() => self.ended.set(true),
                b'i' => self.input.borrow_mut().extend(data),
                _ => {}
            }
        }
        partial.drain(..at);
        // What does not begin with a frame is noise.
        if partial.first().is_some_and(|&byte| byte != FRAME) {
            partial.clear();
        }
        command
    }

    /// Sends a frame, of as many of the bytes as there is room for; how many.
    fn send(&self, kind: u8, data: &[u8]) -> Result<usize> {
        let room = self.client.room()?.saturating_sub(HEAD).min(LONGEST);
        let data = &data[..data.len().min(room)];
        if data.is_empty() {
            return Ok(0);
        }
        let [low, high] = (data.len() as u16).to_le_bytes();
        self.client.write(&[FRAME, kind, low, high])?;
        Ok(self.client.write(data)?)
    }

    /// Sends the status of the command. Says whether there was room.
    pub fn send_status(&self, status: u8) -> bool {
        // A console that is gone takes nothing any more.
        self.send(b's', &[status]).is_ok_and(|count| count > 0)
    }

    /// Whether all is sent.
    pub fn is_drained(&self) -> bool {
        self.client.pending().map_or(true, |bytes| bytes == 0)
    }
}

/// One of the streams, as a file.
pub struct HostFile(pub Rc<Host>, pub Stream);

impl File for HostFile {
    fn read(&self, _: &Open, _: &mut u64, to: &mut Transfer<'_>) -> Result<()> {
        let HostFile(host, Stream::Input) = self else { return Err(Errno::EBADF) };
        let mut input = host.input.borrow_mut();
        if input.is_empty() && to.left > 0 && !host.ended.get() {
            return Err(Errno::EAGAIN);
        }
        while !input.is_empty() && to.left > 0 {
            let moved = to.put(input.as_slices().0)?;
            input.drain(..moved);
        }
        // There is room for more now.
        drop(input);
        host.arrived();
        Ok(())
    }

    fn write(&self, _: &Open, _: &mut u64, from: &mut Transfer<'_>) -> Result<()> {
        let kind = match self.1 {
            Stream::Input => return Err(Errno::EBADF),
            Stream::Output => b'o',
            Stream::Errors => b'e',
        };
        let mut buffer = [0; 1024];
        while from.left > 0 {
            let room = self.0.client.room()?.saturating_sub(HEAD).min(buffer.len());
            if room == 0 {
                return Err(Errno::EAGAIN);
            }
            let taken = from.take(&mut buffer[..room])?;
            self.0.send(kind, &buffer[..taken])?;
        }
        Ok(())
    }

    fn ready(&self, _: &Open) -> Events {
        let mut events = Events::empty();
        match self.1 {
            Stream::Input => {
                let some = !self.0.input.borrow().is_empty() || self.0.ended.get();
                events.set(Events::IN | Events::RDNORM, some);
            }
            _ => {
                let room = self.0.client.room().is_ok_and(|room| room > HEAD);
                events.set(Events::OUT | Events::WRNORM, room);
            }
        }
        events
    }

    fn waiters(&self) -> Option<&Waiters> {
        Some(&self.0.waiters)
    }
}
