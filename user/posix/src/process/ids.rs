//! Who a process is: users, groups, capabilities.

use crate::errno::{Errno, Result};
use crate::server::Call;
use alloc::vec::Vec;

/// Users and groups: real, effective, saved, and those that file systems look at.
#[derive(Clone, Default)]
pub struct Ids {
    /// Users: real, effective, saved.
    pub users: [u32; 3],
    /// Groups: real, effective, saved.
    pub groups: [u32; 3],
    /// The user that files are opened as.
    pub fsuid: u32,
    /// The group that files are made with.
    pub fsgid: u32,
    /// Further groups.
    pub more: Vec<u32>,
}

impl Ids {
    /// Whether it is in a group.
    pub fn in_group(&self, group: u32) -> bool {
        self.fsgid == group || self.more.contains(&group)
    }

    /// Whether it may do everything.
    pub fn is_root(&self) -> bool {
        self.users[1] == 0
    }
}

pub fn getuid(call: &Call) -> Result {
    Ok(call.process().ids.borrow().users[0].into())
}

pub fn geteuid(call: &Call) -> Result {
    Ok(call.process().ids.borrow().users[1].into())
}

pub fn getgid(call: &Call) -> Result {
    Ok(call.process().ids.borrow().groups[0].into())
}

pub fn getegid(call: &Call) -> Result {
    Ok(call.process().ids.borrow().groups[1].into())
}

pub fn getpid(call: &Call) -> Result {
    Ok(call.process().pid.into())
}

pub fn gettid(call: &Call) -> Result {
    Ok(call.task.tid.get().into())
}

pub fn set_tid_address(call: &Call) -> Result {
    call.task.clear_tid.set(call.args[0]);
    gettid(call)
}

pub fn getppid(call: &Call) -> Result {
    Ok(call.process().parent.borrow().upgrade().map_or(0, |parent| parent.pid.into()))
}

/// The process of a number, 0 for the caller.
fn process_of(call: &Call, pid: u64) -> Result<alloc::rc::Rc<super::Process>> {
    match pid as u32 {
        0 => Ok(call.task.process.clone()),
        pid => call.server.process(pid).ok_or(Errno::ESRCH),
    }
}

pub fn getpgid(call: &Call) -> Result {
    Ok(process_of(call, call.args[0])?.group.get().into())
}

pub fn getpgrp(call: &Call) -> Result {
    Ok(call.process().group.get().into())
}

pub fn getsid(call: &Call) -> Result {
    Ok(process_of(call, call.args[0])?.session.get().into())
}

pub fn setpgid(call: &Call) -> Result {
    let [pid, group, ..] = call.args;
    let me = call.process();
    let target = process_of(call, pid)?;
    let own = target.pid == me.pid;
    let child = target.parent.borrow().upgrade().is_some_and(|parent| parent.pid == me.pid);
    if (group as i32) < 0 {
        return Err(Errno::EINVAL);
    }
    if !own && !child {
        return Err(Errno::ESRCH);
    }
    if child && target.has_execed.get() {
        return Err(Errno::EACCES);
    }
    if target.session.get() != me.session.get() || target.session.get() == target.pid {
        return Err(Errno::EPERM);
    }
    let group = if group == 0 { target.pid } else { group as u32 };
    let session = target.session.get();
    let exists = call
        .server
        .processes()
        .iter()
        .any(|other| other.group.get() == group && other.session.get() == session);
    if group != target.pid && !exists {
        return Err(Errno::EPERM);
    }
    target.group.set(group);
    Ok(0)
}

pub fn setsid(call: &Call) -> Result {
    let me = call.process();
    if call.server.processes().iter().any(|other| other.group.get() == me.pid) {
        return Err(Errno::EPERM);
    }
    me.session.set(me.pid);
    me.group.set(me.pid);
    Ok(me.pid.into())
}
