//! The 16550 (National Semiconductor PC16550D) at a PC's first serial port, as the kernel set it up.

use super::Wanted;
use core::cell::Cell;
use rt::{Error, IoPorts};

const BASE: u16 = 0x3f8;
const LINE: u64 = 4;
/// Bytes that its transmitter holds.
const FIFO: u8 = 16;

/// Interrupt enable, interrupt identification, FIFO control, modem control, line status (8.1 to 8.6).
const INTERRUPTS: u16 = BASE + 1;
const RECEIVED: u64 = 1;
const SENT: u64 = 2;
const IDENTIFICATION: u16 = BASE + 2;
const FIFO_IS_ON: u64 = 0xc0;
const FIFO_CONTROL: u16 = BASE + 2;
const FIFO_ON: u64 = 1;
const MODEM: u16 = BASE + 4;
/// Ready, and the gate that the interrupt goes through.
const READY: u64 = 0x0b;
/// What it sends it receives, and nothing else.
const LOOP: u64 = 1 << 4;
const STATUS: u16 = BASE + 5;
const ARRIVED: u64 = 1;
const EMPTY: u64 = 1 << 5;

/// The device.
pub struct Device {
    ports: IoPorts,
    /// Bytes that certainly fit.
    room: Cell<u8>,
    /// The byte that had arrived before there was room for more than one.
    first: Cell<Option<u8>>,
}

impl Device {
    /// Finds it, and its line.
    pub fn find() -> Result<(Device, Option<u64>), Error> {
        let ports = IoPorts::create(&rt::machine(), BASE, 8)?;
        let device = Device { ports, room: Cell::new(0), first: Cell::new(None) };
        if device.ports.read(IDENTIFICATION, 1)? & FIFO_IS_ON != FIFO_IS_ON {
            device.switch_fifo_on()?;
        }
        device.ports.write(MODEM, 1, READY)?;
        if device.status() & ARRIVED == 0 {
            // QEMU asks whether there is more only when something is read.
            device.ports.read(BASE, 1)?;
        }
        Ok((device, Some(LINE)))
    }

    /// Switching the FIFO on empties it: what is there is taken out before, and nothing arrives meanwhile.
    fn switch_fifo_on(&self) -> Result<(), Error> {
        self.ports.write(MODEM, 1, READY | LOOP)?;
        self.first.set(self.read());
        self.ports.write(FIFO_CONTROL, 1, FIFO_ON)
    }

    /// Says what it is to interrupt for.
    pub fn want(&self, wanted: Wanted) -> Result<(), Error> {
        let receive = if wanted.receive { RECEIVED } else { 0 };
        self.ports.write(INTERRUPTS, 1, receive | if wanted.send { SENT } else { 0 })
    }

    /// A byte that has arrived.
    pub fn read(&self) -> Option<u8> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        if self.status() & ARRIVED == 0 {
            return None;
        }
        self.ports.read(BASE, 1).ok().map(|byte| byte as u8)
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
        let _ = self.ports.write(BASE, 1, byte.into());
    }

    fn status(&self) -> u64 {
        self.ports.read(STATUS, 1).unwrap_or(0)
    }
}
