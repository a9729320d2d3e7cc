//! What trap frames have in common. The general registers are an array, `x`, that begins with registers
//! \[0\] to \[7\] of a call; each machine says which others are where (`trap.rs` there).

use crate::arch::TrapFrame;
use crate::arch::trap::{CALL_SIZE, DEADLINE, FRAME_POINTER, LINK, NAMES, RESULT};
use crate::units::VirtAddr;
use core::fmt;

unsafe extern "C" {
    fn trap_here(frame: &mut TrapFrame);
}

impl TrapFrame {
    /// The registers of this place, as far as a report needs them.
    #[inline(always)]
    pub fn here() -> TrapFrame {
        let mut frame = TrapFrame::default();
        // SAFETY: it stores registers into the frame's fields.
        unsafe { trap_here(&mut frame) };
        frame
    }

    /// Where the interrupted code was.
    pub fn pc(&self) -> VirtAddr {
        VirtAddr(self.pc)
    }

    /// Where its stack was.
    pub fn sp(&self) -> VirtAddr {
        VirtAddr(self.sp)
    }

    /// Its frame pointer, from which a backtrace starts.
    pub fn fp(&self) -> VirtAddr {
        VirtAddr(self.x[FRAME_POINTER])
    }

    /// Registers \[0\] to \[7\] of a native call.
    #[inline(always)]
    pub fn args(&self) -> &[u64; 8] {
        self.x.first_chunk().expect("there are more")
    }

    /// The same, for the results.
    #[inline(always)]
    pub fn args_mut(&mut self) -> &mut [u64; 8] {
        self.x.first_chunk_mut().expect("there are more")
    }

    /// Sets registers \[0\] to \[7\].
    #[inline(always)]
    pub fn set_words(&mut self, status: u64, words: [u64; 7]) {
        let [a, b, c, d, e, f, g] = words;
        *self.args_mut() = [status, a, b, c, d, e, f, g];
    }

    /// The deadline of a native call that waits.
    pub fn deadline(&self) -> u64 {
        self.x[DEADLINE]
    }

    /// Tells a receiver whose handle was used, and a thread its tag.
    pub fn set_badge(&mut self, badge: u64, tag: u64) {
        (self.x[DEADLINE], self.x[DEADLINE + 1]) = (badge, tag);
    }

    /// The arguments of a foreign call.
    pub fn foreign_arguments(&self) -> [u64; 6] {
        *self.x.first_chunk().expect("there are more")
    }

    /// What a foreign call returns.
    pub fn set_foreign_result(&mut self, result: u64) {
        self.x[RESULT] = result;
    }

    /// Makes the call again, whose instruction has been executed.
    pub fn restart(&mut self) {
        self.pc = self.pc.wrapping_sub(CALL_SIZE);
    }

    /// Where what was called by `probe_execute` returns to.
    pub(super) fn link(&self) -> u64 {
        self.x[LINK]
    }

    /// Continues elsewhere, with `result` where a function returns its value.
    pub(super) fn divert(&mut self, pc: u64, result: u64) {
        self.pc = pc;
        self.x[RESULT] = result;
    }
}

/// Four registers in a line, by their names.
impl fmt::Display for TrapFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let registers = NAMES.split(' ').zip(self.x.into_iter().chain(self.others()));
        for (nth, (name, value)) in registers.enumerate() {
            let begin = if nth % 4 == 0 && nth > 0 { "\n" } else { "" };
            write!(f, "{begin}  {name:<6} {value:016x}")?;
        }
        Ok(())
    }
}
