//! Taking apart, in bounded pieces.

use crate::abi::Error;
use crate::kernel::Kernel;
use crate::mm::{Id, Space};
use crate::object::{Life, Port, Process, Sort, State};
use crate::units::CpuId;

/// Threads, handles or messages that one piece deals with.
const PIECE: usize = 8;

impl Kernel {
    /// Does one piece of what is to be taken apart, if there is anything.
    pub fn reap(&mut self, cpu: CpuId) {
        if !self.has_work() {
            return;
        }
        if self.dying.handle.is_some() {
            self.reap_handles(cpu);
        } else if let Some(port) = self.dying.port {
            self.reap_port(cpu, port);
        } else if self.vm.has_dying() {
            self.vm.destroy_dying();
        } else if let Some(process) = self.dying.process {
            // Out of the list meanwhile: its end may be that of others.
            self.dying.process = self.processes[process].next_dying.take();
            if !self.reap_process(cpu, process) {
                self.put_off(process);
            }
        }
    }

    fn reap_handles(&mut self, cpu: CpuId) {
        for _ in 0..PIECE {
            let Some(id) = self.dying.handle else { return };
            self.dying.handle = self.handles[id].links.1;
            self.drop_handle(cpu, id);
        }
    }

    /// A port nobody can receive from: those who wait are told, what is queued is dropped.
    fn reap_port(&mut self, cpu: CpuId, id: Id<Port>) {
        for _ in 0..PIECE {
            if let Some(waiting) = self.ports[id].queue.first() {
                let state = self.threads[waiting].state;
                if let State::Sending(_, Sort::Foreign | Sort::Fault) = state {
                    self.end_process(self.threads[waiting].process, crate::abi::EXIT_ABANDONED);
                    self.unqueue(waiting);
                } else {
                    self.end_wait(cpu, waiting, Error::PeerGone);
                }
            } else if let Some(message) = self.dequeue(id) {
                self.orphan_all(&message);
            } else {
                let port = &mut self.ports[id];
                self.dying.port = port.next_dying.take();
                port.is_empty = true;
                if port.refs == 0 {
                    self.forget_port(id);
                }
                return;
            }
        }
    }

    /// Threads, then handles, then memory; and then whoever watches is told. False if that is not all.
    fn reap_process(&mut self, cpu: CpuId, id: Id<Process>) -> bool {
        for _ in 0..PIECE {
            let process = &self.processes[id];
            if let Some(thread) = process.threads {
                self.end_thread(cpu, thread);
                if self.processes[id].threads == Some(thread) {
                    // Another CPU still runs it.
                    return false;
                }
            } else if let Some(handle) = process.handles {
                self.disown(id, handle);
                self.drop_handle(cpu, handle);
            } else {
                break;
            }
        }
        let process = &self.processes[id];
        let space = process.space;
        if process.threads.is_some()
            || process.handles.is_some()
            || !self.vacate(cpu, space)
            || !self.vm.space_destroy(space)
        {
            return false;
        }
        let process = &mut self.processes[id];
        process.life = Life::Ended;
        let (account, watch, refs) = (process.account, process.watch.take(), process.refs);
        self.vm.account_close(account);
        if let Some(notice) = watch {
            self.signal(cpu, notice);
        }
        if refs == 0 {
            self.forget_process(id);
        }
        true
    }

    /// Sees to it that no CPU has an address space loaded; false if another CPU still has.
    fn vacate(&mut self, cpu: CpuId, space: Id<Space>) -> bool {
        let mut vacant = true;
        for (index, other) in self.cpus.iter_mut().enumerate() {
            if other.space != Some(space) {
                continue;
            }
            if index == cpu.index() {
                other.space = None;
                crate::arch::user::unload_space();
            } else {
                crate::arch::interrupts::send_ipi(CpuId(index as u8));
                vacant = false;
            }
        }
        vacant
    }

    /// Puts a process back that is not done with, behind the first of the others.
    fn put_off(&mut self, id: Id<Process>) {
        let place = match self.dying.process {
            Some(first) => &mut self.processes[first].next_dying,
            None => &mut self.dying.process,
        };
        self.processes[id].next_dying = place.replace(id);
    }
}
