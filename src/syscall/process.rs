//! Calls about processes and threads.

use super::Caller;
use crate::abi::{Error, PRIORITIES, ProcessRights, REGISTERS, RegisterSet, ThreadRights};
use crate::ipc::{Answer, Outcome};
use crate::kernel::Kernel;
use crate::mm::Id;
use crate::object::{Flags, Handle, Life, Process, State, Thread};
use crate::units::Result;

/// Slots of handles that one piece of a search looks at.
const LOOKED_AT: u32 = 512;

impl Kernel {
    /// Changes the quota of a process that the caller has made.
    pub(super) fn set_quota(&mut self, me: &Caller) -> Result {
        let target = self.process(me, ProcessRights::MANAGE)?;
        let (own, target) = (&self.processes[me.process], &self.processes[target]);
        if target.payer != own.account || target.life != Life::Alive {
            return Err(Error::Invalid);
        }
        self.vm.account_resize(target.account, me.args[1])
    }

    /// The first handle of a process from a slot on: a piece of the search.
    pub(super) fn handle_of(&mut self, me: &Caller) -> Answer {
        let owner = self.process(me, ProcessRights::MANAGE)?;
        let from = u32::try_from(me.args[1]).unwrap_or(u32::MAX);
        let upto = from.saturating_add(LOOKED_AT);
        let mut all = self.handles.within(from..upto);
        let Some((id, handle)) = all.find(|(_, handle)| owner.is(handle.owner)) else {
            if upto >= self.handles.slots() {
                return Err(Error::NotFound);
            }
            drop(all);
            self.threads[me.thread].context.frame.args_mut()[1] = upto.into();
            return Ok(Outcome::Again);
        };
        let Handle { named, rights, badge, .. } = *handle;
        let next = id.index() as u64 + 1;
        let kind = named.kind() as u64;
        drop(all);
        self.values(me, &[id.to_bits(), kind, rights.into(), badge, named.object(), next])
    }

    pub(super) fn thread_info(&self, id: Id<Thread>) -> [u64; 4] {
        let Thread { state, flags, cpu, priority, .. } = self.threads[id];
        let state = match state {
            State::Ended => 4,
            State::Running => 1,
            _ if flags.contains(Flags::SUSPENDED) => 3,
            State::Ready => 0,
            _ => 2,
        };
        [state, self.thread_time(id), cpu.0.into(), priority.into()]
    }

    pub(super) fn schedule_thread(&mut self, me: &Caller) -> Result {
        let target = self.thread(me, ThreadRights::SCHEDULE)?;
        let [_, priority, slice, cpus, ..] = me.args;
        let ceiling = self.processes[me.process].ceiling;
        let online = |cpu: usize| self.cpus[cpu].online && cpus >> cpu & 1 == 1;
        let possible = (0..self.cpus.len()).any(online);
        if priority >= PRIORITIES.into() || priority > ceiling.into() || !possible {
            return Err(Error::Invalid);
        }
        let thread = &mut self.threads[target];
        (thread.slice, thread.affinity) = (slice, cpus as u8);
        thread.flags.set(Flags::COOPERATIVE, slice == 0);
        self.set_base_priority(me.cpu, target, priority as u8);
        let Thread { cpu: home, affinity, state, .. } = self.threads[target];
        if affinity >> home.0 & 1 == 0
            && matches!(state, State::Ready | State::Running)
            && self.stop(me.cpu, target)
        {
            self.wake(me.cpu, target);
        }
        Ok(())
    }

    /// Reads or replaces a thread's registers, from or to the caller's memory. Where that ends in the
    /// middle some have been replaced.
    pub(super) fn registers(&mut self, me: &Caller, target: Id<Thread>, replace: bool) -> Result {
        let [_, set, address, ..] = me.args;
        let [general, floating] = match set {
            _ if set == RegisterSet::General as u64 => [true, false],
            _ if set == RegisterSet::Fpu as u64 => [false, true],
            _ if set == RegisterSet::All as u64 => [true, true],
            _ => return Err(Error::Invalid),
        };
        let Kernel { vm, threads, fpus, .. } = self;
        let space = threads[me.thread].space;
        let thread = &mut threads[target];
        let fpu = if floating { Some(thread.fpu.ok_or(Error::Invalid)?) } else { None };
        let after = address.saturating_add(if general { 8 * REGISTERS as u64 } else { 0 });
        if !replace {
            if general {
                vm.write_space(space, address, &thread.context.registers())?;
            }
            return fpu.map_or(Ok(()), |fpu| vm.write_space(space, after, fpus[fpu].bytes()));
        }
        if general {
            let mut words = [0; REGISTERS];
            vm.read_space(space, address, &mut words)?;
            thread.context.set_registers(&words);
            thread.flags.set(Flags::STEPPING, thread.context.is_stepping());
        }
        if let Some(fpu) = fpu {
            let read = fpus[fpu].change(|bytes| vm.read_space(space, after, bytes));
            self.forget_fpu(target);
            return read;
        }
        Ok(())
    }

    /// The process that the first argument names.
    pub(super) fn process(&self, me: &Caller, rights: ProcessRights) -> Result<Id<Process>> {
        Ok(self.find::<Process>(me.process, me.args[0], rights)?.id)
    }

    /// The thread that it names, which has not ended.
    pub(super) fn thread(&self, me: &Caller, rights: ThreadRights) -> Result<Id<Thread>> {
        let id = self.find::<Thread>(me.process, me.args[0], rights)?.id;
        if self.threads[id].state == State::Ended { Err(Error::PeerGone) } else { Ok(id) }
    }
}
