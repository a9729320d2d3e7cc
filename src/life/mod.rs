//! How objects come to be, how they are named, and how they end.
//!
//! An object lives as long as a handle to it, or for what it is itself: a process and its threads
//! until they end, memory while it is mapped. What would take long to take apart is put on a list
//! and ends in bounded pieces ([`Kernel::reap`]), paid with the time of whoever enters the kernel.

mod devices;
mod first;
mod handles;
mod process;
mod reap;
mod thread;

pub use thread::NewThread;
