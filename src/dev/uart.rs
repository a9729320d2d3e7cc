//! The UARTs of AArch64's boards, as firmware set them up: speed and pins are left alone. ARM's
//! PrimeCell PL011 (ARM DDI 0183), and the Raspberry Pi's auxiliary "mini" UART (BCM2835 ARM
//! Peripherals, section 2.2).

use super::{Mmio, PATIENCE};
use crate::log::Sink;

/// Of both.
const DATA: u64 = 0x00;

const PL011_FLAGS: u64 = 0x18;
const PL011_LINE_CONTROL: u64 = 0x2c;
const PL011_8_BITS_FIFO: u32 = 0x70;
const PL011_CONTROL: u64 = 0x30;
const PL011_ENABLE_TX: u32 = 0x101;

const MINI_LINE_STATUS: u64 = 0x14;
const MINI_CONTROL: u64 = 0x20;
const MINI_ENABLE_TX: u32 = 1 << 1;

/// In the PL011's flags that there is no room, and in the other's line status that there is.
const ROOM: u32 = 1 << 5;

/// A UART.
pub struct Uart {
    registers: Mmio,
    status: u64,
    /// What `ROOM` is in the status while a byte has to wait.
    full: u32,
}

impl Uart {
    /// Takes over a PL011; one that firmware left off is switched on at the speed it has.
    pub fn pl011(registers: Mmio) -> Uart {
        if registers.read(PL011_CONTROL) & PL011_ENABLE_TX != PL011_ENABLE_TX {
            registers.write(PL011_LINE_CONTROL, PL011_8_BITS_FIFO);
            registers.write(PL011_CONTROL, registers.read(PL011_CONTROL) | PL011_ENABLE_TX);
        }
        Uart { registers, status: PL011_FLAGS, full: ROOM }
    }

    /// Takes over a mini UART.
    pub fn mini(registers: Mmio) -> Uart {
        registers.write(MINI_CONTROL, registers.read(MINI_CONTROL) | MINI_ENABLE_TX);
        Uart { registers, status: MINI_LINE_STATUS, full: 0 }
    }
}

impl Sink for Uart {
    fn put(&self, byte: u8) {
        let full = |_: &u32| self.registers.read(self.status) & ROOM == self.full;
        (0..PATIENCE).take_while(full).for_each(|_| core::hint::spin_loop());
        self.registers.write(DATA, byte.into());
    }
}
