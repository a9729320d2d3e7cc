//! The frame that a trap leaves, of kernel code on its stack and of user code where its thread keeps it;
//! what its syndrome means (Arm ARM D17.2.37, ESR_EL1), and which register is which in a call.

use super::{interrupts, user};
use crate::abi::{Call, FaultKind};
use crate::layout;
use crate::units::{Access, Cause, CpuId, Exception, Fault, FaultReason, VirtAddr};
use aarch64_cpu::registers::{FAR_EL1, Readable};
use core::arch::global_asm;
use core::mem::offset_of;

global_asm!(include_str!("trap.S"), options(raw));

/// The interrupted code's registers, as `trap.S` lays them out.
#[derive(Default)]
#[repr(C, align(16))]
pub struct TrapFrame {
    pub(in crate::arch) x: [u64; 31],
    pub(in crate::arch) sp: u64,
    pub(in crate::arch) pc: u64,
    pub(super) pstate: u64,
    /// ESR_EL1, of which bits 61 to 63 are not used: bit 61 says that kernel code was interrupted,
    /// the other two are the kind of vector.
    syndrome: u64,
    far: u64,
    /// What the interrupt controller said when asked, for `interrupts::end`.
    pub(super) acknowledged: u64,
    /// Not zero in a thread that is to stop after one instruction.
    pub(super) stepping: u64,
}

const _: () = {
    assert!(size_of::<TrapFrame>() == 304);
    assert!(layout::STACK_SLOT / 2 == 1 << 14);
    assert!(layout::stack_top(CpuId(0), 1).0 - layout::stack_top(CpuId(0), 0).0 == 2 << 14);
    assert!(offset_of!(TrapFrame, sp) == 248);
    assert!(offset_of!(TrapFrame, pc) == 256);
    assert!(offset_of!(TrapFrame, syndrome) == 272);
};

/// Calls arrive at `user_entry`, as all else does.
pub const CALLS_APART: bool = false;

/// Where `x` has the deadline of a call, and its badge and tag afterwards.
pub(in crate::arch) const DEADLINE: usize = 9;
/// Where a foreign call and a function return their value.
pub(in crate::arch) const RESULT: usize = 0;
pub(in crate::arch) const FRAME_POINTER: usize = 29;
/// Where `probe_execute` has what it calls return to.
pub(in crate::arch) const LINK: usize = 30;
/// Bytes of `svc`.
pub(in crate::arch) const CALL_SIZE: u64 = 4;

/// Kinds of vector.
const SYNCHRONOUS: u64 = 0;
const IRQ: u64 = 1;
const FIQ: u64 = 2;

/// The syndrome's bit of kernel code.
const FROM_KERNEL: u64 = 1 << 61;
/// The syndrome of user code's `svc #1`.
const NATIVE: u64 = SVC << 26 | 1 << 25 | 1;
/// The exception class of `svc`.
const SVC: u64 = 0b010101;

impl TrapFrame {
    /// What the interrupt controller wants to hear when the interrupt has been served.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// Why we are here. To be asked once for each trap: it asks the interrupt controller, and the CPU
    /// for the address of a fault.
    pub fn cause(&mut self) -> Cause {
        match self.syndrome >> 62 {
            _ if self.is_native() => Cause::Native,
            SYNCHRONOUS => self.synchronous(),
            IRQ => interrupts::acknowledge(self),
            FIQ => self.exception(("fast interrupt", FaultKind::Other)),
            _ => self.exception(("system error (asynchronous abort)", FaultKind::Other)),
        }
    }

    /// Whether user code made a call: `cause` would say `Native` or `Foreign`.
    pub fn is_call(&self) -> bool {
        self.syndrome >> 26 == SVC
    }

    /// Whether a call is this native one.
    #[inline(always)]
    pub fn calls(&self, call: Call) -> bool {
        self.is_native() && self.number() == call as u64
    }

    /// Whether the call is a native one.
    pub fn is_native(&self) -> bool {
        self.syndrome == NATIVE
    }

    /// What kept user code from going on, if it is its instruction itself, and nothing but that: `cause`
    /// would say so, and need not be asked.
    pub fn refused_instruction(&self) -> Option<FaultKind> {
        // Undefined: all else of the syndrome is zero but bit 25, the length.
        (self.syndrome & !(1 << 25) == 0).then_some(FaultKind::Instruction)
    }

