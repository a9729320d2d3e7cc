//! User code: the registers its threads have, its address space, and how a CPU gets there.
//!
//! While a thread runs, SP_EL1 points to its `TrapFrame` (trap.S), and the registers that the kernel
//! does not use are in the CPU: from `arrive` until `leave`.

use super::{PhysMem, TrapFrame};
use crate::abi::{FPU_BYTES, REGISTERS};
use crate::units::{Asid, Frame, PAGE_SIZE};
use aarch64_cpu::asm::barrier;
use aarch64_cpu::registers::{
    CPACR_EL1, ID_AA64DFR0_EL1, MDSCR_EL1, OSLAR_EL1, Readable, TPIDR_EL0, TPIDRRO_EL0, TTBR0_EL1,
    Writeable,
};
use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// PSTATE bits that are user code's to choose: N, Z, C, V.
const FLAGS: u64 = 0xf << 28;
/// PSTATE's single step: one instruction may be executed before the exception.
const STEP: u64 = 1 << 21;

/// MDSCR_EL1: user code has no access to the debugger's channel.
const DEBUG_CHANNEL_OFF: u64 = 1 << 12;
/// MDSCR_EL1: instructions are stepped where PSTATE says so.
const DEBUG_STEP: u64 = 1;

/// CPACR_EL1.FPEN: floating point is on.
const FPU_ON: u64 = 3 << 20;

/// TTBR0_EL1 as boot.S set it: a table without an entry.
static NO_SPACE: AtomicU64 = AtomicU64::new(0);

/// This machine has no I/O ports.
pub const HAS_IO_PORTS: bool = false;

/// Where the registers of the interface have the stack pointer.
pub const STACK_POINTER: usize = 31;
/// And where the TLS register.
pub const TLS: usize = 34;

/// What a thread has in registers.
#[repr(C)]
pub struct Context {
    /// What a trap saves. The first field, so that a frame out of user code is a context's.
    pub frame: TrapFrame,
    tls: u64,
}

impl Context {
    /// Of a thread that begins at `entry`. All registers but these three are zero.
    pub fn new(entry: u64, stack: u64, argument: u64) -> Context {
        // PSTATE zero is EL0 with everything let in.
        let mut frame = TrapFrame::default();
        (frame.pc, frame.sp, frame.x[0]) = (entry, stack, argument);
        Context { frame, tls: 0 }
    }

    /// The general registers, as `abi::RegisterSet` orders them, of a thread that is on no CPU.
    pub fn registers(&self) -> [u64; REGISTERS] {
        let TrapFrame { x, sp, pc, pstate, .. } = &self.frame;
        let step = if self.is_stepping() { STEP } else { 0 };
        let mut all = [0; REGISTERS];
        all[..31].copy_from_slice(x);
        all[31..].copy_from_slice(&[*sp, *pc, pstate | step, self.tls]);
        all
    }

    /// Replaces them. Of PSTATE that is the flags, and whether to stop after one instruction.
    pub fn set_registers(&mut self, all: &[u64; REGISTERS]) {
        let [x @ .., sp, pc, pstate, tls] = all;
        let frame = &mut self.frame;
        (frame.x, frame.sp, frame.pc, self.tls) = (*x, *sp, *pc, *tls);
        let own = FLAGS | STEP;
        frame.pstate = frame.pstate & !own | pstate & own;
        frame.stepping = pstate & STEP;
    }

    /// Sets the TLS register of the thread that is on this CPU.
    pub fn set_tls(&mut self, value: u64) -> bool {
        self.tls = value;
        TPIDR_EL0.set(value);
        true
    }

    /// Whether it is to stop after one instruction.
    pub fn is_stepping(&self) -> bool {
        self.frame.stepping != 0
    }
}

/// Makes the CPU we run on ready for user code.
pub(super) fn init_cpu() {
    NO_SPACE.store(TTBR0_EL1.get(), Relaxed);
    TPIDR_EL0.set(0);
    TPIDRRO_EL0.set(0);
    CPACR_EL1.set(0);
    step(false);
    // The OS lock is set at reset, and keeps debug exceptions out.
    OSLAR_EL1.set(0);
    if !matches!(ID_AA64DFR0_EL1.read(ID_AA64DFR0_EL1::PMUVer), 0 | 0xf) {
        // SAFETY: keeps user code from the performance counters.
        unsafe { asm!("msr pmuserenr_el0, xzr", options(nostack)) };
    }
}

