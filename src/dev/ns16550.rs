//! The 16550 UART and its relatives (National Semiconductor PC16550D), over whatever way there is to
//! its eight registers: I/O ports on a PC, memory elsewhere.

use super::PATIENCE;
use crate::log::Sink;

const DATA: u16 = 0;
const DIVISOR_LOW: u16 = 0;
const INTERRUPT_ENABLE: u16 = 1;
const DIVISOR_HIGH: u16 = 1;
const FIFO_CONTROL: u16 = 2;
const FIFO_ON_AND_EMPTY: u8 = 0x07;
const LINE_CONTROL: u16 = 3;
const EIGHT_BITS: u8 = 0x03;
const DIVISOR_ACCESS: u8 = 0x80;
const MODEM_CONTROL: u16 = 4;
const READY: u8 = 0x03;
const LINE_STATUS: u16 = 5;
const TRANSMIT_EMPTY: u8 = 0x20;
const SCRATCH: u16 = 7;

/// What the usual 1.8432 MHz clock is divided by for 115200 baud.
const DIVISOR: u16 = 1;

/// A way to the registers.
pub trait Registers: Sync {
    /// Reads a register.
    fn read(&self, register: u16) -> u8;
    /// Writes a register.
    fn write(&self, register: u16, value: u8);
}

/// A 16550.
pub struct Ns16550<R>(R);

impl<R: Registers> Ns16550<R> {
    /// Takes over the UART at 115200 baud, 8 bits, no parity; `None` where nothing answers.
    pub fn new(registers: R) -> Option<Ns16550<R>> {
        answers(&registers).then(|| {
            registers.write(INTERRUPT_ENABLE, 0);
            registers.write(LINE_CONTROL, DIVISOR_ACCESS | EIGHT_BITS);
            registers.write(DIVISOR_LOW, DIVISOR as u8);
            registers.write(DIVISOR_HIGH, (DIVISOR >> 8) as u8);
            registers.write(LINE_CONTROL, EIGHT_BITS);
            registers.write(FIFO_CONTROL, FIFO_ON_AND_EMPTY);
            registers.write(MODEM_CONTROL, READY);
            Ns16550(registers)
        })
    }
}

/// A register that keeps what is written to it means that there is a UART.
fn answers(registers: &impl Registers) -> bool {
    [0x5a, 0xa5].into_iter().all(|pattern| {
        registers.write(SCRATCH, pattern);
        registers.read(SCRATCH) == pattern
    })
}

impl<R: Registers> Sink for Ns16550<R> {
    fn put(&self, byte: u8) {
        let full = |_: &u32| self.0.read(LINE_STATUS) & TRANSMIT_EMPTY == 0;
        (0..PATIENCE).take_while(full).for_each(|_| core::hint::spin_loop());
        self.0.write(DATA, byte);
    }
}
