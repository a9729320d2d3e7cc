//! The short way of a call and its answer: one side waits for the other, nothing but words is to be
//! moved, and the CPU goes straight from one to the other. And that of copies which a server makes.
//!
//! Each way is a ladder: what has to be so is asked for step by step, and wherever it is not the answer
//! is `None` with nothing changed, for the long way to do it. Below the point of no return nothing is
//! asked any more. What is done there is what the long way does; `tests/host/sim*.rs` compares.
//!
//! Nothing here calls a function that is not inlined: the registers that functions keep for each other
//! would cost as much as all the rest.

use crate::abi::{
    Call, FOREVER, FaultKind, PortRights, ProcessRights, REPLY_AS_IS, REPLY_LATER, ThreadRights,
};
use crate::arch;
use crate::kernel::{Cpu, Kernel};
use crate::mm::Id;
use crate::mm::asid::Asids;
use crate::object::{Awaited, Caller, Flags, Life, Port, Process, Sort, State, Thread, Waiting};
use crate::units::{CpuId, MAX_CPUS};

/// Leases, which stay where they are, that a message may have at most.
const LEASES: u32 = 2;

/// What there is a short way for.
#[derive(Clone, Copy)]
pub enum Way {
    /// `Call`.
    Call,
    /// `ReplyReceive`.
    ReplyReceive,
    /// A foreign call.
    Foreign,
    /// An exception that is not about memory.
    Fault(FaultKind),
    /// `Reply`.
    Reply,
    /// `ProcessRead` or `ProcessWrite`.
    Copy,
}

