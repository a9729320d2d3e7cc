//! Processes and their threads: what each of them has, and who knows them.

pub mod barrier;
pub mod elf;
pub mod exec;
pub mod exit;
pub mod fork;
pub mod ids;
pub mod info;
pub mod limits;
pub mod load;
pub mod mapping;
pub mod memory;
pub mod pidfd;
pub mod prctl;
pub mod schedule;
pub mod quota;
pub mod strings;

pub use ids::Ids;

use crate::errno::Result;
use crate::file::{Descriptors, Open};
use crate::fs::Inode;
use crate::server::Server;
use crate::signal::{Pending, Signals};
use crate::time::timer::Timers;
use crate::wait::{Waiters, Waiting};
use alloc::rc::{Rc, Weak};
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::task::Waker;
use linux_raw_sys::general::AT_FDCWD;
use memory::Space;
use rt::Thread;
use rt::abi::REGISTERS;
use rt::object::Halted;

/// A process.
pub struct Process {
    /// Who serves it.
    pub server: &'static Server,
    /// Its number.
    pub pid: u32,
    /// What the kernel knows of it.
    pub native: rt::Process,
    /// Who waits for it.
    pub parent: RefCell<Weak<Process>>,
    /// Whom it waits for.
    pub children: RefCell<Vec<Rc<Process>>>,
    /// Its threads that have not ended.
    pub tasks: RefCell<Vec<Rc<Task>>>,
    /// The number of its process group.
    pub group: Cell<u32>,
    /// The number of its session.
    pub session: Cell<u32>,
    /// What is mapped in it.
    pub space: RefCell<Space>,
    /// Its descriptors.
    pub files: Descriptors,
    /// Where relative paths begin.
    pub current: RefCell<Rc<Inode>>,
    /// Where absolute ones do.
    pub root: RefCell<Rc<Inode>>,
    /// Permissions that new files do not get.
    pub umask: Cell<u32>,
    /// Who it is.
    pub ids: RefCell<Ids>,
    /// What it does with signals, and those that wait for any of its threads.
    pub signals: Signals,
    /// The program.
    pub program: RefCell<Rc<Program>>,
    /// How it is.
    pub state: Cell<State>,
    /// Whether its state was told to the parent.
    pub told: Cell<bool>,
    /// The signal that its end sends to the parent.
    pub exit_signal: Cell<u32>,
    /// It has called `execve` since it was made.
    pub has_execed: Cell<bool>,
    /// Who waits for the state of a child to change.
    pub child_changed: Waiters,
    /// Who waits for this process itself: for its end, or its `execve`.
    pub changed: Waiters,
    /// When it began, in nanoseconds of the monotonic clock.
    pub started: u64,
    /// Nanoseconds that threads ran which have ended, and children that were waited for.
    pub times: Cell<[u64; 2]>,
    /// Limits, as `getrlimit` has them: soft and hard.
    pub limits: RefCell<[[u64; 2]; 16]>,
    /// Its timers.
    pub timers: Timers,
    /// What `prctl` sets.
    pub traits: prctl::Traits,
}

/// What a process runs.
#[derive(Clone, Default)]
pub struct Program {
    /// The file.
    pub file: Option<Rc<Inode>>,
    /// Its path.
    pub path: Vec<u8>,
    /// Its short name: 15 bytes at most.
    pub name: Vec<u8>,
    /// Where its arguments are in its memory, and where its environment is.
    pub arguments: (u64, u64),
    /// See above.
    pub environment: (u64, u64),
    /// Where its auxiliary vector is.
    pub auxiliary: (u64, u64),
}

/// How a process is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// It runs.
    Running,
    /// It was stopped by a signal.
    Stopped(u32),
    /// It was stopped, and goes on.
    Continued,
    /// It has ended with this status, as `wait` has it.
    Ended(u32),
}

/// A thread.
pub struct Task {
    /// Its number, which `execve` may change.
    pub tid: Cell<u32>,
    /// Whose it is.
    pub process: Rc<Process>,
    /// What the kernel knows of it.
    pub thread: Thread,
    /// The number that its calls arrive with.
    pub tag: u64,
    /// Wakes it when it waits.
    pub waker: Waker,
    /// What it waits for.
    pub waiting: RefCell<Option<Waiting>>,
    /// The number and the first argument of its last call, for making it again.
    pub call: Cell<(u64, u64)>,
    /// Signals that wait for it alone, and those that it blocks.
    pub signals: Pending,
    /// What is zeroed, and woken, when it ends.
    pub clear_tid: Cell<u64>,
    /// The list of its robust futexes.
    pub robust: Cell<u64>,
    /// What the program has said about its turns on the CPUs.
    pub schedule: schedule::Settings,
    /// Its name, if it has one of its own.
    pub name: RefCell<Option<Vec<u8>>>,
    /// It is being ended.
    pub dying: Cell<bool>,
}

impl Process {
    /// The directory where a path begins.
    pub fn directory(&self, at: u64, path: &[u8]) -> Result<Rc<Inode>> {
        if path.starts_with(b"/") || at as i32 == AT_FDCWD {
            return Ok(self.current.borrow().clone());
        }
        Ok(self.files.get(at)?.inode.clone())
    }

    /// The number of descriptors it may have.
    pub fn descriptor_limit(&self) -> u64 {
        self.limits.borrow()[linux_raw_sys::general::RLIMIT_NOFILE as usize][0]
    }

    /// Takes the lowest free descriptor.
    pub fn add_descriptor(&self, open: Rc<Open>, close_on_exec: bool) -> Result {
        self.files.add(0, self.descriptor_limit(), open, close_on_exec)
    }

    /// Refuses if it has no descriptor left.
    pub fn free_descriptor(&self) -> Result<()> {
        self.files.free(0, self.descriptor_limit()).map(|_| ())
    }

    /// A thread of it, if one is left.
    pub fn any_task(&self) -> Option<Rc<Task>> {
        self.tasks.borrow().first().cloned()
    }

    /// Whether it has not ended.
    pub fn is_alive(&self) -> bool {
        !matches!(self.state.get(), State::Ended(_))
    }

    /// Nanoseconds that its threads ran.
    pub fn ran(&self) -> u64 {
        self.native.info().map_or(0, |info| info.ran)
    }
}

impl Task {
    /// Its registers, while it waits for the answer to a call.
    pub fn registers(&self) -> Result<[u64; REGISTERS]> {
        Ok(Halted::Calling(&self.thread).general()?)
    }

    /// Replaces them.
    #[cfg(target_arch = "x86_64")]
    pub fn set_registers(&self, general: &[u64; REGISTERS]) -> Result<()> {
        Ok(Halted::Calling(&self.thread).write(general)?)
    }

    /// Sets the registers it begins a program with: in the answer to its call, or before it runs.
    pub fn set_start(&self, general: &[u64; REGISTERS]) -> Result<()> {
        let begins = self.call.get().0 == 0;
        let halted = if begins { Halted::Suspended } else { Halted::Calling };
        Ok(halted(&self.thread).write(general)?)
    }
}
