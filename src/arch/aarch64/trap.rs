//! The frame that a trap leaves on the stack, and what its syndrome means (Arm ARM D17.2.37, ESR_EL1).

use super::interrupts;
use crate::layout;
use crate::units::{Access, Cause, Exception, Fault, FaultReason, VirtAddr};
use core::arch::{asm, global_asm};
use core::fmt;

global_asm!(include_str!("trap.S"), options(raw));

/// The interrupted code's registers, as `trap.S` lays them out.
#[repr(C, align(16))]
pub struct TrapFrame {
    x: [u64; 31],
    sp: u64,
    pc: u64,
    pstate: u64,
    esr: u64,
    far: u64,
    vector: u64,
    /// What the interrupt controller said when asked, for `interrupts::end`.
    pub(super) acknowledged: u64,
}

const _: () = {
    assert!(size_of::<TrapFrame>() == 304);
    assert!(layout::STACK_SLOT / 2 == 1 << 14);
    assert!(core::mem::offset_of!(TrapFrame, sp) == 248);
    assert!(core::mem::offset_of!(TrapFrame, pstate) == 264);
    assert!(core::mem::offset_of!(TrapFrame, far) == 280);
};

/// Kinds of vector: the low two bits of its index.
const SYNCHRONOUS: u64 = 0;
const IRQ: u64 = 1;
const FIQ: u64 = 2;

impl TrapFrame {
    /// The registers as they are, for a report that no trap led to.
    #[inline(always)]
    pub fn here() -> TrapFrame {
        let mut frame = TrapFrame {
            x: [0; 31],
            sp: 0,
            pc: 0,
            pstate: 0b0101,
            esr: 0,
            far: 0,
            vector: 0,
            acknowledged: 0,
        };
        // SAFETY: stores registers into `x`, and the stack pointer and this place after it.
        unsafe {
            asm!(
                "stp x0, x1, [{f}]", "stp x2, x3, [{f}, #16]", "stp x4, x5, [{f}, #32]",
                "stp x6, x7, [{f}, #48]", "stp x8, x9, [{f}, #64]", "stp x10, x11, [{f}, #80]",
                "stp x12, x13, [{f}, #96]", "stp x14, x15, [{f}, #112]", "stp x16, x17, [{f}, #128]",
                "stp x18, x19, [{f}, #144]", "stp x20, x21, [{f}, #160]", "stp x22, x23, [{f}, #176]",
                "stp x24, x25, [{f}, #192]", "stp x26, x27, [{f}, #208]", "stp x28, x29, [{f}, #224]",
                "mov {t}, sp", "stp x30, {t}, [{f}, #240]", "adr {t}, .", "str {t}, [{f}, #256]",
                f = in(reg) &raw mut frame, t = out(reg) _, options(nostack)
            )
        };
        frame
    }

    /// Why we are here. For an interrupt this asks the controller, once.
    pub fn cause(&mut self) -> Cause {
        match self.vector & 3 {
            SYNCHRONOUS => self.synchronous(),
            IRQ => interrupts::acknowledge(self),
            FIQ => self.exception("fast interrupt"),
            _ => self.exception("system error (asynchronous abort)"),
        }
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
        VirtAddr(self.x[29])
    }

    /// Whether user code was interrupted.
    pub fn from_user(&self) -> bool {
        self.vector >= 8
    }

    /// Continues elsewhere, with `result` where a function returns its value.
    pub(super) fn divert(&mut self, pc: u64, result: u64) {
        self.pc = pc;
        self.x[0] = result;
    }

    /// The link register.
    pub(super) fn link(&self) -> u64 {
        self.x[30]
    }

    fn synchronous(&self) -> Cause {
        match self.class() {
            0b100000 | 0b100001 => self.fault(Access::Execute),
            0b100100 | 0b100101 if self.esr & (1 << 6) != 0 => self.fault(Access::Write),
            0b100100 | 0b100101 => self.fault(Access::Read),
            0b000000 => self.exception("undefined instruction"),
            0b000001 => self.exception("trapped WFI or WFE"),
            0b000111 => self.exception("floating point or SIMD, which the kernel does not use"),
            0b001110 => self.exception("illegal execution state"),
            0b010101 => self.exception("supervisor call"),
            0b011000 => self.exception("trapped system register access"),
            0b100010 => self.exception("misaligned program counter"),
            0b100110 => self.exception("misaligned stack pointer"),
            0b110000 | 0b110001 => self.exception("hardware breakpoint"),
            0b110010 | 0b110011 => self.exception("single step"),
            0b110100 | 0b110101 => self.exception("watchpoint"),
            0b111100 => self.exception("breakpoint instruction"),
            _ => self.exception("unknown exception class"),
        }
    }

    /// Exception class.
    fn class(&self) -> u64 {
        self.esr >> 26 & 0x3f
    }

    fn exception(&self, name: &'static str) -> Cause {
        Cause::Exception(Exception { name, class: self.class(), code: self.esr })
    }

    /// Decodes the fault status code, ESR bits 5:0.
    fn fault(&self, access: Access) -> Cause {
        let status = self.esr & 0x3f;
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

impl fmt::Display for TrapFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (row, registers) in self.x.chunks(4).enumerate() {
            for (column, value) in registers.iter().enumerate() {
                write!(f, "  x{:<2} {value:016x}", row * 4 + column)?;
            }
            writeln!(f)?;
        }
        writeln!(
            f,
            "  pc  {:016x}  sp  {:016x}  esr {:016x}  far {:016x}",
            self.pc, self.sp, self.esr, self.far
        )?;
        let flag = |bit: u32, name: char| if self.pstate >> bit & 1 == 1 { name } else { '-' };
        let mode = if self.pstate & 1 == 1 { 'h' } else { 't' };
        write!(f, "  pstate {:08x}  ", self.pstate)?;
        [
            (31, 'N'),
            (30, 'Z'),
            (29, 'C'),
            (28, 'V'),
            (22, 'P'),
            (9, 'D'),
            (8, 'A'),
            (7, 'I'),
            (6, 'F'),
        ]
        .iter()
        .try_for_each(|&(bit, name)| write!(f, "{}", flag(bit, name)))?;
        write!(f, "  EL{}{mode}", self.pstate >> 2 & 3)
    }
}