/// Lets user code that runs on this CPU be stepped, or not.
pub(super) fn step(on: bool) {
    MDSCR_EL1.set(DEBUG_CHANNEL_OFF | if on { DEBUG_STEP } else { 0 });
}

/// What `leave` does of a thread that makes no single steps.
pub fn leave_plain(context: &mut Context) {
    context.tls = TPIDR_EL0.get();
}

/// What `arrive` does of a thread that makes no single steps.
pub fn arrive_plain(context: &mut Context) {
    TPIDR_EL0.set(context.tls);
}

/// The thread leaves this CPU, to run later or never again.
pub fn leave(context: &mut Context) {
    leave_plain(context);
    if context.is_stepping() {
        step(false);
    }
}

/// The thread is the next that runs on this CPU, which the one before has left.
pub fn arrive(context: &mut Context) {
    arrive_plain(context);
    if context.is_stepping() {
        step(true);
    }
}

/// Translates the lower half by a table from the return to user code on.
pub fn load_space(seat: u64) {
    TTBR0_EL1.set(seat);
}

/// What `load_space` wants for the table at `root`: TTBR0_EL1.
pub fn seat(root: Frame, asid: Asid) -> u64 {
    u64::from(asid.0) << 48 | root.start().0
}

/// From now on this CPU reaches no user memory, and walks no table of user memory.
pub fn unload_space() {
    TTBR0_EL1.set(NO_SPACE.load(Relaxed));
    barrier::isb(barrier::SY);
}

/// Makes an empty table the root of an address space: nothing of the kernel is in it.
pub fn adopt(_root: Frame, _kernel_root: Frame, _memory: &mut PhysMem) {}

/// What was written to a page may be executed from now on, by every CPU, wherever it is mapped.
///
/// # Safety
/// A page of RAM that is mapped begins there.
pub unsafe fn publish_code(page: *const u8) {
    let ctr: u64;
    // SAFETY: reads an identification register.
    unsafe { asm!("mrs {}, ctr_el0", out(reg) ctr, options(nomem, nostack)) };
    let line = 4usize << (ctr >> 16 & 0xf);
    for offset in (0..PAGE_SIZE as usize).step_by(line) {
        // SAFETY: writes a line of the page back to where instructions are fetched from.
        unsafe { asm!("dc cvau, {}", in(reg) page.wrapping_add(offset), options(nostack)) };
    }
    // SAFETY: drops instructions, and waits until that is done. Caches may be tagged by addresses that
    // we do not know: all of them.
    unsafe { asm!("dsb ish", "ic ialluis", "dsb ish", "isb", options(nostack)) };
}

unsafe extern "C" {
    fn restore_user() -> !;
    fn idle_entry() -> !;
}

/// Goes on with user code.
///
/// # Safety
/// The frame is that of a `Context` which has arrived on this CPU, and which nobody uses before it
/// traps.
pub unsafe fn resume(frame: *mut TrapFrame) -> ! {
    // SAFETY: the caller vouches for the frame; what is on this stack is forgotten.
    unsafe { asm!("b {}", sym restore_user, in("x0") frame, options(noreturn)) }
}

/// Goes on with the kernel's `idle_entry`, at the top of this CPU's usual stack.
pub fn idle() -> ! {
    // SAFETY: what is on the stack is forgotten. Where its top is: see `cpu::set_current`.
    unsafe {
        asm!("mrs x0, tpidr_el1", "and sp, x0, #~0xff", "mov x29, xzr", "mov x30, xzr", "b {idle}",
             idle = sym idle_entry, options(noreturn))
    }
}

/// A thread's floating point and SIMD registers: v0 to v31, FPCR, FPSR.
#[repr(C, align(16))]
pub struct Fpu([u8; FPU_BYTES]);

/// FPCR: what FEAT_FP and FEAT_FP16 define (Arm ARM C5.2.8).
const FPCR: u64 = 0x07c8_9f00;
/// FPSR likewise (C5.2.10).
const FPSR: u64 = 0xf800_009f;

impl Fpu {
    /// All zero: rounding to nearest, nothing trapped.
    pub const fn initial() -> Fpu {
        Fpu([0; FPU_BYTES])
    }

    /// As `abi::RegisterSet` orders them.
    pub fn bytes(&self) -> &[u8; FPU_BYTES] {
        &self.0
    }

