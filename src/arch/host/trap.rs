//! The registers of a simulated thread that left what it was doing.

use crate::units::{Cause, VirtAddr};
use core::fmt;

/// What was saved when the CPU left what it was doing.
#[derive(Clone, Debug)]
pub struct TrapFrame {
    /// Why.
    pub cause: Cause,
    /// Where.
    pub pc: u64,
}

impl TrapFrame {
    /// The frame of a report that no trap led to.
    pub fn here() -> TrapFrame {
        TrapFrame { cause: Cause::Spurious, pc: 0 }
    }

    /// Why the CPU is here.
    pub fn cause(&mut self) -> Cause {
        self.cause
    }

    /// The stack pointer: none over here.
    pub fn sp(&self) -> VirtAddr {
        VirtAddr(0)
    }

    /// The instruction that trapped, or the one that comes after the interrupt.
    pub fn pc(&self) -> VirtAddr {
        VirtAddr(self.pc)
    }

    /// The frame pointer: none over here.
    pub fn fp(&self) -> VirtAddr {
        VirtAddr(0)
    }
}

impl fmt::Display for TrapFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pc {:#018x}", self.pc)
    }
}
