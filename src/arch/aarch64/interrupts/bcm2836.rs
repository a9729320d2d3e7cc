//! The BCM2836's per-core registers (QA7 rev 3.4): timers and mailboxes of each of its four cores.
//! Devices' lines come through the BCM2835 controller (BCM2835 ARM Peripherals, section 7.5), all to the
//! first core, as levels: 64 lines of the GPU, and the first eight of the "basic" ones.
//!
//! Lines are numbered: GPU line n is 64 + n, basic line n is 128 + n; below are the core's own.

use super::{Controller, IPI, NOTHING};
use crate::dev::Mmio;
use crate::units::PhysAddr;
use core::ops::Range;

/// The page of the BCM2835 controller, where both SoCs that have a BCM2836 one have it.
pub const DEVICES: PhysAddr = PhysAddr(0x3f00_b000);
const DEVICES_FAST: u64 = 0x20c;
/// Of GPU lines 0 to 31, those from 32 on, and the basic ones.
const DEVICES_PENDING: [u64; 3] = [0x204, 0x208, 0x200];
const DEVICES_ENABLE: [u64; 3] = [0x210, 0x214, 0x218];
const DEVICES_DISABLE: [u64; 3] = [0x21c, 0x220, 0x224];
/// The numbers of all three.
pub const DEVICES_LINES: Range<u32> = 64..136;

const TIMER_CONTROL: u64 = 0x40;
const TIMER_CONTROL_VIRTUAL: u32 = 1 << 3;
const MAILBOX_CONTROL: u64 = 0x50;
const IRQ_SOURCE: u64 = 0x60;
const IRQ_SOURCE_VIRTUAL_TIMER: u32 = 1 << 3;
const IRQ_SOURCE_MAILBOX_0: u32 = 1 << 4;
const IRQ_SOURCE_DEVICES: u32 = 1 << 8;
const MAILBOX_SET: u64 = 0x80;
const MAILBOX_CLEAR: u64 = 0xc0;

/// The registers of both.
pub struct Bcm2836 {
    own: Mmio,
    shared: Mmio,
}

impl Bcm2836 {
    /// Masks all lines, whatever firmware left on.
    pub fn new(own: Mmio, shared: Mmio) -> Bcm2836 {
        shared.write(DEVICES_FAST, 0);
        DEVICES_DISABLE.into_iter().for_each(|register| shared.write(register, u32::MAX));
        Bcm2836 { own, shared }
    }

    /// The first device's line that is up.
    fn pending(&self) -> Option<u32> {
        // Of the basic register, the upper bits repeat what is in the other two.
        let words = DEVICES_PENDING.into_iter().zip([u32::MAX, u32::MAX, 0xff]);
        let words = words.map(|(register, lines)| self.shared.read(register) & lines);
        let mut up = words.enumerate().filter(|&(_, word)| word != 0);
        up.next().map(|(nth, word)| DEVICES_LINES.start + 32 * nth as u32 + word.trailing_zeros())
    }
}

/// Which of the four cores we are.
fn core() -> u64 {
    super::super::cpu::hardware_id() & 3
}

impl Controller for Bcm2836 {
    fn init_cpu(&self) {
        self.own.write(TIMER_CONTROL + 4 * core(), 0);
        self.own.write(MAILBOX_CLEAR + 16 * core(), u32::MAX);
        self.own.write(MAILBOX_CONTROL + 4 * core(), 1);
    }

    fn acknowledge(&self, timer: u32) -> (u64, u32) {
        let source = self.own.read(IRQ_SOURCE + 4 * core());
        let line = if source & IRQ_SOURCE_MAILBOX_0 != 0 {
            self.own.write(MAILBOX_CLEAR + 16 * core(), u32::MAX);
            IPI
        } else if source & IRQ_SOURCE_VIRTUAL_TIMER != 0 {
            timer
        } else if source & IRQ_SOURCE_DEVICES != 0 {
            self.pending().unwrap_or(NOTHING)
        } else {
            NOTHING
        };
        (0, line)
    }

    /// The sources are levels: they end when they are served.
    fn end(&self, _token: u64) {}

    /// Of the core's own, only the timer has a switch.
    fn switch(&self, line: u32, on: bool) {
        let Some(nth) = line.checked_sub(DEVICES_LINES.start) else {
            return self.own.write(TIMER_CONTROL + 4 * core(), TIMER_CONTROL_VIRTUAL);
        };
        let registers = if on { DEVICES_ENABLE } else { DEVICES_DISABLE };
        self.shared.write(registers[nth as usize / 32], 1 << (nth % 32));
    }

    fn send_ipi(&self, hardware_id: u64) {
        self.own.write(MAILBOX_SET + 16 * (hardware_id & 3), 1);
    }
}
