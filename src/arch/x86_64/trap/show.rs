//! A trap frame as a report shows it.

use super::TrapFrame;
use ::x86_64::registers::control::{Cr2, Cr3};
use core::fmt;

impl fmt::Display for TrapFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [rdi, rsi, rdx, r10, r8, r9, r12, r13] = self.args;
        let registers = [
            ("rax", self.rax),
            ("rbx", self.rbx),
            ("rcx", self.rcx),
            ("rdx", rdx),
            ("rsi", rsi),
            ("rdi", rdi),
            ("rbp", self.rbp),
            ("rsp", self.rsp),
            ("r8", r8),
            ("r9", r9),
            ("r10", r10),
            ("r11", self.r11),
            ("r12", r12),
            ("r13", r13),
            ("r14", self.r14),
            ("r15", self.r15),
            ("rip", self.rip),
            ("cr2", Cr2::read_raw()),
            ("cr3", Cr3::read_raw().0.start_address().as_u64()),
            ("err", self.error),
        ];
        for row in registers.chunks(4) {
            row.iter().try_for_each(|(name, value)| write!(f, "  {name:<3} {value:016x}"))?;
            writeln!(f)?;
        }
        write!(f, "  rflags {:08x}  ", self.rflags)?;
        FLAGS.iter().try_for_each(|&(bit, name)| {
            f.write_str(if self.rflags >> bit & 1 == 1 { name } else { "-" })
        })?;
        write!(f, "  cs {:04x}  ss {:04x}  ring {}", self.cs, self.ss, self.cs & 3)
    }
}

/// The flags a person wants to see: overflow, direction, interrupts, trap, sign, zero, adjust,
/// parity, carry, alignment check.
const FLAGS: [(u32, &str); 10] = [
    (11, "O"),
    (10, "D"),
    (9, "I"),
    (8, "T"),
    (7, "S"),
    (6, "Z"),
    (4, "A"),
    (2, "P"),
    (0, "C"),
    (18, "a"),
];
