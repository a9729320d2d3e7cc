//! The native calls: from numbers and registers to what the modules below do, and back.

mod machine;
mod memory;
mod process;

use crate::abi::{
    Call, Error, InterruptRights, IoRights, MachineRights, MemoryRights, PortRights, ProcessRights,
    THREAD_COPY, ThreadRights, TimerRights,
};
use crate::arch;
use crate::ipc::{Answer, Outcome};
use crate::kernel::{Kernel, Next};
use crate::life::NewThread;
use crate::mm::{Id, Memory};
use crate::object::{
    Awaited, Flags, Found, Handle, Handler, Interrupt, Named, Notice, Port, Process, Sort, State,
    Target, Thread, Timer,
};
use crate::units::{CpuId, Nanos, Result};

/// Who calls, and with what.
struct Caller {
    cpu: CpuId,
    thread: Id<Thread>,
    process: Id<Process>,
    args: [u64; 8],
}

impl Kernel {
    /// Deals with the native call of `cpu`'s current thread.
    #[inline(always)]
    pub fn native(&mut self, cpu: CpuId, thread: Id<Thread>) -> Next {
        let answer = match Call::from_number(self.threads[thread].context.frame.number()) {
            Some(Call::Yield) => {
                self.threads[thread].context.frame.args_mut()[0] = 0;
                return self.yield_now(cpu);
            }
            Some(call) => self.dispatch(call, cpu, thread),
            None => Err(Error::NoSuchCall),
        };
        // It may have ended itself.
        if answer != Ok(Outcome::Settled)
            && let Some(thread) = self.threads.get_mut(thread)
        {
            let frame = &mut thread.context.frame;
            match answer {
                Ok(Outcome::Again) => frame.restart(),
                Ok(Outcome::Value(value)) => frame.args_mut()[..2].copy_from_slice(&[0, value]),
                Ok(_) => frame.args_mut()[0] = 0,
                Err(error) => frame.args_mut()[0] = error.status(),
            }
        }
        self.pick(cpu)
    }

    /// Messages and signals, which are to be quick, and all the rest.
    #[inline(always)]
    fn dispatch(&mut self, call: Call, cpu: CpuId, thread: Id<Thread>) -> Answer {
        let Thread { ref context, process, .. } = self.threads[thread];
        let ([first, second, ..], deadline) = (*context.frame.args(), context.frame.deadline());
        match call {
            Call::Send | Call::Call => {
                let port = self.find::<Port>(process, first, PortRights::SEND)?;
                let sort = if call == Call::Send { Sort::Send } else { Sort::Call };
                self.send(cpu, thread, port, sort)
            }
            Call::Receive if first != 0 => {
                let port = self.find::<Port>(process, first, PortRights::RECEIVE)?;
                self.receive(cpu, thread, port.id, deadline)
            }
            Call::ReplyReceive => {
                let port = self.find::<Port>(process, first, PortRights::RECEIVE)?;
                self.reply_receive(cpu, thread, port.id, deadline)
            }
            Call::Signal => {
                let notice = self.notice(process, first, second)?;
                if self.ports[notice.port].is_gone() {
                    return Err(Error::PeerGone);
                }
                self.signal(cpu, notice);
                Ok(Outcome::Done)
            }
            Call::LeaseRead | Call::LeaseWrite => self.lease_copy(thread, call),
            _ => self.other_call(call, cpu, thread),
        }
    }