    /// Whether user code was interrupted.
    pub fn from_user(&self) -> bool {
        self.syndrome & FROM_KERNEL == 0
    }

    /// Which call user code makes.
    pub fn number(&self) -> u64 {
        self.x[8]
    }

    /// The syndrome as the CPU gave it.
    pub fn code(&self) -> u64 {
        self.syndrome & (FROM_KERNEL - 1)
    }

    /// What a report shows besides `x`.
    pub(in crate::arch) fn others(&self) -> [u64; 5] {
        [self.sp, self.pc, self.pstate, self.code(), self.far]
    }

    fn synchronous(&mut self) -> Cause {
        let class = self.class();
        if class == SVC && self.from_user() {
            return Cause::Foreign;
        }
        self.far = FAR_EL1.get();
        match class {
            0b100000 | 0b100001 => self.fault(Access::Execute),
            // Cache maintenance always counts as a write, and needs the right to read only.
            0b100100 | 0b100101 if self.syndrome & (1 << 8 | 1 << 6) == 1 << 6 => {
                self.fault(Access::Write)
            }
            0b100100 | 0b100101 => self.fault(Access::Read),
            0b000111 if self.from_user() => Cause::Fpu,
            0b110010 => {
                self.stepping = 0;
                user::step(false);
                self.exception(meaning(class))
            }
            _ => self.exception(meaning(class)),
        }
    }

    /// Exception class.
    fn class(&self) -> u64 {
        self.syndrome >> 26 & 0x3f
    }

    fn exception(&self, (name, kind): (&'static str, FaultKind)) -> Cause {
        Cause::Exception(Exception { name, kind, code: self.code() })
    }

    /// Decodes the fault status code, ESR bits 5:0.
    fn fault(&self, access: Access) -> Cause {
        let status = self.syndrome & 0x3f;
        let level = (status & 3) as u8;
        let reason = match status {
            0b000000..=0b000011 => FaultReason::Other("address size fault"),
            0b000100..=0b000111 => FaultReason::Unmapped { level: Some(level) },
            0b001000..=0b001011 => FaultReason::Other("access flag not set"),
            0b001100..=0b001111 => FaultReason::Permission,
            0b010000 => FaultReason::Other("bus error"),
            0b010100..=0b010111 => FaultReason::Other("bus error on a table walk"),
            0b011000 => FaultReason::Other("parity or ECC error"),
            0b100001 => FaultReason::Alignment,
            0b110000 => FaultReason::Other("TLB conflict"),
            _ => FaultReason::Other("unknown fault status"),
        };
        Cause::Fault(Fault { address: VirtAddr(self.far), access, reason })
    }
}

/// An exception class that is not about memory, in words, and what user code is told of it.
#[inline(never)]
fn meaning(class: u64) -> (&'static str, FaultKind) {
    use FaultKind::{Alignment, Arithmetic, Breakpoint, Instruction, Other, Step};
    match class {
        0b000000 => ("undefined instruction", Instruction),
        0b000001 => ("trapped WFI or WFE", Instruction),
        0b000111 => ("floating point or SIMD, which the kernel does not use", Other),
        0b001110 => ("illegal execution state", Instruction),
        0b010101 => ("supervisor call", Other),
        0b011000 => ("trapped system register access", Instruction),
        0b011001 | 0b011101 => ("vector extension that is off", Instruction),
        0b100010 => ("misaligned program counter", Alignment),
        0b100110 => ("misaligned stack pointer", Alignment),
        0b101100 => ("floating point exception", Arithmetic),
        0b110000 | 0b110001 => ("hardware breakpoint", Breakpoint),
        0b110010 | 0b110011 => ("single step", Step),
        0b110100 | 0b110101 => ("watchpoint", Breakpoint),
        0b111100 => ("breakpoint instruction", Breakpoint),
        _ => ("unknown exception class", Other),
    }
}

/// All registers of a frame, as a report names them.
pub(in crate::arch) const NAMES: &str = "x0 x1 x2 x3 x4 x5 x6 x7 x8 x9 x10 x11 x12 x13 x14 x15 x16 x17 x18 x19 x20 x21 x22 \
    x23 x24 x25 x26 x27 x28 x29 x30 sp pc pstate esr far";
