//! A machine with one address space, for the tests of virtual memory: what user code would do there,
//! and that nothing is left at the end.

use crate::support::{MIB, machine};
use ochre::abi::{Error, FaultKind, MAP_WRITE};
use ochre::arch::{self, Entry};
use ochre::mm::{Account, Id, Memory, Space, Vm};
use ochre::units::{Access, PAGE_SIZE, PhysAddr};
use std::collections::BTreeMap;

const PAGE: u64 = PAGE_SIZE;

/// A machine with one address space, and an account with all it needs.
pub struct World {
    pub vm: Vm,
    pub root: Id<Account>,
    pub space: Id<Space>,
    free: usize,
}

impl World {
    pub fn new(limit: u64) -> World {
        let mut vm = machine(8 * MIB, 1).expect("it fits").vm;
        // Arenas begin to grow now, so that later nothing but their pages is not given back.
        vm.spaces.reserve(&mut vm.ram).expect("room");
        vm.memories.reserve(&mut vm.ram).expect("room");
        vm.regions.reserve(&mut vm.ram).expect("room");
        vm.accounts.reserve(&mut vm.ram).expect("room");
        let free = vm.ram.frames.stats().free + vm.ram.object_pages;
        let root = vm.account_root(limit).expect("room");
        let space = vm.space_create(root).expect("room");
        World { vm, root, space, free }
    }

    pub fn memory(&mut self, pages: u64) -> Id<Memory> {
        self.vm.memory_create(self.root, pages).expect("room")
    }

    pub fn map(&mut self, memory: Id<Memory>, at: u64, pages: u64) {
        let (space, access) = (self.space, MAP_WRITE);
        self.vm.map(space, memory, at, 0, pages, access, 3).expect("free");
    }

    /// As user code would: by the tables, with a fault where they do not do.
    pub fn access(
        &mut self,
        space: Id<Space>,
        at: u64,
        write: Option<u8>,
    ) -> Result<u8, FaultKind> {
        for attempt in 0..2 {
            if let Some(byte) = self.look(space, at, write) {
                return Ok(byte);
            }
            assert!(attempt == 0, "a fault was dealt with, and comes again");
            let access = if write.is_some() { Access::Write } else { Access::Read };
            self.vm.fault(space, at, access)?;
        }
        unreachable!()
    }

    fn look(&mut self, space: Id<Space>, at: u64, write: Option<u8>) -> Option<u8> {
        let entries = self.vm.translation(space, at);
        let level = entries.iter().rposition(|&entry| entry != 0)? as u8;
        let entry = Entry::from_bits(entries[level as usize]);
        if !entry.is_present() || !entry.is_leaf(level) {
            return None;
        }
        if write.is_some() && !entry.access().contains(arch::Access::WRITE) {
            return None;
        }
        let size = PAGE << (9 * (3 - level));
        let byte = PhysAddr(entry.frame().start().0 + at % size);
        let byte = self.vm.ram.memory.pointer(byte);
        // SAFETY: RAM of the simulated machine.
        unsafe {
            write.inspect(|&value| byte.write(value));
            Some(byte.read())
        }
    }

    pub fn check(&self) {
        assert_eq!(self.vm.check(&BTreeMap::new()), Ok(()));
    }

    pub fn unmap(&mut self, space: Id<Space>, mut at: u64, mut pages: u64) {
        while pages > 0 {
            let done = self.vm.unmap(space, at, pages).expect("room");
            assert!(done > 0 && done <= pages);
            (at, pages) = (at + done * PAGE, pages - done);
        }
    }

    pub fn clone_space(&mut self, to: Id<Space>, from: Id<Space>) -> Result<(), Error> {
        let mut cursor = Some(0);
        while let Some(at) = cursor {
            cursor = self.vm.space_clone(to, from, at)?;
            assert!(cursor.is_none_or(|next| next > at));
        }
        Ok(())
    }

    pub fn destroy_dying(&mut self) {
        while self.vm.has_dying() {
            self.vm.destroy_dying();
        }
    }

    /// Destroys everything, and sees that all has come back.
    pub fn end(mut self, handles: Vec<Id<Memory>>) {
        handles.into_iter().for_each(|memory| {
            self.vm.release(memory);
        });
        let spaces: Vec<_> = self.vm.spaces.iter().map(|(id, _)| id).collect();
        for space in spaces {
            while !self.vm.space_destroy(space) {
                self.check();
            }
        }
        self.destroy_dying();
        self.check();
        assert_eq!(self.vm.usage(self.root).0, 0);
        assert!(self.vm.memories.is_empty() && self.vm.regions.is_empty());
        assert_eq!(self.vm.ram.frames.stats().free + self.vm.ram.object_pages, self.free);
    }
}
