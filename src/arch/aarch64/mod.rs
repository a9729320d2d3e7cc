//! AArch64: QEMU's `virt` and the Raspberry Pi. Runs at EL1, in the upper half, on ARMv8.0 and up.

pub mod boot;
pub mod cpu;
pub mod firmware;
pub mod interrupts;
pub mod paging;
pub mod phys;
pub mod power;
pub mod probe;
pub mod timer;
pub mod tlb;
pub mod trap;
pub mod user;

pub use crate::arch::mapped::image::{image, symbols};
pub use boot::{Handoff, early_window, init_cpu};
pub use firmware::{console, discover, early_console};
pub use phys::PhysMem;
pub use trap::TrapFrame;
pub use user::Context;

/// What this architecture is called.
pub const NAME: &str = "aarch64";

/// What its programs are compiled for, as ELF says it.
pub const ELF_MACHINE: u16 = crate::boot::elf::AARCH64;

// As user programs copy and fill memory.
core::arch::global_asm!(include_str!("../../../user/rt/src/arch/aarch64_memory.S"));
