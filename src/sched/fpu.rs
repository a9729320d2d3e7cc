//! Floating point registers. A thread has them switched on when it first uses them on a CPU, and its
//! state is saved whenever it leaves one; if nobody else used them there in between, they are just
//! switched on again.
//!
//! Invariant: `fpu_on` only while the current thread is `fpu`; a CPU that is not on has nothing
//! that is not saved.

use crate::arch;
use crate::kernel::Kernel;
use crate::mm::Id;
use crate::object::Thread;
use crate::units::CpuId;

impl Kernel {
    /// The current thread of `cpu` used a floating point register while they were off; false if it
    /// has none.
    pub fn use_fpu(&mut self, cpu: CpuId) -> bool {
        let state = &mut self.cpus[cpu.index()];
        let Some(id) = state.current else { return false };
        let Some(fpu) = self.threads[id].fpu else { return false };
        // Registers that another CPU still holds for this thread would be old by then.
        for (index, other) in self.cpus.iter_mut().enumerate() {
            if index != cpu.index() && other.fpu == Some(id) {
                other.fpu = None;
            }
        }
        arch::user::fpu_on();
        self.fpus[fpu].load();
        let state = &mut self.cpus[cpu.index()];
        state.fpu = Some(id);
        state.fpu_on = true;
        true
    }

    /// Saves the registers of the current thread of `cpu`, if they are on. It may go on: they are
    /// loaded again when it uses them.
    pub fn save_fpu(&mut self, cpu: CpuId) {
        let state = &self.cpus[cpu.index()];
        if let (Some(current), true) = (state.current, state.fpu_on) {
            self.park_fpu(cpu, current);
        }
    }

    /// The thread leaves the CPU with its registers on.
    pub(super) fn park_fpu(&mut self, cpu: CpuId, id: Id<Thread>) {
        let fpu = self.threads.get(id).and_then(|thread| thread.fpu);
        if let Some(fpu) = fpu.and_then(|fpu| self.fpus.get_mut(fpu)) {
            fpu.save();
        }
        arch::user::fpu_off();
        self.cpus[cpu.index()].fpu_on = false;
    }

    /// No CPU holds registers of this thread any more that would be used: its saved state counts.
    pub fn forget_fpu(&mut self, id: Id<Thread>) {
        self.cpus.iter_mut().filter(|cpu| cpu.fpu == Some(id)).for_each(|cpu| cpu.fpu = None);
    }
}
