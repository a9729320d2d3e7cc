//! User mode: a thread's registers, how it comes to a CPU and leaves it, and the address spaces.
//!
//! While a thread is the next to run on a CPU, that CPU's TSS points at the end of its frame: what
//! interrupts it is saved right there. User code can change neither CS nor SS to anything else, so
//! `syscall` need not save them. What it can change without being asked is FS and GS: it may load
//! their selectors, by which a base becomes zero and never anything else. Hence a base is written
//! when a thread arrives unless both the last one on this CPU and this one are zero.

mod fpu;
mod ports;

/// This machine has I/O ports.
pub const HAS_IO_PORTS: bool = true;

pub use fpu::{Fpu, fpu_off, fpu_on};
pub use ports::{io_read, io_write};

use super::trap::descriptors::{Local, USER_CODE, USER_DATA};
use super::trap::syscall_gate;
use super::{TrapFrame, cpu, paging, phys};
use crate::abi::{REGISTERS, USER_END};
use crate::arch::PhysMem;
use crate::layout::stack_top;
use crate::units::{Asid, CpuId, Frame, PAGE_SIZE};
use ::x86_64::VirtAddr;
use ::x86_64::registers::model_specific::{Efer, EferFlags, LStar, Msr, SFMask, Star};
use ::x86_64::registers::rflags::RFlags;
use core::arch::asm;
use core::cell::Cell;

pub use phys::copy;

const FS_BASE: Msr = Msr::new(0xc000_0100);
const GS_BASE: Msr = Msr::new(0xc000_0101);
const SYSENTER_CS: Msr = Msr::new(0x174);

/// The selectors that `syscall` (kernel code, then data) and `sysret` (user data before code) count
/// from.
const STAR: (u16, u16) = (0x10 | 3, 0x08);

/// The flags that are user code's to choose.
const CHOSEN: RFlags = RFlags::CARRY_FLAG
    .union(RFlags::PARITY_FLAG)
    .union(RFlags::AUXILIARY_CARRY_FLAG)
    .union(RFlags::ZERO_FLAG)
    .union(RFlags::SIGN_FLAG)
    .union(RFlags::TRAP_FLAG)
    .union(RFlags::DIRECTION_FLAG)
    .union(RFlags::OVERFLOW_FLAG)
    .union(RFlags::ALIGNMENT_CHECK)
    .union(RFlags::ID);
/// What they always are besides: interrupts on, and bit 1, which is one.
const FIXED: u64 = RFlags::INTERRUPT_FLAG.bits() | 1 << 1;
/// What `syscall` clears: the kernel runs with interrupts off, and minds none of the others.
const CLEARED: RFlags = RFlags::INTERRUPT_FLAG
    .union(RFlags::TRAP_FLAG)
    .union(RFlags::DIRECTION_FLAG)
    .union(RFlags::ALIGNMENT_CHECK)
    .union(RFlags::NESTED_TASK);

/// All of a thread but its FPU's registers.
#[repr(C)]
pub struct Context {
    /// What a trap saves.
    pub frame: TrapFrame,
    fs_base: u64,
    gs_base: u64,
}

impl Context {
    /// A thread that is about to begin at `entry`. An address that is none of user code's becomes one
    /// at which nothing can be mapped.
    pub fn new(entry: u64, stack: u64, argument: u64) -> Context {
        let frame = TrapFrame {
            args: [argument, 0, 0, 0, 0, 0, 0, 0],
            rip: entry.min(USER_END),
            cs: USER_CODE.0.into(),
            rflags: FIXED,
            rsp: stack,
            ss: USER_DATA.0.into(),
            ..TrapFrame::default()
        };
        Context { frame, fs_base: 0, gs_base: 0 }
    }

    /// The registers, in the order of the interface, of a thread that is not running.
    pub fn registers(&self) -> [u64; REGISTERS] {
        let frame = &self.frame;
        let [rdi, rsi, rdx, r10, r8, r9, r12, r13] = frame.args;
        [
            frame.rax,
            frame.rbx,
            frame.rcx,
            rdx,
            rsi,
            rdi,
            frame.rbp,
            frame.rsp,
            r8,
            r9,
            r10,
            frame.r11,
            r12,
            r13,
            frame.r14,
            frame.r15,
            frame.rip,
            frame.rflags,
            self.fs_base,
            self.gs_base,
        ]
    }

    /// Sets them all. What user code may not choose stays as it is.
    pub fn set_registers(&mut self, registers: &[u64; REGISTERS]) {
        let &[rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, r8, r9, rest @ ..] = registers;
        let [r10, r11, r12, r13, r14, r15, rip, rflags, fs_base, gs_base] = rest;
        let choose = |wanted: u64, old: u64| if wanted < USER_END { wanted } else { old };
        let old = &self.frame;
        self.frame = TrapFrame {
            args: [rdi, rsi, rdx, r10, r8, r9, r12, r13],
            r14,
            r15,
            rax,
            rbx,
            rcx,
            rbp,
            r11,
            rip: choose(rip, old.rip),
            rflags: rflags & CHOSEN.bits() | FIXED,
            rsp,
            ..old.clone()
        };
        self.fs_base = choose(fs_base, self.fs_base);
        self.gs_base = choose(gs_base, self.gs_base);
    }

