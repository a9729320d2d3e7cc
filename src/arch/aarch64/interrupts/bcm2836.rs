//! The BCM2836's per-core registers (QA7 rev 3.4): timers and mailboxes of each of its four cores.
//! Devices' lines come through the BCM2835 controller, in which the kernel only masks what firmware
//! left on (BCM2835 ARM Peripherals, section 7.5): a line that nobody serves would never end.

use super::{Acknowledged, Controller};
use crate::dev::Mmio;
use crate::units::{Cause, CpuId, PhysAddr};

/// The page of the BCM2835 controller, where both SoCs that have a BCM2836 one have it.
pub const DEVICES: PhysAddr = PhysAddr(0x3f00_b000);
const DEVICES_FAST: u64 = 0x20c;
const DEVICES_DISABLE: [u64; 3] = [0x21c, 0x220, 0x224];

const TIMER_CONTROL: u64 = 0x40;
const TIMER_CONTROL_VIRTUAL: u32 = 1 << 3;
const MAILBOX_CONTROL: u64 = 0x50;
const IRQ_SOURCE: u64 = 0x60;
const IRQ_SOURCE_VIRTUAL_TIMER: u32 = 1 << 3;
const IRQ_SOURCE_MAILBOX_0: u32 = 1 << 4;
const IRQ_SOURCE_DEVICES: u32 = 1 << 8;
const MAILBOX_SET: u64 = 0x80;
const MAILBOX_CLEAR: u64 = 0xc0;

/// The per-core registers.
pub struct Bcm2836(Mmio);

impl Bcm2836 {
    /// All is masked until a core asks for it.
    pub fn new(registers: Mmio, devices: &Mmio) -> Bcm2836 {
        devices.write(DEVICES_FAST, 0);
        DEVICES_DISABLE.into_iter().for_each(|register| devices.write(register, u32::MAX));
        Bcm2836(registers)
    }
}

/// Which of the four cores we are.
fn core() -> u64 {
    super::super::cpu::hardware_id() & 3
}

impl Controller for Bcm2836 {
    fn init_cpu(&self, _id: CpuId, _hardware_id: u64) {
        self.0.write(TIMER_CONTROL + 4 * core(), 0);
        self.0.write(MAILBOX_CLEAR + 16 * core(), u32::MAX);
        self.0.write(MAILBOX_CONTROL + 4 * core(), 1);
    }

    fn acknowledge(&self, _timer: u32) -> Acknowledged {
        let source = self.0.read(IRQ_SOURCE + 4 * core());
        let cause = if source & IRQ_SOURCE_MAILBOX_0 != 0 {
            self.0.write(MAILBOX_CLEAR + 16 * core(), u32::MAX);
            Cause::Ipi
        } else if source & IRQ_SOURCE_VIRTUAL_TIMER != 0 {
            Cause::Timer
        } else if source & IRQ_SOURCE_DEVICES != 0 {
            Cause::Device(8)
        } else {
            Cause::Spurious
        };
        Acknowledged { token: 0, cause }
    }

    /// The sources are levels: they end when they are served.
    fn end(&self, _token: u64) {}

    /// Only the timer has a switch of its own here.
    fn enable(&self, _line: u32) {
        self.0.write(TIMER_CONTROL + 4 * core(), TIMER_CONTROL_VIRTUAL);
    }

    fn send_ipi(&self, _id: CpuId, hardware_id: u64) {
        self.0.write(MAILBOX_SET + 16 * (hardware_id & 3), 1);
    }
}
