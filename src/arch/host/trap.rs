//! The registers of a simulated thread that left what it was doing.

use crate::abi::{Call, FaultKind};
use crate::units::{Cause, Exception, VirtAddr};
use core::fmt;

/// There is no way in.
pub const CALLS_APART: bool = false;

/// What was saved when the CPU left what it was doing.
#[derive(Clone, Debug)]
pub struct TrapFrame {
    /// Why.
    pub cause: Cause,
    /// Where.
    pub pc: u64,
    /// The stack pointer.
    pub sp: u64,
    /// The number of a call.
    pub number: u64,
    /// The registers of a call.
    pub args: [u64; 8],
    /// The deadline that goes in, or the badge that comes out; and the tag.
    pub extra: [u64; 2],
    /// The result of a foreign call.
    pub result: u64,
    /// How often a call was to be made again.
    pub restarts: u64,
}

impl TrapFrame {
    /// The frame of a report that no trap led to.
    pub fn here() -> TrapFrame {
        TrapFrame {
            cause: Cause::Spurious,
            pc: 0,
            sp: 0,
            number: 0,
            args: [0; 8],
            extra: [0; 2],
            result: 0,
            restarts: 0,
        }
    }

    /// Why the CPU is here.
    pub fn cause(&mut self) -> Cause {
        self.cause
    }

    /// Whether user code made a call: `cause` would say `Native` or `Foreign`.
    #[inline(always)]
    pub fn is_call(&self) -> bool {
        matches!(self.cause, Cause::Native | Cause::Foreign)
    }

    /// Whether a call is this native one.
    pub fn calls(&self, call: Call) -> bool {
        self.is_native() && self.number() == call as u64
    }

    /// Whether the call is a native one.
    #[inline(always)]
    pub fn is_native(&self) -> bool {
        self.cause == Cause::Native
    }

    /// What kept user code from going on, if it is its instruction itself, and nothing but that.
    #[inline(always)]
    pub fn refused_instruction(&self) -> Option<FaultKind> {
        let undefined = |exception: Exception| exception.kind == FaultKind::Instruction;
        matches!(self.cause, Cause::Exception(exception) if undefined(exception))
            .then_some(FaultKind::Instruction)
    }

    /// The stack pointer.
    pub fn sp(&self) -> VirtAddr {
        VirtAddr(self.sp)
    }

    /// The instruction that trapped, or the one that comes after the interrupt.
    pub fn pc(&self) -> VirtAddr {
        VirtAddr(self.pc)
    }

    /// The frame pointer: none over here.
    pub fn fp(&self) -> VirtAddr {
        VirtAddr(0)
    }

    /// The number of the call.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Registers [0] to [7] of a call.
    pub fn args(&self) -> &[u64; 8] {
        &self.args
    }

    /// The same, to be changed.
    pub fn args_mut(&mut self) -> &mut [u64; 8] {
        &mut self.args
    }

    /// Sets registers \[0\] to \[7\].
    #[inline(always)]
    pub fn set_words(&mut self, status: u64, words: [u64; 7]) {
        let [a, b, c, d, e, f, g] = words;
        *self.args_mut() = [status, a, b, c, d, e, f, g];
    }

    /// Register [8] on the way in.
    pub fn deadline(&self) -> u64 {
        self.extra[0]
    }

    /// Registers [8] and [9] on the way out.
    pub fn set_badge(&mut self, badge: u64, tag: u64) {
        self.extra = [badge, tag];
    }

    /// The arguments of a foreign call.
    pub fn foreign_arguments(&self) -> [u64; 6] {
        let [a, b, c, d, e, f, ..] = self.args;
        [a, b, c, d, e, f]
    }

    /// The result of a foreign call.
    pub fn set_foreign_result(&mut self, result: u64) {
        self.result = result;
    }

    /// The call will be made again.
    pub fn restart(&mut self) {
        self.restarts += 1;
    }

    /// The machine's own code for a fault: it has none.
    pub fn code(&self) -> u64 {
        0
    }

    /// What the interrupt controller wants to hear when the interrupt has been served: nothing.
    pub fn acknowledged(&self) -> u64 {
        0
    }
}

impl fmt::Display for TrapFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pc {:#018x}", self.pc)
    }
}
