//! `fork`, `vfork`, `clone`: another process, or another thread.

use super::{Process, Program, State, Task, pidfd};
use crate::errno::{Errno, Result};
use crate::server::Call;
use crate::signal::action::SIGNALS;
use crate::wait::Outcome;
use alloc::rc::Rc;
use core::cell::{Cell, RefCell};
use linux_raw_sys::general::{
    CLONE_CHILD_CLEARTID, CLONE_CHILD_SETTID, CLONE_DETACHED, CLONE_FILES, CLONE_FS, CLONE_PARENT,
    CLONE_PARENT_SETTID, CLONE_PIDFD, CLONE_SETTLS, CLONE_SIGHAND, CLONE_SYSVSEM, CLONE_THREAD,
    CLONE_VFORK, CLONE_VM, CSIGNAL,
};
use rt::abi::{PAGE, REGISTERS, THREAD_FPU};
use rt::arch::{RESULT, STACK_POINTER, TLS};
use zerocopy::IntoBytes;

/// What a clone is to be.
struct Wish {
    flags: u32,
    stack: u64,
    parent_tid: u64,
    child_tid: u64,
    tls: u64,
    exit_signal: u32,
    /// Where the descriptor of the child goes.
    descriptor: u64,
}

/// Bits that `clone` takes; some of them mean nothing any more.
const KNOWN: u32 = CLONE_VM
    | CLONE_FS
    | CLONE_FILES
    | CLONE_SIGHAND
    | CLONE_PIDFD
    | CLONE_VFORK
    | CLONE_PARENT
    | CLONE_THREAD
    | CLONE_SYSVSEM
    | CLONE_SETTLS
    | CLONE_PARENT_SETTID
    | CLONE_CHILD_CLEARTID
    | CLONE_DETACHED
    | CLONE_CHILD_SETTID;

#[cfg(target_arch = "x86_64")]
pub fn fork(call: &Call) -> Outcome {
    clone_with(call, &FORK)
}

#[cfg(target_arch = "x86_64")]
pub fn vfork(call: &Call) -> Outcome {
    clone_with(call, &Wish { flags: CLONE_VM | CLONE_VFORK, ..FORK })
}

/// What `fork` is.
#[cfg(target_arch = "x86_64")]
const FORK: Wish = Wish {
    flags: 0,
    stack: 0,
    parent_tid: 0,
    child_tid: 0,
    tls: 0,
    exit_signal: linux_raw_sys::general::SIGCHLD,
    descriptor: 0,
};

pub fn clone(call: &Call) -> Outcome {
    let [flags, stack, parent_tid, a3, a4, ..] = call.args;
    // The two have changed places (clone(2)).
    let (tls, child_tid) = if cfg!(target_arch = "x86_64") { (a4, a3) } else { (a3, a4) };
    let (flags, exit_signal) = (flags as u32 & !CSIGNAL, flags as u32 & CSIGNAL);
    let descriptor = parent_tid;
    // The descriptor goes where the number would.
    if flags & CLONE_PIDFD != 0 && flags & (CLONE_PARENT_SETTID | CLONE_DETACHED) != 0 {
        return Outcome::Done(Err(Errno::EINVAL));
    }
    clone_with(call, &Wish { flags, stack, parent_tid, child_tid, tls, exit_signal, descriptor })
}

pub fn clone3(call: &Call) -> Outcome {
    match clone3_wish(call) {
        Ok(wish) => clone_with(call, &wish),
        Err(error) => Outcome::Done(Err(error)),
    }
}

/// `struct clone_args`, of which what we do not know must be zero.
fn clone3_wish(call: &Call) -> Result<Wish> {
    const KNOWN_WORDS: usize = 11;
    let [at, size, ..] = call.args;
    if size > PAGE {
        return Err(Errno::E2BIG);
    }
    if size < 64 {
        return Err(Errno::EINVAL);
    }
    let mut words = [0u64; PAGE as usize / 8];
    let bytes = &mut words.as_mut_bytes()[..size as usize];
    call.process().paid(|native| native.read(at, bytes))?;
    if words[KNOWN_WORDS..].iter().any(|&word| word != 0) {
        return Err(Errno::E2BIG);
    }
    let [flags, descriptor, child_tid, parent_tid, exit_signal, start, length, tls, ..] = words;
    let same_parent = (CLONE_THREAD | CLONE_PARENT) as u64;
    if flags >> 32 != 0
        || flags as u32 & (CSIGNAL | CLONE_DETACHED) != 0
        || exit_signal > SIGNALS.into()
        || flags & same_parent != 0 && exit_signal != 0
        || (start == 0) != (length == 0)
        || words[8..KNOWN_WORDS].iter().any(|&word| word != 0)
    {
        return Err(Errno::EINVAL);
    }
    let (flags, exit_signal) = (flags as u32, exit_signal as u32);
    let stack = start.wrapping_add(length);
    Ok(Wish { flags, stack, parent_tid, child_tid, tls, exit_signal, descriptor })
}

/// Whether bits go together.
fn check(call: &Call, flags: u32) -> Result<()> {
    let has = |bits| flags & bits == bits;
    if flags & !KNOWN != 0
        || has(CLONE_THREAD) && !has(CLONE_SIGHAND)
        || has(CLONE_SIGHAND) && !has(CLONE_VM)
        || has(CLONE_PIDFD | CLONE_THREAD)
        || has(CLONE_PARENT) && call.process().pid == 1
    {
        return Err(Errno::EINVAL);
    }
    Ok(())
}

