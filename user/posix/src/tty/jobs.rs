//! Job control: which session a terminal controls, and who of it is in the foreground.

use super::Tty;
use crate::errno::{Errno, Result};
use crate::process::Process;
use crate::server::{Call, Server};
use crate::signal::send::send_to_group;
use crate::signal::stop::is_orphaned;
use crate::signal::{is_unwanted, send_to_process};
use alloc::rc::Rc;
use linux_raw_sys::general::{O_NOCTTY, SIGCONT, SIGHUP, SIGTTIN, SIGTTOU, TOSTOP};

/// Tells a session that its terminal is gone: its leader, and those in the foreground.
pub fn hang_up(server: &Server, session: u32, group: u32) {
    if let Some(leader) = server.process(session).filter(|leader| leader.is_alive()) {
        send_to_process(&leader, SIGHUP);
        send_to_process(&leader, SIGCONT);
    }
    send_to_group(server, group, SIGHUP);
    send_to_group(server, group, SIGCONT);
}

/// Refuses a process in the background what only the foreground may do; it gets a signal for it,
/// unless it does not want to hear it.
fn refuse(call: &Call, tty: &Tty, signal: u32) -> Result<()> {
    let process = call.process();
    let in_background = tty.session.get() == process.session.get()
        && tty.group.get() != 0
        && tty.group.get() != process.group.get();
    if !in_background {
        return Ok(());
    }
    if is_unwanted(&call.task, signal) {
        return if signal == SIGTTIN { Err(Errno::EIO) } else { Ok(()) };
    }
    if is_orphaned(process, process.group.get(), None) {
        return Err(Errno::EIO);
    }
    send_to_group(call.server, process.group.get(), signal);
    Err(Errno::RESTART)
}

/// Whether a process may read or write now.
pub fn admit(call: &Call, tty: &Tty, write: bool) -> Result<()> {
    match write {
        false => refuse(call, tty, SIGTTIN),
        true if tty.settings.borrow().has(TOSTOP) => refuse(call, tty, SIGTTOU),
        true => Ok(()),
    }
}

/// Whether a process may change the terminal now.
pub fn admit_change(call: &Call, tty: &Tty) -> Result<()> {
    refuse(call, tty, SIGTTOU)
}

impl Tty {
    /// Whether it controls the session of a process.
    pub fn controls(&self, process: &Process) -> bool {
        self.session.get() == process.session.get()
    }

    /// Makes it control a session, with this group in the foreground.
    pub fn control(&self, session: u32, group: u32) {
        self.session.set(session);
        self.group.set(group);
    }

    /// It was opened: by the leader of a session without a terminal it becomes that session's.
    pub fn opened_by(&self, call: &Call, flags: u32) {
        let process = call.process();
        let leads = process.session.get() == process.pid;
        let free = self.session.get() == 0 && call.server.console.terminal_of(process).is_none();
        if flags & O_NOCTTY == 0 && leads && free {
            self.control(process.session.get(), process.group.get());
        }
    }

    /// `TIOCSCTTY`: takes it, or with privilege takes it away.
    pub fn claim(&self, call: &Call, steal: bool) -> Result {
        let process = call.process();
        let leads = process.session.get() == process.pid;
        if leads && self.controls(process) {
            return Ok(0);
        }
        if !leads || call.server.console.terminal_of(process).is_some() {
            return Err(Errno::EPERM);
        }
        if self.session.get() != 0 && !(steal && process.ids.borrow().is_root()) {
            return Err(Errno::EPERM);
        }
        self.control(process.session.get(), process.group.get());
        Ok(0)
    }

    /// `TIOCNOTTY`: gives it up, for the whole session if its leader does.
    pub fn give_up(&self, call: &Call) -> Result {
        let process = call.process();
        if !self.controls(process) {
            return Err(Errno::ENOTTY);
        }
        if process.session.get() == process.pid {
            self.session.set(0);
            let group = self.group.replace(0);
            send_to_group(call.server, group, SIGHUP);
            send_to_group(call.server, group, SIGCONT);
        }
        Ok(0)
    }

    /// `TIOCSPGRP`: puts a group of the session into the foreground.
    pub fn set_foreground(&self, call: &Call, group: i32) -> Result {
        let process = call.process();
        admit_change(call, self)?;
        if !self.controls(process) {
            return Err(Errno::ENOTTY);
        }
        let group = u32::try_from(group).map_err(|_| Errno::EINVAL)?;
        let member = |other: &&Rc<Process>| other.group.get() == group;
        let all = call.server.processes();
        let member = all.iter().find(member).ok_or(Errno::ESRCH)?;
        if member.session.get() != process.session.get() {
            return Err(Errno::EPERM);
        }
        self.group.set(group);
        Ok(0)
    }
}
