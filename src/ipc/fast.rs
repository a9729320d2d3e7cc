//! The short way of a call and its answer: one side waits for the other, nothing but words is to be
//! moved, and the CPU goes straight from one to the other.
//!
//! Each way is a ladder: what has to be so is asked for step by step, and wherever it is not the answer
//! is `None` with nothing changed, for the long way to do it. Below the point of no return nothing is
//! asked any more. What is done there is what the long way does; `tests/host/sim*.rs` compares.
//!
//! Nothing here calls a function that is not inlined: the registers that functions keep for each other
//! would cost as much as all the rest.

use crate::abi::{FOREVER, PortRights};
use crate::arch;
use crate::kernel::{Cpu, Kernel};
use crate::mm::Id;
use crate::mm::asid::Asids;
use crate::object::{Awaited, Caller, Flags, Port, Sort, State, Thread, Waiting};
use crate::units::{CpuId, MAX_CPUS};

/// What the upper half of a message's head may be at most: two leases, which stay where they are.
const LEASES: u64 = 0x20;
/// Handles, in that half.
const HANDLES: u64 = 0xf;

impl Kernel {
    /// `Call`: the thread that runs now.
    #[inline(always)]
    pub fn call_fast(&mut self, cpu: CpuId, me: Id<Thread>) -> Option<&mut Thread> {
        let caller = self.threads.get(me)?;
        let frame = &caller.context.frame;
        let head = frame.args()[1] >> 32;
        if frame.deadline() != FOREVER || head & HANDLES != 0 || head > LEASES {
            return None;
        }
        let found = self.find::<Port>(caller.process, frame.args()[0], PortRights::SEND).ok()?;
        let words = *frame.args();
        self.hand_over(cpu, me, Sort::Call, found.id, found.badge, words)
    }

    /// A foreign call.
    #[inline(always)]
    pub fn foreign_fast(&mut self, cpu: CpuId, me: Id<Thread>) -> Option<&mut Thread> {
        let caller = self.threads.get(me)?;
        let handler = self.processes.get(caller.process)?.handler?;
        let frame = &caller.context.frame;
        let [a, b, c, d, e, f] = frame.foreign_arguments();
        let words = [0, frame.number() & 0xffff_ffff, a, b, c, d, e, f];
        self.hand_over(cpu, me, Sort::Foreign, handler.port, handler.badge, words)
    }

    /// The CPU and a message go from the caller to the server that waits for it.
    #[inline(always)]
    fn hand_over(
        &mut self,
        cpu: CpuId,
        me: Id<Thread>,
        sort: Sort,
        id: Id<Port>,
        badge: u64,
        words: [u64; 8],
    ) -> Option<&mut Thread> {
        let Kernel { threads, ports, cpus, vm, .. } = self;
        let port = ports.get_mut(id)?;
        if port.waiting != Waiting::Receivers || port.is_gone() {
            return None;
        }
        let first = port.queue.first()?;
        let (caller, server) = threads.pair(me, first)?;
        if server.links.1.is_some()
            || server.base > caller.priority
            || !may_take_over(cpu, caller, server, &vm.asids)
        {
            return None;
        }

        // The point of no return.
        port.queue.clear();
        port.server = Some(first);
        caller.badge = badge;
        caller.state = State::Awaiting(Awaited { sort, server: first });
        server.caller = Some(Caller { thread: me, call: caller.calls });
        server.serving = Some(id);
        server.priority = caller.priority;
        let [_, words @ ..] = words;
        server.context.frame.set_words(sort.arrival() as u64, words);
        server.context.frame.set_badge(badge, caller.tag);
        let state = &mut cpus[cpu.index() % MAX_CPUS];
        take_over(state, &mut vm.asids, cpu, caller, first, server);
        Some(server)
    }

    /// `ReplyReceive`: the thread that runs now answers the call it received last, and waits.
    #[inline(always)]
    pub fn reply_receive_fast(&mut self, cpu: CpuId, me: Id<Thread>) -> Option<&mut Thread> {
        let server = self.threads.get(me)?;
        let frame = &server.context.frame;
        if frame.deadline() != FOREVER || frame.args()[1] >> 32 != 0 {
            return None;
        }
        let answer = server.caller?;
        let found = self.find::<Port>(server.process, frame.args()[0], PortRights::RECEIVE).ok()?;
        let Kernel { threads, ports, cpus, vm, .. } = self;
        let port = ports.get_mut(found.id)?;
        let idle = port.signals == 0
            && port.ends.is_none()
            && port.waiting == Waiting::Receivers
            && port.queue.first().is_none()
            && !port.is_gone();
        let (server, caller) = threads.pair(me, answer.thread)?;
        let State::Awaiting(Awaited { sort, .. }) = caller.state else { return None };
        let state = &mut cpus[cpu.index() % MAX_CPUS];
        if !idle
            || caller.calls != answer.call
            || state.queue.has_above(caller.priority)
            || !may_take_over(cpu, server, caller, &vm.asids)
        {
            return None;
        }
        let [_, words @ ..] = *server.context.frame.args();
        match sort {
            Sort::Call => {}
            Sort::Foreign if words[0] == 0 => {}
            _ => return None,
        }

        // The point of no return.
        if sort == Sort::Call {
            caller.context.frame.set_words(0, words);
        } else {
            caller.context.frame.set_foreign_result(words[1]);
        }
        caller.calls = caller.calls.wrapping_add(1);
        server.caller = None;
        server.priority = server.base;
        server.state = State::Receiving(found.id);
        port.queue.begin(me, server.base);
        take_over(state, &mut vm.asids, cpu, server, answer.thread, caller);
        Some(caller)
    }
}

/// Whether `to` can go on where `from` leaves off, in the middle of its slice.
#[inline(always)]
fn may_take_over(cpu: CpuId, from: &Thread, to: &Thread, asids: &Asids) -> bool {
    from.flags | to.flags == Flags::empty()
        && to.affinity >> cpu.0 & 1 == 1
        && (from.slice == 0) == (to.slice == 0)
        && asids.is_current(to.seat.tag)
}

/// `Kernel::switch`, for threads that may.
#[inline(always)]
fn take_over(
    state: &mut Cpu,
    asids: &mut Asids,
    cpu: CpuId,
    from: &mut Thread,
    id: Id<Thread>,
    to: &mut Thread,
) {
    let now = arch::timer::now();
    from.time += now.wrapping_sub(state.since);
    state.since = now;
    state.current = Some(id);
    arch::user::leave(&mut from.context);
    to.state = State::Running;
    to.cpu = cpu;
    arch::user::arrive(&mut to.context);
    if state.space != Some(to.space) {
        state.space = Some(to.space);
        arch::user::load_space(to.seat.root, asids.take(cpu, to.seat.tag));
    }
    if state.fpu == Some(id) {
        arch::user::fpu_on();
        state.fpu_on = true;
    }
}
