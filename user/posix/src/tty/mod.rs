//! Terminals: what is between a program and whoever types and looks.
//!
//! A [`Tty`] has two sides. Programs open a [`Terminal`]; the other side is a [`Line`]: the serial port
//! of the machine, or the master of a pair. [`Input`] is what goes in one way, [`Output`] the other.

pub mod control;
mod input;
pub mod jobs;
mod output;
pub mod pair;
pub mod settings;

use crate::errno::{Errno, Result};
use crate::file::{Events, File, Open};
use crate::server::{Call, Server};
use crate::signal::send::send_to_group;
use crate::user::Transfer;
use crate::wait::Waiters;
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, OnceCell, RefCell};
use input::{Effect, Input, echo};
use linux_raw_sys::general::{
    ECHO, NOFLSH, TIOCPKT_DOSTOP, TIOCPKT_FLUSHREAD, TIOCPKT_FLUSHWRITE, TIOCPKT_NOSTOP,
    TIOCPKT_START, TIOCPKT_STOP,
};
use output::{GROWTH, Output};
use settings::Settings;

/// Bytes that are moved at once.
const CHUNK: usize = 1024;

/// The other side of a terminal.
pub trait Line {
    /// Takes bytes that have arrived and are still on the line.
    fn take(&self, _bytes: &mut [u8]) -> usize {
        0
    }
    /// Bytes that can be put.
    fn room(&self) -> usize;
    /// Puts bytes, for which there is room.
    fn put(&self, bytes: &[u8]);
    /// Bytes that were put and are still on the line.
    fn pending(&self) -> usize;
}

/// A terminal.
pub struct Tty {
    line: Box<dyn Line>,
    settings: RefCell<Settings>,
    input: RefCell<Input>,
    output: RefCell<Output>,
    /// Rows, columns, and the same in pixels.
    window: Cell<[u16; 4]>,
    /// The session that it controls, or 0, and the group in the foreground.
    session: Cell<u32>,
    group: Cell<u32>,
    /// How many have it open, and whether anybody ever had.
    opens: Cell<u32>,
    opened: Cell<bool>,
    /// How often it was hung up; whoever opened it before has nothing any more.
    epoch: Cell<u64>,
    /// What the master is told before it reads more, if it wants to know: `TIOCPKT_*`.
    packet: Cell<Option<u8>>,
    waiters: Waiters,
    server: OnceCell<&'static Server>,
}

impl Tty {
    /// A terminal of so many rows and columns.
    pub fn new(line: Box<dyn Line>, window: [u16; 2]) -> Rc<Tty> {
        Rc::new(Tty {
            line,
            settings: RefCell::default(),
            input: RefCell::default(),
            output: RefCell::default(),
            window: Cell::new([window[0], window[1], 0, 0]),
            session: Cell::new(0),
            group: Cell::new(0),
            opens: Cell::new(0),
            opened: Cell::new(false),
            epoch: Cell::new(0),
            packet: Cell::new(None),
            waiters: Waiters::default(),
            server: OnceCell::new(),
        })
    }

    /// Opens it.
    pub fn open(self: &Rc<Tty>, server: &'static Server) -> Rc<Terminal> {
        self.server.get_or_init(|| server);
        self.opens.set(self.opens.get() + 1);
        self.opened.set(true);
        self.waiters.wake();
        Rc::new(Terminal { tty: self.clone(), epoch: self.epoch.get() })
    }

    /// How it is set.
    pub fn settings(&self) -> Settings {
        *self.settings.borrow()
    }

    /// Sets it, and forgets what has arrived if that is wished.
    pub fn set(&self, settings: Settings, flush: bool) {
        let before = self.settings.replace(settings);
        if before.stops() != settings.stops() {
            let now = if settings.stops() { TIOCPKT_DOSTOP } else { TIOCPKT_NOSTOP };
            self.tell(now, TIOCPKT_DOSTOP | TIOCPKT_NOSTOP);
        }
        if flush {
            self.flush_input();
        }
        self.input.borrow_mut().changed(&before, &settings);
        self.advance();
    }

    /// Forgets what has arrived.
    fn flush_input(&self) {
        let mut rest = [0; CHUNK];
        while self.line.take(&mut rest) > 0 {}
        self.input.borrow_mut().flush();
        self.tell(TIOCPKT_FLUSHREAD, 0);
    }

    /// Tells the master that something has changed, instead of something else.
    fn tell(&self, what: u32, instead: u32) {
        if let Some(told) = self.packet.get() {
            self.packet.set(Some(told & !(instead as u8) | what as u8));
            self.waiters.wake();
        }
    }

    /// Stops or starts what is written.
    fn stop(&self, stopped: bool) {
        if self.output.borrow().stopped != stopped {
            self.output.borrow_mut().stopped = stopped;
            self.told_to_stop(stopped);
        }
    }

    fn told_to_stop(&self, stopped: bool) {
        let (now, before) = (TIOCPKT_STOP, TIOCPKT_START);
        let (now, before) = if stopped { (now, before) } else { (before, now) };
        self.tell(now, before);
    }

    /// Forgets what has not gone out. What is on the line cannot be taken back.
    fn flush_output(&self) {
        self.output.borrow_mut().flush();
        self.tell(TIOCPKT_FLUSHWRITE, 0);
    }

