//! Calls about memory: what may take long does a piece, moves on in the caller's registers, and has
//! the call made again.

use super::{Answer, Caller};
use crate::abi::{
    Call, Error, MAP_EXECUTE, MAP_WRITE, MachineRights, MemoryRights, ProcessRights, WINDOW_DEVICE,
};
use crate::arch::Access;
use crate::ipc::Outcome;
use crate::kernel::Kernel;
use crate::mm::{Account, Id, Memory, Place, Space};
use crate::object::{Found, Life, Machine, Made, Named, Process, Progress};
use crate::units::PhysAddr;

impl Kernel {
    pub(super) fn memory_call(&mut self, call: Call, me: &Caller) -> Answer {
        let args = &me.args;
        let account = self.processes[me.process].account;
        match call {
            Call::MemoryCreate => {
                let payer = self.payer(me, args[1])?;
                let memory = self.vm.memory_create(&mut self.ram, payer, args[0])?;
                self.memory_named(me, memory)
            }
            Call::MemoryOf => self.memory_of(me),
            Call::MemoryContiguous => {
                self.find::<Machine>(me.process, args[0], MachineRights::DEVICES)?;
                self.contiguous_memory(me)
            }
            Call::MemoryWindow => {
                self.find::<Machine>(me.process, args[0], MachineRights::DEVICES)?;
                if args[3] & !WINDOW_DEVICE != 0 {
                    return Err(Error::Invalid);
                }
                let (at, device) = (PhysAddr(args[1]), args[3] & WINDOW_DEVICE != 0);
                if self.is_ram(at, args[2]) {
                    return Err(Error::Invalid);
                }
                let memory = self.vm.memory_window(&mut self.ram, account, at, args[2], device)?;
                self.memory_named(me, memory)
            }
            Call::MemoryClone => self.clone_memory(me),
            Call::MemoryResize => {
                let memory = self.find::<Memory>(me.process, args[0], MemoryRights::RESIZE)?;
                let done = self.vm.memory_resize(&mut self.ram, memory.id, args[1])?;
                Ok(if done { Outcome::Done } else { Outcome::Again })
            }
            Call::MemoryInfo => {
                let memory = self.find::<Memory>(me.process, args[0], MemoryRights::READ)?;
                let (pages, resident, physical) = self.vm.memory_info(memory.id);
                self.values(me, &[pages, resident, physical])
            }
            Call::MemoryRead | Call::MemoryWrite | Call::ProcessRead | Call::ProcessWrite => {
                self.copy_piece(call, me)
            }
            Call::Map => {
                let space = self.space_of(me, args[0], ProcessRights::MAP)?;
                let needed = match args[5] {
                    access if access & MAP_WRITE != 0 => MemoryRights::READ | MemoryRights::WRITE,
                    access if access & MAP_EXECUTE != 0 => {
                        MemoryRights::READ | MemoryRights::EXECUTE
                    }
                    _ => MemoryRights::READ,
                };
                let memory = self.find::<Memory>(me.process, args[1], needed)?;
                let [_, _, at, first, pages, access, ..] = *args;
                let ceiling = ceiling(&memory);
                let Kernel { vm, ram, .. } = self;
                vm.map(ram, space, memory.id, at, first, pages, access, ceiling)?;
                Ok(Outcome::Done)
            }
            Call::Unmap => {
                let space = self.space_of(me, args[0], ProcessRights::MAP)?;
                let done = self.vm.unmap(&mut self.ram, space, args[1], args[2])?;
                self.advance(me, done)
            }
            Call::Protect => {
                let space = self.space_of(me, args[0], ProcessRights::MAP)?;
                let done = self.vm.protect(&mut self.ram, space, args[1], args[2], args[3])?;
                self.advance(me, done)
            }
            _ => self.clone_space(me),
        }
    }

    fn contiguous_memory(&mut self, me: &Caller) -> Answer {
        let (memory, _) = match self.go_on(me) {
            Some((Made::Memory(memory), at)) => (memory, at),
            _ => {
                let account = self.processes[me.process].account;
                (self.vm.memory_contiguous(&mut self.ram, account, me.args[1])?.0, 0)
            }
        };
        if !self.vm.memory_clear(&mut self.ram, memory)? {
            return self.later(me, Made::Memory(memory), 0);
        }
        let (_, _, physical) = self.vm.memory_info(memory);
        let answer = self.memory_named(me, memory)?;
        self.threads[me.thread].context.frame.args_mut()[2] = physical;
        Ok(answer)
    }

