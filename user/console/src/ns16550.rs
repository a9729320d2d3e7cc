//! The 16550 (National Semiconductor PC16550D) at a PC's first serial port, as the kernel set it up.

use super::Wanted;
use core::cell::Cell;
use rt::{Error, IoPorts};

const BASE: u16 = 0x3f8;
const LINE: u64 = 4;
/// Bytes that its transmitter holds.
const FIFO: u8 = 16;

/// Interrupt enable, modem control, line status (8.1 to 8.6).
const INTERRUPTS: u16 = BASE + 1;
const RECEIVED: u64 = 1;
const SENT: u64 = 2;
const MODEM: u16 = BASE + 4;
/// Ready, and the gate that the interrupt goes through.
const READY: u64 = 0x0b;
const STATUS: u16 = BASE + 5;
const ARRIVED: u64 = 1;
const EMPTY: u64 = 1 << 5;

/// The device.
pub struct Device {
    ports: IoPorts,
    /// Bytes that certainly fit.
    room: Cell<u8>,
}

impl Device {
    /// Finds it, and its line.
    pub fn find() -> Result<(Device, Option<u64>), Error> {
        let ports = IoPorts::create(&rt::machine(), BASE, 8)?;
        ports.write(MODEM, 1, READY)?;
        Ok((Device { ports, room: Cell::new(0) }, Some(LINE)))
    }

    /// Says what it is to interrupt for.
    pub fn want(&self, wanted: Wanted) -> Result<(), Error> {
        let receive = if wanted.receive { RECEIVED } else { 0 };
        self.ports.write(INTERRUPTS, 1, receive | if wanted.send { SENT } else { 0 })
    }

    /// A byte that has arrived.
    pub fn read(&self) -> Option<u8> {
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
