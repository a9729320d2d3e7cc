//! Floating point and SIMD, as far as every 64-bit CPU has them: x87 and SSE. The kernel uses neither,
//! and CR0.TS keeps user code from them while the registers are another thread's.

use crate::abi::FPU_BYTES;
use ::x86_64::registers::control::{Cr0, Cr0Flags};
use core::arch::asm;
use core::ops::Range;

/// Where the control word and MXCSR are; of the latter the upper half is reserved, and must be zero
/// (Intel SDM vol. 1, 10.5.1, 11.6.6).
const CONTROL: Range<usize> = 0..2;
const MXCSR: Range<usize> = 24..28;
const MXCSR_RESERVED: Range<usize> = 26..28;

/// A thread's registers, as FXSAVE writes them.
#[repr(C, align(16))]
pub struct Fpu([u8; FPU_BYTES]);

impl Fpu {
    /// Those a program begins with: all exceptions masked, extended precision, the rest zero.
    pub const fn initial() -> Fpu {
        let mut bytes = [0; FPU_BYTES];
        [bytes[CONTROL.start], bytes[CONTROL.start + 1]] = 0x037f_u16.to_le_bytes();
        [bytes[MXCSR.start], bytes[MXCSR.start + 1], _, _] = 0x1f80_u32.to_le_bytes();
        Fpu(bytes)
    }

    /// As the interface shows them.
    pub fn bytes(&self) -> &[u8; FPU_BYTES] {
        &self.0
    }

    /// Has them changed, but for what the CPU would not take.
    #[inline(always)]
    pub fn change<T>(&mut self, change: impl FnOnce(&mut [u8; FPU_BYTES]) -> T) -> T {
        let result = change(&mut self.0);
        self.0[MXCSR_RESERVED].fill(0);
        result
    }

    /// Takes them from the CPU, whose FPU is on.
    pub fn save(&mut self) {
        // SAFETY: writes these 512 bytes, which are aligned.
        unsafe {
            asm!("fxsave64 [{}]", in(reg) &raw mut self.0, options(nostack, preserves_flags))
        };
    }

    /// Gives them to the CPU, whose FPU is on. FNINIT first: FXRSTOR may leave the addresses of the last
    /// x87 instruction, which are another thread's (AMD APM vol. 2, 11.4.4).
    pub fn load(&self) {
        // SAFETY: the kernel has nothing in these registers, and the CPU takes the bytes: MXCSR has no
        // reserved bits set.
        unsafe {
            asm!("fninit", "fxrstor64 [{}]", in(reg) &raw const self.0,
                 options(nostack, preserves_flags))
        };
    }
}

/// User code may use the FPU of this CPU.
pub fn fpu_on() {
    // SAFETY: the kernel uses none.
    unsafe { asm!("clts", options(nomem, nostack, preserves_flags)) };
}

/// User code that uses the FPU of this CPU traps.
pub fn fpu_off() {
    // SAFETY: as in `fpu_on`.
    unsafe { Cr0::write_raw(Cr0::read_raw() | Cr0Flags::TASK_SWITCHED.bits()) };
}