    /// All the rest: what returns a value says so, what comes to its end is done.
    #[inline(never)]
    fn other_call(&mut self, call: Call, cpu: CpuId, thread: Id<Thread>) -> Answer {
        let Thread { ref context, process, .. } = self.threads[thread];
        let [a, b, c, d, e, f, g, h] = *context.frame.args();
        let me = &Caller { cpu, thread, process, args: [a, b, c, d, e, f, g, h] };
        match call {
            Call::Null => {}
            // These are dealt with above.
            Call::Yield | Call::Send | Call::Call | Call::ReplyReceive | Call::Signal => {}
            Call::LeaseRead | Call::LeaseWrite => {}
            Call::Clock => return Ok(Outcome::Value(self.now().0)),
            Call::Log => self.write_log(me)?,
            Call::LogRead => return self.read_log(me),
            Call::MachineInfo => {
                self.machine(me, MachineRights::INSPECT)?;
                return self.values(me, &self.figures(b).ok_or(Error::Invalid)?);
            }
            Call::CommandLine => return self.command_line(me),
            Call::Power => return self.power(me),
            Call::Translation => return self.translation(me),
            Call::Close => {
                let (id, _) = self.owned(process, a)?;
                self.disown(process, id);
                self.drop_handle(cpu, id);
            }
            Call::Duplicate => return self.duplicate(process, a, b, c),
            Call::HandleInfo => {
                let (_, &Handle { named, rights, badge, .. }) = self.owned(process, a)?;
                return self.values(me, &[named.kind() as u64, rights.into(), badge]);
            }
            Call::HandleOf => return self.handle_of(me),
            Call::Give => return self.give(process, self.process(me, ProcessRights::MANAGE)?, b),
            Call::PortCreate => {
                return self
                    .make(process, Named::Port, |kernel, payer| kernel.create_port(payer, a));
            }
            Call::Receive => {
                let deadline = context.frame.deadline();
                return self.wait_at(cpu, thread, State::Sleeping, deadline);
            }
            Call::Reply => return self.reply(cpu, thread, a),
            Call::ReplySave => return self.reply_save(thread),
            Call::RegistersGet | Call::RegistersSet => {
                let target = self.thread(me, ThreadRights::REGISTERS)?;
                let Thread { flags, state, .. } = self.threads[target];
                if !flags.contains(Flags::SUSPENDED) || state != State::Stopped {
                    return Err(Error::Busy);
                }
                self.registers(me, target, call == Call::RegistersSet)?;
            }
            Call::CallerRegistersGet | Call::CallerRegistersSet => {
                let (caller, _) = self.caller(thread, a)?;
                match self.awaited(caller) {
                    None | Some(Awaited { sort: Sort::Call, .. }) => return Err(Error::NotFound),
                    _ => self.registers(me, caller.thread, call == Call::CallerRegistersSet)?,
                }
            }
            Call::MemoryCreate => {
                let payer = self.payer(me, b)?;
                let memory = self.vm.memory_create(payer, a)?;
                return self.memory_named(me, memory);
            }
            Call::MemoryOf => return self.memory_of(me),
            Call::MemoryContiguous => return self.contiguous_memory(me),
            Call::MemoryWindow => return self.memory_window(me),
            Call::MemoryClone => return self.clone_memory(me),
            Call::MemoryResize => {
                let memory = self.find::<Memory>(process, a, MemoryRights::RESIZE)?.id;
                if !self.vm.memory_resize(memory, b)? {
                    return Ok(Outcome::Again);
                }
            }
            Call::MemoryInfo => {
                let memory = self.find::<Memory>(process, a, MemoryRights::READ)?.id;
                return self.values(me, &<[u64; 3]>::from(self.vm.memory_info(memory)));
            }
            Call::MemoryRead | Call::MemoryWrite | Call::ProcessRead | Call::ProcessWrite => {
                return self.copy_piece(call, me);
            }
            Call::Map => self.map(me)?,
            Call::Unmap => {
                let space = self.space_of(me, a, ProcessRights::MAP)?;
                let done = self.vm.unmap(space, b, c)?;
                return self.advance_pages(me, done);
            }
            Call::Protect => {
                let space = self.space_of(me, a, ProcessRights::MAP)?;
                let done = self.vm.protect(space, b, c, d)?;
                return self.advance_pages(me, done);
            }
            Call::SpaceClone => {
                return self.clone_space(me).inspect_err(|_| self.drop_progress(thread));
            }
            Call::ProcessCreate => {
                if b > self.processes[process].ceiling.into() {
                    return Err(Error::Invalid);
                }
                return self.make(process, Named::Process, |kernel, payer| {
                    kernel.create_process(payer, a, b as u8)
                });
            }
            Call::ProcessHandler => {
                let target = self.process(me, ProcessRights::MANAGE)?;
                self.processes[target].handler = match b {
                    0 => None,
                    port => {
                        let Found { id: port, badge, .. } =
                            self.find::<Port>(process, port, PortRights::SEND)?;
                        Some(Handler { port, badge })
                    }
                };
            }
            Call::ProcessWatch => {
                let target = self.process(me, ProcessRights::MANAGE)?;
                self.watch_process(cpu, target, self.notice(process, b, c)?);
            }
            Call::ProcessKill => {
                self.kill_process(cpu, self.process(me, ProcessRights::MANAGE)?, b);
            }
            Call::ProcessInfo => {
                let target = self.process(me, ProcessRights::READ)?;
                return self.values(me, &self.process_info(target));
            }
            Call::ProcessQuota => self.set_quota(me)?,
            Call::Exit => self.kill_process(cpu, process, a),
            Call::ThreadCreate => {
                let target = self.process(me, ProcessRights::MANAGE)?;
                let (entry, like) = match f & THREAD_COPY {
                    0 => (b, None),
                    _ => (0, Some(self.foreign_caller(thread, b)?)),
                };
                let new = NewThread { entry, stack: c, argument: d, tag: e, flags: f };
                return self.make(process, Named::Thread, |kernel, _| {
                    let thread = kernel.create_thread(cpu, target, new)?;
                    like.inspect(|&like| kernel.copy_thread(thread, like, &new));
                    Ok(thread)
                });
            }
            Call::ThreadExit => self.end_thread(cpu, thread),
            Call::ThreadKill => self.end_thread(cpu, self.thread(me, ThreadRights::CONTROL)?),
            Call::ThreadSuspend => {
                self.suspend_thread(cpu, self.thread(me, ThreadRights::CONTROL)?);
            }
            Call::ThreadResume => self.resume_thread(cpu, self.thread(me, ThreadRights::CONTROL)?),
            Call::ThreadCancel => {
                let target = self.thread(me, ThreadRights::CONTROL)?;
                if !self.end_wait(cpu, target, Error::Cancelled) {
                    return Err(Error::NotFound);
                }
            }
            Call::ThreadSchedule => self.schedule_thread(me)?,
            Call::ThreadInfo => {
                let target = self.find::<Thread>(process, a, ThreadRights::CONTROL)?.id;
                return self.values(me, &self.thread_info(target));
            }
            Call::TlsSet => {
                let context = &mut self.threads[thread].context;
                if !context.set_tls(a) {
                    return Err(Error::Invalid);
                }
                arch::user::arrive(context);
            }
            Call::InterruptCreate => {
                self.machine(me, MachineRights::DEVICES)?;
                let notice = self.notice(process, c, d)?;
                return self.make(process, Named::Interrupt, |kernel, payer| {
                    kernel.create_interrupt(payer, b, notice)
                });
            }
            Call::InterruptAck => {
                self.acknowledge(self.find::<Interrupt>(process, a, InterruptRights::ACK)?.id);
            }
            Call::TimerCreate => {
                let target = Target::Port(self.notice(process, a, b)?);
                return self.make(process, Named::Timer, |kernel, payer| {
                    kernel.create_timer(payer, target)
                });
            }
            Call::TimerSet => {
                let timer = self.find::<Timer>(process, a, TimerRights::SET)?.id;
                self.set_timer(cpu, timer, Nanos(b));
            }
            Call::IoCreate => return self.io_create(me),
            Call::IoRead => {
                let port = self.io_port(me, IoRights::READ)?;
                return Ok(Outcome::Value(arch::user::io_read(port, c).ok_or(Error::Invalid)?));
            }
            Call::IoWrite => {
                let port = self.io_port(me, IoRights::WRITE)?;
                arch::user::io_write(port, c, d).ok_or(Error::Invalid)?;
            }
        }
        Ok(Outcome::Done)
    }

    /// Puts several values into the caller's registers.
    fn values(&mut self, me: &Caller, values: &[u64]) -> Answer {
        let args = self.threads[me.thread].context.frame.args_mut();
        args[0] = 0;
        args[1..=values.len()].copy_from_slice(values);
        Ok(Outcome::Settled)
    }

    /// Signals at a port that a handle names.
    #[inline(always)]
    fn notice(&self, process: Id<Process>, port: u64, bits: u64) -> Result<Notice> {
        let port = self.find::<Port>(process, port, PortRights::SIGNAL)?;
        Ok(Notice { port: port.id, bits })
    }
}
