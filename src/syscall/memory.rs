//! Calls about memory: what may take long does a piece, moves on in the caller's registers, and has
//! the call made again.

use super::Caller;
use crate::abi::{
    Call, Error, Info, Lease, MAP_EXECUTE, MAP_WRITE, MESSAGE_WORDS, MachineRights, MemoryRights,
    PAGE, ProcessRights, WINDOW_DEVICE,
};
use crate::arch::Access;
use crate::ipc::{Answer, Outcome};
use crate::kernel::Kernel;
use crate::mm::{Account, Id, Memory, Place, Space};
use crate::object::{Life, Made, Named, Process, Progress, Sort, Thread};
use crate::units::{PhysAddr, Result};

impl Kernel {
    pub(super) fn memory_window(&mut self, me: &Caller) -> Answer {
        self.machine(me, MachineRights::DEVICES)?;
        let [_, at, pages, attributes, ..] = me.args;
        if attributes & !WINDOW_DEVICE != 0 || self.is_ram(PhysAddr(at), pages) {
            return Err(Error::Invalid);
        }
        let Kernel { vm, processes, .. } = self;
        let (at, device) = (PhysAddr(at), attributes & WINDOW_DEVICE != 0);
        let memory = vm.memory_window(processes[me.process].account, at, pages, device)?;
        self.memory_named(me, memory)
    }

    pub(super) fn map(&mut self, me: &Caller) -> Result {
        let [process, memory, at, first, pages, access, ..] = me.args;
        let space = self.space_of(me, process, ProcessRights::MAP)?;
        let needed = match access {
            access if access & MAP_WRITE != 0 => MemoryRights::READ | MemoryRights::WRITE,
            access if access & MAP_EXECUTE != 0 => MemoryRights::READ | MemoryRights::EXECUTE,
            _ => MemoryRights::READ,
        };
        let memory = self.find::<Memory>(me.process, memory, needed)?;
        // What a mapping made with this handle may ever allow.
        let rights = MemoryRights::from_bits_truncate(memory.rights);
        let bit = |right, bit| if rights.contains(right) { bit } else { 0 };
        let ceiling = bit(MemoryRights::WRITE, MAP_WRITE) | bit(MemoryRights::EXECUTE, MAP_EXECUTE);
        self.vm.map(space, memory.id, at, first, pages, access, ceiling)
    }

    pub(super) fn contiguous_memory(&mut self, me: &Caller) -> Answer {
        self.machine(me, MachineRights::DEVICES)?;
        let account = self.processes[me.process].account;
        let memory = match self.go_on(me) {
            Some((Made::Memory(memory), _)) => memory,
            _ => self.vm.memory_contiguous(account, me.args[1])?,
        };
        if !self.vm.memory_clear(memory)? {
            return self.later(me, Made::Memory(memory), 0);
        }
        let (_, _, physical) = self.vm.memory_info(memory);
        let answer = self.memory_named(me, memory)?;
        self.threads[me.thread].context.frame.args_mut()[2] = physical;
        Ok(answer)
    }

    pub(super) fn clone_memory(&mut self, me: &Caller) -> Answer {
        let [from, first, pages, ..] = me.args;
        let from = self.find::<Memory>(me.process, from, MemoryRights::READ)?.id;
        let (memory, at) = match self.go_on(me) {
            Some((Made::Memory(begun), at)) => (begun, at),
            _ => {
                let payer = self.payer(me, me.args[3])?;
                (self.vm.memory_clone(payer, from, first, pages)?, 0)
            }
        };
        let next = self.vm.memory_clone_more(memory, from, first, at);
        match next.inspect_err(|_| _ = self.vm.release(memory))? {
            Some(next) => self.later(me, Made::Memory(memory), next),
            None => self.memory_named(me, memory),
        }
    }

