//! The beginning and the end of threads.

use crate::abi::{
    ANY_CPU, Error, FaultKind, MESSAGE_HANDLES, PRIORITIES, THREAD_COPY, THREAD_FPU, THREAD_START,
    THREAD_TLS, USER_END,
};
use crate::arch::user::{Fpu, STACK_POINTER, TLS};
use crate::arch::{self, Context};
use crate::kernel::Kernel;
use crate::mm::asid::Seat;
use crate::mm::{Arena, Id};
use crate::object::{Flags, Handle, Life, Made, Process, Sort, State, Target, Thread};
use crate::units::{CpuId, Result};

/// What a thread begins with.
#[derive(Clone, Copy, Debug)]
pub struct NewThread {
    /// The first instruction.
    pub entry: u64,
    /// The stack pointer.
    pub stack: u64,
    /// The first argument.
    pub argument: u64,
    /// What receivers of its messages learn.
    pub tag: u64,
    /// `THREAD_START`, `THREAD_FPU`, `THREAD_TLS`, and the priority.
    pub flags: u64,
}

impl Kernel {
    /// A thread of a process that lives.
    pub fn create_thread(
        &mut self,
        cpu: CpuId,
        process: Id<Process>,
        new: NewThread,
    ) -> Result<Id<Thread>> {
        let owner = &self.processes[process];
        let priority = new.flags as u8;
        let known = THREAD_START | THREAD_FPU | THREAD_COPY | THREAD_TLS | 0xff;
        if new.flags & !known != 0
            || priority >= PRIORITIES
            || priority > owner.ceiling
            || new.entry >= USER_END
            || new.stack > USER_END
        {
            return Err(Error::Invalid);
        }
        if owner.life != Life::Alive {
            return Err(Error::PeerGone);
        }
        let (space, account) = (owner.space, owner.account);
        let slice = 1_000_000_000 / self.options.hz;
        let id = self.threads.reserve(&mut self.vm.ram)?;
        let wants_fpu = new.flags & THREAD_FPU != 0;
        if wants_fpu {
            self.fpus.reserve(&mut self.vm.ram)?;
        }
        let cost = Self::thread_cost(wants_fpu);
        self.vm.charge(account, cost)?;
        let timer = self.create_timer(account, Target::Thread(id));
        let timer = timer.inspect_err(|_| self.vm.uncharge(account, cost))?;
        let fpu = match wants_fpu {
            true => Some(self.fpus.insert(Fpu::initial(), &mut self.vm.ram)?),
            false => None,
        };
        self.threads.insert(
            Thread {
                context: Context::new(new.entry, new.stack, new.argument),
                state: State::Stopped,
                flags: Flags::SUSPENDED,
                priority,
                base: priority,
                cpu,
                affinity: ANY_CPU as u8,
                links: (None, None),
                process,
                space,
                seat: Seat::default(),
                caller: None,
                serving: None,
                calls: 0,
                tag: new.tag,
                badge: 0,
                time: 0,
                slice,
                left: 0,
                fpu,
                timer,
                fault: (FaultKind::Other, 0, 0),
                progress: None,
                refs: 0,
                siblings: (None, None),
                account,
            },
            &mut self.vm.ram,
        )?;
        let owner = &mut self.processes[process];
        owner.thread_count += 1;
        self.threads.link(&mut owner.threads, None, id, |thread| &mut thread.siblings);
        if new.flags & THREAD_START != 0 {
            self.resume_thread(cpu, id);
        }
        Ok(id)
    }

    /// Gives a thread that has not run the registers of another, as if a foreign call had given it zero.
    pub fn copy_thread(&mut self, id: Id<Thread>, like: Id<Thread>, new: &NewThread) {
        let Some((to, from)) = self.threads.pair(id, like) else { return };
        let mut all = from.context.registers();
        if new.stack != 0 {
            all[STACK_POINTER] = new.stack;
        }
        if new.flags & THREAD_TLS != 0 {
            all[TLS] = new.argument;
        }
        to.context.set_registers(&all);
        to.context.frame.set_foreign_result(0);
        to.flags.set(Flags::STEPPING, to.context.is_stepping());
        if let (Some(to), Some(from)) = (to.fpu, from.fpu)
            && let Some((to, from)) = self.fpus.pair(to, from)
        {
            to.change(|bytes| *bytes = *from.bytes());
        }
    }

