//! GICv3 (ARM IHI 0069), without security states or an ITS.

use super::super::cpu;
use super::{Controller, GICD_TYPER, IPI, Lines};
use crate::dev::Mmio;
use core::arch::asm;

const GICD_CTLR: u64 = 0x0000;
const GICD_CTLR_ARE: u32 = 1 << 4;
const GICD_CTLR_GROUP1: u32 = 1 << 1;
const GICD_CTLR_PENDING: u32 = 1 << 31;
const GICD_IGROUPR: u64 = 0x0080;
const GICD_IROUTER: u64 = 0x6000;

/// Distance from one CPU's redistributor to the next, for a GICv3 (a GICv4's is twice that).
const FRAME: u64 = 0x2_0000;
const GICR_TYPER: u64 = 0x0008;
const GICR_TYPER_LAST: u64 = 1 << 4;
const GICR_TYPER_VIRTUAL_LPIS: u64 = 1 << 1;
const GICR_WAKER: u64 = 0x0014;
const GICR_WAKER_SLEEP: u32 = 1 << 1;
const GICR_WAKER_ASLEEP: u32 = 1 << 2;
/// The registers of private interrupts, as the distributor's are laid out, are in the second half.
const GICR_PRIVATE: u64 = 0x1_0000;

/// How often a register that must change is read before it is taken as it is.
const PATIENCE: u32 = 100_000;

/// A distributor, and one redistributor for each CPU.
pub struct GicV3 {
    distributor: Mmio,
    redistributors: Mmio,
    size: u64,
}

impl GicV3 {
    /// Masks all lines; each goes to the CPU that lets it through.
    pub fn new(distributor: Mmio, redistributors: Mmio, size: u64) -> GicV3 {
        distributor.write(GICD_CTLR, 0);
        settle(|| distributor.read(GICD_CTLR) & GICD_CTLR_PENDING == 0);
        distributor.write(GICD_CTLR, GICD_CTLR_ARE);
        let blocks = u64::from(distributor.read(GICD_TYPER) & 0x1f) + 1;
        for block in 1..blocks.min(31) {
            Lines(distributor).prepare(block, u32::MAX);
            distributor.write(GICD_IGROUPR + 4 * block, u32::MAX);
        }
        distributor.write(GICD_CTLR, GICD_CTLR_ARE | GICD_CTLR_GROUP1);
        GicV3 { distributor, redistributors, size }
    }

    /// The redistributor that serves this CPU.
    fn redistributor(&self) -> Option<Mmio> {
        let hardware_id = cpu::hardware_id();
        let affinity = hardware_id >> 32 << 24 | hardware_id & 0xff_ffff;
        let mut offset = 0;
        while offset + FRAME <= self.size {
            let kind = self.redistributors.read64(offset + GICR_TYPER);
            if kind >> 32 == affinity {
                return Some(self.redistributors.at(offset));
            }
            if kind & GICR_TYPER_LAST != 0 {
                return None;
            }
            offset += if kind & GICR_TYPER_VIRTUAL_LPIS != 0 { 2 * FRAME } else { FRAME };
        }
        None
    }
}

impl Controller for GicV3 {
    fn init_cpu(&self) {
        let Some(own) = self.redistributor() else {
            let id = cpu::current().0;
            return crate::warn!("CPU {id} has no GIC redistributor: it gets no interrupts");
        };
        own.write(GICR_WAKER, own.read(GICR_WAKER) & !GICR_WAKER_SLEEP);
        settle(|| own.read(GICR_WAKER) & GICR_WAKER_ASLEEP == 0);
        let private = own.at(GICR_PRIVATE);
        Lines(private).prepare(0, u32::MAX);
        private.write(GICD_IGROUPR, u32::MAX);
        // SAFETY: ICC_SRE_EL1 (system registers on), then ICC_PMR_EL1 (all priorities pass),
        // ICC_CTLR_EL1 (end of interrupt also deactivates) and ICC_IGRPEN1_EL1 (group 1 on).
        unsafe {
            asm!("msr S3_0_C12_C12_5, {sre}", "isb", "msr S3_0_C4_C6_0, {pmr}",
                 "msr S3_0_C12_C12_4, xzr", "msr S3_0_C12_C12_7, {on}", "isb",
                 sre = in(reg) 7u64, pmr = in(reg) 0xffu64, on = in(reg) 1u64, options(nostack))
        };
        self.switch(IPI, true);
    }

    fn acknowledge(&self, _timer: u32) -> (u64, u32) {
        let token: u64;
        // SAFETY: reads ICC_IAR1_EL1; the barrier makes it take effect before we go on.
        unsafe { asm!("mrs {}, S3_0_C12_C12_0", "dsb sy", out(reg) token, options(nostack)) };
        (token, token as u32 & 0xff_ffff)
    }

    fn end(&self, token: u64) {
        // SAFETY: writes ICC_EOIR1_EL1.
        unsafe { asm!("msr S3_0_C12_C12_1, {}", "isb", in(reg) token, options(nostack)) };
    }

    fn switch(&self, line: u32, on: bool) {
        if line >= 32 {
            if on {
                self.distributor.write64(GICD_IROUTER + 8 * u64::from(line), cpu::hardware_id());
            }
            Lines(self.distributor).switch(line, on);
            settle(|| self.distributor.read(GICD_CTLR) & GICD_CTLR_PENDING == 0);
        } else if let Some(own) = self.redistributor() {
            Lines(own.at(GICR_PRIVATE)).switch(line, on);
        }
    }

    /// ICC_SGI1R_EL1: affinity fields, interrupt number, and a bit in a list of 16 CPUs.
    fn send_ipi(&self, hardware_id: u64) {
        let field = |shift: u32| hardware_id >> shift & 0xff;
        let (lowest, range) = (field(0) % 16, field(0) / 16);
        let request =
            field(32) << 48 | range << 44 | field(16) << 32 | field(8) << 16 | 1 << lowest;
        // SAFETY: raises an interrupt on another CPU.
        unsafe {
            asm!("msr S3_0_C12_C11_5, {}", "isb", in(reg) request | u64::from(IPI) << 24,
                 options(nostack))
        };
    }
}

/// Waits for a register to change, but not for ever.
fn settle(mut settled: impl FnMut() -> bool) {
    (0..PATIENCE).take_while(|_| !settled()).for_each(|_| core::hint::spin_loop());
}
