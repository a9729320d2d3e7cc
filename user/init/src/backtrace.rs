//! Where a thread of a service was: its registers, and the functions that its frame records lead to.

use crate::supervisor::Supervisor;
use alloc::format;
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
    /// Writes where a thread of a program is, with names if there is a table of them.
    pub fn write_backtrace(
        &self,
        text: &mut impl Write,
        program: &str,
        process: &rt::Process,
        registers: &Registers,
    ) {
        let table = self.files.program(&format!("{program}.sym")).unwrap_or_default();
        write_backtrace(text, table, process, registers);
    }
}

/// Writes the addresses that a thread was called from, with the names of a table. It takes nothing from the heap.
pub fn write_backtrace(
    text: &mut impl Write,
    table: &[u8],
    process: &rt::Process,
    registers: &Registers,
) {
    for address in callers(process, registers) {
        // Text takes all that is written to it.
        let _ = match symbols::lookup(table, address) {
            Some((name, offset)) => writeln!(text, "  {address:#x} {name} + {offset:#x}"),
            None => writeln!(text, "  {address:#x}"),
        };
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
fn callers(process: &rt::Process, registers: &Registers) -> impl Iterator<Item = u64> {
    let mut frame = registers[FRAME_POINTER];
    let above = core::iter::from_fn(move || {
        let mut record = [0; 16];
        process.read(frame, &mut record).ok().filter(|()| frame != 0)?;
        let word = |at: usize| u64::from_le_bytes(*record[at..].first_chunk().expect("16 bytes"));
        let (above, address) = (word(0), word(8));
        // Each record is above the one before, or the stack was damaged.
        frame = if above > frame { above } else { 0 };
        Some(address).filter(|&address| address != 0)
    });
    core::iter::once(registers[PROGRAM_COUNTER]).chain(above).take(FRAMES)
}
