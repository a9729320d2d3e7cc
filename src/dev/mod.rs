//! The serial ports through which the kernel itself speaks: transmit only, polled, never for ever.
//! A console driver with interrupts and input is a process of its own.

mod mmio;
mod uart;

pub use mmio::Mmio;
pub use uart::Uart;

/// How often a driver asks a device that does not get ready before it goes on without it. A byte at
/// 9600 baud takes a millisecond; this is far more, and still not for ever.
pub(crate) const PATIENCE: u32 = 1_000_000;
