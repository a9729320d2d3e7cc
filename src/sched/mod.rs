//! Which thread runs where. Each CPU has a queue of the threads that are ready to run on it and runs
//! the first; a thread that becomes ready goes where it ran last, unless that CPU has better to do
//! and another has nothing.
//!
//! Invariant: a thread is `Running` exactly if it is the current one of its CPU, and `Ready` exactly
//! if it is in its CPU's queue.

mod fpu;
mod switch;
mod timers;

use crate::arch;
use crate::kernel::{Kernel, Next};
use crate::mm::Id;
use crate::object::{Flags, State, Thread};
use crate::units::{CpuId, MAX_CPUS, Nanos};

impl Kernel {
    /// What `cpu` does next: goes on with its current thread, or with a more urgent one.
    pub fn pick(&mut self, cpu: CpuId) -> Next {
        let state = &mut self.cpus[cpu.index()];
        let first = state.queue.first();
        match (state.current, first) {
            (Some(current), Some(_)) if state.queue.has_above(self.threads[current].priority) => {
                self.interrupt_turn(cpu, current);
                self.take_first(cpu)
            }
            (Some(current), _) => {
                self.rearm(cpu);
                Next::Run(current)
            }
            (None, Some(_)) => self.take_first(cpu),
            (None, None) if self.steal(cpu) => self.take_first(cpu),
            (None, None) => self.rest(cpu),
        }
    }

    /// The current thread of `cpu` lets those of its priority run first.
    pub fn yield_now(&mut self, cpu: CpuId) -> Next {
        let state = &mut self.cpus[cpu.index()];
        let Some(current) = state.current else { return self.pick(cpu) };
        let priority = self.threads[current].priority;
        if !state.queue.has(priority) && !state.queue.has_above(priority) {
            return Next::Run(current);
        }
        self.threads[current].state = State::Ready;
        state.queue.push(&mut self.threads, current);
        self.take_first(cpu)
    }

    /// Lets a thread that waits for nothing any more run, here (`cpu`) or elsewhere; if it is
    /// suspended, when it is resumed.
    pub fn wake(&mut self, cpu: CpuId, id: Id<Thread>) {
        let thread = &mut self.threads[id];
        if thread.flags.intersects(Flags::SUSPENDED | Flags::DOOMED) {
            thread.state = State::Stopped;
            return;
        }
        let target = self.place(cpu, id);
        let thread = &mut self.threads[id];
        thread.cpu = target;
        thread.state = State::Ready;
        let priority = thread.priority;
        let there = &mut self.cpus[target.index()];
        there.queue.push(&mut self.threads, id);
        if target != cpu {
            let busy =
                there.current.is_some_and(|current| self.threads[current].priority > priority);
            if !busy {
                arch::interrupts::send_ipi(target);
            }
        }
    }

    /// The current thread of `cpu`, which waits now, leaves the CPU and what is left of its slice to
    /// another, which waits for nothing any more; unless that may not run here, or others go first.
    pub fn pass(&mut self, cpu: CpuId, to: Id<Thread>) {
        let thread = &self.threads[to];
        let may = thread.flags & (Flags::SUSPENDED | Flags::DOOMED) == Flags::empty()
            && thread.affinity >> cpu.0 & 1 == 1;
        if may && !self.cpus[cpu.index()].queue.has_above(thread.priority) {
            self.switch(cpu, to, arch::timer::now());
        } else {
            self.set_aside(cpu);
            self.wake(cpu, to);
        }
    }

    /// The current thread of `cpu` stops being that, in whatever state it is now.
    pub fn set_aside(&mut self, cpu: CpuId) {
        if let Some(current) = self.cpus[cpu.index()].current.take() {
            self.leave(cpu, current);
        }
    }

    /// Changes a thread's priority, wherever it is.
    pub fn set_priority(&mut self, cpu: CpuId, id: Id<Thread>, priority: u8) {
        let thread = &mut self.threads[id];
        if thread.priority == priority {
            return;
        }
        match (thread.state, thread.state.port()) {
            (State::Ready, _) => {
                let home = thread.cpu;
                let queue = &mut self.cpus[home.index()].queue;
                queue.remove(&mut self.threads, id);
                self.threads[id].priority = priority;
                queue.push(&mut self.threads, id);
                if home != cpu {
                    arch::interrupts::send_ipi(home);
                }
            }
            (_, Some(port)) => {
                let queue = &mut self.ports[port].queue;
                queue.remove(&mut self.threads, id);
                self.threads[id].priority = priority;
                queue.push(&mut self.threads, id);
            }
            (State::Running, _) => {
                thread.priority = priority;
                if thread.cpu != cpu {
                    arch::interrupts::send_ipi(thread.cpu);
                }
            }
            _ => thread.priority = priority,
        }
    }

