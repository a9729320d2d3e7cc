//! Sending and calling.

use super::{Answer, Outcome};
use crate::abi::{Error, FOREVER, Info, NOW};
use crate::kernel::Kernel;
use crate::mm::Id;
use crate::object::{Awaited, Caller, Found, Message, Port, Sort, State, Thread, Waiting};
use crate::units::{CpuId, Result};

impl Kernel {
    /// `Send`, and `Call`, which waits for the answer.
    #[inline(always)]
    pub fn send(&mut self, cpu: CpuId, me: Id<Thread>, to: Found<Port>, sort: Sort) -> Answer {
        let Thread { ref context, process, .. } = self.threads[me];
        let [_, info, a, b, c, d, e, f] = *context.frame.args();
        let (info, mut words, deadline) =
            (Info(info), [a, b, c, d, e, f], context.frame.deadline());
        if !info.is_valid() {
            return Err(Error::Invalid);
        }
        if self.ports[to.id].is_gone() {
            return Err(Error::PeerGone);
        }
        if sort == Sort::Call && deadline == NOW {
            return Err(Error::TimedOut);
        }
        if info.handles() > 0 {
            self.detach(process, info, &mut words)?;
            let [_, _, places @ ..] = self.threads[me].context.frame.args_mut();
            *places = words;
        }
        self.threads[me].badge = to.badge;
        match sort {
            Sort::Send => self.send_on(cpu, me, to.id, info, deadline),
            _ => self.call_on(cpu, me, to.id, sort, deadline),
        }
    }

    #[inline(always)]
    fn send_on(
        &mut self,
        cpu: CpuId,
        me: Id<Thread>,
        id: Id<Port>,
        info: Info,
        deadline: u64,
    ) -> Answer {
        if let Some(receiver) = self.take_receiver(id) {
            self.deliver(me, Sort::Send, receiver);
            self.wake(cpu, receiver);
            return Ok(Outcome::Done);
        }
        let port = &self.ports[id];
        if port.waiting == Waiting::Receivers
            && port.messages < port.capacity
            && self.may_be_queued(me, info)
            && self.enqueue(me, id).is_ok()
        {
            return Ok(Outcome::Done);
        }
        if deadline == NOW {
            self.take_back(me);
            return Err(Error::Full);
        }
        self.wait_at(cpu, me, State::Sending(id, Sort::Send), deadline)
    }

    /// The current thread's foreign call or fault becomes a call on its process's handler; false if
    /// there is none.
    pub fn call_handler(&mut self, cpu: CpuId, me: Id<Thread>, sort: Sort) -> bool {
        let Some(handler) = self.processes[self.threads[me].process].handler else { return false };
        if self.ports.get(handler.port).is_none_or(Port::is_gone) {
            return false;
        }
        self.threads[me].badge = handler.badge;
        self.call_on(cpu, me, handler.port, sort, FOREVER).is_ok()
    }

    #[inline(always)]
    fn call_on(
        &mut self,
        cpu: CpuId,
        me: Id<Thread>,
        id: Id<Port>,
        sort: Sort,
        deadline: u64,
    ) -> Answer {
        let Some(receiver) = self.take_receiver(id) else {
            return self.wait_at(cpu, me, State::Sending(id, sort), deadline);
        };
        self.deliver(me, sort, receiver);
        self.bind(me, sort, receiver, id);
        self.set_deadline(cpu, me, deadline);
        self.pass(cpu, receiver);
        Ok(Outcome::Settled)
    }

    /// `server`, which is in no queue, has taken the call of `caller`: it owes an answer, and works at
    /// the caller's priority.
    #[inline(always)]
    pub(super) fn bind(
        &mut self,
        caller: Id<Thread>,
        sort: Sort,
        server: Id<Thread>,
        port: Id<Port>,
    ) {
        let Some((from, to)) = self.threads.pair(caller, server) else { return };
        from.state = State::Awaiting(Awaited { sort, server });
        to.caller = Some(Caller { thread: caller, call: from.calls });
        to.serving = Some(port);
        to.priority = from.priority.max(to.base);
        self.ports[port].server = Some(server);
    }

    /// Puts the message into the port's queue, which has room and is paid for.
    fn enqueue(&mut self, me: Id<Thread>, id: Id<Port>) -> Result {
        let Thread { ref context, badge, tag, .. } = self.threads[me];
        let [_, words @ ..] = *context.frame.args();
        let message = Message { words, badge, tag, next: None };
        let message = self.messages.insert(message, &mut self.vm.ram)?;
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
