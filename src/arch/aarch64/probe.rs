//! The instructions of [`probe`](crate::arch::mapped::probe)s are in `probe.S`.

pub use crate::arch::mapped::probe::*;

core::arch::global_asm!(include_str!("probe.S"));
