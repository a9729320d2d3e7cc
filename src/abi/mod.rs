//! The kernel's interface: everything a process and the kernel have to agree on, and nothing else.
//! Compiled by both sides; depends on neither.
//!
//! # How a call is made
//!
//! A native call is `svc #1` on AArch64 and `syscall` with a number from [`NATIVE`] on, on x86-64. Its
//! registers, by role:
//!
//! | role | AArch64 | x86-64 | in | out |
//! |---|---|---|---|---|
//! | number | x8 | rax (plus [`NATIVE`]) | which call | kept |
//! | [0] | x0 | rdi | first argument, most often a handle | status |
//! | [1] | x1 | rsi | second argument, a message's [`Info`] | first value, a message's `Info` |
//! | [2] to [7] | x2 to x7 | rdx r10 r8 r9 r12 r13 | arguments, a message's words | values, words |
//! | [8] | x9 | r14 | the deadline of a wait | the badge |
//! | [9] | x10 | r15 | nothing | the tag |
//!
//! The status is zero or positive where the call did what was asked, otherwise the negative of an
//! [`Error`]. Registers not named keep their values, but for those that the instruction itself
//! overwrites (rcx and r11 on x86-64).

mod calls;
mod error;
mod message;
mod registers;
mod rights;

pub use calls::{Argument, CALLS, Call, Row};
pub use error::Error;
pub use message::{
    Arrival, FaultKind, Info, Lease, MESSAGE_HANDLES, MESSAGE_LEASES, MESSAGE_WORDS,
};
pub use registers::{FPU_BYTES, REGISTERS, RegisterSet};
pub use rights::{
    InterruptRights, IoRights, Kind, MachineRights, MemoryRights, PortRights, ProcessRights,
    ReplyRights, ThreadRights, TimerRights,
};

/// The first number of native calls on x86-64, and how many there may be; all others are those of
/// other systems.
pub const NATIVE: u64 = 0x1_0000;

/// A page, the unit in which memory is named.
pub const PAGE: u64 = 4096;

/// User addresses lie below this.
pub const USER_END: u64 = 0x7fff_ffff_f000;

/// The deadline of a wait that may last for ever.
pub const FOREVER: u64 = u64::MAX;
/// The deadline of a wait that does not wait.
pub const NOW: u64 = 0;

/// Priorities are below this; the higher goes first.
pub const PRIORITIES: u8 = 64;

/// The slice of a cooperative thread: it runs until it yields or waits.
pub const COOPERATIVE: u64 = 0;

/// Every CPU, as a thread's affinity.
pub const ANY_CPU: u64 = u64::MAX;

/// How mapped memory may be used; reading is always allowed.
pub const MAP_WRITE: u64 = 1;
/// It may be executed; never together with `MAP_WRITE`.
pub const MAP_EXECUTE: u64 = 2;

/// Clones of the address space share it, instead of getting a copy.
pub const MAP_SHARED: u64 = 4;

/// A window's memory is a device's registers: not cached, in order.
pub const WINDOW_DEVICE: u64 = 1;

/// A new thread begins to run at once.
pub const THREAD_START: u64 = 1 << 8;
/// A new thread has floating point and SIMD registers.
pub const THREAD_FPU: u64 = 1 << 9;
/// A new thread begins with the registers of the one whose foreign call its maker received last, as if
/// that had given zero: its stack, unless that is zero, is the only other.
pub const THREAD_COPY: u64 = 1 << 10;
/// Such a thread's argument is its TLS register.
pub const THREAD_TLS: u64 = 1 << 11;

/// What ends a process that nobody ended: its exit code when a fault did it.
pub const EXIT_FAULT: u64 = 0x100;
/// Its exit code when the server of its foreign calls went away.
pub const EXIT_ABANDONED: u64 = 0x101;

/// `POWER`: switch the machine off.
pub const POWER_OFF: u64 = 0;
/// `POWER`: end the emulation with success, or switch off.
pub const POWER_SUCCESS: u64 = 1;
/// `POWER`: end the emulation with failure, or switch off.
pub const POWER_FAILURE: u64 = 2;
/// `POWER`: begin again, as after switching on.
pub const POWER_RESTART: u64 = 3;
/// `POWER`: end the emulation as one whose first process came to harm, or switch off.
pub const POWER_ABANDONED: u64 = 4;

/// The answer to a foreign call or fault leaves the thread's registers as they are now: they were
/// set with `REGISTERS_SET`.
pub const REPLY_AS_IS: u32 = 1;
/// The answer ends the process with the first word as its exit code.
pub const REPLY_KILL: u32 = 2;
/// It goes on waiting for its answer, which whoever has a handle to the thread can give.
pub const REPLY_LATER: u32 = u32::MAX;

/// What a handle is known by in its process: an index and a generation. Zero is no handle.
pub type Handle = u64;
