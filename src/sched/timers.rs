//! Deadlines and slices. A CPU's hardware timer is set to the first moment at which something is due
//! there, and not at all when nothing is.

use crate::arch;
use crate::kernel::{Kernel, Next};
use crate::mm::Id;
use crate::object::{Flags, State, Target, Thread, Timer};
use crate::units::{CpuId, MAX_CPUS, Nanos};

impl Kernel {
    /// The hardware timer of `cpu` rang: whom that is for, one after the other.
    pub fn next_due(&mut self, cpu: CpuId, now: Nanos) -> Option<Target> {
        let first = self.cpus[cpu.index()].timers.first(&self.timers)?;
        if self.timers[first].when > now {
            return None;
        }
        self.unset(first);
        Some(self.timers[first].target)
    }

    /// The current thread goes behind the others of its priority, if its slice is over.
    pub fn end_slice(&mut self, cpu: CpuId, now: Nanos) {
        let state = &mut self.cpus[cpu.index()];
        let Some(current) = state.current else { return };
        let thread = &mut self.threads[current];
        if thread.slice == 0 || now < state.slice_end {
            return;
        }
        if state.queue.has(thread.priority) {
            thread.state = State::Ready;
            state.queue.push(&mut self.threads, current);
            self.set_aside(cpu);
        } else {
            state.slice_end = Nanos(now.0.saturating_add(thread.slice));
        }
    }

    /// Sets a timer, to be kept by `cpu`.
    pub fn set_timer(&mut self, cpu: CpuId, id: Id<Timer>, when: Nanos) {
        self.unset(id);
        if when.0 == u64::MAX {
            return;
        }
        let timer = &mut self.timers[id];
        timer.when = when;
        timer.cpu = Some(cpu);
        self.cpus[cpu.index()].timers.insert(&mut self.timers, id);
        self.rearm(cpu);
    }

    /// Takes a timer out of its CPU's tree. The hardware may ring for nothing then.
    pub fn unset(&mut self, id: Id<Timer>) {
        if let Some(cpu) = self.timers[id].cpu.take() {
            self.cpus[cpu.index()].timers.remove(&mut self.timers, id);
        }
    }

    /// Has the wait that `thread` begins end at a moment.
    pub fn set_deadline(&mut self, cpu: CpuId, thread: Id<Thread>, when: u64) {
        if when != u64::MAX {
            self.threads[thread].flags |= Flags::TIMED;
            self.set_timer(cpu, self.threads[thread].timer, Nanos(when));
        }
    }

    /// The wait of `thread` is over: it has no deadline any more.
    pub fn clear_deadline(&mut self, thread: Id<Thread>) {
        if self.threads[thread].flags.contains(Flags::TIMED) {
            self.threads[thread].flags -= Flags::TIMED;
            self.unset(self.threads[thread].timer);
        }
    }

    /// Sets the hardware timer of `cpu`, which must be the one we run on, to what is due next: a
    /// timer, the end of a slice that others wait for, a piece of what is being taken apart.
    pub fn rearm(&mut self, cpu: CpuId) {
        let state = &self.cpus[cpu.index() % MAX_CPUS];
        let mut due = Nanos(u64::MAX);
        if let Some(first) = state.timers.first(&self.timers) {
            due = self.timers[first].when;
        }
        if let Some(current) = state.current {
            let thread = &self.threads[current];
            if thread.slice != 0 && state.queue.has(thread.priority) {
                due = due.min(state.slice_end);
            }
            if self.has_work() {
                due = due.min(Nanos(self.now().0 + WORK_PAUSE));
            }
        }
        let due = (due.0 != u64::MAX).then_some(due);
        let state = &mut self.cpus[cpu.index() % MAX_CPUS];
        if state.armed == due {
            return;
        }
        state.armed = due;
        match due {
            Some(moment) => arch::timer::arm(self.clock.ticks(moment)),
            None => arch::timer::disarm(),
        }
    }

    /// After an interrupt: the current thread, another, or what was interrupted in the kernel.
    pub fn after_interrupt(&mut self, cpu: CpuId, from_user: bool) -> Next {
        let state = &self.cpus[cpu.index()];
        if !from_user && state.current.is_none() && state.queue.first().is_none() {
            self.rearm(cpu);
            return Next::Resume;
        }
        self.pick(cpu)
    }
}

/// Time that a thread gets between two pieces of work that are nobody's, in nanoseconds.
const WORK_PAUSE: u64 = 50_000;
