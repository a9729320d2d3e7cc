//! What threads and processes are like, one by one: `prctl`, and on x86-64 `arch_prctl`.

use crate::errno::{Errno, Result};
use crate::process::Task;
use crate::server::Call;
use crate::signal::action::SIGNALS;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::Cell;
use linux_raw_sys::prctl as linux;
use rt::abi::PAGE;

/// Bytes of a thread's name, with its terminator.
const NAME: usize = 16;

/// What `prctl` sets of a process.
#[derive(Clone)]
pub struct Traits {
    /// The signal that the end of its parent sends it.
    pub parent_death: Cell<u32>,
    /// Whether others of the same user may look into it.
    dumpable: Cell<u32>,
    /// `execve` gives it no rights.
    no_new_privileges: Cell<bool>,
    /// Orphans below it become its children.
    pub subreaper: Cell<bool>,
    /// It keeps its capabilities when it becomes another user.
    keep_capabilities: Cell<bool>,
    /// How late its timers may be, in nanoseconds.
    slack: Cell<u64>,
    /// What `membarrier` was told.
    pub barriers: Cell<u64>,
}

impl Default for Traits {
    fn default() -> Traits {
        Traits {
            parent_death: Cell::new(0),
            dumpable: Cell::new(1),
            no_new_privileges: Cell::new(false),
            subreaper: Cell::new(false),
            keep_capabilities: Cell::new(false),
            slack: Cell::new(50_000),
            barriers: Cell::new(0),
        }
    }
}

impl Traits {
    /// Those of a new process.
    pub fn fork(&self) -> Traits {
        Traits { parent_death: Cell::new(0), subreaper: Cell::new(false), ..self.clone() }
    }

    /// Those of a process that runs another program.
    pub fn exec(&self) {
        self.dumpable.set(1);
        self.keep_capabilities.set(false);
        self.barriers.set(0);
    }
}

impl Task {
    /// Its name: of the first thread that of the program, or what it was named.
    pub fn name(&self) -> Vec<u8> {
        match &*self.name.borrow() {
            Some(name) if self.tid.get() != self.process.pid => name.clone(),
            _ => self.process.program.borrow().name.clone(),
        }
    }

    fn set_name(&self, name: &[u8]) {
        if self.tid.get() == self.process.pid {
            Rc::make_mut(&mut self.process.program.borrow_mut()).name = name.to_vec();
        } else {
            self.name.replace(Some(name.to_vec()));
        }
    }
}

pub fn prctl(call: &Call) -> Result {
    let [what, value, a2, a3, a4, _] = call.args;
    let (process, traits) = (call.process(), &call.process().traits);
    let alone = a2 | a3 | a4 == 0;
    match what as u32 {
        linux::PR_SET_PDEATHSIG if value > SIGNALS.into() => Err(Errno::EINVAL),
        linux::PR_SET_PDEATHSIG => set(&traits.parent_death, value as u32),
        linux::PR_GET_PDEATHSIG => process.put(value, &traits.parent_death.get()).map(|()| 0),
        linux::PR_GET_DUMPABLE => Ok(traits.dumpable.get().into()),
        linux::PR_SET_DUMPABLE if value > 1 => Err(Errno::EINVAL),
        linux::PR_SET_DUMPABLE => set(&traits.dumpable, value as u32),
        linux::PR_GET_KEEPCAPS => Ok(traits.keep_capabilities.get().into()),
        linux::PR_SET_KEEPCAPS if value > 1 => Err(Errno::EINVAL),
        linux::PR_SET_KEEPCAPS => set(&traits.keep_capabilities, value == 1),
        linux::PR_SET_NAME => set_name(call, value),
        linux::PR_GET_NAME => {
            let mut name = [0; NAME];
            let known = call.task.name();
            name[..known.len()].copy_from_slice(&known);
            process.put(value, &name).map(|()| 0)
        }
        linux::PR_SET_NO_NEW_PRIVS if value != 1 || !alone => Err(Errno::EINVAL),
        linux::PR_SET_NO_NEW_PRIVS => set(&traits.no_new_privileges, true),
        linux::PR_GET_NO_NEW_PRIVS if value != 0 || !alone => Err(Errno::EINVAL),
        linux::PR_GET_NO_NEW_PRIVS => Ok(traits.no_new_privileges.get().into()),
        linux::PR_SET_CHILD_SUBREAPER => set(&traits.subreaper, value != 0),
        linux::PR_GET_CHILD_SUBREAPER => {
            process.put(value, &u32::from(traits.subreaper.get())).map(|()| 0)
        }
        linux::PR_SET_TIMERSLACK => set(&traits.slack, if value == 0 { 50_000 } else { value }),
        linux::PR_GET_TIMERSLACK => Ok(traits.slack.get()),
        linux::PR_GET_TID_ADDRESS => process.put(value, &call.task.clear_tid.get()).map(|()| 0),
        linux::PR_GET_SECCOMP => Ok(0),
        linux::PR_CAPBSET_READ if value > 40 => Err(Errno::EINVAL),
        linux::PR_CAPBSET_READ => Ok(1),
        _ => Err(Errno::EINVAL),
    }
}

fn set<T>(cell: &Cell<T>, value: T) -> Result {
    cell.set(value);
    Ok(0)
}

/// Names the calling thread, as far as there is room.
fn set_name(call: &Call, at: u64) -> Result {
    let mut name = [0; NAME - 1];
    // No further than the page, for the next one may not be there.
    let here = ((PAGE - at % PAGE) as usize).min(name.len());
    let process = call.process();
    process.paid(|native| native.read(at, &mut name[..here]))?;
    if here < name.len() && !name[..here].contains(&0) {
        process.paid(|native| native.read(at + here as u64, &mut name[here..]))?;
    }
    let length = name.iter().position(|&byte| byte == 0).unwrap_or(name.len());
    call.task.set_name(&name[..length]);
    Ok(0)
}

/// The FS and GS bases, and nothing else.
#[cfg(target_arch = "x86_64")]
pub fn arch_prctl(call: &Call) -> Result {
    use rt::arch::TLS;
    const GS: usize = TLS + 1;
    const SET_GS: u32 = 0x1001;
    const SET_FS: u32 = 0x1002;
    const GET_FS: u32 = 0x1003;
    const GET_GS: u32 = 0x1004;
    let [what, value, ..] = call.args;
    let mut registers = call.task.registers()?;
    match what as u32 {
        SET_FS | SET_GS if value >= rt::abi::USER_END => return Err(Errno::EPERM),
        SET_FS => registers[TLS] = value,
        SET_GS => registers[GS] = value,
        GET_FS => return call.process().put(value, &registers[TLS]).map(|()| 0),
        GET_GS => return call.process().put(value, &registers[GS]).map(|()| 0),
        _ => return Err(Errno::EINVAL),
    }
    call.task.set_registers(&registers).map(|()| 0)
}
