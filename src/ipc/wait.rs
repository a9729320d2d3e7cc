//! Waiting, and the end of it: because something came, because time is up, because there is nothing to
//! wait for any more.

use super::{Answer, Outcome};
use crate::abi::{EXIT_ABANDONED, Error, Info, NOW};
use crate::kernel::Kernel;
use crate::mm::Id;
use crate::object::{Awaited, Caller, Notice, Sort, State, Thread, Waiting};
use crate::units::CpuId;

/// How far priority is lent along a chain of threads that wait for each other.
const CHAIN: usize = 8;

impl Kernel {
    /// The current thread waits, at most until the deadline, and leaves the CPU.
    #[inline(always)]
    pub fn wait_at(&mut self, cpu: CpuId, me: Id<Thread>, state: State, deadline: u64) -> Answer {
        if deadline == NOW {
            return Err(Error::TimedOut);
        }
        self.begin_wait(cpu, me, state, deadline);
        self.set_aside(cpu);
        Ok(Outcome::Settled)
    }

    /// The current thread waits, at a port perhaps, and will be off the CPU in a moment.
    #[inline(always)]
    pub(super) fn begin_wait(&mut self, cpu: CpuId, me: Id<Thread>, state: State, deadline: u64) {
        self.threads[me].state = state;
        match state {
            State::Receiving(id) => self.ports[id].queue.push(&mut self.threads, me),
            State::Sending(id, _) => {
                let port = &mut self.ports[id];
                port.waiting = Waiting::Senders;
                port.queue.push(&mut self.threads, me);
                self.lend(cpu, me);
            }
            _ => {}
        }
        self.set_deadline(cpu, me, deadline);
    }

    /// Takes a thread out of the queue of the port it waits at: it waits for nothing any more, and has no
    /// deadline.
    pub fn unqueue(&mut self, id: Id<Thread>) {
        self.leave_port(id);
        self.threads[id].state = State::Stopped;
        self.clear_deadline(id);
    }

    /// Takes a thread out of the queue of the port it waits at.
    pub(super) fn leave_port(&mut self, id: Id<Thread>) {
        let Some(port) = self.threads[id].state.port() else { return };
        let port = &mut self.ports[port];
        port.queue.remove(&mut self.threads, id);
        if port.queue.is_empty() && port.waiting == Waiting::Senders {
            port.waiting = Waiting::Receivers;
        }
    }

    /// Ends a thread's wait with an error, if it waits: nothing was sent or received. A thread that
    /// waits for the handler of its process only ends with that.
    pub fn end_wait(&mut self, cpu: CpuId, id: Id<Thread>, error: Error) -> bool {
        let Some(thread) = self.threads.get(id) else { return false };
        match thread.state {
            State::Receiving(_) | State::Sleeping => {}
            State::Sending(_, Sort::Send | Sort::Call) => self.take_back(id),
            State::Awaiting(Awaited { sort: Sort::Call, .. }) => {}
            _ => return false,
        }
        self.unqueue(id);
        self.threads[id].calls = self.threads[id].calls.wrapping_add(1);
        self.threads[id].context.frame.args_mut()[0] = error.status();
        self.wake(cpu, id);
        true
    }

    /// The handles of a message that was not taken are the sender's again.
    pub fn take_back(&mut self, id: Id<Thread>) {
        let info = self.threads[id].context.frame.args()[1];
        self.attach(id, Info(info));
    }

    /// Nobody will answer this call any more.
    pub fn abandon(&mut self, cpu: CpuId, caller: Caller) {
        let Some(awaited) = self.awaited(caller) else { return };
        match awaited.sort {
            Sort::Call | Sort::Send => {
                self.end_wait(cpu, caller.thread, Error::PeerGone);
            }
            Sort::Foreign | Sort::Fault => {
                self.end_process(self.threads[caller.thread].process, EXIT_ABANDONED);
            }
        }
    }

    /// What a caller waits for, if it still does.
    #[inline(always)]
    pub fn awaited(&self, caller: Caller) -> Option<Awaited> {
        let thread = self.threads.get(caller.thread)?;
        match thread.state {
            State::Awaiting(awaited) if thread.calls == caller.call => Some(awaited),
            _ => None,
        }
    }

    /// Sets signals, which a waiting receiver gets at once.
    #[inline]
    pub fn signal(&mut self, cpu: CpuId, notice: Notice) {
        let Some(port) = self.ports.get_mut(notice.port) else { return };
        port.signals |= notice.bits;
        let bits = port.signals;
        if bits != 0
            && let Some(receiver) = self.take_receiver(notice.port)
        {
            self.ports[notice.port].signals = 0;
            self.threads[receiver].put_signals(bits);
            self.wake(cpu, receiver);
        }
    }

    /// Gives a thread another priority of its own. What was lent to it stays, and what it lends grows.
    pub fn set_base_priority(&mut self, cpu: CpuId, id: Id<Thread>, base: u8) {
        let thread = &mut self.threads[id];
        thread.base = base;
        let caller = thread.caller.filter(|caller| self.awaited(*caller).is_some());
        let lent = caller.map_or(0, |caller| self.threads[caller.thread].priority);
        self.set_priority(cpu, id, base.max(lent));
        self.lend(cpu, id);
    }

    /// The thread that works for `id`, or that takes calls where `id` waits with one, runs at its priority
    /// at least; and so do those that it in turn waits for.
    fn lend(&mut self, cpu: CpuId, mut id: Id<Thread>) {
        for _ in 0..CHAIN {
            let Thread { state, priority, .. } = self.threads[id];
            let server = match state {
                State::Awaiting(awaited) => Some(awaited.server),
                State::Sending(port, sort) if sort != Sort::Send => self.ports[port].server,
                _ => None,
            };
            let works = |server: &Id<Thread>| {
                self.threads.get(*server).is_some_and(|thread| {
                    let works = match state.port() {
                        Some(_) => thread.caller.is_some() && thread.serving == state.port(),
                        None => thread.caller.is_some_and(|caller| caller.thread == id),
                    };
                    works && thread.priority < priority
                })
            };
            let Some(server) = server.filter(works) else { return };
            self.set_priority(cpu, server, priority);
            id = server;
        }
    }

    /// The current thread owes nobody an answer any more, and works at its own priority again.
    #[inline(always)]
    pub(super) fn settle_debt(&mut self, me: Id<Thread>) -> Option<Caller> {
        let thread = &mut self.threads[me];
        let caller = thread.caller.take();
        if caller.is_some() {
            thread.priority = thread.base;
        }
        caller
    }
}