impl Kernel {
    /// Takes a short way in the name of the thread that runs now, whose floating point registers are
    /// saved: who runs then. Otherwise nothing happened.
    #[inline(always)]
    pub fn short_way<'a>(
        &'a mut self,
        cpu: CpuId,
        me: &'a mut Thread,
        way: Way,
    ) -> Option<&'a mut Thread> {
        let sort = match way {
            Way::ReplyReceive => return self.reply_receive_fast(cpu, me),
            Way::Reply | Way::Copy if !me.may_go_on(cpu) => return None,
            Way::Reply => return self.reply_fast(cpu, me),
            Way::Copy => return self.copy_fast(me),
            Way::Call => Sort::Call,
            Way::Foreign => Sort::Foreign,
            Way::Fault(kind) => {
                me.fault = (kind, 0, 0);
                Sort::Fault
            }
        };
        if sort != Sort::Call {
            let handler = self.processes.get(me.process)?.handler?;
            return self.hand_over(cpu, me, sort, (handler.port, handler.badge));
        }
        let frame = &me.context.frame;
        let head = (frame.args()[1] >> 32) as u32;
        // The lowest four bits are the number of handles, the next that of leases.
        if frame.deadline() != FOREVER || head.rotate_right(4) > LEASES {
            return None;
        }
        let found = self.find::<Port>(me.process, frame.args()[0], PortRights::SEND).ok()?;
        self.hand_over(cpu, me, sort, (found.id, found.badge))
    }

    /// The CPU and a message go from the caller to the server that waits for it.
    #[inline(always)]
    fn hand_over<'a>(
        &'a mut self,
        cpu: CpuId,
        caller: &'a mut Thread,
        sort: Sort,
        (id, badge): (Id<Port>, u64),
    ) -> Option<&'a mut Thread> {
        let Kernel { threads, ports, cpus, vm, .. } = self;
        let state = &mut cpus[cpu.index() % MAX_CPUS];
        let port = ports.get_mut(id)?;
        if port.waiting != Waiting::Receivers {
            return None;
        }
        let first = port.queue.first()?;
        let server = threads.other(caller, first)?;
        let priority = caller.priority;
        if server.links.1.is_some()
            || server.base > priority
            || !may_take_over(cpu, caller, server, &vm.asids)
        {
            return None;
        }

        // The point of no return.
        port.queue.clear();
        port.server = Some(first);
        caller.state = State::Awaiting(Awaited { sort, server: first });
        server.caller = state.current.map(|thread| Caller { thread, call: caller.calls });
        server.serving = Some(id);
        server.priority = priority;
        server.context.frame.set_words(sort as u64, caller.message(sort));
        server.context.frame.set_badge(badge, caller.tag);
        take_over(state, cpu, caller, first, server);
        Some(server)
    }

    /// `ReplyReceive`: it answers the call it received last, and waits.
    #[inline(always)]
    fn reply_receive_fast<'a>(
        &'a mut self,
        cpu: CpuId,
        server: &'a mut Thread,
    ) -> Option<&'a mut Thread> {
        let frame = &server.context.frame;
        let head = frame.args()[1];
        if frame.deadline() != FOREVER || head >= REPLY_LATER.into() {
            return None;
        }
        let answer = server.caller?;
        let found = self.find::<Port>(server.process, frame.args()[0], PortRights::RECEIVE).ok()?;
        let Kernel { threads, ports, cpus, vm, .. } = self;
        let state = &mut cpus[cpu.index() % MAX_CPUS];
        let me = state.current?;
        let port = ports.get_mut(found.id)?;
        let message = port.ends.map_or(0, |(first, _)| first.to_bits());
        // Whoever may receive from it: nobody waits, or they wait to receive as well.
        let waiting = port.queue.first().map_or(0, Id::to_bits);
        if port.signals | message | waiting != 0 {
            return None;
        }
        let caller = threads.other(server, answer.thread)?;
        let State::Awaiting(Awaited { sort, .. }) = caller.state else { return None };
        if caller.calls != answer.call
            || state.queue.rivals(caller.priority)
                && !state.bounds_turn(caller.priority, self.resting)
            || !may_take_over(cpu, server, caller, &vm.asids)
        {
            return None;
        }
        let label = server.context.frame.args()[1] as u32;
        if sort != Sort::Call && label > REPLY_AS_IS {
            return None;
        }

        // The point of no return.
        let [_, words @ ..] = *server.context.frame.args();
        if sort == Sort::Call {
            caller.context.frame.set_words(0, words);
        } else if sort == Sort::Foreign && label == 0 {
            caller.context.frame.set_foreign_result(words[1]);
        }
        caller.calls = caller.calls.wrapping_add(1);
        server.caller = None;
        server.priority = server.base;
        server.state = State::Receiving(found.id);
        port.queue.begin(me, server.base);
        take_over(state, cpu, server, answer.thread, caller);
        Some(caller)
    }

    /// `Reply` to a thread that made a foreign call or fault: it is ready to run here, after the caller.
    #[inline(always)]
    fn reply_fast<'a>(&mut self, cpu: CpuId, me: &'a mut Thread) -> Option<&'a mut Thread> {
        let [which, info, word, ..] = *me.context.frame.args();
        if info > REPLY_AS_IS.into() || self.resting != 0 {
            return None;
        }
        let id = self.find::<Thread>(me.process, which, ThreadRights::REGISTERS).ok()?.id;
        let thread = self.threads.other(me, id)?;
        let State::Awaiting(Awaited { sort: sort @ (Sort::Foreign | Sort::Fault), .. }) =
            thread.state
        else {
            return None;
        };
        let state = &mut self.cpus[cpu.index() % MAX_CPUS];
        let waits = me.priority > thread.priority
            || me.priority == thread.priority && state.armed <= state.slice_end;
        let here = thread.cpu == cpu && thread.may_run_on(cpu);
        if !waits || !here || thread.flags.intersects(Flags::SUSPENDED | Flags::DOOMED) {
            return None;
        }

        // The point of no return.
        if sort == Sort::Foreign && info == 0 {
            thread.context.frame.set_foreign_result(word);
        }
        thread.calls = thread.calls.wrapping_add(1);
        thread.state = State::Ready;
        state.queue.push(&mut self.threads, id);
        me.context.frame.args_mut()[0] = 0;
        Some(me)
    }

    /// `ProcessRead` and `ProcessWrite` of what is there, after which the caller goes on.
    #[inline(always)]
    fn copy_fast<'a>(&mut self, me: &'a mut Thread) -> Option<&'a mut Thread> {
        let [process, there, address, bytes, ..] = *me.context.frame.args();
        let write = me.context.frame.number() == Call::ProcessWrite as u64;
        let needed = if write { ProcessRights::WRITE } else { ProcessRights::READ };
        let found = self.find::<Process>(me.process, process, needed).ok()?;
        let process = self.processes.get(found.id)?;
        if process.life != Life::Alive {
            return None;
        }
        let (here, there) = ((me.space, address), (process.space, there));
        let (from, to) = if write { (here, there) } else { (there, here) };
        self.vm.copy_present(from, to, bytes)?;
        me.context.frame.args_mut()[0] = 0;
        Some(me)
    }
}

/// Whether `to` can go on where `from` leaves off, in the middle of its slice.
#[inline(always)]
fn may_take_over(cpu: CpuId, from: &Thread, to: &Thread, asids: &Asids) -> bool {
    from.flags == to.flags
        && (from.flags - Flags::COOPERATIVE).is_empty()
        && to.may_run_on(cpu)
        && asids.is_current(to.seat)
}

/// `Kernel::switch`, for threads that may.
#[inline(always)]
fn take_over(state: &mut Cpu, cpu: CpuId, from: &mut Thread, id: Id<Thread>, to: &mut Thread) {
    let now = arch::timer::lately();
    from.time += now.wrapping_sub(state.since);
    state.since = now;
    state.current = Some(id);
    arch::user::leave_plain(&mut from.context);
    to.state = State::Running;
    to.cpu = cpu;
    arch::user::arrive_plain(&mut to.context);
    if !to.space.is(state.space) {
        state.space = Some(to.space);
        arch::user::load_space(to.seat.word);
    }
    if id.is(state.fpu) {
        arch::user::fpu_on();
        state.fpu_on = true;
    }
}