    fn clone_memory(&mut self, me: &Caller) -> Answer {
        let [from, first, pages, ..] = me.args;
        let from = self.find::<Memory>(me.process, from, MemoryRights::READ)?.id;
        let (memory, at) = match self.go_on(me) {
            Some((Made::Memory(begun), at)) => (begun, at),
            _ => {
                let payer = self.payer(me, me.args[3])?;
                (self.vm.memory_clone(&mut self.ram, payer, from, first, pages)?, 0)
            }
        };
        let next = self.vm.memory_clone_more(&mut self.ram, memory, from, first, at);
        match next.inspect_err(|_| _ = self.vm.release(memory))? {
            Some(next) => self.later(me, Made::Memory(memory), next),
            None => self.memory_named(me, memory),
        }
    }

    fn clone_space(&mut self, me: &Caller) -> Answer {
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
        let next = self.vm.space_clone(&mut self.ram, space, from, at)?;
        self.processes[to].cloning = next.is_some();
        match next {
            Some(next) => self.later(me, Made::Space(to), next),
            None => Ok(Outcome::Done),
        }
    }

    /// Whose quota pays for a memory: a process's that is named, or the caller's.
    fn payer(&self, me: &Caller, handle: u64) -> Result<Id<Account>, Error> {
        let process = match handle {
            0 => me.process,
            handle => self.find::<Process>(me.process, handle, ProcessRights::MANAGE)?.id,
        };
        self.living_space(process)?;
        Ok(self.processes[process].account)
    }

    /// A handle to what is mapped at an address, which allows what may be allowed there.
    fn memory_of(&mut self, me: &Caller) -> Answer {
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
    fn copy_piece(&mut self, call: Call, me: &Caller) -> Answer {
        let [handle, there, address, length, ..] = me.args;
        let here = Place::Space(self.threads[me.thread].space, address);
        let write = matches!(call, Call::MemoryWrite | Call::ProcessWrite);
        let there = if matches!(call, Call::MemoryRead | Call::MemoryWrite) {
            let needed = if write { MemoryRights::WRITE } else { MemoryRights::READ };
            Place::Memory(self.find::<Memory>(me.process, handle, needed)?.id, there)
        } else {
            let needed = if write { ProcessRights::WRITE } else { ProcessRights::READ };
            Place::Space(self.space_of(me, handle, needed)?, there)
        };
        let (from, to) = if write { (here, there) } else { (there, here) };
        let done = self.vm.copy(&mut self.ram, from, to, length)?;
        self.advance_copy(me, done)
    }

    /// So many bytes of [3] are copied: [1] and [2] move on.
    fn advance_copy(&mut self, me: &Caller, done: u64) -> Answer {
        let length = me.args[3];
        if done >= length {
            return Ok(Outcome::Done);
        }
        let args = self.threads[me.thread].context.frame.args_mut();
        [args[1], args[2], args[3]] = [args[1] + done, args[2] + done, length - done];
        Ok(Outcome::Again)
    }

    /// So many pages of [2], from [1] on, are dealt with.
    fn advance(&mut self, me: &Caller, done: u64) -> Answer {
        let pages = me.args[2];
        if done >= pages {
            return Ok(Outcome::Done);
        }
        let args = self.threads[me.thread].context.frame.args_mut();
        [args[1], args[2]] = [args[1] + done * crate::abi::PAGE, pages - done];
        Ok(Outcome::Again)
    }

    /// A handle to a memory that was just made, in place of the reference of its maker.
    fn memory_named(&mut self, me: &Caller, memory: Id<Memory>) -> Answer {
        let answer = self.named(me, Named::Memory(memory), |_| {});
        self.vm.release(memory);
        answer
    }

    /// The address space of a process that a handle with these rights names.
    fn space_of(
        &self,
        me: &Caller,
        handle: u64,
        rights: ProcessRights,
    ) -> Result<Id<Space>, Error> {
        let process = self.find::<Process>(me.process, handle, rights)?;
        if rights == ProcessRights::MAP && self.processes[process.id].cloning {
            return Err(Error::Busy);
        }
        self.living_space(process.id)
    }

    /// The address space of a process, unless that has ended.
    pub(super) fn living_space(&self, process: Id<Process>) -> Result<Id<Space>, Error> {
        let process = &self.processes[process];
        if process.life != Life::Alive {
            return Err(Error::PeerGone);
        }
        Ok(process.space)
    }

    /// Whether a range touches RAM, which nobody gets a window to.
    fn is_ram(&self, at: PhysAddr, pages: u64) -> bool {
        let Some(end) = pages.checked_mul(crate::abi::PAGE).and_then(|size| at.0.checked_add(size))
        else {
            return true;
        };
        self.info.memory.iter().any(|bank| bank.start.0 < end && at.0 < bank.end.0)
    }
}

/// What a mapping made with this handle may ever allow.
fn ceiling(memory: &Found<Memory>) -> u64 {
    let rights = MemoryRights::from_bits_truncate(memory.rights);
    let bit = |right, bit| if rights.contains(right) { bit } else { 0 };
    bit(MemoryRights::WRITE, MAP_WRITE) | bit(MemoryRights::EXECUTE, MAP_EXECUTE)
}
