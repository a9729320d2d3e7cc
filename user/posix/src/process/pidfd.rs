//! Processes by descriptor.

use super::Process;
use crate::errno::{Errno, Result};
use crate::file::{Events, File, Open};
use crate::fs::Kind;
use crate::server::Call;
use crate::signal::Info;
use crate::signal::send;
use crate::wait::Waiters;
use alloc::rc::Rc;
use linux_raw_sys::general::{O_NONBLOCK, O_RDWR};

/// A process that a descriptor refers to, even when it is no more.
struct PidFile(Rc<Process>);

impl File for PidFile {
    fn ready(&self, _: &Open) -> Events {
        if self.0.is_alive() { Events::empty() } else { Events::READ }
    }

    fn waiters(&self) -> Option<&Waiters> {
        Some(&self.0.changed)
    }
}

/// A descriptor of the caller for a process.
pub fn open(call: &Call, process: &Rc<Process>, flags: u32) -> Result {
    let file = Rc::new(PidFile(process.clone()));
    let open = call.server.open_anonymous(file, Kind::Socket, O_RDWR | flags);
    call.process().add_descriptor(open, true)
}

pub fn pidfd_open(call: &Call) -> Result {
    let [pid, flags, ..] = call.args;
    if flags as u32 & !O_NONBLOCK != 0 || pid as i32 <= 0 {
        return Err(Errno::EINVAL);
    }
    match call.server.process(pid as u32) {
        Some(process) => open(call, &process, flags as u32),
        None if call.server.task(pid as u32).is_some() => Err(Errno::EINVAL),
        None => Err(Errno::ESRCH),
    }
}

/// The process of a descriptor, and whether one does not wait for it.
pub fn process_of(call: &Call, fd: u64) -> Result<(Rc<Process>, bool)> {
    let open = call.process().files.get(fd)?;
    let file = open.file.downcast::<PidFile>().ok_or(Errno::EBADF)?;
    Ok((file.0.clone(), open.nonblocking()))
}

pub fn pidfd_send_signal(call: &Call) -> Result {
    let [fd, signal, info, flags, ..] = call.args;
    if flags != 0 {
        return Err(Errno::EINVAL);
    }
    let (process, _) = process_of(call, fd)?;
    if call.server.process(process.pid).is_none_or(|known| !Rc::ptr_eq(&known, &process)) {
        return Err(Errno::ESRCH);
    }
    let info = match info {
        0 => Info::user(signal as u32, call.process()),
        at => {
            let info = send::made_up(call, process.pid.into(), at)?;
            if info.signal != signal as u32 {
                return Err(Errno::EINVAL);
            }
            info
        }
    };
    send::permit(call.process(), &process, info.signal)?;
    if info.signal != 0 {
        send::send(&process, info)?;
    }
    Ok(0)
}
