//! Which thread runs where. Each CPU has a queue of the threads that are ready to run on it and runs
//! the first; a thread becomes ready where it is woken, and if that CPU has no time for it another that
//! has nothing to do takes it over.
//!
//! Invariant: a thread is `Running` exactly if it is the current one of its CPU, and `Ready` exactly
//! if it is in its CPU's queue.

mod fpu;
mod timers;

use crate::arch;
use crate::kernel::{Cpu, Kernel, Next};
use crate::mm::Id;
use crate::object::{Flags, State, Thread};
use crate::units::{CpuId, MAX_CPUS, Nanos};
use timers::NEVER;

/// How long a thread waits for the CPU that it was woken on before one that rests is called up for it,
/// in nanoseconds.
const PATIENCE: u64 = 2_000_000;
/// Threads of another CPU's queue that one without work looks at.
const LOOKED_AT: usize = 8;

impl Kernel {
    /// What `cpu` does next: goes on with its current thread, or with a more urgent one.
    #[inline(always)]
    pub fn pick(&mut self, cpu: CpuId) -> Next {
        let state = &self.cpus[cpu.index() % MAX_CPUS];
        let Some(current) = state.current else { return self.take_first(cpu) };
        if state.queue.has_above(self.threads[current].priority) {
            self.interrupt_turn(cpu, current);
            return self.take_first(cpu);
        }
        self.rearm(cpu);
        Next::Run(current)
    }

    /// The current thread of `cpu` lets those of its priority run first.
    #[inline(never)]
    pub fn yield_now(&mut self, cpu: CpuId) -> Next {
        let state = &mut self.cpus[cpu.index() % MAX_CPUS];
        let Some(current) = state.current else { return self.pick(cpu) };
        let thread = &mut self.threads[current];
        if !state.queue.rivals(thread.priority) {
            return Next::Run(current);
        }
        thread.state = State::Ready;
        // Whoever is first goes before it, and is taken out first: often nobody is left.
        let next = state.queue.pop(&mut self.threads);
        state.queue.push(&mut self.threads, current);
        next.map_or(Next::Idle, |next| self.run(cpu, next))
    }

    /// Lets a thread that waits for nothing any more run: here (`cpu`), if it may; if it is suspended,
    /// when it is resumed.
    pub fn wake(&mut self, cpu: CpuId, id: Id<Thread>) {
        let thread = &mut self.threads[id];
        if thread.flags.intersects(Flags::SUSPENDED | Flags::DOOMED) {
            thread.state = State::Stopped;
            return;
        }
        let target = if thread.may_run_on(cpu) { cpu } else { self.place(id) };
        let thread = &mut self.threads[id];
        thread.cpu = target;
        thread.state = State::Ready;
        let priority = thread.priority;
        let there = &mut self.cpus[target.index() % MAX_CPUS];
        if there.queue.is_empty() && self.resting != 0 {
            there.help = Nanos(self.clock.nanos(arch::timer::lately()).0 + PATIENCE);
        }
        there.queue.push(&mut self.threads, id);
        if target != cpu {
            let busy =
                there.current.is_some_and(|current| self.threads[current].priority > priority);
            if !busy {
                arch::interrupts::send_ipi(target);
            }
        }
    }

    /// Has a CPU that rests take over what waits here, if that has waited for long.
    pub fn call_help(&mut self, cpu: CpuId, now: Nanos) {
        let state = &mut self.cpus[cpu.index()];
        if now < state.help {
            return;
        }
        let first = state.queue.first().map(|first| &self.threads[first]);
        let able = first.map_or(0, |first| first.affinity & self.resting);
        if able == 0 {
            state.help = NEVER;
        } else {
            state.help = Nanos(now.0 + PATIENCE);
            arch::interrupts::send_ipi(CpuId(able.trailing_zeros() as u8));
        }
    }

    /// The current thread of `cpu`, which waits now, leaves the CPU and what is left of its slice to
    /// another, which waits for nothing any more; unless that may not run here, or others go first.
    pub fn pass(&mut self, cpu: CpuId, to: Id<Thread>) {
        let thread = &self.threads[to];
        if thread.may_go_on(cpu) && !self.cpus[cpu.index()].queue.has_above(thread.priority) {
            self.switch(cpu, to, arch::timer::now());
        } else {
            self.set_aside(cpu);
            self.wake(cpu, to);
        }
    }

    /// The current thread of `cpu` stops being that, in whatever state it is now.
    #[inline(always)]
    pub fn set_aside(&mut self, cpu: CpuId) {
        if let Some(current) = self.cpus[cpu.index() % MAX_CPUS].current.take() {
            self.leave(cpu, current, arch::timer::now());
        }
    }

