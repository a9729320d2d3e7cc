//! Receiving: signals first, then what is queued, then those who wait.

use super::{Answer, Outcome};
use crate::abi::{Arrival, Error, Info};
use crate::kernel::Kernel;
use crate::mm::Id;
use crate::object::{Message, Port, Sort, State, Thread, Waiting};
use crate::units::{CpuId, Result};

impl Kernel {
    /// `Receive`. A call that was received before and not answered is dropped.
    #[inline(always)]
    pub fn receive(&mut self, cpu: CpuId, me: Id<Thread>, id: Id<Port>, deadline: u64) -> Answer {
        if let Some(caller) = self.settle_debt(me) {
            self.abandon(cpu, caller);
        }
        if self.take(cpu, me, id)? {
            return Ok(Outcome::Settled);
        }
        self.wait_at(cpu, me, State::Receiving(id), deadline)
    }

    /// Receives what there is.
    #[inline(always)]
    pub(super) fn take(&mut self, cpu: CpuId, me: Id<Thread>, id: Id<Port>) -> Result<bool> {
        let port = &mut self.ports[id];
        if port.is_gone() {
            return Err(Error::PeerGone);
        }
        if port.signals != 0 {
            let bits = core::mem::take(&mut port.signals);
            self.threads[me].put_signals(bits);
            return Ok(true);
        }
        if port.ends.is_none() && port.waiting != Waiting::Senders {
            return Ok(false);
        }
        Ok(self.take_message(cpu, me, id))
    }

    /// Receives what is queued, or what the first in the queue has to say.
    fn take_message(&mut self, cpu: CpuId, me: Id<Thread>, id: Id<Port>) -> bool {
        if let Some(message) = self.dequeue(id) {
            let frame = &mut self.threads[me].context.frame;
            frame.set_words(Arrival::Message as u64, message.words);
            frame.set_badge(message.badge, message.tag);
            self.attach(me, Info(message.words[0]));
            return true;
        }
        let Some(sender) = self.ports[id].queue.first() else { return false };
        let State::Sending(_, sort) = self.threads[sender].state else { return false };
        self.deliver(sender, sort, me);
        if sort == Sort::Send {
            self.unqueue(sender);
            self.threads[sender].context.frame.args_mut()[0] = 0;
            self.wake(cpu, sender);
        } else {
            // The deadline of a call is that of its answer.
            self.leave_port(sender);
            self.bind(sender, sort, me, id);
        }
        true
    }

    /// Takes out the first of those who wait to receive, who does not wait any more.
    #[inline(always)]
    pub(super) fn take_receiver(&mut self, id: Id<Port>) -> Option<Id<Thread>> {
        let port = &mut self.ports[id];
        if port.waiting != Waiting::Receivers {
            return None;
        }
        let first = port.queue.pop(&mut self.threads)?;
        self.threads[first].state = State::Stopped;
        self.clear_deadline(first);
        Some(first)
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
}

impl Thread {
    /// Its receive ends with signals.
    #[inline(always)]
    pub(super) fn put_signals(&mut self, bits: u64) {
        let frame = &mut self.context.frame;
        frame.set_words(Arrival::Signals as u64, [0, bits, 0, 0, 0, 0, 0]);
        frame.set_badge(0, 0);
    }
}
