//! What a signal says of itself: `siginfo_t`.

use crate::process::{Process, State};
use linux_raw_sys::general::{
    CLD_CONTINUED, CLD_EXITED, CLD_KILLED, CLD_STOPPED, SI_TIMER, SI_TKILL, SIGCONT,
};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// `SI_KERNEL`: the kernel says so.
pub const SI_KERNEL: i32 = 0x80;
/// Bytes of `siginfo_t`, most of which are zero.
pub const SIZE: usize = 128;

/// The part of `siginfo_t` that is ever used.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Info {
    /// Which signal.
    pub signal: u32,
    /// An error, which nobody sets.
    pub error: i32,
    /// Where it comes from.
    pub code: i32,
    padding: u32,
    /// What depends on that.
    pub fields: [u64; 4],
}

impl Info {
    /// A signal with a code, and what the code says is there.
    pub fn new(signal: u32, code: i32, fields: [u64; 4]) -> Info {
        Info { signal, code, fields, ..Info::default() }
    }

    /// A signal that the system sends.
    pub fn kernel(signal: u32) -> Info {
        Info::new(signal, SI_KERNEL, [0; 4])
    }

    /// A signal that a process sends: `kill`.
    pub fn user(signal: u32, sender: &Process) -> Info {
        Info::new(signal, 0, [identity(sender), 0, 0, 0])
    }

    /// A signal that a process sends to one thread: `tkill`.
    pub fn to_thread(signal: u32, sender: &Process) -> Info {
        Info::new(signal, SI_TKILL, [identity(sender), 0, 0, 0])
    }

    /// A signal of a fault at an address.
    pub fn fault(signal: u32, code: i32, address: u64) -> Info {
        Info::new(signal, code, [address, 0, 0, 0])
    }

    /// A signal of a timer, with its number, how often it rang besides, and its value.
    pub fn timer(signal: u32, number: u32, overrun: u32, value: u64) -> Info {
        let timer = u64::from(number) | u64::from(overrun) << 32;
        Info::new(signal, SI_TIMER, [timer, value, 0, 0])
    }

    /// The signal that tells a parent how its child is.
    pub fn child(signal: u32, child: &Process) -> Info {
        let (code, status) = child_code(child.state.get());
        // Clock ticks are hundredths of a second.
        let ticks = child.times.get()[0] / 10_000_000;
        Info::new(signal, code as i32, [identity(child), status.into(), ticks, 0])
    }

    /// `siginfo_t` as programs have it.
    pub fn bytes(&self) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        bytes[..size_of::<Info>()].copy_from_slice(self.as_bytes());
        bytes
    }
}

/// `si_pid` and `si_uid`.
fn identity(process: &Process) -> u64 {
    u64::from(process.pid) | u64::from(process.ids.borrow().users[0]) << 32
}

/// `si_code` and `si_status` of a child's state.
pub fn child_code(state: State) -> (u32, u32) {
    match state {
        State::Ended(status) if status & 0x7f == 0 => (CLD_EXITED, status >> 8),
        State::Ended(status) => (CLD_KILLED, status & 0x7f),
        State::Stopped(signal) => (CLD_STOPPED, signal),
        State::Continued | State::Running => (CLD_CONTINUED, SIGCONT),
    }
}
