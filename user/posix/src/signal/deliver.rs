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
use core::mem::MaybeUninit;
use linux_raw_sys::general::{SA_NODEFER, SA_RESETHAND, SA_RESTART, SIGSEGV};
use rt::Error;
use rt::abi::REGISTERS;
use rt::arch::RESULT;
use rt::object::{Halted, Registers};

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
#[inline]
pub fn before_return(task: &Rc<Task>, result: Option<Result>) -> Verdict {
    let verdict = match result {
        Some(Err(Errno::RESTART | Errno::RESTART_WITHOUT_HANDLER | Errno::AS_IS)) => deliver(
            task,
            Halted::Calling(&task.thread),
            result.filter(|result| *result != Err(Errno::AS_IS)),
        ),
        _ if interrupts(task) || task.process.is_stopped() => {
            deliver(task, Halted::Calling(&task.thread), result)
        }
        _ if task.signals.end_wait() && interrupts(task) => {
            deliver(task, Halted::Calling(&task.thread), result)
        }
        _ => plain(result),
    };
    let answered = matches!(verdict, Verdict::Return(_) | Verdict::AsIs);
    task.signals.called.set(!answered);
    verdict
}

fn plain(result: Option<Result>) -> Verdict {
    result.map_or(Verdict::AsIs, Verdict::Return)
}

/// Delivers all that is due, to a thread whose call is over with this result, if it made one.
#[inline(never)]
fn deliver(task: &Rc<Task>, halted: Halted<'_>, mut result: Option<Result>) -> Verdict {
    let mut next = match next_handled(task) {
        Ok(next) => next,
        Err(Gone) => return Verdict::Gone,
    };
    if let Some((_, action)) = &next {
        let mut room = MaybeUninit::<Registers>::uninit();
        // Whose registers cannot be had is no more.
        let Ok(registers) = halted.read(&mut room) else { return Verdict::Gone };
        result.take().inspect(|it| end_call(task, &mut registers.general, *it, Some(action)));
        while let Some((info, action)) = next {
            handle(task, registers, &info, &action);
            next = match next_handled(task) {
                Ok(next) => next,
                Err(Gone) => return Verdict::Gone,
            };
        }
        if frame::store(halted, registers).is_err() {
            return Verdict::Gone;
        }
    }
    match result {
        result if task.process.is_stopped() => Verdict::Hold(result.unwrap_or(Err(Errno::AS_IS))),
        Some(result @ Err(Errno::RESTART | Errno::RESTART_WITHOUT_HANDLER)) => {
            let Ok(mut general) = halted.general() else { return Verdict::Gone };
            end_call(task, &mut general, result, None);
            if halted.write(&general).is_ok() { Verdict::AsIs } else { Verdict::Gone }
        }
        result => plain(result),
    }
}

/// The thread is no more.
struct Gone;

/// The next signal that has a handler; what the others do by themselves is done.
fn next_handled(task: &Task) -> core::result::Result<Option<(Info, Action)>, Gone> {
    let process = &task.process;
    loop {
        if let Some(signal) = process.signals.doomed.get() {
            exit::kill(process, signal);
        }
        if task.dying.get() {
            return Err(Gone);
        }
        if process.is_stopped() {
            return Ok(None);
        }
        let due = task.signals.due(process.signals.queue.set());
        let next = task.signals.queue.take(due).or_else(|| process.signals.queue.take(due));
        let Some(info) = next else {
            if task.signals.saved.get().is_none() {
                return Ok(None);
            }
            task.signals.end_wait();
            continue;
        };
        match process.signals.effect(info.signal) {
            Effect::Nothing => {}
            Effect::Stop => stop::stop(process, info.signal),
            Effect::End => process.signals.doomed.set(Some(info.signal)),
            Effect::Handle(action) => return Ok(Some((info, action))),
        }
    }
}

/// The call that a thread made is over, with this result, and this handler comes next, if any.
fn end_call(task: &Task, general: &mut [u64; REGISTERS], result: Result, handler: Option<&Action>) {
    let again = match result {
        Err(Errno::RESTART) => handler.is_none_or(|action| action.has(SA_RESTART)),
        Err(Errno::RESTART_WITHOUT_HANDLER) => handler.is_none(),
        _ => false,
    };
    general[RESULT] = match result {
        _ if again => return frame::restart(general, task.call.get()),
        Err(Errno::RESTART | Errno::RESTART_WITHOUT_HANDLER) => Errno::EINTR.register(),
        result => result.unwrap_or_else(Errno::register),
    };
}

/// Has a handler called. If there is no room for its frame that is a fault of its own.
fn handle(task: &Task, registers: &mut Registers, info: &Info, action: &Action) {
    let signals = &task.signals;
    let mask = signals.saved.get().unwrap_or(signals.blocked.get());
    if action.has(SA_RESETHAND) {
        task.process.signals.reset(info.signal);
    }
    if frame::push(task, registers, info, action, mask).is_err() {
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
    match Halted::Suspended(&task.thread).general() {
        Ok(_) => {
            if let Verdict::Return(_) | Verdict::AsIs =
                deliver(task, Halted::Suspended(&task.thread), None)
            {
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
