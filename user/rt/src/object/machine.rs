//! The machine itself.

use super::{Object, Process, objects};
use crate::abi::{Call, Error};
use crate::call::invoke;

objects! {
    /// The machine: its log, its figures, its devices, its power switch.
    Machine, MachineRights;
}

/// How much there is of everything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Figures {
    /// Frames of memory that can be handed out.
    pub frames: u64,
    /// Those that nobody has.
    pub free: u64,
    /// Frames that kernel objects are kept in.
    pub object_frames: u64,
    /// Handles.
    pub handles: u64,
    /// Processes, threads, ports, queued messages.
    pub actors: [u64; 4],
    /// Memories, mapped regions, timers, interrupts.
    pub resources: [u64; 4],
}

impl Machine {
    /// Writes a line of at most 240 bytes to the log.
    pub fn log(&self, line: &[u8]) -> Result<(), Error> {
        let arguments = [self.raw(), line.as_ptr() as u64, line.len() as u64];
        invoke(Call::Log, arguments).map(|_| ())
    }

    /// Copies a piece of the log, from a byte on that is counted from its first, or from the oldest that
    /// is kept: how much, and from where.
    pub fn read_log(&self, from: u64, buffer: &mut [u8]) -> Result<(usize, u64), Error> {
        let (address, length) = (buffer.as_mut_ptr() as u64, buffer.len() as u64);
        let out = invoke(Call::LogRead, [self.raw(), from, address, length])?;
        Ok((out[1] as usize, out[2]))
    }

    /// A figure of the whole machine.
    pub fn info(&self, which: u64) -> Result<[u64; 4], Error> {
        let out = invoke(Call::MachineInfo, [self.raw(), which])?;
        Ok([out[1], out[2], out[3], out[4]])
    }

    /// How much there is of everything.
    pub fn figures(&self) -> Result<Figures, Error> {
        let [frames, free, object_frames, handles] = self.info(0)?;
        let (actors, resources) = (self.info(2)?, self.info(3)?);
        Ok(Figures { frames, free, object_frames, handles, actors, resources })
    }

    /// The device that the kernel writes its log to: which kind, as the reference has them, and where.
    pub fn console(&self) -> Result<(u64, u64), Error> {
        self.info(4).map(|[kind, at, ..]| (kind, at))
    }

    /// How many CPUs run.
    pub fn cpus(&self) -> Result<u64, Error> {
        self.info(1).map(|[cpus, ..]| cpus)
    }

    /// Copies the kernel's command line, cut to the buffer's length; how long it is in there.
    pub fn command_line(&self, buffer: &mut [u8]) -> Result<usize, Error> {
        let arguments = [self.raw(), buffer.as_mut_ptr() as u64, buffer.len() as u64];
        invoke(Call::CommandLine, arguments).map(|out| out[1] as usize)
    }

    /// Ends everything: `POWER_OFF`, `POWER_SUCCESS`, `POWER_FAILURE`, `POWER_ABANDONED` or `POWER_RESTART`.
    pub fn power(&self, how: u64) -> Result<(), Error> {
        invoke(Call::Power, [self.raw(), how]).map(|_| ())
    }

    /// The four entries that translate a process's address, from the root on.
    pub fn translation(&self, process: &Process, address: u64) -> Result<[u64; 4], Error> {
        let out = invoke(Call::Translation, [self.raw(), process.raw(), address])?;
        Ok([out[1], out[2], out[3], out[4]])
    }
}
