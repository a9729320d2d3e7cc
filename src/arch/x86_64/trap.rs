//! The frame that a trap leaves on the stack, or in its thread, and what its vector and error code
//! mean (Intel SDM vol. 3, 6.15).

pub(super) mod descriptors;

use super::{interrupts, probe};
use crate::abi::{Call, FaultKind, NATIVE};
use crate::layout::{STACK_SLOT, STACKS_PER_CPU, stack_at, stack_top};
use crate::units::{Access, Cause, CpuId, Exception, Fault, FaultReason, MAX_CPUS, VirtAddr};
use ::x86_64::registers::control::{Cr2, Cr3};
use ::x86_64::structures::idt::PageFaultErrorCode as Error;
use core::arch::global_asm;
use core::mem::offset_of;
use descriptors::{FIRST_TSS, LOCALS, Local};

global_asm!(
    include_str!("trap.S"),
    size = const size_of::<TrapFrame>(),
    vector = const offset_of!(TrapFrame, vector),
    rip = const offset_of!(TrapFrame, pc),
    cs = const offset_of!(TrapFrame, cs),
    rflags = const offset_of!(TrapFrame, rflags),
    rsp = const offset_of!(TrapFrame, sp),
    ss = const offset_of!(TrapFrame, ss),
    syscall = const SYSCALL,
    syscall_gate = const SYSCALL_GATE,
    cpus = const MAX_CPUS,
    locals = sym LOCALS,
    local = const size_of::<Local>(),
    user_stack = const offset_of!(Local, user_stack),
    frame_end = const Local::FRAME_END,
    stack_0 = const STACK_0,
    stack_step = const STACK_STEP,
    selector_to_stack = const SELECTOR_TO_STACK,
    stack_of_selector_0 = const STACK_0 - ((FIRST_TSS as i64) << SELECTOR_TO_STACK),
    options(att_syntax)
);

/// Calls arrive at `call_entry`.
pub const CALLS_APART: bool = true;

/// The end of the first CPU's usual stack, and the distance to the next CPU's.
const STACK_0: i64 = stack_top(CpuId::BOOT, 0).0 as i64;
const STACK_STEP: u64 = STACKS_PER_CPU as u64 * STACK_SLOT;
/// From the distance between two task registers, 16, to that between two CPUs' stacks.
const SELECTOR_TO_STACK: u32 = (STACK_STEP / 16).ilog2();

/// What stands for a vector in the frame of a `syscall`.
const SYSCALL: u64 = 256;
/// Bytes from one CPU's way in to the next one's.
const SYSCALL_GATE: u64 = 256;

/// Where `x` has the deadline of a call, and its badge and tag afterwards.
pub(in crate::arch) const DEADLINE: usize = 8;
/// Where a foreign call and a function return their value: rax, which has the number of a call.
pub(in crate::arch) const RESULT: usize = 10;
pub(in crate::arch) const FRAME_POINTER: usize = 13;
/// Where `probe_execute` keeps what it calls return to: rbx.
pub(in crate::arch) const LINK: usize = 11;
/// Bytes of `syscall`.
pub(in crate::arch) const CALL_SIZE: u64 = 2;

/// Vectors.
const NMI: u64 = 2;
const BREAKPOINT: u64 = 3;
const UNDEFINED: u64 = 6;
const NO_FPU: u64 = 7;
const DOUBLE_FAULT: u64 = 8;
const GENERAL_PROTECTION: u64 = 13;
const PAGE_FAULT: u64 = 14;
const MACHINE_CHECK: u64 = 18;

/// What the exceptions are called, by vector, and what user code is told of them.
const EXCEPTIONS: [(&str, FaultKind); 22] = [
    ("divide error", FaultKind::Arithmetic),
    ("debug exception", FaultKind::Step),
    ("NMI", FaultKind::Other),
    ("breakpoint", FaultKind::Breakpoint),
    ("overflow", FaultKind::Other),
    ("bound range exceeded", FaultKind::Other),
    ("undefined instruction", FaultKind::Instruction),
    ("floating point or SIMD, which the kernel does not use", FaultKind::Other),
    ("double fault", FaultKind::Other),
    RESERVED_EXCEPTION,
    ("invalid TSS", FaultKind::Other),
    ("segment not present", FaultKind::Other),
    ("stack segment fault", FaultKind::Other),
    ("general protection fault", FaultKind::Instruction),
    ("page fault", FaultKind::Other),
    RESERVED_EXCEPTION,
    ("x87 floating-point error", FaultKind::Arithmetic),
    ("alignment check", FaultKind::Alignment),
    ("machine check", FaultKind::Other),
    ("SIMD floating-point error", FaultKind::Arithmetic),
    ("virtualization exception", FaultKind::Other),
    ("control protection exception", FaultKind::Other),
];
/// There is none at the other vectors.
const RESERVED_EXCEPTION: (&str, FaultKind) = ("reserved exception", FaultKind::Other);

/// The interrupted code's registers, as `trap.S` and the CPU lay them out.
#[derive(Default)]
#[repr(C, align(16))]
pub struct TrapFrame {
    /// rdi rsi rdx r10 r8 r9 r12 r13 r14 r15 rax rbx rcx rbp r11.
    pub(in crate::arch) x: [u64; 15],
    vector: u64,
    error: u64,
    pub(in crate::arch) pc: u64,
    pub(super) cs: u64,
    pub(super) rflags: u64,
    pub(in crate::arch) sp: u64,
    pub(super) ss: u64,
}