    /// Has them changed, but for bits that are not defined.
    #[inline(always)]
    pub fn change<T>(&mut self, change: impl FnOnce(&mut [u8; FPU_BYTES]) -> T) -> T {
        let result = change(&mut self.0);
        for (at, defined) in [(FPU_BYTES - 16, FPCR), (FPU_BYTES - 8, FPSR)] {
            let masked = defined.to_le_bytes();
            self.0[at..].iter_mut().zip(masked).for_each(|(byte, mask)| *byte &= mask);
        }
        result
    }

    /// Takes them from this CPU, whose FPU is on.
    pub fn save(&mut self) {
        // SAFETY: stores `FPU_BYTES` bytes, which are ours; the kernel has nothing in these registers.
        unsafe {
            asm!(".arch_extension fp", ".arch_extension simd",
                 "st1 {{v0.2d-v3.2d}}, [{at}], #64", "st1 {{v4.2d-v7.2d}}, [{at}], #64",
                 "st1 {{v8.2d-v11.2d}}, [{at}], #64", "st1 {{v12.2d-v15.2d}}, [{at}], #64",
                 "st1 {{v16.2d-v19.2d}}, [{at}], #64", "st1 {{v20.2d-v23.2d}}, [{at}], #64",
                 "st1 {{v24.2d-v27.2d}}, [{at}], #64", "st1 {{v28.2d-v31.2d}}, [{at}], #64",
                 "mrs {t}, fpcr", "str {t}, [{at}]", "mrs {t}, fpsr", "str {t}, [{at}, #8]",
                 at = inout(reg) &raw mut self.0 => _, t = out(reg) _, options(nostack))
        };
    }

    /// Gives them to this CPU, whose FPU is on.
    pub fn load(&self) {
        // SAFETY: as in `save`.
        unsafe {
            asm!(".arch_extension fp", ".arch_extension simd",
                 "ld1 {{v0.2d-v3.2d}}, [{at}], #64", "ld1 {{v4.2d-v7.2d}}, [{at}], #64",
                 "ld1 {{v8.2d-v11.2d}}, [{at}], #64", "ld1 {{v12.2d-v15.2d}}, [{at}], #64",
                 "ld1 {{v16.2d-v19.2d}}, [{at}], #64", "ld1 {{v20.2d-v23.2d}}, [{at}], #64",
                 "ld1 {{v24.2d-v27.2d}}, [{at}], #64", "ld1 {{v28.2d-v31.2d}}, [{at}], #64",
                 "ldr {t}, [{at}]", "msr fpcr, {t}", "ldr {t}, [{at}, #8]", "msr fpsr, {t}",
                 at = inout(reg) &raw const self.0 => _, t = out(reg) _, options(nostack))
        };
    }
}

/// Lets the CPU use floating point.
pub fn fpu_on() {
    CPACR_EL1.set(FPU_ON);
    barrier::isb(barrier::SY);
}

/// Has it trap.
pub fn fpu_off() {
    CPACR_EL1.set(0);
}

/// There are no I/O ports.
pub fn io_read(_port: u16, _size: u64) -> Option<u64> {
    None
}

/// There are no I/O ports.
pub fn io_write(_port: u16, _size: u64, _value: u64) -> Option<()> {
    None
}

/// Copies bytes, a block at a time as far as possible.
///
/// # Safety
/// Both are RAM that is mapped, they do not overlap, and `to` is the caller's to write.
pub unsafe fn copy(mut to: *mut u8, mut from: *const u8, bytes: usize) {
    const BLOCK: usize = 512;
    // SAFETY: the caller vouches for both.
    unsafe {
        if bytes >= BLOCK {
            asm!(
                "2: .rept 8",
                "ldp {a}, {b}, [{from}], #16", "ldp {c}, {d}, [{from}], #16",
                "ldp {e}, {f}, [{from}], #16", "ldp {g}, {h}, [{from}], #16",
                "stp {a}, {b}, [{to}], #16", "stp {c}, {d}, [{to}], #16",
                "stp {e}, {f}, [{to}], #16", "stp {g}, {h}, [{to}], #16",
                ".endr", "subs {n}, {n}, #1", "b.ne 2b",
                n = inout(reg) bytes / BLOCK => _, to = inout(reg) to, from = inout(reg) from,
                a = out(reg) _, b = out(reg) _, c = out(reg) _, d = out(reg) _,
                e = out(reg) _, f = out(reg) _, g = out(reg) _, h = out(reg) _, options(nostack)
            );
        }
        core::ptr::copy_nonoverlapping(from, to, bytes % BLOCK);
    }
}
