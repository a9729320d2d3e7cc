//! The native calls: from numbers and registers to what the modules below do, and back.

mod machine;
mod memory;
mod process;

use crate::abi::{Call, Error, InterruptRights, PortRights, ThreadRights, TimerRights};
use crate::ipc::Outcome;
use crate::kernel::{Kernel, Next};
use crate::mm::Id;
use crate::object::{Interrupt, Named, Notice, Port, Process, Thread, Timer};
use crate::units::{CpuId, Nanos};

/// Who calls, and with what.
struct Caller {
    cpu: CpuId,
    thread: Id<Thread>,
    process: Id<Process>,
    args: [u64; 8],
}

/// What a call returns.
type Answer = Result<Outcome, Error>;

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
        // A thread that is gone, or waits, has no use for a status.
        let status = match answer {
            Ok(Outcome::Settled) => return self.pick(cpu),
            Ok(Outcome::Again) => {
                self.threads[thread].context.frame.restart();
                return self.pick(cpu);
            }
            Ok(Outcome::Value(value)) => {
                self.threads[thread].context.frame.args_mut()[1] = value;
                0
            }
            Ok(Outcome::Done) => 0,
            Err(error) => error.status(),
        };
        self.threads[thread].context.frame.args_mut()[0] = status;
        self.pick(cpu)
    }

    /// Messages and signals, which are to be quick, and all the rest.
    #[inline(always)]
    fn dispatch(&mut self, call: Call, cpu: CpuId, thread: Id<Thread>) -> Answer {
        let Thread { ref context, process, .. } = self.threads[thread];
        let ([first, second, ..], deadline) = (*context.frame.args(), context.frame.deadline());
        match call {
            Call::Send => {
                let port = self.find::<Port>(process, first, PortRights::SEND)?;
                self.send(cpu, thread, port.id, port.badge)
            }
            Call::Call => {
                let port = self.find::<Port>(process, first, PortRights::SEND)?;
                self.call(cpu, thread, port.id, port.badge)
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
                let port = self.find::<Port>(process, first, PortRights::SIGNAL)?;
                if self.ports[port.id].is_gone() {
                    return Err(Error::PeerGone);
                }
                self.signal(cpu, Notice { port: port.id, bits: second });
                Ok(Outcome::Done)
            }
            Call::LeaseRead => self.lease_copy(thread, false),
            Call::LeaseWrite => self.lease_copy(thread, true),
            _ => self.other_call(call, cpu, thread),
        }
    }

    #[inline(never)]
    fn other_call(&mut self, call: Call, cpu: CpuId, thread: Id<Thread>) -> Answer {
        let Thread { ref context, process, .. } = self.threads[thread];
        let [a, b, c, d, e, f, g, h] = *context.frame.args();
        let me = &Caller { cpu, thread, process, args: [a, b, c, d, e, f, g, h] };
        let args = &me.args;
        match call {
            Call::Null | Call::Yield => Ok(Outcome::Done),
            Call::Clock => Ok(Outcome::Value(self.now().0)),
            Call::Close => self.close(cpu, thread, args[0]),
            Call::Duplicate => self.duplicate(process, args[0], args[1], args[2]),
            Call::HandleInfo => {
                let (_, handle) = self.owned(process, args[0])?;
                let values = [handle.named.kind() as u64, handle.rights.into(), handle.badge];
                self.values(me, &values)
            }
            Call::PortCreate => {
                let port = self.create_port(self.processes[process].account, args[0])?;
                self.named(me, Named::Port(port), |kernel| kernel.forget_port(port))
            }
            Call::Receive => self.sleep(cpu, thread, self.threads[thread].context.frame.deadline()),
            Call::Reply => self.reply(cpu, thread, args[0]),
            Call::ReplySave => self.reply_save(thread),
            Call::TimerCreate => {
                let notice = self.notice(process, args[0], args[1])?;
                let timer = self.create_timer(self.processes[process].account, notice)?;
                self.named(me, Named::Timer(timer), |kernel| kernel.forget_timer(timer))
            }
            Call::TimerSet => {
                let timer = self.find::<Timer>(process, args[0], TimerRights::SET)?;
                self.set_timer(cpu, timer.id, Nanos(args[1]));
                Ok(Outcome::Done)
            }
            Call::InterruptAck => {
                let found = self.find::<Interrupt>(process, args[0], InterruptRights::ACK)?;
                self.acknowledge(found.id);
                Ok(Outcome::Done)
            }
            Call::Log
            | Call::MachineInfo
            | Call::CommandLine
            | Call::Power
            | Call::Translation
            | Call::InterruptCreate
            | Call::IoCreate
            | Call::IoRead
            | Call::IoWrite => self.machine_call(call, me),
            Call::MemoryCreate
            | Call::MemoryContiguous
            | Call::MemoryWindow
            | Call::MemoryClone
            | Call::MemoryResize
            | Call::MemoryInfo
            | Call::MemoryOf
            | Call::MemoryRead
            | Call::MemoryWrite
            | Call::Map
            | Call::Unmap
            | Call::Protect
            | Call::SpaceClone
            | Call::ProcessRead
            | Call::ProcessWrite => self.memory_call(call, me),
            _ => self.process_call(call, me),
        }
    }

    /// Puts several values into the caller's registers.
    fn values(&mut self, me: &Caller, values: &[u64]) -> Answer {
        let args = self.threads[me.thread].context.frame.args_mut();
        args[0] = 0;
        args[1..=values.len()].copy_from_slice(values);
        Ok(Outcome::Settled)
    }

    /// Gives the caller a handle with all rights to what was just made, or has it unmade.
    fn named(&mut self, me: &Caller, named: Named, unmake: impl FnOnce(&mut Kernel)) -> Answer {
        let made = self.install(me.process, named, u8::MAX, 0);
        let handle = made.inspect_err(|_| unmake(self))?;
        Ok(Outcome::Value(handle))
    }

    /// Signals at a port that a handle names.
    fn notice(&self, process: Id<Process>, port: u64, bits: u64) -> Result<Notice, Error> {
        let port = self.find::<Port>(process, port, PortRights::SIGNAL)?;
        Ok(Notice { port: port.id, bits })
    }

    /// A thread that a handle with these rights names, and that has not ended.
    fn thread(&self, me: &Caller, rights: ThreadRights) -> Result<Id<Thread>, Error> {
        let found = self.find::<Thread>(me.process, me.args[0], rights)?;
        match self.threads[found.id].state {
            crate::object::State::Ended => Err(Error::PeerGone),
            _ => Ok(found.id),
        }
    }
}
