//! Ports, timers and interrupts: what is small and ends at once.

use crate::abi::{Error, MESSAGE_HANDLES};
use crate::arch;
use crate::kernel::Kernel;
use crate::mm::tree::Links;
use crate::mm::{Account, Arena, Id};
use crate::object::{Handle, Interrupt, Message, Notice, Port, Queue, Target, Timer, Waiting};
use crate::units::{CpuId, Nanos, Result};

/// The most messages a port's queue has room for.
const MAX_CAPACITY: u64 = 256;

impl Kernel {
    /// A port. The room in its queue is paid for from the beginning.
    pub fn create_port(&mut self, account: Id<Account>, capacity: u64) -> Result<Id<Port>> {
        if capacity > MAX_CAPACITY {
            return Err(Error::Invalid);
        }
        self.ports.reserve(&mut self.vm.ram)?;
        self.vm.charge(account, Self::port_cost(capacity as u32))?;
        let port = Port {
            queue: Queue::EMPTY,
            waiting: Waiting::Receivers,
            signals: 0,
            messages: 0,
            ends: None,
            capacity: capacity as u32,
            server: None,
            receivers: 0,
            refs: 0,
            account,
            is_empty: false,
            next_dying: None,
        };
        self.ports.insert(port, &mut self.vm.ram)
    }

    /// With the handles that its messages may carry, which nobody else pays for.
    fn port_cost(capacity: u32) -> u64 {
        let carried = MESSAGE_HANDLES as u64 * Arena::<Handle>::COST;
        Arena::<Port>::COST + u64::from(capacity) * (Arena::<Message>::COST + carried)
    }

    /// Nobody has a handle to a port that is gone.
    pub fn forget_port(&mut self, id: Id<Port>) {
        if let Some(port) = self.ports.remove(id) {
            self.vm.uncharge(port.account, Self::port_cost(port.capacity));
        }
    }

    /// A timer that is not set.
    pub fn create_timer(&mut self, account: Id<Account>, target: Target) -> Result<Id<Timer>> {
        let number = self.timers.reserve(&mut self.vm.ram)?.index() as u32;
        self.vm.charge(account, Arena::<Timer>::COST)?;
        let (when, links) = (Nanos(0), Links::NONE);
        let timer = Timer { when, number, cpu: None, target, refs: 0, account, links };
        self.timers.insert(timer, &mut self.vm.ram)
    }

    /// Nobody waits for a timer any more.
    pub(super) fn end_timer(&mut self, id: Id<Timer>) {
        self.unset(id);
        if let Some(timer) = self.timers.remove(id) {
            self.vm.uncharge(timer.account, Arena::<Timer>::COST);
        }
    }

    /// A line that nobody has yet. It is let through at once.
    pub fn create_interrupt(
        &mut self,
        account: Id<Account>,
        line: u64,
        notice: Notice,
    ) -> Result<Id<Interrupt>> {
        let line = u32::try_from(line).map_err(|_| Error::Invalid)?;
        if !arch::interrupts::is_free(line) {
            return Err(Error::Invalid);
        }
        if self.interrupts.iter().any(|(_, interrupt)| interrupt.line == line) {
            return Err(Error::Occupied);
        }
        self.interrupts.reserve(&mut self.vm.ram)?;
        self.vm.charge(account, Arena::<Interrupt>::COST)?;
        let interrupt = Interrupt { line, notice, pending: false, refs: 0, account };
        let id = self.interrupts.insert(interrupt, &mut self.vm.ram)?;
        arch::interrupts::unmask(line);
        Ok(id)
    }

    /// A line asks: it is masked until whoever serves it says that it may ask again.
    pub fn interrupt(&mut self, cpu: CpuId, line: u32) {
        arch::interrupts::mask(line);
        let found = self.interrupts.iter().find(|(_, interrupt)| interrupt.line == line);
        let Some(id) = found.map(|(id, _)| id) else {
            return crate::warn!("nobody serves interrupt {line}");
        };
        let interrupt = &mut self.interrupts[id];
        interrupt.pending = true;
        let notice = interrupt.notice;
        self.signal(cpu, notice);
    }

    /// `InterruptAck`.
    pub fn acknowledge(&mut self, id: Id<Interrupt>) {
        let interrupt = &mut self.interrupts[id];
        if core::mem::take(&mut interrupt.pending) {
            arch::interrupts::unmask(interrupt.line);
        }
    }

    /// Nobody serves an interrupt any more.
    pub(super) fn end_interrupt(&mut self, id: Id<Interrupt>) {
        if let Some(interrupt) = self.interrupts.remove(id) {
            arch::interrupts::mask(interrupt.line);
            self.vm.uncharge(interrupt.account, Arena::<Interrupt>::COST);
        }
    }
}
