//! An I/O APIC (Intel 82093AA): where devices' lines come in.

use crate::boot::LineKinds;
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

/// An I/O APIC.
pub(super) struct IoApic {
    /// The lock makes selecting and accessing one step.
    registers: Mutex<Mmio>,
    /// How many it has.
    pub(super) lines: u32,
    kinds: LineKinds,
}

impl IoApic {
    /// Takes it over, with all lines masked.
    pub(super) fn new(registers: Mmio, kinds: LineKinds) -> IoApic {
        let lines = (read(&registers, VERSION) >> 16 & 0xff) + 1;
        for line in 0..lines {
            write(&registers, REDIRECTION + 2 * line, MASKED);
            write(&registers, REDIRECTION + 2 * line + 1, 0);
        }
        IoApic { registers: Mutex::new(registers), lines, kinds }
    }

    /// Keeps a line out. The rest stays, so that the end of an interrupt that is being served still
    /// finds its line.
    pub(super) fn mask(&self, line: u32) {
        let registers = self.registers.lock();
        let entry = read(&registers, REDIRECTION + 2 * line);
        write(&registers, REDIRECTION + 2 * line, entry | MASKED);
    }

    /// Lets a line through, as `vector`, to the CPU with this APIC ID.
    pub(super) fn unmask(&self, line: u32, vector: u8, target: u32) {
        let registers = self.registers.lock();
        let kind = |mask: u32, kind| if mask >> line.min(31) & 1 == 1 { kind } else { 0 };
        let kind = kind(self.kinds.level, LEVEL) | kind(self.kinds.low, ACTIVE_LOW);
        write(&registers, REDIRECTION + 2 * line + 1, target << 24);
        write(&registers, REDIRECTION + 2 * line, kind | u32::from(vector));
    }
}

fn read(registers: &Mmio, register: u32) -> u32 {
    registers.write(SELECT, register);
    registers.read(WINDOW)
}

fn write(registers: &Mmio, register: u32, value: u32) {
    registers.write(SELECT, register);
    registers.write(WINDOW, value);
}
