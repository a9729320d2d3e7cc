//! Giving signals to threads.
//!
//! Where a thread is when a signal comes for it:
//!
//! * It waits in a call, or its call is just being served ([`Pending::called`]): its waker makes the
//!   server look; the wait ends, and [`before_return`] has it find a handler's frame.
//! * It runs user code, or is ready to: it is suspended, gets the frame, and goes on ([`catch`]).
//!
//! Between the two it may be on its way into a call, or still run on another CPU:
//!
//! ```text
//!   this server                          the thread, on another CPU
//!   suspend                              runs
//!   registers: Busy                      | the CPU is told: it stops, a call is made again later
//!     hunted; the timer is set           |   ... or its call is in the port's queue already
//!   the timer rings: registers ------->  it has stopped: frame, resume
//!   its call arrives: resume             it waits: before_return
//! ```
//!
//! Of these two ends exactly one comes, since a thread that is suspended makes no call.

use super::action::{Action, Effect};
use super::frame;
use super::info::Info;
use super::queue::bit;
use super::{Pending, stop};
use crate::errno::{Errno, Result};
use crate::process::{Task, exit};
use alloc::rc::Rc;
use linux_raw_sys::general::{SA_NODEFER, SA_RESETHAND, SA_RESTART, SIGSEGV};
use rt::Error;
use rt::abi::{FPU_BYTES, REGISTERS};
use rt::arch::RESULT;

/// Nanoseconds until a thread that still runs is looked at again: at first, and after many times.
const PATIENCE: (u64, u64) = (20_000, 2_000_000);

/// What becomes of a thread that is about to return from a call.
pub enum Verdict {
    /// It returns this.
    Return(Result),
    /// Its registers have been set.
    AsIs,
    /// It is no more.
    Gone,
    /// It is stopped, and returns this later.
    Hold(Result),
}

/// The registers of a thread that waits for the answer to a call, or is suspended.
pub struct Machine<'a> {
    task: &'a Task,
    suspended: bool,
    /// The general ones.
    pub general: [u64; REGISTERS],
}

impl Machine<'_> {
    /// Reads them.
    fn load(task: &Task, suspended: bool) -> Result<Machine<'_>> {
        let general = if suspended { task.thread.registers()? } else { task.registers()? };
        Ok(Machine { task, suspended, general })
    }

    /// Writes them.
    fn store(&self) -> Result<()> {
        match self.suspended {
            true => Ok(self.task.thread.set_registers(&self.general)?),
            false => self.task.set_registers(&self.general),
        }
    }

    /// Reads those of floating point.
    pub fn fpu(&self, fpu: &mut [u8; FPU_BYTES]) -> Result<()> {
        match self.suspended {
            true => self.task.thread.fpu(fpu)?,
            false => self.task.thread.caller_fpu(fpu)?,
        }
        Ok(())
    }

    /// Replaces those.
    #[cfg(target_arch = "x86_64")]
    pub fn set_fpu(&self, fpu: &[u8; FPU_BYTES]) -> Result<()> {
        match self.suspended {
            true => self.task.thread.set_fpu(fpu)?,
            false => self.task.thread.set_caller_fpu(fpu)?,
        }
        Ok(())
    }

    /// The call that the thread made is over, with this result, and this handler comes next, if any.
    fn end_call(&mut self, result: Result, handler: Option<&Action>) {
        let again = match result {
            Err(Errno::RESTART) => handler.is_none_or(|action| action.has(SA_RESTART)),
            Err(Errno::RESTART_WITHOUT_HANDLER) => handler.is_none(),
            _ => false,
        };
        self.general[RESULT] = match result {
            _ if again => return frame::restart(&mut self.general, self.task.call.get()),
            Err(Errno::RESTART | Errno::RESTART_WITHOUT_HANDLER) => Errno::EINTR.register(),
            result => result.unwrap_or_else(Errno::register),
        };
    }
}

impl Pending {
    /// Which wait that are not blocked, of these and those of the process.
    fn due(&self, process: u64) -> u64 {
        (self.queue.set() | process) & !self.blocked.get()
    }
}

/// Whether a signal waits that would end a wait.
pub fn interrupts(task: &Task) -> bool {
    let process = &task.process.signals;
    task.signals.due(process.queue.set()) != 0 || process.doomed.get().is_some()
}

/// Delivers what waits for a thread that is about to return, with this result if it is of a call.
pub fn before_return(task: &Rc<Task>, result: Option<Result>) -> Verdict {
    let verdict = match result {
        Some(Err(Errno::RESTART | Errno::RESTART_WITHOUT_HANDLER | Errno::AS_IS)) => {
            deliver(task, false, result.filter(|result| *result != Err(Errno::AS_IS)))
        }
        _ if interrupts(task) || task.process.is_stopped() => deliver(task, false, result),
        _ => {
            task.signals.end_wait();
            if interrupts(task) { deliver(task, false, result) } else { plain(result) }
        }
    };
    let answered = matches!(verdict, Verdict::Return(_) | Verdict::AsIs);
    task.signals.called.set(!answered);
    verdict
}

fn plain(result: Option<Result>) -> Verdict {
    result.map_or(Verdict::AsIs, Verdict::Return)
}

