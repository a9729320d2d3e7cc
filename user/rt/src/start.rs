//! How a program begins and ends.
//!
//! Its first thread has eight arguments, in the registers [0] to [7] of the table in
//! [`abi`](crate::abi):
//!
//! | argument | what |
//! |---|---|
//! | 0 | a handle to its own process |
//! | 1 | a handle to the machine, or none |
//! | 2, 3 | a handle to the memory with the initrd, and its length in bytes, or none |
//! | 4, 5 | two words that whoever started it has chosen; zero if that was the kernel |
//! | 6, 7 | a handle to the memory with the device tree, and where in it that begins, or none |

use crate::abi::{Call, Handle};
use crate::arch::syscall;
use crate::object::{Machine, Memory, Object, Process};
use core::mem::ManuallyDrop;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

static PROCESS: AtomicU64 = AtomicU64::new(0);
static MACHINE: AtomicU64 = AtomicU64::new(0);

/// What a program was given, beside the handles that [`process`] and [`machine`] have.
#[derive(Debug)]
pub struct Start {
    /// The initrd, and its length in bytes.
    pub initrd: Option<(Memory, u64)>,
    /// What it may read firmware's device tree in, and the byte at which that begins.
    pub firmware: Option<(Memory, u64)>,
    /// Two words that whoever started it has chosen.
    pub words: [u64; 2],
}

/// Names a program's main function: `fn(Start) -> u64`, which returns the exit code.
#[macro_export]
macro_rules! entry {
    ($main:path) => {
        #[unsafe(no_mangle)]
        extern "Rust" fn ochre_main(start: $crate::Start) -> u64 {
            $main(start)
        }
    };
}

unsafe extern "Rust" {
    safe fn ochre_main(start: Start) -> u64;
}

/// Where the first instructions lead.
pub(crate) extern "C" fn begin(
    process: Handle,
    machine: Handle,
    initrd: Handle,
    length: u64,
    first: u64,
    second: u64,
    firmware: Handle,
    offset: u64,
) -> ! {
    PROCESS.store(process, Relaxed);
    MACHINE.store(machine, Relaxed);
    let initrd = (initrd != 0).then(|| (Memory::from_raw(initrd), length));
    let firmware = (firmware != 0).then(|| (Memory::from_raw(firmware), offset));
    exit(ochre_main(Start { initrd, firmware, words: [first, second] }))
}

/// This process.
pub fn process() -> ManuallyDrop<Process> {
    ManuallyDrop::new(Process::from_raw(PROCESS.load(Relaxed)))
}

/// The machine, as far as this process may use it.
pub fn machine() -> ManuallyDrop<Machine> {
    ManuallyDrop::new(Machine::from_raw(MACHINE.load(Relaxed)))
}

/// Ends this process.
pub fn exit(code: u64) -> ! {
    let mut registers = [code, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    loop {
        // SAFETY: it touches no memory, and nothing comes after it.
        unsafe { syscall(Call::Exit as u64, &mut registers) };
    }
}