    /// Moves whatever can be moved: what has arrived, and echoes.
    pub fn advance(&self) {
        let mut bytes = [0; CHUNK];
        loop {
            let room = self.input.borrow().room(&self.settings()).min(CHUNK);
            let count = self.line.take(&mut bytes[..room]);
            if count == 0 {
                break;
            }
            self.receive(&bytes[..count]);
        }
        self.put_echoes();
        self.waiters.wake();
    }

    /// Bytes arrive, as many as there is room for; how many.
    fn receive(&self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        for &byte in bytes {
            let settings = self.settings();
            let mut input = self.input.borrow_mut();
            if input.room(&settings) == 0 {
                break;
            }
            taken += 1;
            let mut output = self.output.borrow_mut();
            let before = output.stopped;
            let effect = input.receive(&settings, &mut output, byte);
            let now = output.stopped;
            drop((input, output));
            if before != now {
                self.told_to_stop(now);
            }
            if let Effect::Signal(signal, byte) = effect {
                self.signalled(&settings, signal, byte);
            }
        }
        self.put_echoes();
        self.waiters.wake();
        taken
    }

    /// A byte has asked for a signal.
    fn signalled(&self, settings: &Settings, signal: u32, byte: u8) {
        if !settings.has(NOFLSH) {
            self.input.borrow_mut().flush();
            self.tell(TIOCPKT_FLUSHREAD, 0);
            self.flush_output();
        }
        self.stop(false);
        let mut output = self.output.borrow_mut();
        if settings.has(ECHO) {
            echo(settings, &mut output, byte);
        }
        drop(output);
        if let Some(server) = self.server.get() {
            send_to_group(server, self.group.get(), signal);
        }
    }

    fn put_echoes(&self) {
        let echoes = self.output.borrow_mut().take_echoes(self.line.room());
        if !echoes.is_empty() {
            self.line.put(&echoes);
        }
    }

    /// Whether something can be written.
    fn writable(&self) -> bool {
        !self.output.borrow().stopped && self.line.room() >= GROWTH
    }

    /// Writes as much as there is room for.
    fn write(&self, from: &mut Transfer<'_>) -> Result<()> {
        let (settings, mut bytes, mut processed) = (self.settings(), [0; CHUNK], Vec::new());
        self.put_echoes();
        while from.left > 0 {
            let count = (self.line.room() / GROWTH).min(CHUNK).min(from.left as usize);
            if count == 0 || self.output.borrow().stopped {
                return Err(Errno::EAGAIN);
            }
            let count = from.take(&mut bytes[..count])?;
            let mut output = self.output.borrow_mut();
            for &byte in &bytes[..count] {
                output.process(&settings, byte, &mut processed);
            }
            self.line.put(&processed);
            processed.clear();
        }
        Ok(())
    }

    /// The other side is gone, or the session is: whoever has it open has nothing any more.
    pub fn hang_up(&self, server: &Server) {
        self.epoch.set(self.epoch.get() + 1);
        self.opens.set(0);
        self.input.borrow_mut().flush();
        self.flush_output();
        jobs::hang_up(server, self.session.replace(0), self.group.replace(0));
        self.waiters.wake();
    }
}

/// A terminal that a program has opened.
pub struct Terminal {
    /// Which.
    pub tty: Rc<Tty>,
    epoch: u64,
}

impl Terminal {
    fn hung_up(&self) -> bool {
        self.epoch != self.tty.epoch.get()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if !self.hung_up() {
            self.tty.opens.set(self.tty.opens.get() - 1);
            self.tty.waiters.wake();
        }
    }
}

impl File for Terminal {
    fn admit(&self, call: &Call, write: bool) -> Result<()> {
        if self.hung_up() { Ok(()) } else { jobs::admit(call, &self.tty, write) }
    }

    fn read(&self, _: &Open, _: &mut u64, to: &mut Transfer<'_>) -> Result<()> {
        if self.hung_up() || to.left == 0 {
            return Ok(());
        }
        let settings = self.tty.settings();
        let result = self.tty.input.borrow_mut().read(&settings, to);
        if result.is_ok() {
            self.tty.advance();
        }
        result
    }

    fn write(&self, _: &Open, _: &mut u64, from: &mut Transfer<'_>) -> Result<()> {
        if self.hung_up() { Err(Errno::EIO) } else { self.tty.write(from) }
    }

    fn ready(&self, _: &Open) -> Events {
        if self.hung_up() {
            return Events::ALWAYS | Events::ERR | Events::HUP;
        }
        let mut events = Events::empty();
        let readable = self.tty.input.borrow().readable(&self.tty.settings());
        events.set(Events::READ, readable);
        events.set(Events::WRITE, self.tty.writable());
        events
    }

    fn waiters(&self) -> Option<&Waiters> {
        Some(&self.tty.waiters)
    }

    fn patience(&self, begun: bool) -> Option<u64> {
        let settings = self.tty.settings();
        let limited = !settings.canonical() && settings.patience() > 0;
        (limited && (begun || settings.least() == 0)).then(|| settings.patience())
    }

    fn ioctl(&self, call: &Call, open: &Open, request: u32, argument: u64) -> Result {
        if self.hung_up() {
            return Err(Errno::EIO);
        }
        control::ioctl(call, open, &self.tty, request, argument)
    }
}
