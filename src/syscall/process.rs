//! Calls about processes and threads.

use super::{Answer, Caller};
use crate::abi::{
    Call, Error, FPU_BYTES, Kind, PRIORITIES, PortRights, ProcessRights, REGISTERS, RegisterSet,
    ThreadRights,
};
use crate::ipc::Outcome;
use crate::kernel::Kernel;
use crate::life::NewThread;
use crate::mm::Id;
use crate::object::{Flags, Life, Named, Port, Process, Sort, State, Thread};

impl Kernel {
    pub(super) fn process_call(&mut self, call: Call, me: &Caller) -> Answer {
        let Caller { cpu, thread, process, ref args } = *me;
        match call {
            Call::ProcessCreate => {
                let creator = &self.processes[process];
                let (account, ceiling) = (creator.account, creator.ceiling);
                if args[1] > ceiling.into() {
                    return Err(Error::Invalid);
                }
                let made = self.create_process(account, args[0], args[1] as u8)?;
                self.named(me, Named::Process(made), |kernel| kernel.end_process(made, 0))
            }
            Call::ProcessHandler => {
                let target = self.process(me, ProcessRights::MANAGE)?;
                let handler = match args[1] {
                    0 => None,
                    handle => {
                        let port = self.find::<Port>(process, handle, PortRights::SEND)?;
                        Some((port.id, port.badge))
                    }
                };
                self.set_handler(target, handler);
                Ok(Outcome::Done)
            }
            Call::ProcessWatch => {
                let target = self.process(me, ProcessRights::MANAGE)?;
                let notice = self.notice(process, args[1], args[2])?;
                self.watch_process(cpu, target, notice);
                Ok(Outcome::Done)
            }
            Call::ProcessKill => {
                let target = self.process(me, ProcessRights::MANAGE)?;
                self.kill_process(cpu, target, args[1]);
                self.status_if_alive(me)
            }
            Call::ProcessInfo => {
                let target = self.process(me, ProcessRights::READ)?;
                let info = self.process_info(target);
                self.values(me, &info)
            }
            Call::ProcessQuota => {
                let target = self.process(me, ProcessRights::MANAGE)?;
                let (own, target) = (&self.processes[process], &self.processes[target]);
                if target.payer != own.account || target.life != Life::Alive {
                    return Err(Error::Invalid);
                }
                self.vm.account_resize(target.account, args[1])?;
                Ok(Outcome::Done)
            }
            Call::Exit => {
                self.kill_process(cpu, process, args[0]);
                Ok(Outcome::Settled)
            }
            Call::Give => {
                let to = self.process(me, ProcessRights::MANAGE)?;
                self.give(process, to, args[1])
            }
            Call::ThreadCreate => {
                let target = self.process(me, ProcessRights::MANAGE)?;
                let [_, entry, stack, argument, tag, flags, ..] = *args;
                let new = NewThread { entry, stack, argument, tag, flags };
                let made = self.create_thread(cpu, target, new)?;
                self.named(me, Named::Thread(made), |kernel| kernel.end_thread(cpu, made))
            }
            Call::ThreadExit => {
                self.end_thread(cpu, thread);
                Ok(Outcome::Settled)
            }
            Call::TlsSet => match self.threads[thread].context.set_tls(args[0]) {
                true => {
                    crate::arch::user::arrive(&mut self.threads[thread].context);
                    Ok(Outcome::Done)
                }
                false => Err(Error::Invalid),
            },
            Call::CallerRegistersGet | Call::CallerRegistersSet => {
                let (caller, _) = self.caller(thread, args[0])?;
                let awaited = self.awaited(caller).ok_or(Error::NotFound)?;
                if awaited.sort == Sort::Call {
                    return Err(Error::NotFound);
                }
                self.registers(me, caller.thread, call == Call::CallerRegistersSet)
            }
            _ => self.thread_call(call, me),
        }
    }

    fn thread_call(&mut self, call: Call, me: &Caller) -> Answer {
        let Caller { cpu, ref args, .. } = *me;
        match call {
            Call::ThreadInfo => {
                let found = self.find::<Thread>(me.process, args[0], ThreadRights::CONTROL)?;
                let thread = &self.threads[found.id];
                let state = match thread.state {
                    State::Ended => 4,
                    _ if thread.flags.contains(Flags::SUSPENDED) => 3,
                    State::Ready => 0,
                    State::Running => 1,
                    _ => 2,
                };
                let (at, priority) = (thread.cpu.0.into(), thread.priority.into());
                let time = self.thread_time(found.id);
                self.values(me, &[state, time, at, priority])
            }
            Call::ThreadSchedule => {
                let target = self.thread(me, ThreadRights::SCHEDULE)?;
                self.schedule_thread(me, target)
            }
            Call::RegistersGet | Call::RegistersSet => {
                let target = self.thread(me, ThreadRights::REGISTERS)?;
                let thread = &self.threads[target];
                let still =
                    thread.flags.contains(Flags::SUSPENDED) && thread.state == State::Stopped;
                if !still {
                    return Err(Error::Busy);
                }
                self.registers(me, target, call == Call::RegistersSet)
            }
            Call::ThreadCancel => {
                let target = self.thread(me, ThreadRights::CONTROL)?;
                match self.end_wait(cpu, target, Error::Cancelled) {
                    true => Ok(Outcome::Done),
                    false => Err(Error::NotFound),
                }
            }
            Call::ThreadKill => {
                let target = self.thread(me, ThreadRights::CONTROL)?;
                self.end_thread(cpu, target);
                self.status_if_alive(me)
            }
            Call::ThreadSuspend => {
                let target = self.thread(me, ThreadRights::CONTROL)?;
                // Itself: the status is there when it is resumed.
                self.threads[me.thread].context.frame.args_mut()[0] = 0;
                self.suspend_thread(cpu, target);
                Ok(Outcome::Settled)
            }
            Call::ThreadResume => {
                let target = self.thread(me, ThreadRights::CONTROL)?;
                self.resume_thread(cpu, target);
                Ok(Outcome::Done)
            }
            _ => Err(Error::NoSuchCall),
        }
    }