    /// Changes a thread's priority, wherever it is.
    pub fn set_priority(&mut self, cpu: CpuId, id: Id<Thread>, priority: u8) {
        let Thread { state, cpu: home, priority: before, .. } = self.threads[id];
        if before == priority {
            return;
        }
        let queue = match state.port() {
            Some(port) => Some(&mut self.ports[port].queue),
            None if state == State::Ready => Some(&mut self.cpus[home.index()].queue),
            None => None,
        };
        if let Some(queue) = queue {
            queue.remove(&mut self.threads, id);
            self.threads[id].priority = priority;
            queue.push(&mut self.threads, id);
        } else {
            self.threads[id].priority = priority;
        }
        if matches!(state, State::Ready | State::Running) && home != cpu {
            arch::interrupts::send_ipi(home);
        }
    }

    /// Where a thread goes that may not run where it was woken: where it was, else to a CPU that rests,
    /// else to any.
    fn place(&self, id: Id<Thread>) -> CpuId {
        let thread = &self.threads[id];
        let allowed = |at: &CpuId| thread.may_run_on(*at) && self.cpus[at.index()].online;
        let rests = |at: &CpuId| self.resting >> at.0 & 1 == 1;
        let mut all = (0..MAX_CPUS as u8).map(CpuId).filter(allowed);
        let home = Some(thread.cpu).filter(allowed).or_else(|| all.clone().find(rests));
        home.or_else(|| all.next()).unwrap_or(CpuId::BOOT)
    }

    /// Takes over a thread that waits for another CPU: of the first ones there that may run here, the
    /// most urgent.
    fn steal(&mut self, cpu: CpuId) -> Option<Id<Thread>> {
        let may = |id: &Id<Thread>| self.threads[*id].may_run_on(cpu);
        let next = |id: &Id<Thread>| self.threads[*id].links.1;
        let first = |other: &Cpu| {
            core::iter::successors(other.queue.first(), next).take(LOOKED_AT).find(may)
        };
        let loaded = self.cpus.iter().filter_map(first);
        let id = loaded.max_by_key(|id| self.threads[*id].priority)?;
        let home = self.threads[id].cpu;
        self.cpus[home.index()].queue.remove(&mut self.threads, id);
        Some(id)
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
    #[inline(never)]
    fn take_first(&mut self, cpu: CpuId) -> Next {
        let queue = &mut self.cpus[cpu.index() % MAX_CPUS].queue;
        match queue.pop(&mut self.threads).or_else(|| self.steal(cpu)) {
            Some(id) => self.run(cpu, id),
            None => self.rest(cpu),
        }
    }

    /// Runs a thread that was taken out of the queue.
    #[inline(always)]
    fn run(&mut self, cpu: CpuId, id: Id<Thread>) -> Next {
        let now = arch::timer::lately();
        self.switch(cpu, id, now);
        let thread = &mut self.threads[id];
        let state = &mut self.cpus[cpu.index() % MAX_CPUS];
        let left = core::mem::take(&mut thread.left);
        let slice = if left == 0 { thread.slice } else { left };
        state.slice_end = Nanos(self.clock.nanos(now).0.saturating_add(slice));
        self.rearm(cpu);
        Next::Run(id)
    }

    /// Nothing is left to run.
    fn rest(&mut self, cpu: CpuId) -> Next {
        self.set_aside(cpu);
        self.cpus[cpu.index()].space = None;
        arch::user::unload_space();
        self.resting |= 1 << (cpu.0 & 7);
        // The hardware timer rings for the first timer only.
        let Cpu { armed, first_timer, .. } = self.cpus[cpu.index()];
        if armed != first_timer {
            self.disarm(cpu);
            self.rearm(cpu);
        }
        Next::Idle
    }
    /// Makes `id`, which is in no queue, the current thread of `cpu`. Its predecessor is in whatever
    /// state it was given. `now` is the counter.
    #[inline(always)]
    pub fn switch(&mut self, cpu: CpuId, id: Id<Thread>, now: u64) {
        match self.cpus[cpu.index() % MAX_CPUS].current.replace(id) {
            Some(before) => self.leave(cpu, before, now),
            None => self.resting &= !(1 << (cpu.0 & 7)),
        }
        let thread = &mut self.threads[id];
        thread.state = State::Running;
        thread.cpu = cpu;
        arch::user::arrive(&mut thread.context);
        let space = thread.space;
        let state = &mut self.cpus[cpu.index() % MAX_CPUS];
        state.since = now;
        if state.fpu == Some(id) {
            arch::user::fpu_on();
            state.fpu_on = true;
        }
        if state.space != Some(space) {
            state.space = Some(space);
            if !self.vm.asids.is_current(thread.seat) {
                let others = self.cpus.each_ref().map(|other| other.space);
                thread.seat = self.vm.enter(space, others);
            }
            arch::user::load_space(thread.seat.word);
        }
    }

    /// The CPU leaves a thread.
    #[inline(always)]
    fn leave(&mut self, cpu: CpuId, id: Id<Thread>, now: u64) {
        let Cpu { since, fpu_on, .. } = self.cpus[cpu.index() % MAX_CPUS];
        if let Some(thread) = self.threads.get_mut(id) {
            thread.time += now.wrapping_sub(since);
            arch::user::leave(&mut thread.context);
            thread.flags.set(Flags::STEPPING, thread.context.is_stepping());
        }
        if fpu_on {
            self.park_fpu(cpu, id);
        }
    }
}