    /// Sets the FS base, if that is a user address.
    pub fn set_tls(&mut self, value: u64) -> bool {
        let valid = value < USER_END;
        if valid {
            self.fs_base = value;
        }
        valid
    }

    /// Whether it is interrupted after each instruction.
    pub fn is_stepping(&self) -> bool {
        self.frame.rflags & RFlags::TRAP_FLAG.bits() != 0
    }
}

/// Lets user code make calls on the CPU we run on.
pub(super) fn init_cpu(id: CpuId) {
    LStar::write(VirtAddr::new(syscall_gate(id).0));
    SFMask::write(CLEARED);
    let (sysret, syscall) = STAR;
    // SAFETY: the selectors are those of the GDT, and `trap.S` takes calls. What firmware left in the
    // other registers means nothing to anybody: without a segment, `sysenter` is refused.
    unsafe {
        Star::write_raw(sysret, syscall);
        Efer::update(|efer| efer.insert(EferFlags::SYSTEM_CALL_EXTENSIONS));
        for mut register in [SYSENTER_CS, FS_BASE, GS_BASE] {
            register.write(0);
        }
    }
}

/// What was written to a page may be executed: fetches see stores.
///
/// # Safety
/// None is asked for here.
#[inline(always)]
pub unsafe fn publish_code(_page: *const u8) {}

/// The thread leaves this CPU: nothing is to be saved that a trap has not. Its bases change only
/// by calls.
#[inline(always)]
pub fn leave(_context: &mut Context) {}

pub use arrive as arrive_plain;
pub use leave as leave_plain;

/// The thread is the next to run on this CPU.
#[inline(always)]
pub fn arrive(context: &mut Context) {
    let local = Local::current();
    local.set_frame(&raw mut context.frame);
    if context.fs_base | context.gs_base | local.fs_base.get() | local.gs_base.get() != 0 {
        load_bases(context, local);
    }
}

#[inline(never)]
fn load_bases(context: &Context, local: &Local) {
    let load = |mut register: Msr, base: u64, loaded: &Cell<u64>| {
        if base | loaded.replace(base) != 0 {
            // SAFETY: the base is a user address, and the kernel uses neither of the two.
            unsafe { register.write(base) };
        }
    };
    load(FS_BASE, context.fs_base, &local.fs_base);
    load(GS_BASE, context.gs_base, &local.gs_base);
}

/// User memory is that of this space from now on. Forgets all that is not global.
#[inline(always)]
pub fn load_space(seat: u64) {
    // SAFETY: `adopt` has put the kernel's half in it.
    unsafe { asm!("mov cr3, {}", in(reg) seat, options(nostack, preserves_flags)) };
}

/// What `load_space` wants for the table at `root`: CR3.
pub fn seat(root: Frame, _asid: Asid) -> u64 {
    root.start().0
}

/// No user memory can be reached from this CPU from now on.
pub fn unload_space() {
    load_space(seat(paging::kernel_root(), Asid::KERNEL));
}

/// Gives a fresh root the upper half of the kernel's, whose entries never change once there are
/// address spaces: what is mapped later goes into tables that are there.
pub fn adopt(root: Frame, kernel_root: Frame, memory: &mut PhysMem) {
    let upper_half = |root: Frame| memory.pointer(root.start()).as_ptr().wrapping_add(HALF);
    // SAFETY: both are roots: frames of RAM, of which the fresh one is the caller's alone.
    unsafe { copy(upper_half(root), upper_half(kernel_root), HALF) };
}

const HALF: usize = PAGE_SIZE as usize / 2;

/// Goes on with what the frame says.
///
/// # Safety
/// Interrupts are off, the frame is one that a trap has saved or that of a thread's `Context`; if
/// the latter, that has arrived on this CPU and its address space is loaded.
#[inline(always)]
pub unsafe fn resume(frame: *mut TrapFrame) -> ! {
    // SAFETY: this is the end of each way out of the kernel, as the caller promises.
    unsafe { asm!("jmp trap_restore", in("rax") frame, options(noreturn)) }
}

/// Goes on with `idle_entry` on this CPU's usual stack. What was on that is forgotten.
pub fn idle() -> ! {
    unsafe extern "C" {
        fn idle_entry() -> !;
    }
    let stack = stack_top(cpu::current(), 0);
    // SAFETY: nobody comes back to what is forgotten. The function is called, and so finds the stack
    // aligned as functions expect it.
    unsafe {
        asm!("mov rsp, {stack}", "xor ebp, ebp", "call {entry}", "ud2",
             stack = in(reg) stack.0, entry = sym idle_entry, options(noreturn))
    }
}
