//! GICv2 and GIC-400 (ARM IHI 0048).

use super::{Controller, GICD_TYPER, IPI, Lines};
use crate::dev::Mmio;

const GICD_CTLR: u64 = 0x000;
const GICD_ITARGETSR: u64 = 0x800;
const GICD_SGIR: u64 = 0xf00;

const GICC_CTLR: u64 = 0x00;
const GICC_PMR: u64 = 0x04;
const GICC_IAR: u64 = 0x0c;
const GICC_EOIR: u64 = 0x10;

/// A distributor and the CPU interface that each CPU sees at the same address.
pub struct GicV2 {
    distributor: Mmio,
    cpu: Mmio,
}

impl GicV2 {
    /// Masks all lines and sends them to the boot CPU.
    pub fn new(distributor: Mmio, cpu: Mmio) -> GicV2 {
        distributor.write(GICD_CTLR, 0);
        // The targets of private interrupts are the CPU that asks.
        let me = distributor.read(GICD_ITARGETSR) & 0xff;
        let blocks = u64::from(distributor.read(GICD_TYPER) & 0x1f) + 1;
        for block in 1..blocks {
            Lines(distributor).prepare(block, u32::MAX);
            for word in 8 * block..8 * (block + 1) {
                distributor.write(GICD_ITARGETSR + 4 * word, me * 0x0101_0101);
            }
        }
        // Whatever group firmware put the lines in: this is the one that we see.
        distributor.write(GICD_CTLR, 1);
        GicV2 { distributor, cpu }
    }
}

impl Controller for GicV2 {
    fn init_cpu(&self) {
        Lines(self.distributor).prepare(0, 0xffff_0000);
        self.cpu.write(GICC_PMR, 0xff);
        self.cpu.write(GICC_CTLR, 1);
        self.switch(IPI, true);
    }

    fn acknowledge(&self, _timer: u32) -> (u64, u32) {
        let token = self.cpu.read(GICC_IAR);
        (token.into(), token & 0x3ff)
    }

    fn end(&self, token: u64) {
        self.cpu.write(GICC_EOIR, token as u32);
    }

    fn switch(&self, line: u32, on: bool) {
        Lines(self.distributor).switch(line, on);
    }

    /// A GICv2's CPU interfaces are numbered as the CPUs of its cluster are.
    fn send_ipi(&self, hardware_id: u64) {
        self.distributor.write(GICD_SGIR, 1 << (16 + (hardware_id & 7)) | IPI);
    }
}
