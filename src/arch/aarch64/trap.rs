//! The frame that a trap leaves, of kernel code on its stack and of user code where its thread keeps it;
//! what its syndrome means (Arm ARM D17.2.37, ESR_EL1), and which register is which in a call.

use super::{interrupts, user};
use crate::abi::{Call, FaultKind};
use crate::layout;
use crate::units::{Access, Cause, CpuId, Exception, Fault, FaultReason, VirtAddr};
use aarch64_cpu::registers::{FAR_EL1, Readable};
use core::arch::{asm, global_asm};
use core::mem::offset_of;

global_asm!(include_str!("trap.S"), options(raw));

/// The interrupted code's registers, as `trap.S` lays them out.
#[repr(C, align(16))]
pub struct TrapFrame {
    pub(super) x: [u64; 31],
    pub(super) sp: u64,
    pub(super) pc: u64,
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
    /// The registers as they are, for a report that no trap led to.
    #[inline(always)]
    pub fn here() -> TrapFrame {
        let nothing = TrapFrame::begin(0, 0, 0);
        let mut frame = TrapFrame { pstate: 0b0101, syndrome: FROM_KERNEL, ..nothing };
        // SAFETY: stores registers into `x`, and the stack pointer and this place after it.
        unsafe {
            asm!(
                ".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20",
                r"str x\n, [{f}, #8 * \n]", ".endr",
                ".irp n, 21, 22, 23, 24, 25, 26, 27, 28, 29", r"str x\n, [{f}, #8 * \n]", ".endr",
                "mov {t}, sp", "stp x30, {t}, [{f}, #240]", "adr {t}, .", "str {t}, [{f}, #256]",
                f = in(reg) &raw mut frame, t = out(reg) _, options(nostack)
            )
        };
        frame
    }

    /// User code's registers as it begins.
    pub(super) const fn begin(entry: u64, stack: u64, argument: u64) -> TrapFrame {
        let mut x = [0; 31];
        x[0] = argument;
        // PSTATE zero is EL0 with everything let in.
        let (pstate, syndrome, far, acknowledged, stepping) = (0, 0, 0, 0, 0);
        TrapFrame { x, sp: stack, pc: entry, pstate, syndrome, far, acknowledged, stepping }
    }

    /// What the interrupt controller wants to hear when the interrupt has been served.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// Why we are here. To be asked once for each trap: it asks the interrupt controller, and the CPU
    /// for the address of a fault.
    pub fn cause(&mut self) -> Cause {
        if self.syndrome == NATIVE { Cause::Native } else { self.other_cause() }
    }

    #[inline(never)]
    fn other_cause(&mut self) -> Cause {
        match self.syndrome >> 62 {
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
        self.syndrome & FROM_KERNEL == 0
    }

    /// Which call user code makes.
    pub fn number(&self) -> u64 {
        self.x[8]
    }

    /// The first eight registers of a native call.
    pub fn args(&self) -> &[u64; 8] {
        self.x.first_chunk().expect("there are 31")
    }

    /// The same, for what it returns.
    pub fn args_mut(&mut self) -> &mut [u64; 8] {
        self.x.first_chunk_mut().expect("there are 31")
    }

    /// The deadline of a native call that waits.
    pub fn deadline(&self) -> u64 {
        self.x[9]
    }

    /// Where a message came from, and what its receiver gave that.
    pub fn set_badge(&mut self, badge: u64, tag: u64) {
        (self.x[9], self.x[10]) = (badge, tag);
    }

    /// What a foreign call is made with.
    pub fn foreign_arguments(&self) -> [u64; 6] {
        *self.x.first_chunk().expect("there are 31")
    }

    /// What it returns.
    pub fn set_foreign_result(&mut self, result: u64) {
        self.x[0] = result;
    }

    /// Makes the call again, whose instruction has been executed.
    pub fn restart(&mut self) {
        self.pc = self.pc.wrapping_sub(4);
    }

    /// The syndrome as the CPU gave it.
    pub fn code(&self) -> u64 {
        self.syndrome & (FROM_KERNEL - 1)
    }

    /// Continues elsewhere, with `result` where a function returns its value.
    pub(in crate::arch) fn divert(&mut self, pc: u64, result: u64) {
        self.pc = pc;
        self.x[0] = result;
    }

    /// The link register.
    pub(in crate::arch) fn link(&self) -> u64 {
        self.x[30]
    }

    /// What a report shows.
    pub(in crate::arch) fn shown(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let others = [self.sp, self.pc, self.pstate, self.code(), self.far];
        NAMES.split(' ').zip(self.x.into_iter().chain(others))
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
const NAMES: &str = "x0 x1 x2 x3 x4 x5 x6 x7 x8 x9 x10 x11 x12 x13 x14 x15 x16 x17 x18 x19 x20 x21 x22 \
    x23 x24 x25 x26 x27 x28 x29 x30 sp pc pstate esr far";