    pub(super) fn clone_space(&mut self, me: &Caller) -> Answer {
        let to = self.find::<Process>(me.process, me.args[0], ProcessRights::MAP)?.id;
        let from = self.space_of(me, me.args[1], ProcessRights::READ)?;
        let space = self.living_space(to)?;
        let at = match self.go_on(me) {
            Some((Made::Space(begun), at)) if begun == to => at,
            _ if self.processes[to].cloning || space == from || !self.vm.space_empty(space) => {
                return Err(Error::Occupied);
            }
            _ => 0,
        };
        let next = self.vm.space_clone(space, from, at);
        self.processes[to].cloning = matches!(next, Ok(Some(_)));
        match next? {
            Some(next) => self.later(me, Made::Space(to), next),
            None => Ok(Outcome::Done),
        }
    }

    /// Whose quota pays for a memory: a process's that is named, or the caller's.
    pub(super) fn payer(&self, me: &Caller, handle: u64) -> Result<Id<Account>> {
        let process = match handle {
            0 => me.process,
            handle => self.find::<Process>(me.process, handle, ProcessRights::MANAGE)?.id,
        };
        self.living_space(process)?;
        Ok(self.processes[process].account)
    }

    /// A handle to what is mapped at an address, which allows what may be allowed there.
    pub(super) fn memory_of(&mut self, me: &Caller) -> Answer {
        let space = self.space_of(me, me.args[0], ProcessRights::MANAGE)?;
        let (memory, page, pages, ceiling) =
            self.vm.mapped_at(space, me.args[1]).ok_or(Error::NotFound)?;
        let mut rights = MemoryRights::all();
        rights.set(MemoryRights::WRITE | MemoryRights::RESIZE, ceiling.contains(Access::WRITE));
        rights.set(MemoryRights::EXECUTE, ceiling.contains(Access::EXECUTE));
        let handle = self.install(me.process, Named::Memory(memory), rights.bits(), 0)?;
        self.values(me, &[handle, page, pages])
    }

    /// What the caller has begun to make by this very call, and where that goes on.
    fn go_on(&mut self, me: &Caller) -> Option<(Made, u64)> {
        let Progress { args, made, at } = self.threads[me.thread].progress?;
        if me.args[..3] != args {
            self.drop_progress(me.thread);
            return None;
        }
        self.threads[me.thread].progress = None;
        Some((made, at))
    }

    /// The caller makes the call again, to go on from there.
    fn later(&mut self, me: &Caller, made: Made, at: u64) -> Answer {
        let [a, b, c, ..] = me.args;
        self.threads[me.thread].progress = Some(Progress { args: [a, b, c], made, at });
        Ok(Outcome::Again)
    }

    /// Copies a piece between the caller and what the call names: [3] bytes, of which [1] and [2] say
    /// where.
    pub(super) fn copy_piece(&mut self, call: Call, me: &Caller) -> Answer {
        let [handle, there, address, ..] = me.args;
        let here = Place::Space(self.threads[me.thread].space, address);
        let write = matches!(call, Call::MemoryWrite | Call::ProcessWrite);
        let there = if matches!(call, Call::MemoryRead | Call::MemoryWrite) {
            let needed = if write { MemoryRights::WRITE } else { MemoryRights::READ };
            Place::Memory(self.find::<Memory>(me.process, handle, needed)?.id, there)
        } else {
            let needed = if write { ProcessRights::WRITE } else { ProcessRights::READ };
            Place::Space(self.space_of(me, handle, needed)?, there)
        };
        self.copy_on(me.thread, 1, (here, there), write)
    }

