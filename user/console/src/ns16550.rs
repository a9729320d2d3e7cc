//! The 16550 (National Semiconductor PC16550D) of a PC, as the kernel set it up.

use super::Wanted;
use core::cell::Cell;
use rt::Error;
use rt::service::{Grants, Io};

/// Bytes that its transmitter holds.
const FIFO: u8 = 16;

/// Data, interrupt enable, interrupt identification, FIFO control, modem control, line status (8.1 to 8.6).
const DATA: u16 = 0;
const INTERRUPTS: u16 = 1;
const RECEIVED: u64 = 1;
const SENT: u64 = 2;
const IDENTIFICATION: u16 = 2;
const FIFO_IS_ON: u64 = 0xc0;
const FIFO_CONTROL: u16 = 2;
const FIFO_ON: u64 = 1;
const MODEM: u16 = 4;
/// Ready, and the gate that the interrupt goes through.
const READY: u64 = 0x0b;
/// What it sends it receives, and nothing else.
const LOOP: u64 = 1 << 4;
const STATUS: u16 = 5;
const ARRIVED: u64 = 1;
const EMPTY: u64 = 1 << 5;

/// The device.
pub struct Device {
    io: Io,
    /// Bytes that certainly fit.
    room: Cell<u8>,
    /// The byte that had arrived before there was room for more than one.
    first: Cell<Option<u8>>,
}

impl Device {
    /// Takes over the one that was given.
    pub fn open(grants: &Grants) -> Result<Device, Error> {
        let device = Device { io: grants.io(), room: Cell::new(0), first: Cell::new(None) };
        if device.get(IDENTIFICATION)? & FIFO_IS_ON != FIFO_IS_ON {
            device.switch_fifo_on()?;
        }
        device.set(MODEM, READY)?;
        if device.status() & ARRIVED == 0 {
            // QEMU asks whether there is more only when something is read.
            device.get(DATA)?;
        }
        Ok(device)
    }

    /// Switching the FIFO on empties it: what is there is taken out before, and nothing arrives meanwhile.
    fn switch_fifo_on(&self) -> Result<(), Error> {
        self.set(MODEM, READY | LOOP)?;
        self.first.set(self.read());
        self.set(FIFO_CONTROL, FIFO_ON)
    }

    /// Says what it is to interrupt for.
    pub fn want(&self, wanted: Wanted) -> Result<(), Error> {
        let receive = if wanted.receive { RECEIVED } else { 0 };
        self.set(INTERRUPTS, receive | if wanted.send { SENT } else { 0 })
    }

    /// A byte that has arrived.
    pub fn read(&self) -> Option<u8> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        if self.status() & ARRIVED == 0 {
            return None;
        }
        self.get(DATA).ok().map(|byte| byte as u8)
    }

    /// Whether there is room for a byte.
    pub fn can_write(&self) -> bool {
        if self.room.get() == 0 && self.status() & EMPTY != 0 {
            self.room.set(FIFO);
        }
        self.room.get() > 0
    }

    /// Sends a byte.
    pub fn write(&self, byte: u8) {
        self.room.set(self.room.get().saturating_sub(1));
        // The ports are this process's: nothing can refuse it.
        let _ = self.set(DATA, byte.into());
    }

    fn status(&self) -> u64 {
        self.get(STATUS).unwrap_or(0)
    }

    fn get(&self, register: u16) -> Result<u64, Error> {
        self.io.ports.read(self.io.first + register, 1)
    }

    fn set(&self, register: u16, value: u64) -> Result<(), Error> {
        self.io.ports.write(self.io.first + register, 1, value)
    }
}
