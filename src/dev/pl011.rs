//! ARM PrimeCell UART PL011 (ARM DDI 0183), as firmware set it up: speed and pins are left alone.

use super::{Mmio, PATIENCE};
use crate::log::Sink;

const DATA: u64 = 0x00;
const FLAGS: u64 = 0x18;
const FLAGS_TX_FULL: u32 = 1 << 5;
const LINE_CONTROL: u64 = 0x2c;
const LINE_CONTROL_8_BITS_FIFO: u32 = 0x70;
const CONTROL: u64 = 0x30;
const CONTROL_ENABLE_TX: u32 = 0x101;

/// A PL011.
pub struct Pl011(Mmio);

impl Pl011 {
    /// Takes over the UART; one that firmware left off is switched on at the speed it has.
    pub fn new(registers: Mmio) -> Pl011 {
        if registers.read(CONTROL) & CONTROL_ENABLE_TX != CONTROL_ENABLE_TX {
            registers.write(LINE_CONTROL, LINE_CONTROL_8_BITS_FIFO);
            registers.write(CONTROL, registers.read(CONTROL) | CONTROL_ENABLE_TX);
        }
        Pl011(registers)
    }
}

impl Sink for Pl011 {
    fn put(&self, byte: u8) {
        let full = |_: &u32| self.0.read(FLAGS) & FLAGS_TX_FULL != 0;
        (0..PATIENCE).take_while(full).for_each(|_| core::hint::spin_loop());
        self.0.write(DATA, byte.into());
    }
}
