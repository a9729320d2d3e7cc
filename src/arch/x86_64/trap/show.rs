//! A trap frame as a report shows it.

use super::TrapFrame;
use ::x86_64::registers::control::{Cr2, Cr3};
use core::fmt::{self, Write};

impl fmt::Display for TrapFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let special = [
            ("rip", self.rip),
            ("cr2", Cr2::read_raw()),
            ("cr3", Cr3::read_raw().0.start_address().as_u64()),
            ("err", self.error),
        ];
        let mut copy = self.clone();
        let general = GENERAL.split(' ').zip(copy.general().map(|register| *register));
        for (nth, (name, value)) in general.chain(special).enumerate() {
            let end = if nth % 4 == 3 { "\n" } else { "" };
            write!(f, "  {name:<3} {value:016x}{end}")?;
        }
        write!(f, "  rflags {:08x}  ", self.rflags)?;
        for (bit, name) in FLAGS.into_iter().zip("ODITSZAPCa".chars()) {
            f.write_char(if self.rflags >> bit & 1 == 1 { name } else { '-' })?;
        }
        write!(f, "  cs {:04x}  ss {:04x}  ring {}", self.cs, self.ss, self.cs & 3)
    }
}

const GENERAL: &str = "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15";

/// The flags a person wants to see: overflow, direction, interrupts, trap, sign, zero, adjust,
/// parity, carry, alignment check.
const FLAGS: [u32; 10] = [11, 10, 9, 8, 7, 6, 4, 2, 0, 18];
