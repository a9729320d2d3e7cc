//! From one thread to another on one CPU.

use crate::arch;
use crate::kernel::Kernel;
use crate::mm::Id;
use crate::object::{State, Thread};
use crate::units::CpuId;

impl Kernel {
    /// Makes `id`, which is in no queue, the current thread of `cpu`. Its predecessor is in whatever
    /// state it was given. `now` is the counter.
    #[inline(always)]
    pub fn switch(&mut self, cpu: CpuId, id: Id<Thread>, now: u64) {
        let state = &mut self.cpus[cpu.index()];
        let before = state.current.replace(id);
        let since = core::mem::replace(&mut state.since, now);
        if let Some(before) = before {
            if let Some(thread) = self.threads.get_mut(before) {
                thread.time += now.wrapping_sub(since);
                arch::user::leave(&mut thread.context);
            }
            if state.fpu_on {
                self.park_fpu(cpu, before);
            }
        }
        let thread = &mut self.threads[id];
        thread.state = State::Running;
        thread.cpu = cpu;
        arch::user::arrive(&mut thread.context);
        let space = thread.space;
        let state = &mut self.cpus[cpu.index()];
        let holds_fpu = state.fpu == Some(id);
        if state.space != Some(space) {
            state.space = Some(space);
            if !self.vm.asids.is_current(thread.seat.tag) {
                thread.seat = self.vm.enter(cpu, space);
            }
            let seat = thread.seat;
            arch::user::load_space(seat.root, self.vm.asids.take(cpu, seat.tag));
        }
        if holds_fpu {
            self.unpark_fpu(cpu);
        }
    }

    /// The CPU leaves a thread, with none to go on with yet.
    #[inline(always)]
    pub(super) fn leave(&mut self, cpu: CpuId, id: Id<Thread>) {
        let now = arch::timer::now();
        let state = &mut self.cpus[cpu.index() % crate::units::MAX_CPUS];
        let since = core::mem::replace(&mut state.since, now);
        let fpu_on = state.fpu_on;
        if let Some(thread) = self.threads.get_mut(id) {
            thread.time += now.wrapping_sub(since);
            arch::user::leave(&mut thread.context);
        }
        if fpu_on {
            self.park_fpu(cpu, id);
        }
    }
}