    fn schedule_thread(&mut self, me: &Caller, target: Id<Thread>) -> Answer {
        let [_, priority, slice, cpus, ..] = me.args;
        let ceiling = self.processes[me.process].ceiling;
        let online = |cpu: usize| self.cpus[cpu].online && cpus >> cpu & 1 == 1;
        let possible = (0..self.cpus.len()).any(online);
        if priority >= PRIORITIES.into() || priority > ceiling.into() || !possible {
            return Err(Error::Invalid);
        }
        let thread = &mut self.threads[target];
        thread.slice = slice;
        thread.flags.set(Flags::COOPERATIVE, slice == 0);
        thread.affinity = cpus as u8;
        self.set_base_priority(me.cpu, target, priority as u8);
        let thread = &self.threads[target];
        let (state, home, affinity) = (thread.state, thread.cpu, thread.affinity);
        if affinity >> home.0 & 1 == 0 {
            match state {
                State::Ready => {
                    self.cpus[home.index()].queue.remove(&mut self.threads, target);
                    self.wake(me.cpu, target);
                }
                State::Running if home == me.cpu => {
                    self.threads[target].context.frame.args_mut()[0] = 0;
                    self.set_aside(me.cpu);
                    self.wake(me.cpu, target);
                    return Ok(Outcome::Settled);
                }
                _ => self.disturb(me.cpu, target),
            }
        }
        Ok(Outcome::Done)
    }

    /// Reads or replaces a thread's registers, from or to the caller's memory.
    fn registers(&mut self, me: &Caller, target: Id<Thread>, replace: bool) -> Answer {
        let [_, set, address, ..] = me.args;
        let space = self.threads[me.thread].space;
        if set == RegisterSet::General as u64 {
            let mut bytes = [0; REGISTERS * 8];
            let (words, _) = bytes.as_chunks_mut::<8>();
            if !replace {
                let all = self.threads[target].context.registers();
                words.iter_mut().zip(all).for_each(|(word, value)| *word = value.to_le_bytes());
                self.vm.write_space(&mut self.ram, space, address, &bytes)?;
                return Ok(Outcome::Done);
            }
            self.vm.read_space(&mut self.ram, space, address, &mut bytes)?;
            let (words, _) = bytes.as_chunks::<8>();
            let mut all = [0; REGISTERS];
            all.iter_mut().zip(words).for_each(|(value, word)| *value = u64::from_le_bytes(*word));
            let thread = &mut self.threads[target];
            thread.context.set_registers(&all);
            thread.flags.set(Flags::STEPPING, thread.context.is_stepping());
            return Ok(Outcome::Done);
        }
        let fpu = self.threads[target].fpu.filter(|_| set == RegisterSet::Fpu as u64);
        let fpu = fpu.ok_or(Error::Invalid)?;
        if !replace {
            let bytes = *self.fpus[fpu].bytes();
            self.vm.write_space(&mut self.ram, space, address, &bytes)?;
        } else {
            let mut bytes = [0; FPU_BYTES];
            self.vm.read_space(&mut self.ram, space, address, &mut bytes)?;
            self.fpus[fpu].set_bytes(&bytes);
            self.forget_fpu(target);
        }
        Ok(Outcome::Done)
    }

    /// The process that the first argument names.
    fn process(&self, me: &Caller, rights: ProcessRights) -> Result<Id<Process>, Error> {
        Ok(self.find::<Process>(me.process, me.args[0], rights)?.id)
    }

    /// A caller that ended itself gets no status.
    fn status_if_alive(&self, me: &Caller) -> Answer {
        let alive =
            self.threads.get(me.thread).is_some_and(|thread| thread.state == State::Running);
        Ok(if alive { Outcome::Done } else { Outcome::Settled })
    }

    /// The kind of what the first process is given, for the boot.
    pub const FIRST: [Kind; 3] = [Kind::Process, Kind::Machine, Kind::Memory];
}
