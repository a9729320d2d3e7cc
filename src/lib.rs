//! # Ochre
//!
//! A microkernel that is a value: all of its state is one [`Kernel`](kernel::Kernel) behind one
//! lock. A trap takes the lock, asks the kernel what happens next, and does that. Nothing in here
//! blocks, and nothing here knows a platform except `arch`.
//!
//! The modules, from the machine upwards; each may use only those above it in this list
//! (`tests/host/layering.rs` holds the order and fails on a back edge):
//!
//! * [`abi`]: what processes and the kernel have to agree on.
//! * [`units`]: addresses, frames, CPU numbers, nanoseconds, and what a trap can be.
//! * [`layout`]: where the kernel's address space has what.
//! * [`symbols`]: the image's own table of function names.
//! * [`clock`]: from a counter's ticks to nanoseconds.
//! * [`log`]: levels, the ring that keeps the last lines, the console they go to.
//! * [`dev`]: the UARTs a kernel needs to speak at all.
//! * [`boot`]: what firmware says (device tree, ACPI, PVH, multiboot2), checked and read into one
//!   [`BootInfo`](boot::BootInfo).
//! * [`arch`]: the only place that knows the instruction set; the same names for all three.
//! * [`mm`]: physical frames, page tables, where objects live, and the memory of processes.
//! * [`object`]: what processes can name by handles, as data.
//! * [`kernel`]: the value, its lock, its clock and its CPUs.
//! * [`sched`]: which thread runs where, and when it stops.
//! * [`ipc`]: messages between threads.
//! * [`life`]: how objects come to be, and how they end.
//! * [`syscall`]: the native calls.
//! * [`event`]: what happens on each trap.
//! * [`mod@panic`]: the report of a kernel bug, and the end.
//! * [`trap`]: where every exception and interrupt arrives.
//! * [`report`]: what the machine is, a line for each.
//! * [`start`]: from the first Rust instruction to the last line of the boot report.

#![cfg_attr(target_os = "none", no_std)]
#![warn(missing_docs)]

pub mod abi;
pub mod units;
pub mod layout;
pub mod symbols;
pub mod clock;
#[macro_use]
pub mod log;
pub mod dev;
pub mod boot;
pub mod arch;
pub mod mm;
pub mod object;
pub mod kernel;
pub mod sched;
pub mod ipc;
pub mod life;
pub mod syscall;
pub mod event;
pub mod panic;
pub mod trap;
pub mod report;
pub mod start;