/// Delivers all that is due.
fn deliver(task: &Rc<Task>, suspended: bool, mut result: Option<Result>) -> Verdict {
    let process = &task.process;
    let mut machine = None;
    loop {
        if let Some(signal) = process.signals.doomed.get() {
            exit::kill(process, signal);
        }
        if task.dying.get() {
            return Verdict::Gone;
        }
        if process.is_stopped() {
            break;
        }
        let due = task.signals.due(process.signals.queue.set());
        let next = task.signals.queue.take(due).or_else(|| process.signals.queue.take(due));
        let Some(info) = next else {
            if task.signals.saved.get().is_none() {
                break;
            }
            task.signals.end_wait();
            continue;
        };
        match process.signals.effect(info.signal) {
            Effect::Nothing => {}
            Effect::Stop => stop::stop(process, info.signal),
            Effect::End => process.signals.doomed.set(Some(info.signal)),
            Effect::Handle(action) => {
                if machine.is_none() {
                    machine = Machine::load(task, suspended).ok();
                }
                // Whose registers cannot be had is no more.
                let Some(machine) = &mut machine else { return Verdict::Gone };
                result.take().into_iter().for_each(|it| machine.end_call(it, Some(&action)));
                handle(machine, &info, &action);
            }
        }
    }
    go_back(task, suspended, machine, result)
}

/// The thread goes on, or is held.
fn go_back<'a>(
    task: &'a Rc<Task>,
    suspended: bool,
    mut machine: Option<Machine<'a>>,
    result: Option<Result>,
) -> Verdict {
    let stored = machine.as_ref().is_none_or(|machine| machine.store().is_ok());
    if task.process.is_stopped() {
        return Verdict::Hold(result.unwrap_or(Err(Errno::AS_IS)));
    }
    match result {
        Some(result @ Err(Errno::RESTART | Errno::RESTART_WITHOUT_HANDLER)) => {
            if machine.is_none() {
                machine = Machine::load(task, suspended).ok();
            }
            let Some(mut machine) = machine else { return Verdict::Gone };
            machine.end_call(result, None);
            if machine.store().is_ok() { Verdict::AsIs } else { Verdict::Gone }
        }
        _ if !stored => Verdict::Gone,
        result => plain(result),
    }
}

/// Has a handler called. If there is no room for its frame that is a fault of its own.
fn handle(machine: &mut Machine<'_>, info: &Info, action: &Action) {
    let task = machine.task;
    let signals = &task.signals;
    let mask = signals.saved.get().unwrap_or(signals.blocked.get());
    if action.has(SA_RESETHAND) {
        task.process.signals.reset(info.signal);
    }
    if frame::push(task, machine, info, action, mask).is_err() {
        if info.signal == SIGSEGV {
            task.process.signals.reset(SIGSEGV);
        }
        return super::fault::force(task, Info::kernel(SIGSEGV));
    }
    signals.saved.set(None);
    let own = if action.has(SA_NODEFER) { 0 } else { bit(info.signal) };
    signals.blocked.set(signals.blocked.get() | action.mask | own);
}

/// A signal has come that a thread may take. One whose call is just being served sees it before it
/// returns.
pub fn notify(task: &Rc<Task>) {
    if !task.signals.called.get() {
        catch(task);
    } else if task.waiting.borrow().is_some() {
        task.waker.wake_by_ref();
    }
}

/// Interrupts a thread that runs user code.
fn catch(task: &Rc<Task>) {
    if task.signals.called.get() || task.dying.get() || task.thread.suspend().is_err() {
        return;
    }
    let waited = task.signals.hunted.take();
    match task.thread.registers() {
        Ok(_) => {
            if let Verdict::Return(_) | Verdict::AsIs = deliver(task, true, None) {
                // One that is gone is as good.
                let _ = task.thread.resume();
            }
        }
        Err(Error::Busy) => {
            let patience = (2 * waited).clamp(PATIENCE.0, PATIENCE.1);
            task.signals.hunted.set(patience);
            let soon = rt::time::now() + patience;
            task.process.server.clock.wake_at(soon, &task.waker);
        }
        Err(_) => {}
    }
}

/// A call or fault of a thread has arrived.
pub fn called(task: &Task) {
    task.signals.called.set(true);
    if task.signals.hunted.take() != 0 && !task.process.is_stopped() {
        // One that is gone is as good.
        let _ = task.thread.resume();
    }
}

/// A thread that was stopped goes on.
pub fn go_on(task: &Rc<Task>) {
    if !task.signals.called.get() && (task.signals.hunted.get() != 0 || interrupts(task)) {
        return catch(task);
    }
    // One that is gone is as good.
    let _ = task.thread.resume();
    task.waker.wake_by_ref();
}

/// Whether what a thread waits for is to be looked at, now that somebody has woken it.
pub fn may_look(task: &Rc<Task>) -> bool {
    if let Some(signal) = task.process.signals.doomed.get() {
        exit::kill(&task.process, signal);
        return false;
    }
    if task.signals.hunted.get() != 0 {
        catch(task);
    }
    !task.process.is_stopped()
}