    /// The same with a window that a caller lends for as long as its call lasts: [1] is which, [2] and
    /// [3] say where.
    #[inline(always)]
    pub(super) fn lease_copy(&mut self, me: Id<Thread>, call: Call) -> Answer {
        let [which, index, offset, address, length, ..] = *self.threads[me].context.frame.args();
        let (space, lease) = self.lease(me, which, index)?;
        let write = call == Call::LeaseWrite;
        let needed = if write { Lease::WRITE } else { Lease::READ };
        if lease.length & needed == 0 {
            return Err(Error::NoRight);
        }
        if offset.checked_add(length).is_none_or(|end| end > lease.bytes()) {
            return Err(Error::Invalid);
        }
        let there = lease.address.checked_add(offset).ok_or(Error::BadAddress)?;
        let here = Place::Space(self.threads[me].space, address);
        self.copy_on(me, 2, (here, Place::Space(space, there)), write)
    }

    /// The `index`th window that came with a call, and whose it is.
    #[inline(always)]
    fn lease(&self, me: Id<Thread>, which: u64, index: u64) -> Result<(Id<Space>, Lease)> {
        let (caller, _) = self.caller(me, which)?;
        let awaited = self.awaited(caller).ok_or(Error::NotFound)?;
        let thread = &self.threads[caller.thread];
        let args = thread.context.frame.args();
        let info = Info(args[1]);
        if awaited.sort != Sort::Call || index >= info.leases() as u64 {
            return Err(Error::NotFound);
        }
        let at = 2 + MESSAGE_WORDS - info.handles() - 2 * (info.leases() - index as usize);
        Ok((thread.space, Lease { address: args[at], length: args[at + 1] }))
    }

    /// Copies a piece between the caller (`here`) and someone, and moves on in the caller's registers:
    /// from [at] on these are where it is on either side, and how much is left.
    #[inline(always)]
    fn copy_on(
        &mut self,
        me: Id<Thread>,
        at: usize,
        (here, there): (Place, Place),
        write: bool,
    ) -> Answer {
        let (from, to) = if write { (here, there) } else { (there, here) };
        let done = self.vm.copy(from, to, self.threads[me].context.frame.args()[at + 2])?;
        let args = self.threads[me].context.frame.args_mut();
        if done >= args[at + 2] {
            return Ok(Outcome::Done);
        }
        args[at] += done;
        args[at + 1] += done;
        args[at + 2] -= done;
        Ok(Outcome::Again)
    }

    /// So many pages of [2], from [1] on, are dealt with.
    pub(super) fn advance_pages(&mut self, me: &Caller, done: u64) -> Answer {
        let args = self.threads[me.thread].context.frame.args_mut();
        if done >= args[2] {
            return Ok(Outcome::Done);
        }
        args[1] += done * PAGE;
        args[2] -= done;
        Ok(Outcome::Again)
    }

    /// A handle to a memory that was just made, in place of the reference of its maker.
    pub(super) fn memory_named(&mut self, me: &Caller, memory: Id<Memory>) -> Answer {
        let handle = self.install(me.process, Named::Memory(memory), u8::MAX, 0);
        self.vm.release(memory);
        Ok(Outcome::Value(handle?))
    }

    /// The address space of a process that a handle with these rights names.
    pub(super) fn space_of(
        &self,
        me: &Caller,
        handle: u64,
        rights: ProcessRights,
    ) -> Result<Id<Space>> {
        let process = self.find::<Process>(me.process, handle, rights)?;
        if rights == ProcessRights::MAP && self.processes[process.id].cloning {
            return Err(Error::Busy);
        }
        self.living_space(process.id)
    }

    /// The address space of a process, unless that has ended.
    pub(super) fn living_space(&self, process: Id<Process>) -> Result<Id<Space>> {
        let process = &self.processes[process];
        if process.life != Life::Alive {
            return Err(Error::PeerGone);
        }
        Ok(process.space)
    }

    /// Whether a range touches RAM, which nobody gets a window to.
    fn is_ram(&self, at: PhysAddr, pages: u64) -> bool {
        let Some(end) = pages.checked_mul(PAGE).and_then(|size| at.0.checked_add(size)) else {
            return true;
        };
        self.info.memory.iter().any(|bank| bank.start.0 < end && at.0 < bank.end.0)
    }
}
