//! Who a process is: users, groups, capabilities.

use super::info::process_of;
use super::quota::heap_has;
use crate::errno::{Errno, Result};
use crate::server::Call;
use alloc::vec::Vec;
use zerocopy::IntoBytes;

/// Further groups that a process may have.
const GROUPS: u32 = 65536;

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

pub fn getpgid(call: &Call) -> Result {
    Ok(process_of(call, call.args[0])?.group.get().into())
}

#[cfg(target_arch = "x86_64")]
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

/// The words of a call that says nothing of an identity.
const KEEP: u32 = u32::MAX;

/// Users or groups: real, effective, saved, and what file systems look at.
type Kind = fn(&mut Ids) -> (&mut [u32; 3], &mut u32);

fn users(ids: &mut Ids) -> (&mut [u32; 3], &mut u32) {
    (&mut ids.users, &mut ids.fsuid)
}

fn groups(ids: &mut Ids) -> (&mut [u32; 3], &mut u32) {
    (&mut ids.groups, &mut ids.fsgid)
}

/// Sets all three to what `change` makes of them; who is not root may choose only those it has.
fn set(call: &Call, kind: Kind, wishes: &[u32], new: impl Fn([u32; 3]) -> [u32; 3]) -> Result {
    let mut ids = call.process().ids.borrow_mut();
    let is_root = ids.is_root();
    let (all, of_files) = kind(&mut ids);
    let allowed = |wish: &u32| is_root || *wish == KEEP || all.contains(wish);
    if !wishes.iter().all(allowed) {
        return Err(Errno::EPERM);
    }
    *all = new(*all);
    *of_files = all[1];
    Ok(0)
}

/// `setuid`, `setgid`: all three for root, the effective one for others.
fn set_one(call: &Call, kind: Kind) -> Result {
    let wish = call.args[0] as u32;
    if wish == KEEP {
        return Err(Errno::EINVAL);
    }
    let is_root = call.process().ids.borrow().is_root();
    let [real, _, saved] = *kind(&mut call.process().ids.borrow_mut()).0;
    if !is_root && wish != real && wish != saved {
        return Err(Errno::EPERM);
    }
    set(call, kind, &[wish], |[real, _, saved]| match is_root {
        true => [wish; 3],
        false => [real, wish, saved],
    })
}

/// `setreuid`, `setregid`.
fn set_two(call: &Call, kind: Kind) -> Result {
    let [real, effective] = [call.args[0] as u32, call.args[1] as u32];
    let is_root = call.process().ids.borrow().is_root();
    let [old_real, old_effective, _] = *kind(&mut call.process().ids.borrow_mut()).0;
    if !is_root && ![KEEP, old_real, old_effective].contains(&real) {
        return Err(Errno::EPERM);
    }
    set(call, kind, &[real, effective], |[old_real, old_effective, saved]| {
        let new = [choose(real, old_real), choose(effective, old_effective)];
        let saves = real != KEEP || effective != KEEP && effective != old_real;
        [new[0], new[1], if saves { new[1] } else { saved }]
    })
}

/// `setresuid`, `setresgid`.
fn set_three(call: &Call, kind: Kind) -> Result {
    let wishes = [call.args[0] as u32, call.args[1] as u32, call.args[2] as u32];
    set(call, kind, &wishes, |[real, effective, saved]| {
        [choose(wishes[0], real), choose(wishes[1], effective), choose(wishes[2], saved)]
    })
}

fn choose(wish: u32, old: u32) -> u32 {
    if wish == KEEP { old } else { wish }
}

/// `setfsuid`, `setfsgid`: gives the old one, whatever comes of it.
fn set_of_files(call: &Call, kind: Kind) -> Result {
    let wish = call.args[0] as u32;
    let mut ids = call.process().ids.borrow_mut();
    let is_root = ids.is_root();
    let (all, of_files) = kind(&mut ids);
    let old = *of_files;
    if is_root && wish != KEEP || all.contains(&wish) {
        *of_files = wish;
    }
    Ok(old.into())
}

fn get_three(call: &Call, kind: Kind) -> Result {
    let all = *kind(&mut call.process().ids.borrow_mut()).0;
    for (at, id) in call.args.iter().zip(all) {
        call.process().put(*at, &id)?;
    }
    Ok(0)
}

pub fn setuid(call: &Call) -> Result {
    set_one(call, users)
}

pub fn setgid(call: &Call) -> Result {
    set_one(call, groups)
}

