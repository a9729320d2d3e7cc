//! How a thread's registers are laid out in memory.

/// What `REGISTERS_GET` and `REGISTERS_SET` are about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u64)]
pub enum RegisterSet {
    /// [`REGISTERS`] words. AArch64: x0 to x30, sp, pc, pstate, TLS (`TPIDR_EL0`). x86-64: rax rbx rcx rdx
    /// rsi rdi rbp rsp, r8 to r15, rip, rflags, the FS base, the GS base.
    General = 0,
    /// [`FPU_BYTES`] bytes. AArch64: v0 to v31, FPCR, FPSR (8 bytes each). x86-64: the FXSAVE area.
    Fpu = 1,
    /// The general ones, and right after them those of floating point.
    All = 2,
}

/// Words of the general registers.
#[cfg(target_arch = "aarch64")]
pub const REGISTERS: usize = 35;
/// Words of the general registers.
#[cfg(not(target_arch = "aarch64"))]
pub const REGISTERS: usize = 20;

/// Bytes of floating point state.
#[cfg(target_arch = "aarch64")]
pub const FPU_BYTES: usize = 528;
/// Bytes of floating point state.
#[cfg(not(target_arch = "aarch64"))]
pub const FPU_BYTES: usize = 512;
