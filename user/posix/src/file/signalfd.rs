//! `signalfd`: signals that are read instead of delivered.

use super::{Events, File, Open};
use crate::errno::{Errno, Result};
use crate::fs::Kind;
use crate::process::Process;
use crate::server::Call;
use crate::signal::UNBLOCKABLE;
use crate::signal::info::Info;
use crate::user::Transfer;
use crate::wait::Waiters;
use alloc::rc::Rc;
use core::cell::Cell;
use linux_raw_sys::general::{
    O_CLOEXEC, O_NONBLOCK, O_RDWR, SIGBUS, SIGCHLD, SIGFPE, SIGILL, SIGSEGV, SIGTRAP,
};
use zerocopy::IntoBytes;

/// Bytes of `struct signalfd_siginfo`.
const SIZE: usize = 128;

/// Signals of a set.
struct SignalFile {
    set: Cell<u64>,
    /// Whose it is.
    process: Rc<Process>,
}

/// Which of a set wait, for the process or one of its threads.
fn waiting(process: &Process, set: u64) -> u64 {
    let tasks = process.tasks.borrow();
    let own = tasks.iter().fold(0, |all, task| all | task.signals.queue.set());
    (own | process.signals.queue.set()) & set
}

/// Takes one of a set.
fn take(process: &Process, set: u64) -> Option<Info> {
    let own = |set| process.tasks.borrow().iter().find_map(|task| task.signals.queue.take(set));
    own(set).or_else(|| process.signals.queue.take(set))
}

/// `struct signalfd_siginfo` of a signal.
fn describe(info: &Info) -> [u32; SIZE / 4] {
    let mut words = [0; SIZE / 4];
    let [first, second, third, _] = info.fields;
    words[..3].copy_from_slice(&[info.signal, info.error as u32, info.code as u32]);
    match info.signal {
        SIGSEGV | SIGBUS | SIGILL | SIGFPE | SIGTRAP => {
            // `ssi_addr`.
            words[18..20].copy_from_slice(&[first as u32, (first >> 32) as u32]);
        }
        SIGCHLD => {
            words[3..5].copy_from_slice(&[first as u32, (first >> 32) as u32]);
            // `ssi_status` and `ssi_utime`.
            words[10] = second as u32;
            words[14..16].copy_from_slice(&[third as u32, (third >> 32) as u32]);
        }
        _ => {
            words[3..5].copy_from_slice(&[first as u32, (first >> 32) as u32]);
            // `ssi_int` and `ssi_ptr`.
            words[11..14].copy_from_slice(&[second as u32, second as u32, (second >> 32) as u32]);
        }
    }
    words
}

impl File for SignalFile {
    fn read(&self, _: &Open, _: &mut u64, to: &mut Transfer<'_>) -> Result<()> {
        if to.left < SIZE as u64 {
            return Err(Errno::EINVAL);
        }
        let mut any = false;
        while to.left >= SIZE as u64 {
            let process = to.process().unwrap_or(&self.process);
            let Some(info) = take(process, self.set.get()) else { break };
            to.put(describe(&info).as_bytes())?;
            any = true;
        }
        if any { Ok(()) } else { Err(Errno::EAGAIN) }
    }

    fn ready(&self, _: &Open) -> Events {
        let any = waiting(&self.process, self.set.get()) != 0;
        if any { Events::READ } else { Events::empty() }
    }

    fn seekable(&self) -> bool {
        true
    }

    fn waiters(&self) -> Option<&Waiters> {
        Some(&self.process.signals.arrived)
    }
}

pub fn signalfd4(call: &Call) -> Result {
    let [fd, set, size, flags, ..] = call.args;
    let flags = flags as u32;
    let process = call.process();
    if size != 8 {
        return Err(Errno::EINVAL);
    }
    let set = process.get::<u64>(set)? & !UNBLOCKABLE;
    if flags & !(O_CLOEXEC | O_NONBLOCK) != 0 {
        return Err(Errno::EINVAL);
    }
    if fd as i32 != -1 {
        let open = process.files.get(fd)?;
        open.file.downcast::<SignalFile>().ok_or(Errno::EINVAL)?.set.set(set);
        process.signals.arrived.wake();
        return Ok(fd);
    }
    let file = SignalFile { set: Cell::new(set), process: call.task.process.clone() };
    let flags = flags & (O_NONBLOCK | O_CLOEXEC);
    let open = call.server.open_anonymous(Rc::new(file), Kind::Socket, O_RDWR | flags & O_NONBLOCK);
    process.add_descriptor(open, flags & O_CLOEXEC != 0)
}
