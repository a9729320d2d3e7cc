//! A serial port: a device of either kind, and its interrupt.
//!
//! The kernel writes its log to the same device; what both write is mixed by the byte.

#[cfg(target_arch = "x86_64")]
#[path = "ns16550.rs"]
mod device;
#[cfg(target_arch = "aarch64")]
#[path = "arm.rs"]
mod device;

use device::Device;
use rt::Error;
use rt::service::{Grants, Line};

/// What is worth an interrupt.
#[derive(Clone, Copy, Default)]
pub struct Wanted {
    /// That a byte has arrived.
    pub receive: bool,
    /// That a byte can be sent.
    pub send: bool,
}

/// A serial port.
pub struct Uart {
    device: Device,
    line: Option<Line>,
}

impl Uart {
    /// The one that was given.
    pub fn open(grants: &Grants) -> Result<Uart, Error> {
        let device = Device::open(grants)?;
        device.want(Wanted::default())?;
        let uart = Uart { device, line: grants.interrupt() };
        // A predecessor may have left it unsaid that it heard of the last one.
        uart.quiet().map(|()| uart)
    }

    /// Whether it interrupts.
    pub fn interrupts(&self) -> bool {
        self.line.is_some()
    }

    /// The signal of its interrupts.
    pub fn signal(&self) -> u64 {
        self.line.map_or(0, |line| line.bits)
    }

    /// Ends an interrupt: the device asks for nothing until [`want`](Uart::want), so that the line
    /// falls, and whatever is asked for then is heard even where only its rising is.
    pub fn quiet(&self) -> Result<(), Error> {
        self.device.want(Wanted::default())?;
        self.line.map_or(Ok(()), |line| line.interrupt.ack())
    }

    /// Says what is worth an interrupt.
    pub fn want(&self, wanted: Wanted) -> Result<(), Error> {
        if self.interrupts() { self.device.want(wanted) } else { Ok(()) }
    }

    /// A byte that has arrived.
    pub fn read(&self) -> Option<u8> {
        self.device.read()
    }

    /// Whether there is room for a byte.
    pub fn can_write(&self) -> bool {
        self.device.can_write()
    }

    /// Sends a byte, for which there is room.
    pub fn write(&self, byte: u8) {
        self.device.write(byte);
    }
}
