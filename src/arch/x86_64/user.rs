//! User mode: a thread's registers, how it comes to a CPU and leaves it, and the address spaces.
//!
//! While a thread is the next to run on a CPU, that CPU's TSS points at the end of its frame: what
//! interrupts it is saved right there. User code can change neither CS nor SS to anything else, so
//! `syscall` need not save them. What it can change without being asked are the other selectors. They are
//! not kept: a thread that arrives finds them zero. To load one of FS or GS makes its base zero and never
//! anything else, if anything at all. Hence the bases are written when a thread arrives unless those that
//! were last loaded on this CPU and its own are zero.

mod fpu;
mod ports;

/// This machine has I/O ports.
pub const HAS_IO_PORTS: bool = true;

pub use fpu::{Fpu, fpu_off, fpu_on};
pub use ports::{io_read, io_write};

use super::trap::descriptors::{Local, USER_CODE, USER_DATA};
use super::trap::syscall_gate;
use super::{TrapFrame, cpu, phys, tlb};
use crate::abi::{REGISTERS, USER_END};
use crate::arch::PhysMem;
use crate::layout::stack_top;
use crate::units::{Asid, CpuId, Frame, PAGE_SIZE};
use ::x86_64::VirtAddr;
use ::x86_64::registers::model_specific::{
    Efer, EferFlags, FsBase, GsBase, LStar, Msr, SFMask, Star,
};
use ::x86_64::registers::rflags::RFlags;
use core::arch::asm;

pub use phys::copy;

const SYSENTER_CS: Msr = Msr::new(0x174);

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

/// Where the registers of the interface have the stack pointer.
pub const STACK_POINTER: usize = 7;
/// And where the TLS register.
pub const TLS: usize = 18;
/// And where each of a frame's `x`.
const PLACES: [usize; 15] = [5, 4, 3, 10, 8, 9, 12, 13, 14, 15, 0, 1, 2, 6, 11];

/// All of a thread but its FPU's registers.
#[repr(C)]
pub struct Context {
    /// What a trap saves.
    pub frame: TrapFrame,
    fs_base: u64,
    gs_base: u64,
    /// Both in one word, zero if both are.
    bases: u64,
}

impl Context {
    /// A thread that is about to begin at `entry`. An address that is none of user code's becomes one
    /// at which nothing can be mapped.
    pub fn new(entry: u64, stack: u64, argument: u64) -> Context {
        let mut frame = TrapFrame::default();
        (frame.pc, frame.sp, frame.x[0]) = (entry.min(USER_END), stack, argument);
        (frame.cs, frame.ss, frame.rflags) = (USER_CODE.0.into(), USER_DATA.0.into(), FIXED);
        Context { frame, fs_base: 0, gs_base: 0, bases: 0 }
    }

    /// The registers, in the order of the interface, of a thread that is not running.
    pub fn registers(&self) -> [u64; REGISTERS] {
        let TrapFrame { x, pc, rflags, sp, .. } = &self.frame;
        let mut all = [0; REGISTERS];
        PLACES.into_iter().zip(x).for_each(|(place, register)| all[place] = *register);
        all[STACK_POINTER] = *sp;
        all[16..].copy_from_slice(&[*pc, *rflags, self.fs_base, self.gs_base]);
        all
    }

    /// Sets them all. What user code may not choose stays as it is.
    pub fn set_registers(&mut self, registers: &[u64; REGISTERS]) {
        let choose = |wanted: u64, old: u64| if wanted < USER_END { wanted } else { old };
        let &[.., rip, rflags, fs_base, gs_base] = registers;
        let frame = &mut self.frame;
        frame.x = PLACES.map(|place| registers[place]);
        frame.sp = registers[STACK_POINTER];
        frame.pc = choose(rip, frame.pc);
        frame.rflags = rflags & CHOSEN.bits() | FIXED;
        self.set_bases(choose(fs_base, self.fs_base), choose(gs_base, self.gs_base));
    }

    fn set_bases(&mut self, fs: u64, gs: u64) {
        (self.fs_base, self.gs_base, self.bases) = (fs, gs, fs | gs);
    }

    /// Sets the FS base, if that is a user address.
    pub fn set_tls(&mut self, value: u64) -> bool {
        let valid = value < USER_END;
        if valid {
            self.set_bases(value, self.gs_base);
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
    // The kernel begins with all flags clear, interrupts off among them.
    SFMask::write(RFlags::all());
    // SAFETY: the selectors are those of the GDT, and `trap.S` takes calls. What firmware left in the
    // other registers means nothing to anybody: without a segment, `sysenter` is refused.
    unsafe {
        // What `sysret` (user data before code) and `syscall` (kernel code, then data) count from.
        Star::write_raw(0x10 | 3, 0x08);
        Efer::update(|efer| efer.insert(EferFlags::SYSTEM_CALL_EXTENSIONS));
        for mut register in [SYSENTER_CS, FsBase::MSR, GsBase::MSR] {
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
    // SAFETY: the kernel uses none of these segments.
    unsafe {
        asm!("mov ds, {0:e}", "mov es, {0:e}", "mov fs, {0:e}", "mov gs, {0:e}", in(reg) 0,
             options(nostack, preserves_flags))
    };
    if context.bases | local.bases.get() != 0 {
        load_bases(context, local);
    }
}

#[inline(never)]
fn load_bases(context: &Context, local: &Local) {
    local.bases.set(context.bases);
    for (mut register, base) in [(FsBase::MSR, context.fs_base), (GsBase::MSR, context.gs_base)] {
        // SAFETY: the base is a user address, and the kernel uses neither of the two.
        unsafe { register.write(base) };
    }
}

/// User memory is that of this space from now on. Forgets all that is not global.
#[inline(always)]
pub fn load_space(seat: u64) {
    tlb::loading(seat);
    // SAFETY: the kernel's half is in it: `adopt` has put it there, or it is the kernel's own.
    unsafe { asm!("mov cr3, {}", in(reg) seat, options(nostack, preserves_flags)) };
}

/// What `load_space` wants for the table at `root`, whose tag this is from now on: CR3.
pub fn seat(root: Frame, asid: Asid) -> u64 {
    tlb::name(asid, root.start().0);
    root.start().0
}

/// No user memory can be reached from this CPU from now on.
pub fn unload_space() {
    load_space(tlb::seat(Asid::KERNEL));
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
