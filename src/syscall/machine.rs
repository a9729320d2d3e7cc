//! Calls about the machine itself.

use super::{Answer, Caller};
use crate::abi::{
    Call, Error, IoRights, Kind, MachineRights, POWER_FAILURE, POWER_OFF, POWER_SUCCESS,
    ProcessRights, USER_END,
};
use crate::arch::{self, Exit};
use crate::ipc::Outcome;
use crate::kernel::Kernel;
use crate::object::{Interrupt, IoPorts, Machine, Process};

/// The longest line of the log.
const LINE: usize = 240;

impl Kernel {
    pub(super) fn machine_call(&mut self, call: Call, me: &Caller) -> Answer {
        let args = &me.args;
        let needed = match call {
            Call::IoRead | Call::IoWrite => return self.io(call, me),
            Call::Log => MachineRights::LOG,
            Call::Power => MachineRights::POWER,
            Call::InterruptCreate | Call::IoCreate => MachineRights::DEVICES,
            _ => MachineRights::INSPECT,
        };
        self.find::<Machine>(me.process, args[0], needed)?;
        let account = self.processes[me.process].account;
        match call {
            Call::Log => self.write_log(me),
            Call::CommandLine => {
                let text = self.info.command_line.clone();
                let length = text.len().min(args[2] as usize);
                let space = self.threads[me.thread].space;
                let bytes = &text.as_bytes()[..length];
                self.vm.write_space(&mut self.ram, space, args[1], bytes)?;
                Ok(Outcome::Value(length as u64))
            }
            Call::MachineInfo => {
                let values = self.figures(args[1]).ok_or(Error::Invalid)?;
                self.values(me, &values)
            }
            Call::Power => {
                #[cfg(feature = "lock-stats")]
                crate::info!("lock-hold {:?}", self.longest_hold());
                self.power(args[1])
            }
            Call::Translation => {
                let process = self.find::<Process>(me.process, args[1], ProcessRights::READ)?;
                if args[2] >= USER_END {
                    return Err(Error::BadAddress);
                }
                let space = self.living_space(process.id)?;
                let entries = self.vm.translation(&self.ram, space, args[2]);
                self.values(me, &entries)
            }
            Call::InterruptCreate => {
                let notice = self.notice(me.process, args[2], args[3])?;
                let interrupt = self.create_interrupt(account, args[1], notice)?;
                self.named::<Interrupt>(me, interrupt, |kernel| kernel.forget_interrupt(interrupt))
            }
            _ => {
                if !arch::user::HAS_IO_PORTS {
                    return Err(Error::Unsupported);
                }
                let (first, count) = (args[1], args[2]);
                if count == 0 || first.checked_add(count).is_none_or(|end| end > 1 << 16) {
                    return Err(Error::Invalid);
                }
                let range = first << 32 | count;
                let rights = IoRights::all().bits();
                Ok(Outcome::Value(self.install(me.process, Kind::IoPorts, rights, IO, range)?))
            }
        }
    }

    fn power(&self, what: u64) -> Answer {
        match what {
            POWER_OFF => arch::power::off(),
            POWER_SUCCESS => arch::power::exit(Exit::Success),
            POWER_FAILURE => arch::power::exit(Exit::Failure),
            _ => Err(Error::Invalid),
        }
    }

    fn io(&mut self, call: Call, me: &Caller) -> Answer {
        let [handle, port, size, value, ..] = me.args;
        let needed = if call == Call::IoRead { IoRights::READ } else { IoRights::WRITE };
        let range = self.find::<IoPorts>(me.process, handle, needed)?.badge;
        let (first, end) = (range >> 32, (range >> 32) + (range & 0xffff_ffff));
        let inside = port >= first && port.checked_add(size).is_some_and(|last| last <= end);
        if !inside || !matches!(size, 1 | 2 | 4) {
            return Err(Error::Invalid);
        }
        match call {
            Call::IoRead => {
                let value = arch::user::io_read(port as u16, size).ok_or(Error::Invalid)?;
                Ok(Outcome::Value(value))
            }
            _ => {
                arch::user::io_write(port as u16, size, value).ok_or(Error::Invalid)?;
                Ok(Outcome::Done)
            }
        }
    }

    /// The line is shown as text, whatever its bytes are.
    fn write_log(&mut self, me: &Caller) -> Answer {
        let [_, address, length, ..] = me.args;
        if length > LINE as u64 {
            return Err(Error::Invalid);
        }
        let mut line = [0; LINE];
        let line = &mut line[..length as usize];
        let space = self.threads[me.thread].space;
        self.vm.read_space(&mut self.ram, space, address, line)?;
        let printable = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t');
        line.iter_mut().filter(|byte| !printable(byte)).for_each(|byte| *byte = b'?');
        crate::info!("{}", core::str::from_utf8(line).unwrap_or("?"));
        Ok(Outcome::Done)
    }

    /// Figures of the whole machine; `docs/calls.md` says which are which.
    fn figures(&self, which: u64) -> Option<[u64; 4]> {
        let frames = self.ram.frames.stats();
        let objects = self.ram.object_pages as u64;
        Some(match which {
            0 => [frames.total as u64, frames.free as u64, objects, self.handles.len() as u64],
            1 => [
                self.cpus.iter().filter(|cpu| cpu.online).count() as u64,
                self.now().0,
                self.cpus.iter().map(|cpu| cpu.rings).sum(),
                self.cpus.iter().map(|cpu| cpu.ipis).sum(),
            ],
            2 => [
                self.processes.len() as u64,
                self.threads.len() as u64,
                self.ports.len() as u64,
                self.messages.len() as u64,
            ],
            3 => [
                self.vm.memories.len() as u64,
                self.vm.regions.len() as u64,
                self.timers.len() as u64,
                self.interrupts.len() as u64,
            ],
            #[cfg(feature = "lock-stats")]
            4 => self.longest_hold(),
            _ => return None,
        })
    }

    /// For how many ticks the lock was held at most, in what, and the same in nanoseconds.
    #[cfg(feature = "lock-stats")]
    fn longest_hold(&self) -> [u64; 4] {
        use crate::kernel::hold::{LONGEST, WORST};
        use core::sync::atomic::Ordering::Relaxed;
        let longest = LONGEST.load(Relaxed);
        [longest, WORST.load(Relaxed), self.clock.nanos(longest).0, 0]
    }
}

/// What handles to I/O ports name: nothing but their range.
const IO: u64 = 1 << 32;
