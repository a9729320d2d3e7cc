//! The frame that a trap leaves on the stack, and what its vector and error code mean
//! (Intel SDM vol. 3, 6.15).

pub(super) mod descriptors;

use super::{interrupts, probe};
use crate::layout::{STACK_SLOT, stack_at};
use crate::units::{Access, Cause, Exception, Fault, FaultReason, VirtAddr};
use ::x86_64::instructions::segmentation::{CS, SS, Segment};
use ::x86_64::registers::control::{Cr2, Cr3};
use core::arch::{asm, global_asm};
use core::fmt;
use core::mem::offset_of;

global_asm!(include_str!("trap.S"), options(att_syntax));

/// Vectors with a stack of their own, and those with an address.
const NMI: u8 = 2;
const DOUBLE_FAULT: u8 = 8;
const MACHINE_CHECK: u8 = 18;

const GENERAL_PROTECTION: u64 = 13;
const PAGE_FAULT: u64 = 14;

/// Bits of a page fault's error code.
const PRESENT: u64 = 1 << 0;
const WRITE: u64 = 1 << 1;
const RESERVED: u64 = 1 << 3;
const FETCH: u64 = 1 << 4;

/// What the exceptions are called, by vector.
const EXCEPTIONS: [&str; 32] = [
    "divide error",
    "debug exception",
    "NMI",
    "breakpoint",
    "overflow",
    "bound range exceeded",
    "undefined instruction",
    "floating point or SIMD, which the kernel does not use",
    "double fault",
    "coprocessor segment overrun",
    "invalid TSS",
    "segment not present",
    "stack segment fault",
    "general protection fault",
    "page fault",
    "reserved exception 15",
    "x87 floating-point error",
    "alignment check",
    "machine check",
    "SIMD floating-point error",
    "virtualization exception",
    "control protection exception",
    "reserved exception 22",
    "reserved exception 23",
    "reserved exception 24",
    "reserved exception 25",
    "reserved exception 26",
    "reserved exception 27",
    "hypervisor injection exception",
    "VMM communication exception",
    "security exception",
    "reserved exception 31",
];

/// The interrupted code's registers, as `trap.S` and the CPU lay them out.
#[derive(Clone, Default)]
#[repr(C, align(16))]
pub struct TrapFrame {
    r15: u64,
    r14: u64,
    r13: u64,
    r12: u64,
    r11: u64,
    r10: u64,
    r9: u64,
    r8: u64,
    rdi: u64,
    rsi: u64,
    rbp: u64,
    rbx: u64,
    rdx: u64,
    rcx: u64,
    rax: u64,
    vector: u64,
    error: u64,
    rip: u64,
    cs: u64,
    rflags: u64,
    rsp: u64,
    ss: u64,
}

// 15 registers and 2 words pushed by `trap.S`, 5 by the CPU.
const _: () = {
    assert!(size_of::<TrapFrame>() == (15 + 2 + 5) * 8);
    assert!(offset_of!(TrapFrame, rax) == 14 * 8);
    assert!(offset_of!(TrapFrame, vector) == 15 * 8);
    assert!(offset_of!(TrapFrame, rip) == 17 * 8);
};

/// Where the gate of a vector begins.
fn gate(vector: u8) -> u64 {
    unsafe extern "C" {
        static trap_gates: u8;
    }
    &raw const trap_gates as u64 + 16 * u64::from(vector)
}

impl TrapFrame {
    /// Why we are here. A page fault's address is in a register that the next one overwrites, so
    /// this comes first. A TLB shootdown is served on the way.
    pub fn cause(&mut self) -> Cause {
        match self.vector {
            PAGE_FAULT => Cause::Fault(self.page_fault()),
            GENERAL_PROTECTION => match probe::wild_access(self) {
                Some(fault) => Cause::Fault(fault),
                None => self.exception(),
            },
            vector if vector == DOUBLE_FAULT.into() => {
                self.overflow().map_or(self.exception(), Cause::Fault)
            }
            // Sent by a CPU that panics: its IPI, which cannot be kept out.
            vector if vector == NMI.into() && interrupts::stopping() => Cause::Ipi,
            0..32 => self.exception(),
            _ => interrupts::cause(self.vector()),
        }
    }

