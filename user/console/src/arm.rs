//! The serial ports of machines with an AArch64 CPU: the one that the kernel writes its log to.

use super::Wanted;
use crate::mini_uart::MiniUart;
use crate::pl011::Pl011;
use rt::Error;
use rt::service::Grants;

/// The kinds, as the kernel has them.
const PL011: u64 = 1;
const MINI_UART: u64 = 2;

/// The device.
pub enum Device {
    Pl011(Pl011),
    MiniUart(MiniUart),
}

impl Device {
    /// Takes over the one that was given.
    pub fn open(grants: &Grants) -> Result<Device, Error> {
        match grants.word("variety") {
            PL011 => Pl011::open(&grants.window()).map(Device::Pl011),
            MINI_UART => MiniUart::open(&grants.window()).map(Device::MiniUart),
            _ => Err(Error::NotFound),
        }
    }

    /// Says what it is to interrupt for.
    pub fn want(&self, wanted: Wanted) -> Result<(), Error> {
        match self {
            Device::Pl011(device) => device.want(wanted),
            Device::MiniUart(_) => {}
        }
        Ok(())
    }

    /// A byte that has arrived.
    pub fn read(&self) -> Option<u8> {
        match self {
            Device::Pl011(device) => device.read(),
            Device::MiniUart(device) => device.read(),
        }
    }

    /// Whether there is room for a byte.
    pub fn can_write(&self) -> bool {
        match self {
            Device::Pl011(device) => device.can_write(),
            Device::MiniUart(device) => device.can_write(),
        }
    }

    /// Sends a byte.
    pub fn write(&self, byte: u8) {
        match self {
            Device::Pl011(device) => device.write(byte),
            Device::MiniUart(device) => device.write(byte),
        }
    }
}
