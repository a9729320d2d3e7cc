//! From one thread to another on one CPU.

use crate::arch;
use crate::kernel::{Cpu, Kernel};
use crate::mm::Id;
use crate::object::{Flags, State, Thread};
use crate::units::{CpuId, MAX_CPUS};

impl Kernel {
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
        let holds_fpu = state.fpu == Some(id);
        if state.space != Some(space) {
            state.space = Some(space);
            if !self.vm.asids.is_current(thread.seat) {
                let others = self.cpus.each_ref().map(|other| other.space);
                thread.seat = self.vm.enter(space, others);
            }
            arch::user::load_space(thread.seat.word);
        }
        if holds_fpu {
            self.unpark_fpu(cpu);
        }
    }

    /// The CPU leaves a thread.
    #[inline(always)]
    pub(super) fn leave(&mut self, cpu: CpuId, id: Id<Thread>, now: u64) {
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
