//! Threads of this process that run a closure, each on a stack of its own with a guard below.

use crate::abi::{ANY_CPU, Call, Error, MAP_WRITE, THREAD_FPU, THREAD_START};
use crate::arch::syscall;
use crate::object::{Port, Thread, ThreadState};
use crate::space::Mapping;
use crate::time::{MILLISECOND, nap, now};
use alloc::boxed::Box;

/// Pages of a thread's stack.
const STACK_PAGES: u64 = 16;
/// The signal of a thread that is about to end.
const DONE: u64 = 1;
/// How long to believe that a thread will say that it ends.
const PATIENCE: u64 = 10 * MILLISECOND;

/// How a thread is to run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Its priority.
    pub priority: u8,
    /// Its time slice in nanoseconds, where it is not to be the kernel's choice.
    pub slice: Option<u64>,
    /// The CPUs it may run on.
    pub cpus: u64,
    /// Whether it has floating point and SIMD registers.
    pub fpu: bool,
    /// What the messages of its faults and foreign calls are tagged with.
    pub tag: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options { priority: PRIORITY, slice: None, cpus: ANY_CPU, fpu: false, tag: 0 }
    }
}

/// The priority of what has no reason for another.
pub const PRIORITY: u8 = 16;
/// The time slice of a thread that asks for other CPUs but for no slice, in nanoseconds.
pub const SLICE: u64 = 10_000_000;

/// A thread that was spawned. Dropping it takes the stack away from under a thread that still runs:
/// that is for threads that were killed. All others are to be [joined](Spawned::join).
#[derive(Debug)]
pub struct Spawned {
    /// The thread itself.
    pub thread: Thread,
    done: Port,
    _stack: Mapping,
}

/// What a new thread finds at its argument.
struct Work {
    run: Box<dyn FnOnce() + Send>,
    done: Port,
}

/// Runs a closure on a thread of its own.
pub fn spawn(options: Options, run: impl FnOnce() + Send + 'static) -> Result<Spawned, Error> {
    let stack = Mapping::fresh(STACK_PAGES, MAP_WRITE)?;
    let done = Port::create(0)?;
    let signal = done.duplicate(crate::abi::PortRights::SIGNAL)?;
    let work = Box::into_raw(Box::new(Work { run: Box::new(run), done: signal }));
    let created = create(options, &stack, work as u64);
    if created.is_err() {
        // SAFETY: no thread has it.
        drop(unsafe { Box::from_raw(work) });
    }
    Ok(Spawned { thread: created?, done, _stack: stack })
}

fn create(options: Options, stack: &Mapping, argument: u64) -> Result<Thread, Error> {
    let entry = thread_entry as extern "C" fn(*mut Work) -> ! as usize as u64;
    let fpu = if options.fpu { THREAD_FPU } else { 0 };
    let flags = u64::from(options.priority) | fpu;
    // A function expects the stack as a call leaves it.
    let top = stack.end() - ENTRY_GAP;
    let process = crate::process();
    if options.slice.is_none() && options.cpus == ANY_CPU {
        let flags = flags | THREAD_START;
        return Thread::create(&process, entry, top, argument, options.tag, flags);
    }
    let thread = Thread::create(&process, entry, top, argument, options.tag, flags)?;
    let scheduled = thread
        .schedule(options.priority, options.slice.unwrap_or(SLICE), options.cpus)
        .and_then(|()| thread.resume());
    if scheduled.is_err() {
        thread.kill()?;
    }
    scheduled.map(|()| thread)
}

/// Bytes between the end of a stack and the stack pointer at a function's entry.
const ENTRY_GAP: u64 = if cfg!(target_arch = "x86_64") { 8 } else { 0 };

extern "C" fn thread_entry(work: *mut Work) -> ! {
    // SAFETY: `spawn` made it for this thread alone.
    let Work { run, done } = *unsafe { Box::from_raw(work) };
    run();
    // Nobody may wait any more.
    let _ = done.signal(DONE);
    drop(done);
    exit()
}

/// Ends the calling thread. What it owns is not dropped.
pub fn exit() -> ! {
    loop {
        // SAFETY: it touches no memory, and nothing comes after it.
        unsafe { syscall(Call::ThreadExit as u64, &mut [0; 10]) };
    }
}

impl Spawned {
    /// Waits for the thread's end, and frees its stack.
    pub fn join(self) {
        // A thread that was killed says nothing: so look after it now and then.
        while self.done.receive(now() + PATIENCE) == Err(Error::TimedOut) && !self.has_ended() {}
        while !self.has_ended() {
            nap();
        }
    }

    /// Whether the thread is no more.
    pub fn has_ended(&self) -> bool {
        self.thread.info().is_ok_and(|info| info.state == ThreadState::Ended)
    }
}