pub fn setreuid(call: &Call) -> Result {
    set_two(call, users)
}

pub fn setregid(call: &Call) -> Result {
    set_two(call, groups)
}

pub fn setresuid(call: &Call) -> Result {
    set_three(call, users)
}

pub fn setresgid(call: &Call) -> Result {
    set_three(call, groups)
}

pub fn getresuid(call: &Call) -> Result {
    get_three(call, users)
}

pub fn getresgid(call: &Call) -> Result {
    get_three(call, groups)
}

pub fn setfsuid(call: &Call) -> Result {
    set_of_files(call, users)
}

pub fn setfsgid(call: &Call) -> Result {
    set_of_files(call, groups)
}

pub fn getgroups(call: &Call) -> Result {
    let [size, at, ..] = call.args;
    let ids = call.process().ids.borrow();
    let (size, count) = (size as i32, ids.more.len());
    if size < 0 || size != 0 && (size as usize) < count {
        return Err(Errno::EINVAL);
    }
    if size != 0 && count != 0 {
        call.process().put(at, ids.more.as_slice())?;
    }
    Ok(count as u64)
}

pub fn setgroups(call: &Call) -> Result {
    let [size, at, ..] = call.args;
    if !call.process().ids.borrow().is_root() {
        return Err(Errno::EPERM);
    }
    if size as u32 > GROUPS {
        return Err(Errno::EINVAL);
    }
    heap_has(4 * size as u32 as usize)?;
    let mut more = alloc::vec![0u32; size as u32 as usize];
    if !more.is_empty() {
        let bytes = more.as_mut_slice().as_mut_bytes();
        call.process().paid(|native| native.read(at, bytes))?;
    }
    more.sort_unstable();
    call.process().ids.borrow_mut().more = more;
    Ok(0)
}

/// Versions of `struct __user_cap_header_struct`, with the words that follow: of the first and of
/// the later ones.
const VERSIONS: [(u32, usize); 3] = [(0x1998_0330, 1), (0x2007_1026, 2), (0x2008_0522, 2)];
/// All capabilities.
const CAPABILITIES: u64 = (1 << 41) - 1;

/// How many words the data of `capget` and `capset` have, each three times, and whom they are about.
fn capabilities(call: &Call) -> Result<(usize, u32)> {
    let [version, pid]: [u32; 2] = call.process().get(call.args[0])?;
    match VERSIONS.iter().find(|(known, _)| *known == version) {
        Some((_, words)) => Ok((*words, pid)),
        None => {
            call.process().put(call.args[0], &VERSIONS[2].0)?;
            Err(Errno::EINVAL)
        }
    }
}

/// Those of a process: root has all.
fn capabilities_of(process: &super::Process) -> u64 {
    if process.ids.borrow().is_root() { CAPABILITIES } else { 0 }
}

pub fn capget(call: &Call) -> Result {
    let data = call.args[1];
    let (words, pid) = match capabilities(call) {
        Err(Errno::EINVAL) if data == 0 => return Ok(0),
        result => result?,
    };
    if (pid as i32) < 0 {
        return Err(Errno::EINVAL);
    }
    let all = capabilities_of(&*process_of(call, pid.into())?);
    // Effective, permitted, inheritable.
    let halves = [[all as u32, all as u32, 0], [(all >> 32) as u32, (all >> 32) as u32, 0]];
    if data != 0 {
        call.process().put(data, &halves[..words])?;
    }
    Ok(0)
}

pub fn capset(call: &Call) -> Result {
    let data = call.args[1];
    let (words, pid) = capabilities(call)?;
    if pid != 0 && pid != call.process().pid {
        return Err(Errno::EPERM);
    }
    let mut wish = [[0u32; 3]; 2];
    let bytes = wish[..words].as_mut_bytes();
    call.process().paid(|native| native.read(data, bytes))?;
    let [effective, permitted, _] =
        core::array::from_fn(|nth| u64::from(wish[0][nth]) | u64::from(wish[1][nth]) << 32);
    let known = |set: u64| set & CAPABILITIES;
    if known(effective) & !permitted != 0
        || known(permitted) & !capabilities_of(call.process()) != 0
    {
        return Err(Errno::EPERM);
    }
    Ok(0)
}

pub fn personality(call: &Call) -> Result {
    match call.args[0] as u32 {
        0 | u32::MAX => Ok(0),
        _ => Err(Errno::EINVAL),
    }
}
