//! The Raspberry Pi's auxiliary "mini" UART (BCM2835 ARM Peripherals, section 2.2), as firmware set
//! it up.

use super::{Mmio, PATIENCE};
use crate::log::Sink;

const DATA: u64 = 0x00;
const CONTROL: u64 = 0x20;
const CONTROL_TX: u32 = 1 << 1;
const LINE_STATUS: u64 = 0x14;
const LINE_STATUS_TX_EMPTY: u32 = 1 << 5;

/// A mini UART.
pub struct MiniUart(Mmio);

impl MiniUart {
    /// Takes over the UART.
    pub fn new(registers: Mmio) -> MiniUart {
        registers.write(CONTROL, registers.read(CONTROL) | CONTROL_TX);
        MiniUart(registers)
    }
}

impl Sink for MiniUart {
    fn put(&self, byte: u8) {
        let full = |_: &u32| self.0.read(LINE_STATUS) & LINE_STATUS_TX_EMPTY == 0;
        (0..PATIENCE).take_while(full).for_each(|_| core::hint::spin_loop());
        self.0.write(DATA, byte.into());
    }
}
