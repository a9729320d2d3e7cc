//! The short way of a call and its answer: both sides wait for each other, nothing but words is to be
//! moved, and the CPU goes straight from one to the other.
//!
//! Each way is a ladder: what has to be so is asked for step by step, and wherever it is not the answer
//! is `None` with nothing changed, for the long way to do it. Below the point of no return nothing is
//! asked any more. What is done there is what the long way does; `tests/host/sim*.rs` compares.

use crate::abi::{FOREVER, PortRights};
use crate::arch;
use crate::kernel::Kernel;
use crate::mm::Id;
use crate::object::{Awaited, Caller, Flags, Port, Process, Sort, State, Thread, Waiting};
use crate::units::CpuId;

/// What the upper half of a message's head may be: nothing, or one or two leases, which stay where they
/// are.
const LEASES: u64 = 0x20;

impl Kernel {
    /// `Call`: the thread that runs now.
    #[inline(always)]
    pub fn call_fast(&mut self, cpu: CpuId, me: Id<Thread>) -> Option<Id<Thread>> {
        let caller = self.threads.get(me)?;
        let frame = &caller.context.frame;
        let head = frame.args()[1] >> 32;
        if frame.deadline() != FOREVER || head & 0xf != 0 || head > LEASES {
            return None;
        }
        let found = self.find::<Port>(caller.process, frame.args()[0], PortRights::SEND).ok()?;
        let server = self.receiver(cpu, caller, found.id)?;

        // The point of no return.
        self.threads[me].badge = found.badge;
        let words = *self.threads[me].context.frame.args();
        self.hand_over(cpu, me, Sort::Call, server, found.id, words);
        Some(server)
    }

    /// A foreign call.
    #[inline(always)]
    pub fn foreign_fast(&mut self, cpu: CpuId, me: Id<Thread>) -> Option<Id<Thread>> {
        let caller = self.threads.get(me)?;
        let handler = self.processes.get(caller.process)?.handler?;
        let server = self.receiver(cpu, caller, handler.port)?;

        // The point of no return.
        self.threads[me].badge = handler.badge;
        let frame = &self.threads[me].context.frame;
        let [a, b, c, d, e, f] = frame.foreign_arguments();
        let words = [0, frame.number() & 0xffff_ffff, a, b, c, d, e, f];
        self.hand_over(cpu, me, Sort::Foreign, server, handler.port, words);
        Some(server)
    }

    /// `ReplyReceive`: the thread that runs now answers the call it received last, and waits.
    #[inline(always)]
    pub fn reply_receive_fast(&mut self, cpu: CpuId, me: Id<Thread>) -> Option<Id<Thread>> {
        let server = self.threads.get(me)?;
        let frame = &server.context.frame;
        let answer = server.caller?;
        if server.flags != Flags::empty()
            || frame.deadline() != FOREVER
            || frame.args()[1] >> 32 != 0
        {
            return None;
        }
        let process: Id<Process> = server.process;
        let found = self.find::<Port>(process, frame.args()[0], PortRights::RECEIVE).ok()?;
        let port = self.ports.get(found.id)?;
        if port.signals != 0
            || port.ends.is_some()
            || port.waiting != Waiting::Receivers
            || port.is_gone()
        {
            return None;
        }
        let caller = self.threads.get(answer.thread)?;
        let State::Awaiting(Awaited { sort, .. }) = caller.state else { return None };
        if caller.calls != answer.call
            || !self.may_take_over(cpu, server, caller)
            || self.cpus[cpu.index()].queue.has_above(caller.priority)
        {
            return None;
        }
        match sort {
            Sort::Call => {}
            Sort::Foreign if frame.args()[1] == 0 => {}
            _ => return None,
        }

        // The point of no return.
        let words = *frame.args();
        let caller = &mut self.threads[answer.thread];
        if sort == Sort::Call {
            *caller.context.frame.args_mut() = words;
            caller.context.frame.args_mut()[0] = 0;
        } else {
            caller.context.frame.set_foreign_result(words[2]);
        }
        caller.calls = caller.calls.wrapping_add(1);
        caller.fault = None;
        let server = &mut self.threads[me];
        server.caller = None;
        server.priority = server.base;
        server.state = State::Receiving(found.id);
        self.ports[found.id].queue.push(&mut self.threads, me);
        self.switch(cpu, answer.thread, arch::timer::now());
        Some(answer.thread)
    }

    /// The thread that waits at a port and can take over from `caller` right now.
    #[inline(always)]
    fn receiver(&self, cpu: CpuId, caller: &Thread, id: Id<Port>) -> Option<Id<Thread>> {
        let port = self.ports.get(id)?;
        if port.waiting != Waiting::Receivers || port.is_gone() {
            return None;
        }
        let first = port.queue.first()?;
        let server = self.threads.get(first)?;
        let open = caller.flags == Flags::empty() && server.base <= caller.priority;
        (open && self.may_take_over(cpu, caller, server)).then_some(first)
    }

    /// Whether `to` can go on where `from` leaves off, in the middle of its slice.
    #[inline(always)]
    fn may_take_over(&self, cpu: CpuId, from: &Thread, to: &Thread) -> bool {
        to.flags == Flags::empty()
            && to.affinity >> cpu.0 & 1 == 1
            && (from.slice == 0) == (to.slice == 0)
    }

    /// The CPU and a message go from the caller to the server that waits for it.
    #[inline(always)]
    fn hand_over(
        &mut self,
        cpu: CpuId,
        me: Id<Thread>,
        sort: Sort,
        server: Id<Thread>,
        id: Id<Port>,
        words: [u64; 8],
    ) {
        let port = &mut self.ports[id];
        port.queue.remove(&mut self.threads, server);
        port.server = Some(server);
        let caller = &mut self.threads[me];
        caller.state = State::Awaiting(Awaited { sort, server });
        let (call, priority, badge, tag) =
            (caller.calls, caller.priority, caller.badge, caller.tag);
        let thread = &mut self.threads[server];
        *thread.context.frame.args_mut() = words;
        thread.context.frame.args_mut()[0] = sort.arrival() as u64;
        thread.context.frame.set_badge(badge, tag);
        thread.caller = Some(Caller { thread: me, call });
        thread.serving = Some(id);
        thread.priority = priority;
        self.switch(cpu, server, arch::timer::now());
    }
}
