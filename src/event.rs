//! What happens on each trap: the one place where the kernel is told, and says what is next.

use crate::abi::{EXIT_FAULT, Error, FaultKind};
use crate::kernel::{Kernel, Next};
use crate::mm::Id;
use crate::object::{Flags, Sort, Target, Thread};
use crate::units::{Cause, CpuId, Fault, FaultReason, MAX_CPUS};

/// Timers served by one interrupt; those that are left raise another.
const BATCH: usize = 16;

impl Kernel {
    /// Deals with an interrupt of kernel code.
    pub fn handle(&mut self, cpu: CpuId, cause: Cause) -> Next {
        if !self.interrupt_of(cpu, cause) {
            return Next::Stop;
        }
        self.reap(cpu);
        let state = &self.cpus[cpu.index()];
        if state.current.is_none() && state.queue.is_empty() {
            self.rearm(cpu);
            return Next::Resume;
        }
        self.pick(cpu)
    }

    /// Deals with a trap of `cpu`'s current thread, whatever it takes.
    pub fn long_way(&mut self, cpu: CpuId, cause: Cause) -> Next {
        let current = self.cpus[cpu.index() % MAX_CPUS].current;
        #[cfg(feature = "lock-stats")]
        self.note(current, cause);
        let thread = match current {
            Some(thread) if self.threads[thread].may_go_on(cpu) => thread,
            _ => return self.stopped(cpu, cause),
        };
        let next = match cause {
            Cause::Native => self.native(cpu, thread),
            _ => self.other_trap(cpu, thread, cause),
        };
        if !self.has_work() {
            return next;
        }
        self.reap(cpu);
        self.pick(cpu)
    }

    #[inline(always)]
    fn other_trap(&mut self, cpu: CpuId, thread: Id<Thread>, cause: Cause) -> Next {
        match cause {
            Cause::Foreign if self.call_handler(cpu, thread, Sort::Foreign) => {}
            Cause::Fpu if self.use_fpu(cpu) => {}
            Cause::Foreign | Cause::Fpu => {
                self.stop_at(cpu, thread, FaultKind::Instruction, 0, 0);
            }
            Cause::Fault(fault) => self.memory_fault(cpu, thread, fault),
            Cause::Exception(exception) => self.stop_at(cpu, thread, exception.kind, 0, 0),
            interrupt => _ = self.interrupt_of(cpu, interrupt),
        }
        self.pick(cpu)
    }

    /// A trap of a thread that another CPU stopped: what it was about to do it does when it is resumed.
    #[inline(never)]
    fn stopped(&mut self, cpu: CpuId, cause: Cause) -> Next {
        if let Some(id) = self.cpus[cpu.index()].current {
            let thread = &mut self.threads[id];
            if matches!(cause, Cause::Native | Cause::Foreign) {
                thread.context.frame.restart();
            }
            if thread.flags.contains(Flags::DOOMED) {
                self.end_thread(cpu, id);
            } else {
                self.stop(cpu, id);
                self.wake(cpu, id);
            }
            self.interrupt_of(cpu, cause);
            self.reap(cpu);
        }
        self.pick(cpu)
    }

    /// An interrupt, whatever it interrupted; false if it is none.
    fn interrupt_of(&mut self, cpu: CpuId, cause: Cause) -> bool {
        match cause {
            Cause::Timer => self.ring(cpu),
            Cause::Ipi => self.cpus[cpu.index()].ipis += 1,
            Cause::Device(line) => self.interrupt(cpu, line),
            Cause::Spurious => {}
            _ => return false,
        }
        true
    }

    /// The hardware timer rang.
    fn ring(&mut self, cpu: CpuId) {
        let now = self.now();
        self.cpus[cpu.index()].rings += 1;
        // What it was set to has passed: it would go on ringing until it is set anew.
        self.disarm(cpu);
        for _ in 0..BATCH {
            match self.next_due(cpu, now) {
                Some(Target::Thread(thread)) => {
                    self.end_wait(cpu, thread, Error::TimedOut);
                }
                Some(Target::Port(notice)) => self.signal(cpu, notice),
                None => break,
            }
        }
        self.call_help(cpu, now);
        self.end_slice(cpu, now);
    }

    fn memory_fault(&mut self, cpu: CpuId, thread: Id<Thread>, fault: Fault) {
        let address = fault.address.0;
        let kind = match fault.reason {
            FaultReason::Alignment => FaultKind::Alignment,
            FaultReason::Other(_) => FaultKind::Bus,
            FaultReason::Unmapped { .. } | FaultReason::Permission => {
                let space = self.threads[thread].space;
                match self.vm.fault(space, address, fault.access) {
                    Ok(()) => return,
                    Err(kind) => kind,
                }
            }
        };
        self.stop_at(cpu, thread, kind, address, fault.access as u64);
    }

    /// The current thread cannot go on by itself: its handler decides, or its process ends.
    fn stop_at(&mut self, cpu: CpuId, id: Id<Thread>, kind: FaultKind, address: u64, access: u64) {
        self.threads[id].fault = (kind, address, access);
        if self.call_handler(cpu, id, Sort::Fault) {
            return;
        }
        self.record_crash(id);
        self.kill_process(cpu, self.threads[id].process, EXIT_FAULT);
    }

    /// The crash record of a process that has nobody to ask.
    fn record_crash(&self, id: Id<Thread>) {
        let Thread { ref context, process, fault: (kind, address, access), .. } = self.threads[id];
        let [_, _, _, pc, sp, code, _] = self.threads[id].message(Sort::Fault);
        let access = ["read", "write", "execute"].get(access as usize).unwrap_or(&"?");
        crate::warn!(
            "process {} ends: {kind:?} at pc {pc:#x}, {access} of {address:#x}, sp {sp:#x}, code {code:#x}",
            process.index()
        );
        crate::debug!("{}", &context.frame);
    }
}