    /// Has `cpu` look again what it should do, if it runs this thread.
    pub fn disturb(&mut self, cpu: CpuId, id: Id<Thread>) {
        let thread = &self.threads[id];
        if thread.state == State::Running && thread.cpu != cpu {
            arch::interrupts::send_ipi(thread.cpu);
        }
    }

    /// Where a thread that becomes ready goes: where it was, if that is allowed and free, else to a
    /// CPU that idles, else where it was after all.
    fn place(&self, cpu: CpuId, id: Id<Thread>) -> CpuId {
        let thread = &self.threads[id];
        let allowed = |at: &CpuId| thread.affinity >> at.0 & 1 == 1 && self.cpus[at.index()].online;
        let idles = |at: &CpuId| {
            let state = &self.cpus[at.index()];
            state.current.is_none() && state.queue.first().is_none()
        };
        let home = thread.cpu;
        let beats = |at: CpuId| {
            let current = self.cpus[at.index()].current;
            current.is_none_or(|current| self.threads[current].priority < thread.priority)
        };
        if allowed(&home) && (idles(&home) || beats(home)) {
            return home;
        }
        let all = || (0..MAX_CPUS as u8).map(CpuId);
        let idle = all().find(|at| *at != cpu && allowed(at) && idles(at));
        let stay = Some(home).filter(allowed);
        idle.or(stay).or_else(|| all().find(allowed)).unwrap_or(CpuId::BOOT)
    }

    /// Takes over a thread that waits for another CPU, the first in its queue that may run here.
    fn steal(&mut self, cpu: CpuId) -> bool {
        let may = |id: &Id<Thread>| self.threads[*id].affinity >> cpu.0 & 1 == 1;
        let others = (0..MAX_CPUS as u8).map(CpuId).filter(|other| *other != cpu);
        let loaded = others.filter_map(|other| {
            let queue = &self.cpus[other.index()].queue;
            let first = queue.first().filter(may)?;
            Some((queue.priority(), other, first))
        });
        let Some((_, other, id)) = loaded.max_by_key(|(priority, ..)| *priority) else {
            return false;
        };
        self.cpus[other.index()].queue.remove(&mut self.threads, id);
        self.threads[id].cpu = cpu;
        self.cpus[cpu.index()].queue.push(&mut self.threads, id);
        true
    }

    /// The current thread makes room for a more urgent one. It goes on with what is left of its slice,
    /// before others of its priority.
    fn interrupt_turn(&mut self, cpu: CpuId, current: Id<Thread>) {
        let left = self.cpus[cpu.index()].slice_end.0.saturating_sub(self.now().0);
        let thread = &mut self.threads[current];
        thread.state = State::Ready;
        thread.left = left.min(thread.slice);
        let over = thread.slice != 0 && left == 0;
        let queue = &mut self.cpus[cpu.index()].queue;
        if over {
            queue.push(&mut self.threads, current);
        } else {
            queue.push_first(&mut self.threads, current);
        }
    }

    /// Runs the first thread of the queue, which is not empty.
    fn take_first(&mut self, cpu: CpuId) -> Next {
        let state = &mut self.cpus[cpu.index()];
        let Some(id) = state.queue.first() else { return self.rest(cpu) };
        state.queue.remove(&mut self.threads, id);
        let thread = &mut self.threads[id];
        let left = core::mem::take(&mut thread.left);
        let slice = if left == 0 { thread.slice } else { left };
        let now = arch::timer::now();
        self.cpus[cpu.index()].slice_end = Nanos(self.clock.nanos(now).0.saturating_add(slice));
        self.switch(cpu, id, now);
        self.rearm(cpu);
        Next::Run(id)
    }

    /// Nothing is left to run.
    fn rest(&mut self, cpu: CpuId) -> Next {
        self.set_aside(cpu);
        self.cpus[cpu.index()].space = None;
        arch::user::unload_space();
        self.rearm(cpu);
        Next::Idle
    }
}
