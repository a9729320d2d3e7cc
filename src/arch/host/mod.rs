//! A simulated machine, on which the kernel runs under `cargo test`, proptest and Miri. Each thread
//! of the test program is a machine of its own, so tests do not disturb each other.

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

pub use boot::{Handoff, early_window, image, init_cpu};
pub use firmware::{discover, early_console};
pub use paging::{Entry, activate};
pub use phys::PhysMem;
pub use trap::TrapFrame;
