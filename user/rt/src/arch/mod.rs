//! What differs by instruction set: making calls, beginning to run, walking the stack.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "aarch64")]
pub use aarch64::*;

#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
pub use x86_64::*;

/// The registers of a call by role, [0] to [9] of the table in [`abi`](crate::abi).
pub type Registers = [u64; 10];

/// The register with a wait's deadline, and the badge of what arrived.
pub const DEADLINE: usize = 8;
/// The register with the tag of what arrived.
pub const TAG: usize = 9;
