//! # posix: the server that is Linux to the programs it runs
//!
//! Every system call and every fault of a guest arrives as a call on this server's port. One thread
//! serves them all: a call that can be done at once is done at once, and one that has to wait becomes
//! a future. Dropping that cancels the call. The kernel knows nothing of any of it.
//!
//! The modules, from the bottom up; each uses only those above it, and [`process`]:
//!
//! * [`errno`]: Linux's error numbers.
//! * [`wait`]: who waits for what, and how a call becomes a future.
//! * [`later`]: calls that other servers have a part in.
//! * [`user`]: the guests' memory.
//! * [`random`]: bytes that nobody can guess.
//! * [`fs`]: files by name: the tree, its file systems, paths.
//! * [`file`]: files by descriptor: reading, writing, waiting for several.
//! * [`process`]: processes and their threads, from `execve` to `wait4`; their memory.
//! * [`signal`]: sending signals, delivering them, stopping and going on.
//! * [`time`]: clocks, sleeping, timers. [`futex`]: waiting for a word of memory.
//! * [`socket`]: sockets between processes.
//! * [`tty`]: terminals. [`console`]: that of the machine.
//! * [`table`]: which call is served by what. [`unknown`]: those that are not.
//! * [`server`]: what arrives, and who answers.
//! * [`first`]: the first processes. [`host`]: their input and output, if that is no terminal.
#![no_std]
#![no_main]

extern crate alloc;

mod errno;
mod wait;
mod later;
mod user;
mod random;
mod fs;
mod file;
mod process;
mod signal;
mod time;
mod futex;
mod socket;
mod tty;
mod console;
mod table;
mod unknown;
mod server;
mod host;
mod first;

pub use errno::{Errno, Result};

use rt::Start;

rt::entry!(main);

fn main(start: Start) -> u64 {
    match server::Server::boot(start) {
        Ok(server) => server.run(),
        Err(error) => {
            rt::println!("posix: cannot begin: {error:?}");
            1
        }
    }
}
