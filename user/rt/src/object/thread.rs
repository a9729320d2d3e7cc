//! Threads, as the kernel knows them. [`crate::thread`] has those that run a closure.

use super::{Object, Process, objects};
use crate::abi::{Call, Error};
use crate::call::invoke;

objects! {
    /// Something that runs in a process.
    Thread, ThreadRights;
}

/// What a thread is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ThreadState {
    /// It could run.
    Ready,
    /// It runs.
    Running,
    /// It waits.
    Waiting,
    /// It is kept from running.
    Suspended,
    /// It is no more.
    Ended,
}

/// How a thread is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ThreadInfo {
    /// What it is doing.
    pub state: ThreadState,
    /// How long it ran, in nanoseconds.
    pub ran: u64,
    /// Where it runs, or did.
    pub cpu: u64,
    /// Its priority.
    pub priority: u64,
}

impl Thread {
    /// A thread; `flags` are `THREAD_*` and the priority.
    pub fn create(
        process: &Process,
        entry: u64,
        stack: u64,
        argument: u64,
        tag: u64,
        flags: u64,
    ) -> Result<Thread, Error> {
        let arguments = [process.raw(), entry, stack, argument, tag, flags];
        invoke(Call::ThreadCreate, arguments).map(|out| Thread::from_raw(out[1]))
    }

    /// Ends it.
    pub fn kill(&self) -> Result<(), Error> {
        invoke(Call::ThreadKill, [self.raw()]).map(|_| ())
    }

    /// Keeps it from running.
    pub fn suspend(&self) -> Result<(), Error> {
        invoke(Call::ThreadSuspend, [self.raw()]).map(|_| ())
    }

    /// Lets it run again.
    pub fn resume(&self) -> Result<(), Error> {
        invoke(Call::ThreadResume, [self.raw()]).map(|_| ())
    }

    /// Ends its wait.
    pub fn cancel(&self) -> Result<(), Error> {
        invoke(Call::ThreadCancel, [self.raw()]).map(|_| ())
    }

    /// Sets priority, time slice in nanoseconds, and the CPUs it may run on.
    pub fn schedule(&self, priority: u8, slice: u64, cpus: u64) -> Result<(), Error> {
        invoke(Call::ThreadSchedule, [self.raw(), priority.into(), slice, cpus]).map(|_| ())
    }

    /// How it is.
    pub fn info(&self) -> Result<ThreadInfo, Error> {
        let out = invoke(Call::ThreadInfo, [self.raw()])?;
        let state = match out[1] {
            0 => ThreadState::Ready,
            1 => ThreadState::Running,
            2 => ThreadState::Waiting,
            3 => ThreadState::Suspended,
            _ => ThreadState::Ended,
        };
        Ok(ThreadInfo { state, ran: out[2], cpu: out[3], priority: out[4] })
    }
}
