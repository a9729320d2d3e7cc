//! What trap frames have in common: a message fills them, and a report shows four registers in a line, by
//! their names.

use crate::arch::TrapFrame;
use core::fmt;

impl TrapFrame {
    /// Sets registers \[0\] to \[7\].
    #[inline(always)]
    pub fn set_words(&mut self, status: u64, words: [u64; 7]) {
        let [a, b, c, d, e, f, g] = words;
        *self.args_mut() = [status, a, b, c, d, e, f, g];
    }
}

impl fmt::Display for TrapFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, (name, value)) in self.shown().enumerate() {
            let begin = if nth % 4 == 0 && nth > 0 { "\n" } else { "" };
            write!(f, "{begin}  {name:<6} {value:016x}")?;
        }
        Ok(())
    }
}
