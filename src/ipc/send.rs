//! Sending and calling.

use super::Outcome;
use crate::abi::{Error, FOREVER, Info, NOW};
use crate::kernel::Kernel;
use crate::mm::Id;
use crate::object::{Awaited, Caller, Message, Port, Sort, State, Thread, Waiting};
use crate::units::CpuId;

impl Kernel {
    /// `Send`.
    pub fn send(
        &mut self,
        cpu: CpuId,
        me: Id<Thread>,
        id: Id<Port>,
        badge: u64,
    ) -> Result<Outcome, Error> {
        let (info, deadline) = self.prepare(me, id, badge)?;
        let port = &self.ports[id];
        if port.waiting == Waiting::Receivers {
            if let Some(receiver) = port.queue.first() {
                self.unqueue(receiver);
                self.put(self.letter(me, Sort::Send), receiver);
                self.wake(cpu, receiver);
                return Ok(Outcome::Done);
            }
            let room = port.messages < port.capacity && self.may_be_queued(me, info);
            if room && self.enqueue(me, id, info).is_ok() {
                return Ok(Outcome::Done);
            }
        }
        if deadline == NOW {
            self.take_back(me);
            return Err(Error::Full);
        }
        self.wait_at(cpu, me, State::Sending(id, Sort::Send), deadline);
        Ok(Outcome::Settled)
    }

    /// `Call`.
    pub fn call(
        &mut self,
        cpu: CpuId,
        me: Id<Thread>,
        id: Id<Port>,
        badge: u64,
    ) -> Result<Outcome, Error> {
        let (_, deadline) = self.prepare(me, id, badge)?;
        if deadline == NOW {
            self.take_back(me);
            return Err(Error::TimedOut);
        }
        self.call_on(cpu, me, id, Sort::Call, deadline);
        Ok(Outcome::Settled)
    }

    /// The current thread's foreign call or fault becomes a call on its process's handler; false if
    /// there is none.
    pub fn call_handler(&mut self, cpu: CpuId, me: Id<Thread>, sort: Sort) -> bool {
        let Some(handler) = self.processes[self.threads[me].process].handler else { return false };
        if self.ports.get(handler.port).is_none_or(Port::is_gone) {
            return false;
        }
        self.threads[me].badge = handler.badge;
        self.call_on(cpu, me, handler.port, sort, FOREVER);
        true
    }

    fn call_on(&mut self, cpu: CpuId, me: Id<Thread>, id: Id<Port>, sort: Sort, deadline: u64) {
        let port = &self.ports[id];
        let receiver = port.queue.first().filter(|_| port.waiting == Waiting::Receivers);
        let Some(receiver) = receiver else {
            return self.wait_at(cpu, me, State::Sending(id, sort), deadline);
        };
        self.unqueue(receiver);
        self.put(self.letter(me, sort), receiver);
        self.bind(cpu, me, sort, receiver, id);
        self.set_deadline(cpu, me, deadline);
        self.pass(cpu, receiver);
    }

    /// `server` has taken the call of `caller`: it owes an answer, and works at the caller's priority.
    pub(super) fn bind(
        &mut self,
        cpu: CpuId,
        caller: Id<Thread>,
        sort: Sort,
        server: Id<Thread>,
        port: Id<Port>,
    ) {
        let thread = &mut self.threads[caller];
        thread.state = State::Awaiting(Awaited { sort, server });
        let (call, priority) = (thread.calls, thread.priority);
        let thread = &mut self.threads[server];
        thread.caller = Some(Caller { thread: caller, call });
        thread.serving = Some(port);
        let priority = priority.max(thread.base);
        self.set_priority(cpu, server, priority);
        self.ports[port].server = Some(server);
    }

    /// What every message has to pass before anything happens.
    fn prepare(
        &mut self,
        me: Id<Thread>,
        port: Id<Port>,
        badge: u64,
    ) -> Result<(Info, u64), Error> {
        let thread = &self.threads[me];
        let (process, deadline) = (thread.process, thread.context.frame.deadline());
        let [_, info, a, b, c, d, e, f] = *thread.context.frame.args();
        let (info, mut words) = (Info(info), [a, b, c, d, e, f]);
        if !info.is_valid() {
            return Err(Error::Invalid);
        }
        if self.ports[port].is_gone() {
            return Err(Error::PeerGone);
        }
        if info.handles() > 0 {
            self.detach(process, info, &mut words)?;
            self.threads[me].context.frame.args_mut()[2..].copy_from_slice(&words);
        }
        self.threads[me].badge = badge;
        Ok((info, deadline))
    }

    /// Puts the message into the port's queue, which has room and is paid for.
    fn enqueue(&mut self, me: Id<Thread>, id: Id<Port>, info: Info) -> Result<(), Error> {
        let letter = self.letter(me, Sort::Send);
        let (words, badge, tag) = (letter.words, letter.badge, letter.tag);
        let message = Message { info: info.0, words, badge, tag, next: None };
        let message = self.messages.insert(message, &mut self.ram)?;
        let port = &mut self.ports[id];
        port.messages += 1;
        port.ends = Some(match port.ends {
            Some((first, last)) => {
                self.messages[last].next = Some(message);
                (first, message)
            }
            None => (message, message),
        });
        Ok(())
    }
}
