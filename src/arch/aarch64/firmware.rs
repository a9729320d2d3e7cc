//! Finding out what machine this is: a console before anything else, then the device tree.

use super::boot::{Handoff, map_early_device};
use crate::boot::{BootInfo, Console};
use crate::dev::{MiniUart, Mmio, Pl011};
use crate::log::Sink;
use crate::units::VirtAddr;
use spin::Once;

/// A serial port this architecture's boards have.
enum Uart {
    Pl011(Pl011),
    Mini(MiniUart),
}

impl Uart {
    /// The driver for what is found at `base`.
    fn new(kind: Console, base: VirtAddr) -> Option<Uart> {
        // SAFETY: the caller has mapped the UART's registers there.
        let registers = unsafe { Mmio::new(base) };
        match kind {
            Console::Pl011(_) => Some(Uart::Pl011(Pl011::new(registers))),
            Console::MiniUart(_) => Some(Uart::Mini(MiniUart::new(registers))),
            Console::Ns16550(_) | Console::None => None,
        }
    }

    fn sink(&'static self) -> &'static dyn Sink {
        match self {
            Uart::Pl011(uart) => uart,
            Uart::Mini(uart) => uart,
        }
    }
}
