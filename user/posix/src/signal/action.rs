//! What a process does with signals.

use super::queue::bit;
use super::{Signals, UNBLOCKABLE, frame};
use crate::errno::{Errno, Result};
use crate::process::Process;
use crate::server::Call;
use alloc::rc::Rc;
use linux_raw_sys::general::{
    SA_EXPOSE_TAGBITS, SA_NOCLDSTOP, SA_NOCLDWAIT, SA_NODEFER, SA_ONSTACK, SA_RESETHAND,
    SA_RESTART, SA_RESTORER, SA_SIGINFO, SIGCHLD, SIGCONT, SIGKILL, SIGSTOP, SIGTSTP, SIGTTIN,
    SIGTTOU, SIGURG, SIGWINCH,
};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// Signals are numbered from 1 to this.
pub const SIGNALS: u32 = 64;

/// The handler that stands for what the system does by itself.
pub const DEFAULT: u64 = 0;
/// The handler that stands for nothing.
pub const IGNORE: u64 = 1;

/// Signals that do nothing by themselves.
const HARMLESS: u64 = bit(SIGCHLD) | bit(SIGCONT) | bit(SIGURG) | bit(SIGWINCH);
/// Signals that stop a process by themselves.
pub const STOPPING: u64 = bit(SIGSTOP) | bit(SIGTSTP) | bit(SIGTTIN) | bit(SIGTTOU);
/// Flags that are known; others are forgotten.
const FLAGS: u64 = (SA_NOCLDSTOP
    | SA_NOCLDWAIT
    | SA_SIGINFO
    | SA_ONSTACK
    | SA_RESTART
    | SA_NODEFER
    | SA_RESETHAND
    | SA_EXPOSE_TAGBITS
    | SA_RESTORER) as u64;

/// What is to be done with a signal, as `rt_sigaction` has it.
#[derive(Clone, Copy, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct Action {
    /// The function that is called, or [`DEFAULT`] or [`IGNORE`].
    pub handler: u64,
    /// How: `SA_*`.
    pub flags: u64,
    /// What it returns to.
    pub restorer: u64,
    /// What is blocked meanwhile.
    pub mask: u64,
}

impl Action {
    /// Whether it has this flag.
    pub fn has(&self, flag: u32) -> bool {
        self.flags & u64::from(flag) != 0
    }
}

/// What a signal does.
#[derive(Clone, Copy)]
pub enum Effect {
    /// Nothing.
    Nothing,
    /// It stops the process.
    Stop,
    /// It ends the process.
    End,
    /// It is handled.
    Handle(Action),
}

impl Signals {
    /// What is to be done with a signal.
    pub fn action(&self, signal: u32) -> Action {
        self.actions.borrow()[signal as usize - 1]
    }

    /// Has something done with a signal. Actions that were inherited are copied first.
    fn set(&self, signal: u32, action: Action) {
        Rc::make_mut(&mut self.actions.borrow_mut())[signal as usize - 1] = action;
    }

    /// Has the system do with a signal what it does by itself.
    pub fn reset(&self, signal: u32) {
        self.set(signal, Action::default());
    }

    /// What a signal does.
    pub fn effect(&self, signal: u32) -> Effect {
        let action = self.action(signal);
        match action.handler {
            DEFAULT if bit(signal) & HARMLESS != 0 => Effect::Nothing,
            DEFAULT if bit(signal) & STOPPING != 0 => Effect::Stop,
            DEFAULT => Effect::End,
            IGNORE => Effect::Nothing,
            _ => Effect::Handle(action),
        }
    }

    /// `execve`: there are no handlers any more.
    pub fn reset_for_exec(&self) {
        for signal in 1..=SIGNALS {
            let old = self.action(signal);
            let handler = if old.handler == IGNORE { IGNORE } else { DEFAULT };
            let new = Action { handler, ..Action::default() };
            if new != old {
                self.set(signal, new);
            }
        }
    }

    /// Those of a new process: the same actions, and nothing waits.
    pub fn fork(&self) -> Signals {
        Signals { actions: self.actions.clone(), ..Signals::default() }
    }
}

pub fn rt_sigaction(call: &Call) -> Result {
    let [signal, new, old, size, ..] = call.args;
    let (signal, process) = (signal as u32, call.process());
    if size != 8 {
        return Err(Errno::EINVAL);
    }
    let wish = if new == 0 { None } else { Some(process.get::<Action>(new)?) };
    let fixed = signal == SIGKILL || signal == SIGSTOP;
    if !(1..=SIGNALS).contains(&signal) || wish.is_some() && fixed {
        return Err(Errno::EINVAL);
    }
    let before = process.signals.action(signal);
    if let Some(mut action) = wish {
        action.flags &= FLAGS;
        action.mask &= !UNBLOCKABLE;
        set(process, signal, action)?;
    }
    process.put_if(old, &before).map(|()| 0)
}

fn set(process: &Process, signal: u32, action: Action) -> Result<()> {
    if action.handler > IGNORE && !action.has(SA_RESTORER) {
        frame::map_trampoline(process)?;
    }
    process.signals.set(signal, action);
    if let Effect::Nothing = process.signals.effect(signal) {
        process.signals.queue.discard(bit(signal));
        for task in process.tasks.borrow().iter() {
            task.signals.queue.discard(bit(signal));
        }
    }
    Ok(())
}
