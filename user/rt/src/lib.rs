//! # The runtime of Ochre's user programs
//!
//! What a program needs before it can do its own work: a beginning, the kernel's calls as typed
//! methods of handles, a heap, a log, threads, other processes, and tasks.
//!
//! A program is `#![no_std]`, `#![no_main]`, and names its main function with [`entry!`]. What it
//! may do is what the handles allow that whoever started it gave it; see [`start`].
//!
//! Handles reach memory behind the compiler's back: a process that unmaps what it uses faults, and
//! one that writes into itself through a handle gets what it asked for. Like files that name a
//! process's own memory elsewhere, that is outside of what `unsafe` marks here.
//!
//! The modules, from the kernel upwards:
//!
//! * [`abi`]: the kernel's interface, the very files that the kernel is compiled with.
//! * [`arch`]: how a call is made, and a program's first instructions.
//! * [`call`]: a call with its arguments, its results and its error.
//! * [`object`]: a type for each kind of handle, a method for each call.
//! * [`message`]: what is sent and what arrives.
//! * [`time`], [`log`], [`sync`]: the clock and sleeping, lines for the log, a lock.
//! * [`space`], [`heap`]: addresses, and memory at them. [`ring`]: bytes between two processes.
//! * [`start`], [`panic`](mod@panic): how a program begins, and how it ends when it should not.
//! * [`elf`], [`initrd`]: the readers of program files and archives, the kernel's own.
//! * [`files`], [`loader`], [`thread`], [`task`]: what came with the
//!   machine, other processes, threads, futures.
//! * [`service`]: what a supervisor gives a service, and sees of it. [`registers`]: those of devices.

#![no_std]

extern crate alloc;

#[path = "../../../src/abi/mod.rs"]
pub mod abi;
pub mod arch;
pub mod call;
pub mod object;
pub mod message;
pub mod time;
pub mod sync;
pub mod log;
pub mod space;
pub mod ring;
pub mod heap;
pub mod start;
pub mod panic;
/// Why something cannot be read, as a person would say it.
type Malformed = &'static str;
// The kernel reads the first process with the same two.
#[path = "../../../src/boot/elf.rs"]
pub mod elf;
#[path = "../../../src/boot/initrd.rs"]
pub mod initrd;
pub mod files;
pub mod loader;
pub mod thread;
pub mod task;
pub mod service;
pub mod registers;

pub use abi::Error;
pub use message::{Answer, Message, Received};
pub use object::{
    Interrupt, IoPorts, Machine, Memory, Object, Port, Process, Reply, Thread, Timer,
};
pub use start::{Start, exit, machine, process};
