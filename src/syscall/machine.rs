//! Calls about the machine itself.

use super::Caller;
use crate::abi::{
    Error, IoRights, MachineRights, POWER_ABANDONED, POWER_FAILURE, POWER_OFF, POWER_RESTART,
    POWER_SUCCESS, ProcessRights, USER_END,
};
use crate::arch::{self, Exit};
use crate::boot::Console;
use crate::ipc::{Answer, Outcome};
use crate::kernel::Kernel;
use crate::log;
use crate::object::{IoPorts, Machine, Named, Process};
use crate::units::Result;

/// The longest line of the log, and the longest piece that is read at once.
const LINE: usize = 240;

impl Kernel {
    pub(super) fn command_line(&mut self, me: &Caller) -> Answer {
        self.machine(me, MachineRights::INSPECT)?;
        let [_, address, length, ..] = me.args;
        let text = self.info.command_line.as_bytes();
        let text = &text[..text.len().min(length as usize)];
        self.vm.write_space(self.threads[me.thread].space, address, text)?;
        Ok(Outcome::Value(text.len() as u64))
    }

    pub(super) fn power(&self, me: &Caller) -> Answer {
        self.machine(me, MachineRights::POWER)?;
        #[cfg(feature = "lock-stats")]
        crate::info!("lock-hold {:?}", self.longest_hold());
        match me.args[1] {
            POWER_OFF => arch::power::off(),
            POWER_SUCCESS => arch::power::exit(Exit::Success),
            POWER_FAILURE => arch::power::exit(Exit::Failure),
            POWER_ABANDONED => arch::power::exit(Exit::Abandoned),
            POWER_RESTART => arch::power::restart(),
            _ => Err(Error::Invalid),
        }
    }

    pub(super) fn translation(&mut self, me: &Caller) -> Answer {
        self.machine(me, MachineRights::INSPECT)?;
        let [_, process, address, ..] = me.args;
        let process = self.find::<Process>(me.process, process, ProcessRights::READ)?.id;
        if address >= USER_END {
            return Err(Error::BadAddress);
        }
        let space = self.living_space(process)?;
        self.values(me, &self.vm.translation(space, address))
    }

    pub(super) fn io_create(&mut self, me: &Caller) -> Answer {
        self.machine(me, MachineRights::DEVICES)?;
        if !arch::user::HAS_IO_PORTS {
            return Err(Error::Unsupported);
        }
        let [_, first, count, ..] = me.args;
        if count == 0 || first.checked_add(count).is_none_or(|end| end > 1 << 16) {
            return Err(Error::Invalid);
        }
        let (rights, range) = (IoRights::all().bits(), first << 32 | count);
        Ok(Outcome::Value(self.install(me.process, Named::IoPorts, rights, range)?))
    }

    /// The first argument is the machine, with this right.
    pub(super) fn machine(&self, me: &Caller, right: MachineRights) -> Result {
        self.find::<Machine>(me.process, me.args[0], right).map(drop)
    }

    /// The I/O port that the first three arguments name.
    pub(super) fn io_port(&self, me: &Caller, right: IoRights) -> Result<u16> {
        let [handle, port, size, ..] = me.args;
        let range = self.find::<IoPorts>(me.process, handle, right)?.badge;
        let (first, end) = (range >> 32, (range >> 32) + (range & 0xffff_ffff));
        let inside = port >= first && port.checked_add(size).is_some_and(|last| last <= end);
        if inside && matches!(size, 1 | 2 | 4) { Ok(port as u16) } else { Err(Error::Invalid) }
    }

    /// The line is shown as text, whatever its bytes are.
    pub(super) fn write_log(&mut self, me: &Caller) -> Result {
        self.machine(me, MachineRights::LOG)?;
        let [_, address, length, ..] = me.args;
        if length > LINE as u64 {
            return Err(Error::Invalid);
        }
        let mut line = [0; LINE];
        let line = &mut line[..length as usize];
        self.vm.read_space(self.threads[me.thread].space, address, line)?;
        let printable = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t');
        line.iter_mut().filter(|byte| !printable(byte)).for_each(|byte| *byte = b'?');
        crate::info!("{}", core::str::from_utf8(line).unwrap_or("?"));
        Ok(())
    }

    /// A piece of the log, as long as a line may be.
    pub(super) fn read_log(&mut self, me: &Caller) -> Answer {
        self.machine(me, MachineRights::INSPECT)?;
        let [_, offset, address, length, ..] = me.args;
        let mut piece = [0; LINE];
        let (count, first) = log::read(offset, &mut piece[..LINE.min(length as usize)]);
        self.vm.write_space(self.threads[me.thread].space, address, &piece[..count])?;
        self.values(me, &[count as u64, first])
    }

    /// Figures of the whole machine; `docs/calls.md` says which are which.
    pub(super) fn figures(&self, which: u64) -> Option<[u64; 4]> {
        let Kernel { vm, processes, threads, ports, messages, timers, interrupts, .. } = self;
        let frames = vm.ram.frames.stats();
        let objects = vm.ram.object_pages as u64;
        Some(match which {
            0 => [frames.total as u64, frames.free as u64, objects, self.handles.count()],
            1 => [
                self.cpus.iter().filter(|cpu| cpu.online).count() as u64,
                self.now().0,
                self.cpus.iter().map(|cpu| cpu.rings).sum(),
                self.cpus.iter().map(|cpu| cpu.ipis).sum(),
            ],
            2 => [processes.count(), threads.count(), ports.count(), messages.count()],
            3 => [vm.memories.count(), vm.regions.count(), timers.count(), interrupts.count()],
            4 => match self.info.console {
                Console::None => [0; 4],
                Console::Pl011(at) => [1, at.0, 0, 0],
                Console::MiniUart(at) => [2, at.0, 0, 0],
                Console::Ns16550(port) => [3, port.into(), 0, 0],
            },
            #[cfg(feature = "lock-stats")]
            5 => self.longest_hold(),
            _ => return None,
        })
    }
}
