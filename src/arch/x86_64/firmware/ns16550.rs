//! The 16550 UART of a PC (National Semiconductor PC16550D), behind I/O ports.

use crate::dev::PATIENCE;
use crate::log::Sink;
use ::x86_64::instructions::port::Port;

const DATA: u16 = 0;
const DIVISOR_LOW: u16 = 0;
const INTERRUPT_ENABLE: u16 = 1;
const DIVISOR_HIGH: u16 = 1;
const LINE_CONTROL: u16 = 3;
const EIGHT_BITS: u8 = 0x03;
const DIVISOR_ACCESS: u8 = 0x80;
const MODEM_CONTROL: u16 = 4;
const READY: u8 = 0x03;
const LINE_STATUS: u16 = 5;
const TRANSMIT_EMPTY: u8 = 0x20;
const SCRATCH: u16 = 7;

/// A 16550, by its first port.
pub(super) struct Ns16550(u16);

impl Ns16550 {
    /// Takes over the UART at 115200 baud, 8 bits, no parity; `None` where nothing answers. What it has
    /// received stays there.
    pub(super) fn new(first: u16) -> Option<Ns16550> {
        let uart = Ns16550(first);
        uart.answers().then(|| {
            for (register, value) in [
                (INTERRUPT_ENABLE, 0),
                (LINE_CONTROL, DIVISOR_ACCESS | EIGHT_BITS),
                // The usual 1.8432 MHz clock is divided by 16 times this.
                (DIVISOR_LOW, 1),
                (DIVISOR_HIGH, 0),
                (LINE_CONTROL, EIGHT_BITS),
                (MODEM_CONTROL, READY),
            ] {
                uart.write(register, value);
            }
            uart
        })
    }

    /// A register that keeps what is written to it means that there is a UART.
    fn answers(&self) -> bool {
        [0x5a, 0xa5].into_iter().all(|pattern| {
            self.write(SCRATCH, pattern);
            self.read(SCRATCH) == pattern
        })
    }

    fn read(&self, register: u16) -> u8 {
        // SAFETY: a UART's ports, which are nobody else's; reading what is not there gives ones.
        unsafe { Port::new(self.0 + register).read() }
    }

    fn write(&self, register: u16, value: u8) {
        // SAFETY: as in `read`.
        unsafe { Port::new(self.0 + register).write(value) }
    }
}

impl Sink for Ns16550 {
    fn put(&self, byte: u8) {
        let full = |_: &u32| self.read(LINE_STATUS) & TRANSMIT_EMPTY == 0;
        (0..PATIENCE).take_while(full).for_each(|_| core::hint::spin_loop());
        self.write(DATA, byte);
    }
}
