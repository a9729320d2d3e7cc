//! A trap frame as a report shows it: four registers in a line, by their names.

use crate::arch::TrapFrame;
use core::fmt;

impl fmt::Display for TrapFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, (name, value)) in self.shown().enumerate() {
            let begin = if nth % 4 == 0 && nth > 0 { "\n" } else { "" };
            write!(f, "{begin}  {name:<6} {value:016x}")?;
        }
        Ok(())
    }
}
