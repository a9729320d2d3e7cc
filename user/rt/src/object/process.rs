//! Processes.

use super::{Memory, Object, Port, objects};
use crate::abi::{Call, Error, Handle};
use crate::call::invoke;

objects! {
    /// An address space, handles, a quota.
    Process, ProcessRights;
}

/// What has become of a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// It runs, or could.
    Alive,
    /// It is being taken apart.
    Ending,
    /// Nothing is left of it but this.
    Ended,
}

/// How a process is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProcessInfo {
    /// What has become of it.
    pub state: State,
    /// Its exit code, when it has one.
    pub code: u64,
    /// Bytes of its quota that are used.
    pub used: u64,
    /// Its quota in bytes.
    pub quota: u64,
    /// Its threads.
    pub threads: u64,
    /// How long they ran, in nanoseconds.
    pub ran: u64,
}

/// A handle of a process, as whoever manages that sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Held {
    /// What it is known by there.
    pub handle: Handle,
    /// The number of its kind.
    pub kind: u64,
    /// Bits of that kind's rights.
    pub rights: u8,
    /// Its badge.
    pub badge: u64,
    /// The same for all handles to one object of a kind.
    pub object: u64,
}

impl Process {
    /// A process with so many bytes of this one's quota, and threads of at most this priority.
    pub fn create(quota: u64, priority: u8) -> Result<Process, Error> {
        let out = invoke(Call::ProcessCreate, [quota, priority.into()])?;
        Ok(Process::from_raw(out[1]))
    }

    /// Puts a handle into it; the number that it has there.
    pub fn give(&self, object: impl Object) -> Result<Handle, Error> {
        let out = invoke(Call::Give, [self.raw(), object.raw()])?;
        // It is over there now.
        let _ = object.into_raw();
        Ok(out[1])
    }

    /// Maps pages of a memory.
    pub fn map(
        &self,
        memory: &Memory,
        address: u64,
        first: u64,
        pages: u64,
        access: u64,
    ) -> Result<(), Error> {
        let arguments = [self.raw(), memory.raw(), address, first, pages, access];
        invoke(Call::Map, arguments).map(|_| ())
    }

    /// Unmaps whatever is mapped in a range.
    pub fn unmap(&self, address: u64, pages: u64) -> Result<(), Error> {
        invoke(Call::Unmap, [self.raw(), address, pages]).map(|_| ())
    }

    /// Changes what may be done in a range.
    pub fn protect(&self, address: u64, pages: u64, access: u64) -> Result<(), Error> {
        invoke(Call::Protect, [self.raw(), address, pages, access]).map(|_| ())
    }

    /// Maps in it, which is empty, what is mapped in another.
    pub fn clone_space(&self, from: &Process) -> Result<(), Error> {
        invoke(Call::SpaceClone, [self.raw(), from.raw()]).map(|_| ())
    }

    /// Copies bytes out of its memory.
    pub fn read(&self, there: u64, bytes: &mut [u8]) -> Result<(), Error> {
        let (address, length) = (bytes.as_mut_ptr() as u64, bytes.len() as u64);
        invoke(Call::ProcessRead, [self.raw(), there, address, length]).map(|_| ())
    }

    /// Copies bytes into its memory.
    pub fn write(&self, there: u64, bytes: &[u8]) -> Result<(), Error> {
        let (address, length) = (bytes.as_ptr() as u64, bytes.len() as u64);
        invoke(Call::ProcessWrite, [self.raw(), there, address, length]).map(|_| ())
    }

    /// Copies bytes out of its memory to an address of this process, which may be one that others
    /// write to as well.
    pub fn read_to(&self, there: u64, address: u64, length: u64) -> Result<(), Error> {
        invoke(Call::ProcessRead, [self.raw(), there, address, length]).map(|_| ())
    }

    /// Copies bytes into its memory from an address of this process, which may be one that others
    /// write to as well.
    pub fn write_from(&self, there: u64, address: u64, length: u64) -> Result<(), Error> {
        invoke(Call::ProcessWrite, [self.raw(), there, address, length]).map(|_| ())
    }

    /// The memory that is mapped at an address, the page of it that is there, and how many there are
    /// from it on.
    pub fn memory_of(&self, address: u64) -> Result<(Memory, u64, u64), Error> {
        let out = invoke(Call::MemoryOf, [self.raw(), address])?;
        Ok((Memory::from_raw(out[1]), out[2], out[3]))
    }

    /// Its handles. Those that it gets or gives up meanwhile are among them or not.
    pub fn handles(&self) -> impl Iterator<Item = Held> {
        let mut place = 0;
        core::iter::from_fn(move || {
            let out = invoke(Call::HandleOf, [self.raw(), place]).ok()?;
            let [_, handle, kind, rights, badge, object, next, ..] = out;
            place = next;
            Some(Held { handle, kind, rights: rights as u8, badge, object })
        })
    }

    /// Gives it so many bytes of quota in all.
    pub fn set_quota(&self, quota: u64) -> Result<(), Error> {
        invoke(Call::ProcessQuota, [self.raw(), quota]).map(|_| ())
    }

    /// Names the port that its foreign calls and faults go to, or none.
    pub fn set_handler(&self, port: Option<&Port>) -> Result<(), Error> {
        let port = port.map_or(0, Port::raw);
        invoke(Call::ProcessHandler, [self.raw(), port]).map(|_| ())
    }

    /// Names the signals that its end sets, and where.
    pub fn watch(&self, port: &Port, bits: u64) -> Result<(), Error> {
        invoke(Call::ProcessWatch, [self.raw(), port.raw(), bits]).map(|_| ())
    }

    /// Ends it.
    pub fn kill(&self, code: u64) -> Result<(), Error> {
        invoke(Call::ProcessKill, [self.raw(), code]).map(|_| ())
    }

    /// How it is.
    pub fn info(&self) -> Result<ProcessInfo, Error> {
        let out = invoke(Call::ProcessInfo, [self.raw()])?;
        let state = match out[1] {
            0 => State::Alive,
            1 => State::Ending,
            _ => State::Ended,
        };
        let [_, _, code, used, quota, threads, ran, ..] = out;
        Ok(ProcessInfo { state, code, used, quota, threads, ran })
    }
}
