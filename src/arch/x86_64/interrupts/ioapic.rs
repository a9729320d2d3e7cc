//! An I/O APIC (Intel 82093AA): where devices' lines come in.

use crate::dev::Mmio;
use spin::Mutex;

/// The two registers through which the others are reached.
const SELECT: u64 = 0x00;
const WINDOW: u64 = 0x10;

const VERSION: u32 = 1;
/// The first of two registers for each line.
const REDIRECTION: u32 = 0x10;
const MASKED: u32 = 1 << 16;
const ACTIVE_LOW: u32 = 1 << 13;
const LEVEL: u32 = 1 << 15;
/// Lines below are ISA's: edges, active high. Those above are PCI's: levels, active low.
const ISA_LINES: u32 = 16;

/// An I/O APIC. The lock makes selecting and accessing one step.
pub(super) struct IoApic(Mutex<Mmio>);

impl IoApic {
    /// Takes it over, with all lines masked.
    pub(super) fn new(registers: Mmio) -> IoApic {
        for line in 0..lines(&registers) {
            write(&registers, REDIRECTION + 2 * line, MASKED);
            write(&registers, REDIRECTION + 2 * line + 1, 0);
        }
        IoApic(Mutex::new(registers))
    }

    /// Lets a line through, as `vector`, to the CPU with this APIC ID.
    pub(super) fn enable(&self, line: u32, vector: u8, target: u32) {
        let registers = self.0.lock();
        if line >= lines(&registers) {
            return crate::warn!("the I/O APIC has no line {line}");
        }
        let kind = if line < ISA_LINES { 0 } else { ACTIVE_LOW | LEVEL };
        write(&registers, REDIRECTION + 2 * line + 1, target << 24);
        write(&registers, REDIRECTION + 2 * line, kind | u32::from(vector));
    }
}

fn lines(registers: &Mmio) -> u32 {
    registers.write(SELECT, VERSION);
    (registers.read(WINDOW) >> 16 & 0xff) + 1
}

fn write(registers: &Mmio, register: u32, value: u32) {
    registers.write(SELECT, register);
    registers.write(WINDOW, value);
}
