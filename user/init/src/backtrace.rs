//! Where a thread of a service was: its registers, and the functions that its frame records lead to.

use crate::supervisor::Supervisor;
use alloc::format;
use alloc::vec::Vec;
use core::fmt::Write;
use rt::abi::REGISTERS;
use rt::arch::{FRAME_POINTER, NAMES, PROGRAM_COUNTER};

#[path = "../../../src/symbols.rs"]
mod symbols;

/// All of a thread's registers.
pub type Registers = [u64; REGISTERS];
/// Frames that are shown.
const FRAMES: usize = 16;

impl Supervisor {
    /// Writes the addresses that a thread was called from, with names where its program has a table of them.
    pub fn write_backtrace(
        &self,
        text: &mut impl Write,
        program: &str,
        process: &rt::Process,
        registers: &Registers,
    ) {
        let table = self.files.program(&format!("{program}.sym")).unwrap_or_default();
        for address in callers(process, registers) {
            // Text takes all that is written to it.
            let _ = match symbols::lookup(table, address) {
                Some((name, offset)) => writeln!(text, "  {address:#x} {name} + {offset:#x}"),
                None => writeln!(text, "  {address:#x}"),
            };
        }
    }
}

/// Writes the registers with their names.
pub fn write_registers(text: &mut impl Write, registers: &Registers) {
    for (nth, (name, value)) in NAMES.iter().zip(registers).enumerate() {
        let end = if nth % 4 == 3 || nth + 1 == NAMES.len() { "\n" } else { " " };
        let _ = write!(text, "  {name:>6} {value:016x}{end}");
    }
}

/// Where a thread is, and the addresses that it would return to.
fn callers(process: &rt::Process, registers: &Registers) -> Vec<u64> {
    let (mut all, mut frame) = (Vec::from([registers[PROGRAM_COUNTER]]), registers[FRAME_POINTER]);
    let mut record = [0; 16];
    while all.len() < FRAMES && frame != 0 && process.read(frame, &mut record).is_ok() {
        let word = |at: usize| u64::from_le_bytes(*record[at..].first_chunk().expect("16 bytes"));
        let (above, address) = (word(0), word(8));
        if address == 0 {
            break;
        }
        all.push(address);
        // Each record is above the one before, or the stack was damaged.
        frame = if above > frame { above } else { 0 };
    }
    all
}
