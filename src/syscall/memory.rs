//! Calls about memory: what may take long does a piece, moves on in the caller's registers, and has
//! the call made again.

use super::{Answer, Caller};
use crate::abi::{
    Call, Error, MAP_EXECUTE, MAP_WRITE, MachineRights, MemoryRights, ProcessRights, WINDOW_DEVICE,
};
use crate::ipc::Outcome;
use crate::kernel::Kernel;
use crate::mm::{Id, Memory, Place, Space};
use crate::object::{Found, Life, Machine, Process};
use crate::units::PhysAddr;

impl Kernel {
    pub(super) fn memory_call(&mut self, call: Call, me: &Caller) -> Answer {
        let args = &me.args;
        let account = self.processes[me.process].account;
        match call {
            Call::MemoryCreate => {
                let memory = self.vm.memory_create(&mut self.ram, account, args[0])?;
                self.memory_named(me, memory)
            }
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
            _ => {
                let to = self.space_of(me, args[0], ProcessRights::MAP)?;
                let from = self.space_of(me, args[1], ProcessRights::READ)?;
                let cursor = args[2];
                if to == from || cursor == 0 && !self.vm.space_empty(to) {
                    return Err(Error::Occupied);
                }
                match self.vm.space_clone(&mut self.ram, to, from, cursor)? {
                    None => Ok(Outcome::Done),
                    Some(next) => {
                        self.threads[me.thread].context.frame.args_mut()[2] = next;
                        Ok(Outcome::Again)
                    }
                }
            }
        }
    }

    /// What takes several pieces to clear already has its handle, with which the call goes on in [2].
    fn contiguous_memory(&mut self, me: &Caller) -> Answer {
        let [_, pages, begun, ..] = me.args;
        let (memory, outcome) = if begun == 0 {
            let account = self.processes[me.process].account;
            let (memory, _) = self.vm.memory_contiguous(&mut self.ram, account, pages)?;
            (memory, self.memory_named(me, memory)?)
        } else {
            let found = self.find::<Memory>(me.process, begun, MemoryRights::all())?;
            (found.id, Outcome::Value(begun))
        };
        let done = self.vm.memory_clear(&mut self.ram, memory)?;
        let (_, _, physical) = self.vm.memory_info(memory);
        let args = self.threads[me.thread].context.frame.args_mut();
        match outcome {
            Outcome::Value(handle) if !done => {
                args[2] = handle;
                Ok(Outcome::Again)
            }
            outcome => {
                args[2] = physical;
                Ok(outcome)
            }
        }
    }

    /// A clone that takes several pieces already has its handle while it grows: the call goes on with
    /// it in [3], from the page in [4].
    fn clone_memory(&mut self, me: &Caller) -> Answer {
        let [from, first, pages, begun, at, ..] = me.args;
        let from = self.find::<Memory>(me.process, from, MemoryRights::READ)?.id;
        let (outcome, next) = if begun == 0 {
            let account = self.processes[me.process].account;
            let (memory, next) =
                self.vm.memory_clone(&mut self.ram, account, from, first, pages)?;
            (self.memory_named(me, memory)?, next)
        } else {
            let to = self.find::<Memory>(me.process, begun, MemoryRights::all())?.id;
            let next = self.vm.memory_clone_more(&mut self.ram, to, from, first, at)?;
            (Outcome::Value(begun), next)
        };
        let (Some(next), Outcome::Value(handle)) = (next, outcome) else { return Ok(outcome) };
        let args = self.threads[me.thread].context.frame.args_mut();
        [args[3], args[4]] = [handle, next];
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
        let answer = self.named::<Memory>(me, memory, |_| {});
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
