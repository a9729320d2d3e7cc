//! Receiving: signals first, then what is queued, then those who wait.

use super::{Letter, Outcome};
use crate::abi::{Arrival, Error, NOW};
use crate::kernel::Kernel;
use crate::mm::Id;
use crate::object::{Message, Port, Sort, State, Thread, Waiting};
use crate::units::CpuId;

impl Kernel {
    /// `Receive`. A call that was received before and not answered is dropped.
    pub fn receive(
        &mut self,
        cpu: CpuId,
        me: Id<Thread>,
        id: Id<Port>,
        deadline: u64,
    ) -> Result<Outcome, Error> {
        if let Some(caller) = self.threads[me].caller.take() {
            self.abandon(cpu, caller);
            self.give_back_priority(cpu, me);
        }
        if self.take(cpu, me, id)? {
            return Ok(Outcome::Settled);
        }
        if deadline == NOW {
            return Err(Error::TimedOut);
        }
        self.wait_at(cpu, me, State::Receiving(id), deadline);
        Ok(Outcome::Settled)
    }

    /// Waits for nothing but the deadline.
    pub fn sleep(&mut self, cpu: CpuId, me: Id<Thread>, deadline: u64) -> Result<Outcome, Error> {
        if deadline <= self.now().0 {
            return Err(Error::TimedOut);
        }
        self.wait_at(cpu, me, State::Sleeping, deadline);
        Ok(Outcome::Settled)
    }

    /// Receives what there is.
    pub(super) fn take(&mut self, cpu: CpuId, me: Id<Thread>, id: Id<Port>) -> Result<bool, Error> {
        let port = &mut self.ports[id];
        if port.is_gone() {
            return Err(Error::PeerGone);
        }
        if port.signals != 0 {
            let bits = core::mem::take(&mut port.signals);
            self.put_signals(me, bits);
            return Ok(true);
        }
        if let Some(message) = self.dequeue(id) {
            let Message { info, words, badge, tag, .. } = message;
            self.put(Letter { arrival: Arrival::Message, info, words, badge, tag }, me);
            return Ok(true);
        }
        let port = &self.ports[id];
        let sender = port.queue.first().filter(|_| port.waiting == Waiting::Senders);
        let Some(sender) = sender else { return Ok(false) };
        let State::Sending(_, sort) = self.threads[sender].state else { return Ok(false) };
        self.put(self.letter(sender, sort), me);
        if sort == Sort::Send {
            self.unqueue(sender);
            self.threads[sender].context.frame.args_mut()[0] = 0;
            self.wake(cpu, sender);
        } else {
            self.unqueue_keeping_deadline(sender);
            self.bind(cpu, sender, sort, me, id);
        }
        Ok(true)
    }

    /// The oldest message of a port's queue.
    pub fn dequeue(&mut self, id: Id<Port>) -> Option<Message> {
        let port = &mut self.ports[id];
        let (first, last) = port.ends?;
        let message = self.messages.remove(first)?;
        port.messages -= 1;
        port.ends = message.next.map(|next| (next, last));
        Some(message)
    }

    pub(super) fn put_signals(&mut self, to: Id<Thread>, bits: u64) {
        let words = [bits, 0, 0, 0, 0, 0];
        self.put(Letter { arrival: Arrival::Signals, info: 0, words, badge: 0, tag: 0 }, to);
    }

    /// The deadline of a call is that of its answer.
    fn unqueue_keeping_deadline(&mut self, sender: Id<Thread>) {
        let Some(id) = self.threads[sender].state.port() else { return };
        let port = &mut self.ports[id];
        port.queue.remove(&mut self.threads, sender);
        if port.queue.first().is_none() {
            port.waiting = Waiting::Receivers;
        }
    }
}