    /// `ThreadResume`.
    pub fn resume_thread(&mut self, cpu: CpuId, id: Id<Thread>) {
        let thread = &mut self.threads[id];
        thread.flags -= Flags::SUSPENDED;
        if thread.state == State::Stopped {
            self.wake(cpu, id);
        }
    }

    /// `ThreadSuspend`: from now on it does not run; a wait goes on.
    pub fn suspend_thread(&mut self, cpu: CpuId, id: Id<Thread>) {
        self.threads[id].flags |= Flags::SUSPENDED;
        self.stop(cpu, id);
    }

    /// `ThreadKill`, and the end of all threads of a process.
    pub fn end_thread(&mut self, cpu: CpuId, id: Id<Thread>) {
        self.threads[id].flags |= Flags::DOOMED;
        if self.stop(cpu, id) {
            self.bury(cpu, id);
        }
    }

    /// A thread that should not run does not: takes it from its queue or its CPU; false if another
    /// CPU has to let go of it first.
    pub fn stop(&mut self, cpu: CpuId, id: Id<Thread>) -> bool {
        match self.threads[id].state {
            State::Running if self.threads[id].cpu != cpu => {
                arch::interrupts::send_ipi(self.threads[id].cpu);
                return false;
            }
            State::Running => {
                self.threads[id].state = State::Stopped;
                self.set_aside(cpu);
            }
            State::Ready => {
                let home = self.threads[id].cpu;
                self.cpus[home.index()].queue.remove(&mut self.threads, id);
                self.threads[id].state = State::Stopped;
            }
            _ => {}
        }
        true
    }

    /// Ends a thread that does not run and is in no queue of a CPU.
    fn bury(&mut self, cpu: CpuId, id: Id<Thread>) {
        let state = self.threads[id].state;
        if state == State::Ended {
            return;
        }
        if let State::Sending(_, Sort::Send | Sort::Call) = state {
            self.take_back(id);
        }
        self.unqueue(id);
        self.end_timer(self.threads[id].timer);
        if let Some(caller) = self.threads[id].caller.take() {
            self.abandon(cpu, caller);
        }
        self.forget_fpu(id);
        self.drop_progress(id);
        let thread = &mut self.threads[id];
        thread.state = State::Ended;
        let fpu = thread.fpu.take();
        let (process, account, time) = (thread.process, thread.account, thread.time);
        let refs = thread.refs;
        let has_fpu = fpu.and_then(|fpu| self.fpus.remove(fpu)).is_some();
        let owner = &mut self.processes[process];
        self.threads.unlink(&mut owner.threads, id, |thread| &mut thread.siblings);
        owner.thread_count -= 1;
        owner.time += time;
        let last = owner.thread_count == 0;
        self.vm.uncharge(account, Self::thread_cost(has_fpu) - Arena::<Thread>::COST);
        if refs == 0 {
            self.forget_thread(id);
        }
        if last {
            self.end_process(process, 0);
        }
    }

    /// What a thread has begun to make will not be made.
    pub fn drop_progress(&mut self, id: Id<Thread>) {
        match self.threads[id].progress.take().map(|progress| progress.made) {
            Some(Made::Memory(memory)) => _ = self.vm.release(memory),
            // What is mapped there stays, for others to unmap.
            Some(Made::Space(process)) => {
                if let Some(process) = self.processes.get_mut(process) {
                    process.cloning = false;
                }
            }
            None => {}
        }
    }

    /// Nobody has a handle to a thread that ended.
    pub(super) fn forget_thread(&mut self, id: Id<Thread>) {
        if let Some(thread) = self.threads.remove(id) {
            self.vm.uncharge(thread.account, Arena::<Thread>::COST);
        }
    }

    /// What a thread takes besides its timer, with the handles of a message that it waits to send, which nobody else pays for.
    fn thread_cost(fpu: bool) -> u64 {
        let fpu = if fpu { Arena::<Fpu>::COST } else { 0 };
        let carried = MESSAGE_HANDLES as u64 * Arena::<Handle>::COST;
        Arena::<Thread>::COST + carried + fpu
    }
}