    /// The registers of this place, as far as a report needs them.
    #[inline(always)]
    pub fn here() -> TrapFrame {
        let mut frame = TrapFrame {
            cs: CS::get_reg().0.into(),
            ss: SS::get_reg().0.into(),
            ..TrapFrame::default()
        };
        // SAFETY: stores registers into the frame's fields.
        unsafe {
            asm!(
                "mov [rax], r15", "mov [rax + 8], r14", "mov [rax + 16], r13", "mov [rax + 24], r12",
                "mov [rax + 32], r11", "mov [rax + 40], r10", "mov [rax + 48], r9", "mov [rax + 56], r8",
                "mov [rax + 64], rdi", "mov [rax + 72], rsi", "mov [rax + 80], rbp", "mov [rax + 88], rbx",
                "mov [rax + 96], rdx", "mov [rax + 104], rcx", "mov [rax + 112], rax",
                "lea rcx, [rip]", "mov [rax + {rip}], rcx", "mov [rax + {rsp}], rsp",
                "pushfq", "pop rcx", "mov [rax + {rflags}], rcx",
                rip = const offset_of!(TrapFrame, rip),
                rsp = const offset_of!(TrapFrame, rsp),
                rflags = const offset_of!(TrapFrame, rflags),
                in("rax") &raw mut frame, out("rcx") _,
            )
        };
        frame
    }

    /// The vector that brought us here.
    pub(super) fn vector(&self) -> u8 {
        self.vector as u8
    }

    /// Where the interrupted code was.
    pub fn pc(&self) -> VirtAddr {
        VirtAddr(self.rip)
    }

    /// Where its stack was.
    pub fn sp(&self) -> VirtAddr {
        VirtAddr(self.rsp)
    }

    /// Its frame pointer, from which a backtrace starts.
    pub fn fp(&self) -> VirtAddr {
        VirtAddr(self.rbp)
    }

    /// Whether user code was interrupted.
    pub fn from_user(&self) -> bool {
        self.cs & 3 == 3
    }

    /// The first argument of a function at its first instruction.
    pub(super) fn argument(&self) -> u64 {
        self.rdi
    }

    /// Continues elsewhere, with `result` where a function returns its value.
    pub(super) fn divert(&mut self, pc: u64, result: u64) {
        self.rip = pc;
        self.rax = result;
    }

    /// Forgets the address that a `call` pushed.
    pub(super) fn drop_return_address(&mut self) {
        self.rsp += 8;
    }

    fn page_fault(&self) -> Fault {
        let has = |bit| self.error & bit != 0;
        let access = match () {
            () if has(FETCH) => Access::Execute,
            () if has(WRITE) => Access::Write,
            () => Access::Read,
        };
        let reason = match () {
            () if has(RESERVED) => FaultReason::Other("a table has reserved bits set"),
            () if has(PRESENT) => FaultReason::Permission,
            () => FaultReason::Unmapped { level: None },
        };
        Fault { address: VirtAddr(Cr2::read_raw()), access, reason }
    }

    /// A double fault that is a stack's end: the CPU could not push the frame of the page fault.
    fn overflow(&self) -> Option<Fault> {
        let address = VirtAddr(Cr2::read_raw());
        let near = address.0.abs_diff(self.rsp) < STACK_SLOT;
        let reason = FaultReason::Unmapped { level: None };
        (near && stack_at(address).is_some()).then_some(Fault {
            address,
            access: Access::Write,
            reason,
        })
    }

    fn exception(&self) -> Cause {
        let name = EXCEPTIONS.get(self.vector as usize).copied().unwrap_or("interrupt");
        Cause::Exception(Exception { name, class: self.vector, code: self.error })
    }
}

impl fmt::Display for TrapFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let registers = [
            ("rax", self.rax),
            ("rbx", self.rbx),
            ("rcx", self.rcx),
            ("rdx", self.rdx),
            ("rsi", self.rsi),
            ("rdi", self.rdi),
            ("rbp", self.rbp),
            ("rsp", self.rsp),
            ("r8", self.r8),
            ("r9", self.r9),
            ("r10", self.r10),
            ("r11", self.r11),
            ("r12", self.r12),
            ("r13", self.r13),
            ("r14", self.r14),
            ("r15", self.r15),
            ("rip", self.rip),
            ("cr2", Cr2::read_raw()),
            ("cr3", Cr3::read_raw().0.start_address().as_u64()),
            ("err", self.error),
        ];
        for row in registers.chunks(4) {
            row.iter().try_for_each(|(name, value)| write!(f, "  {name:<3} {value:016x}"))?;
            writeln!(f)?;
        }
        write!(f, "  rflags {:08x}  ", self.rflags)?;
        FLAGS.iter().try_for_each(|&(bit, name)| {
            f.write_str(if self.rflags >> bit & 1 == 1 { name } else { "-" })
        })?;
        write!(f, "  cs {:04x}  ss {:04x}  ring {}", self.cs, self.ss, self.cs & 3)
    }
}

/// The flags a person wants to see: overflow, direction, interrupts, trap, sign, zero, adjust,
/// parity, carry, alignment check.
const FLAGS: [(u32, &str); 10] = [
    (11, "O"),
    (10, "D"),
    (9, "I"),
    (8, "T"),
    (7, "S"),
    (6, "Z"),
    (4, "A"),
    (2, "P"),
    (0, "C"),
    (18, "a"),
];
