//! Physical memory as the kernel reaches it: mapped, as on every real machine.

pub use crate::arch::mapped::PhysMem;
pub(super) use crate::arch::mapped::pointer;
