//! The beginning and the end of processes.

use crate::abi::{Error, PRIORITIES};
use crate::arch;
use crate::kernel::Kernel;
use crate::mm::{Account, Arena, Id};
use crate::object::{Life, Notice, Process, State, Thread};
use crate::units::{CpuId, Result};

impl Kernel {
    /// A process with part of an account's quota. It is charged for itself.
    pub fn create_process(
        &mut self,
        parent: Id<Account>,
        quota: u64,
        ceiling: u8,
    ) -> Result<Id<Process>> {
        if ceiling >= PRIORITIES {
            return Err(Error::Invalid);
        }
        self.processes.reserve(&mut self.vm.ram)?;
        self.vm.charge(parent, Arena::<Process>::COST)?;
        let made = self.vm.account_open(parent, quota).and_then(|account| {
            let space = self.vm.space_create(account);
            Ok((account, space.inspect_err(|_| self.vm.account_close(account))?))
        });
        let (account, space) =
            made.inspect_err(|_| self.vm.uncharge(parent, Arena::<Process>::COST))?;
        let process = Process {
            space,
            account,
            payer: parent,
            handles: None,
            threads: None,
            thread_count: 0,
            handler: None,
            watch: None,
            cloning: false,
            life: Life::Alive,
            code: 0,
            time: 0,
            ceiling,
            refs: 0,
            next_dying: None,
        };
        self.processes.insert(process, &mut self.vm.ram)
    }

    /// Ends a process: its threads first, the rest piece by piece.
    pub fn kill_process(&mut self, cpu: CpuId, id: Id<Process>, code: u64) {
        self.end_process(id, code);
        if let Some(current) = self.cpus[cpu.index()].current
            && self.threads[current].process == id
        {
            self.end_thread(cpu, current);
        }
    }

    /// Has signals set when a process has ended: at once, if it has.
    pub fn watch_process(&mut self, cpu: CpuId, id: Id<Process>, notice: Notice) {
        if self.processes[id].life == Life::Ended {
            return self.signal(cpu, notice);
        }
        self.processes[id].watch = Some(notice);
    }

    /// How a process is, as `ProcessInfo` gives it.
    pub fn process_info(&self, id: Id<Process>) -> [u64; 6] {
        let process = &self.processes[id];
        let (used, limit) = self.vm.usage(process.account);
        let life = process.life as u64;
        let threads = process.thread_count.into();
        [life, process.code, used, limit, threads, self.process_time(process)]
    }

    /// Nanoseconds that the threads of a process ran.
    fn process_time(&self, process: &Process) -> u64 {
        let next = |id: &Id<Thread>| self.threads[*id].siblings.1;
        let threads = core::iter::successors(process.threads, next).take(THREADS_SUMMED);
        let ticks = threads.fold(process.time, |sum, id| sum.wrapping_add(self.thread_ticks(id)));
        self.clock.nanos(ticks).0
    }

    /// Nanoseconds that a thread ran.
    pub fn thread_time(&self, id: Id<Thread>) -> u64 {
        self.clock.nanos(self.thread_ticks(id)).0
    }

    fn thread_ticks(&self, id: Id<Thread>) -> u64 {
        let thread = &self.threads[id];
        let cpu = &self.cpus[thread.cpu.index()];
        let runs = thread.state == State::Running;
        let now = if runs { arch::timer::now().wrapping_sub(cpu.since) } else { 0 };
        thread.time.wrapping_add(now)
    }

    /// Nobody has a handle to a process that ended.
    pub(super) fn forget_process(&mut self, id: Id<Process>) {
        if let Some(process) = self.processes.remove(id) {
            self.vm.uncharge(process.payer, Arena::<Process>::COST);
        }
    }
}

/// Threads whose time is added up by one call: it must not take long.
const THREADS_SUMMED: usize = 256;
