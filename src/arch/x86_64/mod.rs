//! x86-64: PCs, real and virtual, that a PVH or multiboot2 loader starts. Everything runs in 64-bit
//! mode in the upper half; the CPU must have NX.

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
pub const NAME: &str = "x86-64";

/// What its programs are compiled for, as ELF says it.
pub const ELF_MACHINE: u16 = crate::boot::elf::X86_64;