// 15 registers and 2 words pushed by `trap.S`, 5 by the CPU.
const _: () = {
    assert!(size_of::<TrapFrame>() == (15 + 2 + 5) * 8);
    assert!(offset_of!(TrapFrame, x) == 0 && offset_of!(TrapFrame, pc) == (15 + 2) * 8);
    assert!(STACK_STEP == 16 << SELECTOR_TO_STACK);
};

/// Where the gate of a vector begins, and where `syscall` leads on a CPU.
fn gate(vector: u64) -> u64 {
    &raw const trap_gates as u64 + 16 * vector
}

pub(super) fn syscall_gate(id: CpuId) -> VirtAddr {
    VirtAddr(&raw const syscall_gates as u64 + SYSCALL_GATE * u64::from(id.0))
}

unsafe extern "C" {
    static trap_gates: u8;
    static syscall_gates: u8;
}

impl TrapFrame {
    /// What `interrupts::end` wants to hear: the vector.
    pub fn acknowledged(&self) -> u64 {
        self.vector
    }

    /// Whether user code made a call: `cause` would say `Native` or `Foreign`.
    #[inline(always)]
    pub fn is_call(&self) -> bool {
        self.vector == SYSCALL
    }

    /// Whether a call is this native one.
    #[inline(always)]
    pub fn calls(&self, call: Call) -> bool {
        self.x[RESULT] == NATIVE + call as u64
    }

    /// Whether a call is a native one.
    #[inline(always)]
    pub fn is_native(&self) -> bool {
        self.x[RESULT].wrapping_sub(NATIVE) < NATIVE
    }

    /// What kept user code from going on, if it is its instruction itself, and nothing but that: `cause`
    /// would say so.
    #[inline(always)]
    pub fn refused_instruction(&self) -> Option<FaultKind> {
        (self.vector == UNDEFINED).then_some(FaultKind::Instruction)
    }

    /// Why we are here. A page fault's address is in a register that the next one overwrites, so
    /// this comes first. A TLB shootdown is served on the way.
    pub fn cause(&mut self) -> Cause {
        match self.vector {
            SYSCALL if self.is_native() => Cause::Native,
            SYSCALL => Cause::Foreign,
            PAGE_FAULT => Cause::Fault(self.page_fault()),
            // It says nothing of memory; where a probe raised it, it means an address that is not
            // canonical (Intel SDM vol. 1, 3.3.7.1).
            GENERAL_PROTECTION => probe::accessing(self).map_or(self.exception(), |access| {
                let reason = FaultReason::Other("the address is not canonical");
                Cause::Fault(Fault { address: VirtAddr(self.x[0]), access, reason })
            }),
            NO_FPU if self.from_user() => Cause::Fpu,
            DOUBLE_FAULT => self.overflow().map_or(self.exception(), Cause::Fault),
            // Sent by a CPU that panics: its IPI, which cannot be kept out.
            NMI if interrupts::stopping() => Cause::Ipi,
            0..32 => self.exception(),
            _ => interrupts::cause(self.vector as u8),
        }
    }

    /// Whether user code was interrupted.
    pub fn from_user(&self) -> bool {
        self.cs & 3 == 3
    }

    /// Which call user code makes.
    pub fn number(&self) -> u64 {
        if self.is_native() { self.x[RESULT] - NATIVE } else { self.x[RESULT] }
    }

    /// Vector and error code, for who is told of a fault.
    pub fn code(&self) -> u64 {
        self.vector << 32 | self.error
    }

    /// What a report shows besides `x`.
    pub(in crate::arch) fn others(&self) -> [u64; 9] {
        let TrapFrame { vector, error, pc, cs, rflags, sp, ss, .. } = *self;
        let tables = Cr3::read_raw().0.start_address().as_u64();
        [sp, pc, rflags, cs, ss, vector, error, Cr2::read_raw(), tables]
    }

    fn page_fault(&self) -> Fault {
        let has = |bit| Error::from_bits_truncate(self.error).contains(bit);
        let access = match (has(Error::INSTRUCTION_FETCH), has(Error::CAUSED_BY_WRITE)) {
            (true, _) => Access::Execute,
            (_, true) => Access::Write,
            _ => Access::Read,
        };
        let reason = match (has(Error::MALFORMED_TABLE), has(Error::PROTECTION_VIOLATION)) {
            (true, _) => FaultReason::Other("a table has reserved bits set"),
            (_, true) => FaultReason::Permission,
            _ => FaultReason::Unmapped { level: None },
        };
        Fault { address: VirtAddr(Cr2::read_raw()), access, reason }
    }

    /// A double fault that is a stack's end: the CPU could not push the frame of the page fault.
    fn overflow(&self) -> Option<Fault> {
        let (address, access) = (VirtAddr(Cr2::read_raw()), Access::Write);
        let near = address.0.abs_diff(self.sp) < STACK_SLOT && stack_at(address).is_some();
        let reason = FaultReason::Unmapped { level: None };
        near.then_some(Fault { address, access, reason })
    }

    fn exception(&self) -> Cause {
        let known = EXCEPTIONS.get(self.vector as usize);
        let (name, kind) = *known.unwrap_or(&RESERVED_EXCEPTION);
        Cause::Exception(Exception { name, kind, code: self.code() })
    }
}

/// The registers of a frame, as a report names them.
pub(in crate::arch) const NAMES: &str = "rdi rsi rdx r10 r8 r9 r12 r13 r14 r15 rax rbx rcx rbp r11 \
    rsp rip rflags cs ss vector error cr2 cr3";
