//! Deadlines and slices. A CPU's hardware timer is set to the first moment at which something is due
//! there, and not at all when nothing is.

use crate::arch;
use crate::kernel::Kernel;
use crate::mm::Id;
use crate::object::{Flags, State, Target, Thread, Timer};
use crate::units::{CpuId, MAX_CPUS, Nanos};

impl Kernel {
    /// The hardware timer of `cpu` rang: whom that is for, one after the other.
    pub fn next_due(&mut self, cpu: CpuId, now: Nanos) -> Option<Target> {
        if self.cpus[cpu.index()].first_timer > now {
            return None;
        }
        let first = self.cpus[cpu.index()].timers.first(&self.timers)?;
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
        if when == NEVER {
            return;
        }
        let timer = &mut self.timers[id];
        timer.when = when;
        timer.cpu = Some(cpu);
        let state = &mut self.cpus[cpu.index()];
        state.timers.insert(&mut self.timers, id);
        state.first_timer = state.first_timer.min(when);
        self.rearm(cpu);
    }

    /// Takes a timer out of its CPU's tree. The hardware may ring for nothing then.
    pub fn unset(&mut self, id: Id<Timer>) {
        if let Some(cpu) = self.timers[id].cpu.take() {
            let state = &mut self.cpus[cpu.index()];
            state.timers.remove(&mut self.timers, id);
            if self.timers[id].when == state.first_timer {
                let first = state.timers.first(&self.timers);
                state.first_timer = first.map_or(NEVER, |id| self.timers[id].when);
            }
        }
    }

    /// Has the wait that `thread` begins end at a moment.
    #[inline(always)]
    pub fn set_deadline(&mut self, cpu: CpuId, thread: Id<Thread>, when: u64) {
        if when != u64::MAX {
            self.threads[thread].flags |= Flags::TIMED;
            self.set_timer(cpu, self.threads[thread].timer, Nanos(when));
        }
    }

    /// The wait of `thread` is over: it has no deadline any more.
    #[inline(always)]
    pub fn clear_deadline(&mut self, thread: Id<Thread>) {
        let Thread { ref mut flags, timer, .. } = self.threads[thread];
        if flags.contains(Flags::TIMED) {
            *flags -= Flags::TIMED;
            self.unset(timer);
        }
    }

    /// Sees to it that the hardware timer of `cpu`, which must be the one we run on, does not ring later
    /// than what is due next: a timer, the end of a slice that others wait for, a piece of what is being
    /// taken apart. Where it rings too early, for what is not due any more, it is set anew then.
    #[inline(always)]
    pub fn rearm(&mut self, cpu: CpuId) {
        let state = &self.cpus[cpu.index() % MAX_CPUS];
        let mut due = state.first_timer;
        if let Some(current) = state.current {
            if !state.queue.is_empty() {
                let thread = &self.threads[current];
                if thread.slice != 0 && state.queue.has(thread.priority) {
                    due = due.min(state.slice_end);
                }
                if self.resting != 0 {
                    due = due.min(state.help);
                }
            }
            if self.has_work() {
                due = due.min(Nanos(self.now().0 + WORK_PAUSE));
            }
        }
        if due < state.armed {
            self.arm(cpu, due);
        }
    }

    #[inline(never)]
    fn arm(&mut self, cpu: CpuId, due: Nanos) {
        self.cpus[cpu.index()].armed = due;
        arch::timer::arm(self.clock.ticks(due));
    }

    /// Has the hardware timer of `cpu` ring for nothing.
    pub fn disarm(&mut self, cpu: CpuId) {
        self.cpus[cpu.index()].armed = NEVER;
        arch::timer::disarm();
    }
}

/// The end of time.
pub(super) const NEVER: Nanos = Nanos(u64::MAX);

/// Time that a thread gets between two pieces of work that are nobody's, in nanoseconds.
const WORK_PAUSE: u64 = 50_000;
