//! A simulated machine, on which the kernel runs under `cargo test`, proptest and Miri. Each thread
//! of the test program is a machine of its own, so tests do not disturb each other. It may have
//! several CPUs, which take turns: the test says which one it is.

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

pub use boot::{Handoff, early_window, image, init_cpu, symbols};
pub use firmware::{console, discover, early_console};
pub use phys::PhysMem;
pub use trap::TrapFrame;
pub use user::Context;

/// What this architecture is called.
pub const NAME: &str = "a simulated machine";

/// What its programs are compiled for: none are.
pub const ELF_MACHINE: u16 = 0;

/// Switches the machine of this thread off and on again: no time has passed, nothing is pending.
pub fn reset() {
    cpu::set_current(crate::units::CpuId::BOOT);
    timer::reset();
    interrupts::reset();
    tlb::reset();
    user::reset();
}