fn clone_with(call: &Call, wish: &Wish) -> Outcome {
    let made = check(call, wish.flags).and_then(|()| match wish.flags & CLONE_THREAD {
        0 => new_process(call, wish),
        _ => new_thread(call, wish),
    });
    let task = match made {
        Ok(task) => task,
        Err(error) => return Outcome::Done(Err(error)),
    };
    let (tid, child) = (task.tid.get(), task.process.clone());
    if wish.flags & CLONE_VFORK == 0 {
        return Outcome::Done(Ok(tid.into()));
    }
    Outcome::wait_for_ever(async move {
        let over = || {
            if child.has_execed.get() || !child.is_alive() { Ok(()) } else { Err(Errno::EAGAIN) }
        };
        child.changed.until(over).await?;
        Ok(tid.into())
    })
}

/// The registers that the new thread begins with.
fn registers(call: &Call, wish: &Wish) -> Result<[u64; REGISTERS]> {
    let mut registers = call.task.registers()?;
    registers[RESULT] = 0;
    if wish.stack != 0 {
        registers[STACK_POINTER] = wish.stack;
    }
    if wish.flags & CLONE_SETTLS != 0 {
        registers[TLS] = wish.tls;
    }
    Ok(registers)
}

fn new_thread(call: &Call, wish: &Wish) -> Result<Rc<Task>> {
    let registers = registers(call, wish)?;
    let task = call.server.new_task(&call.task.process, Some(&call.task))?;
    task.signals.forget_stack();
    match finish(call, wish, &task, &registers) {
        Ok(()) => Ok(task),
        Err(error) => {
            super::exit::end_task(&task);
            Err(error)
        }
    }
}

fn new_process(call: &Call, wish: &Wish) -> Result<Rc<Task>> {
    let me = call.process();
    let registers = registers(call, wish)?;
    let child = call.server.new_process(me, |native, pid| Process {
        server: call.server,
        pid,
        native,
        parent: RefCell::new(match wish.flags & CLONE_PARENT {
            0 => Rc::downgrade(&call.task.process),
            _ => me.parent.borrow().clone(),
        }),
        children: RefCell::default(),
        tasks: RefCell::default(),
        group: me.group.clone(),
        session: me.session.clone(),
        space: RefCell::new(me.space.borrow().fork()),
        files: me.files.clone(),
        current: me.current.clone(),
        root: me.root.clone(),
        umask: me.umask.clone(),
        ids: me.ids.clone(),
        signals: me.signals.fork(),
        program: RefCell::new(Program::clone(&me.program.borrow())),
        state: Cell::new(State::Running),
        told: Cell::new(true),
        exit_signal: Cell::new(match wish.flags & CLONE_PARENT {
            0 => wish.exit_signal,
            _ => me.exit_signal.get(),
        }),
        has_execed: Cell::new(false),
        child_changed: Default::default(),
        changed: Default::default(),
        started: rt::time::now(),
        times: Cell::default(),
        limits: me.limits.clone(),
        timers: Default::default(),
        traits: me.traits.fork(),
    })?;
    let made = child.native.clone_space(&me.native).map_err(Errno::from).and_then(|()| {
        let task = call.server.new_task(&child, Some(&call.task))?;
        finish(call, wish, &task, &registers).map(|()| task)
    });
    match made {
        Ok(task) => {
            let parent = child.parent.borrow().upgrade();
            parent.inspect(|parent| parent.children.borrow_mut().push(child.clone()));
            Ok(task)
        }
        Err(error) => {
            call.server.forget(&child);
            Err(if error == Errno::ENOMEM { error } else { Errno::EAGAIN })
        }
    }
}

/// Tells both sides, and lets the new thread run.
fn finish(call: &Call, wish: &Wish, task: &Rc<Task>, registers: &[u64; REGISTERS]) -> Result<()> {
    if wish.flags & CLONE_PARENT_SETTID != 0 {
        call.process().put(wish.parent_tid, &task.tid.get())?;
    }
    if wish.flags & CLONE_PIDFD != 0 {
        let fd = pidfd::open(call, &task.process, 0)?;
        let told = call.process().put(wish.descriptor, &(fd as u32));
        told.inspect_err(|_| drop(call.process().files.close(fd)))?;
    }
    if wish.flags & CLONE_CHILD_SETTID != 0 {
        task.process.put(wish.child_tid, &task.tid.get())?;
    }
    if wish.flags & CLONE_CHILD_CLEARTID != 0 {
        task.clear_tid.set(wish.child_tid);
    }
    task.schedule.begin(task)?;
    task.thread.set_registers(registers)?;
    let mut fpu = [0; rt::abi::FPU_BYTES];
    call.task.thread.caller_fpu(&mut fpu)?;
    task.thread.set_fpu(&fpu)?;
    Ok(task.thread.resume()?)
}

/// How threads of guests are made.
pub const FLAGS: u64 = THREAD_FPU | PRIORITY as u64;
/// The priority that they run with.
pub const PRIORITY: u8 = 16;
