//! Virtual memory against a model of it: what is mapped is a map from pages of an address space to
//! pages of memories, and a memory is a map from pages to what was written there.

use crate::mm_vm_steps::{MEMORIES, SPACES, Step, step};
use crate::mm_world::World;
use crate::support::cases;
use ochre::abi::{Error, FaultKind, MAP_EXECUTE, MAP_SHARED, MAP_WRITE, USER_END};
use ochre::arch::tlb::take_flushed;
use ochre::mm::{Id, Memory, Place, Space};
use ochre::units::{MAX_CPUS, PAGE_SIZE};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Clone, Default)]
struct Pages {
    count: u64,
    bytes: BTreeMap<u64, u8>,
}

#[derive(Clone, Copy)]
struct Mapped {
    memory: usize,
    page: u64,
    access: u64,
    ceiling: u64,
    shared: bool,
}

struct Model {
    world: World,
    spaces: Vec<(Id<Space>, BTreeMap<u64, Mapped>)>,
    handles: Vec<Option<(Id<Memory>, usize)>>,
    /// All memories there have been.
    memories: Vec<Pages>,
    /// The quota suffices for everything.
    ample: bool,
}

impl Model {
    fn new(limit: u64) -> Model {
        let mut world = World::new(limit);
        let mut spaces = vec![(world.space, BTreeMap::new())];
        for _ in 1..SPACES {
            let space = world.vm.space_create(world.root).expect("room");
            spaces.push((space, BTreeMap::new()));
        }
        let handles = vec![None; MEMORIES];
        Model { world, spaces, handles, memories: Vec::new(), ample: limit > 1 << 29 }
    }

    /// Where the quota may be used up an operation may always fail for it.
    fn done<T>(&self, result: Result<T, Error>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(Error::NoMemory) if !self.ample => None,
            Err(error) => panic!("{error:?}"),
        }
    }

    /// What user code would find.
    fn expected(&self, space: usize, at: u64, write: Option<u8>) -> Result<u8, FaultKind> {
        let mapped = self.spaces[space].1.get(&at).ok_or(FaultKind::Unmapped)?;
        if write.is_some() && mapped.access & MAP_WRITE == 0 {
            return Err(FaultKind::Permission);
        }
        let memory = &self.memories[mapped.memory];
        if mapped.page >= memory.count {
            return Err(FaultKind::Bus);
        }
        let byte = memory.bytes.get(&mapped.page).copied().unwrap_or(0);
        Ok(write.unwrap_or(byte))
    }

    fn put(&mut self, space: usize, at: u64, value: u8) {
        let mapped = self.spaces[space].1[&at];
        self.memories[mapped.memory].bytes.insert(mapped.page, value);
    }

    fn touch(&mut self, space: usize, at: u64, write: Option<u8>) {
        let expected = self.expected(space, at, write);
        let found = self.world.access(self.spaces[space].0, at, write);
        if found == Err(FaultKind::NoMemory) && !self.ample {
            return;
        }
        assert_eq!(found, expected, "at {at:#x} of {space}, {write:?}");
        if let (Ok(_), Some(value)) = (found, write) {
            self.put(space, at, value);
        }
    }

    fn set_handle(&mut self, slot: usize, memory: Id<Memory>, pages: Pages) {
        self.drop_handle(slot);
        self.memories.push(pages);
        self.handles[slot] = Some((memory, self.memories.len() - 1));
    }

    fn drop_handle(&mut self, slot: usize) {
        if let Some((memory, _)) = self.handles[slot].take() {
            self.world.vm.release(memory);
        }
    }

    fn renew(&mut self, space: usize) {
        let vm = &mut self.world.vm;
        while !vm.space_destroy(self.spaces[space].0) {}
        self.world.destroy_dying();
        // What goes through the root's quota comes back in the same amount.
        let World { vm, root, .. } = &mut self.world;
        let new = vm.space_create(*root).expect("what was given back");
        self.spaces[space] = (new, BTreeMap::new());
    }

    fn map(&mut self, space: usize, slot: usize, at: u64, first: u64, pages: u64, bits: u64) {
        let Some((id, memory)) = self.handles[slot] else { return };
        let access = bits & 7;
        let ceiling = if bits & 8 != 0 { access & 3 } else { 3 };
        let ceiling = if bits & 16 != 0 { ceiling & MAP_WRITE } else { ceiling };
        let vm = &mut self.world.vm;
        let (target, mapped) = &mut self.spaces[space];
        let found = vm.map(*target, id, at, first, pages, access, ceiling);
        let end = at + pages * PAGE_SIZE;
        let both = MAP_WRITE | MAP_EXECUTE;
        let expected = if access & both == both || end > USER_END {
            Err(Error::Invalid)
        } else if access & both & !ceiling != 0 {
            Err(Error::NoRight)
        } else if first + pages > self.memories[memory].count {
            Err(Error::Invalid)
        } else if mapped.range(at..end).next().is_some() {
            Err(Error::Occupied)
        } else {
            Ok(())
        };
        if found == Err(Error::NoMemory) && !self.ample {
            return;
        }
        assert_eq!(found, expected);
        for nth in 0..if found.is_ok() { pages } else { 0 } {
            let shared = access & MAP_SHARED != 0;
            let page = Mapped { memory, page: first + nth, access: access & 3, ceiling, shared };
            mapped.insert(at + nth * PAGE_SIZE, page);
        }
    }

    fn unmap(&mut self, space: usize, mut at: u64, mut pages: u64) {
        pages = pages.min((USER_END - at) / PAGE_SIZE);
        while pages > 0 {
            let vm = &mut self.world.vm;
            let result = vm.unmap(self.spaces[space].0, at, pages);
            let Some(done) = self.done(result) else { return };
            assert!(done > 0 && done <= pages);
            let end = at + done * PAGE_SIZE;
            self.spaces[space].1.retain(|&page, _| page < at || page >= end);
            (at, pages) = (end, pages - done);
            self.world.check();
        }
    }

    fn protect(&mut self, space: usize, mut at: u64, mut pages: u64, access: u64) {
        pages = pages.min((USER_END - at) / PAGE_SIZE);
        while pages > 0 {
            let vm = &mut self.world.vm;
            let (target, mapped) = &mut self.spaces[space];
            let found = vm.protect(*target, at, pages, access);
            let first = mapped.get(&at).copied();
            match (found, first) {
                (Ok(done), Some(_)) => {
                    assert!(done > 0 && done <= pages);
                    for nth in 0..done {
                        let page = mapped.get_mut(&(at + nth * PAGE_SIZE)).expect("it is mapped");
                        assert!(access & !page.ceiling == 0);
                        page.access = access;
                    }
                    (at, pages) = (at + done * PAGE_SIZE, pages - done);
                }
                (Err(Error::NotFound), None) => return,
                (Err(Error::NoRight), Some(page)) if access & !page.ceiling != 0 => return,
                (Err(Error::NoMemory), Some(_)) if !self.ample => return,
                (found, _) => panic!("{found:?}"),
            }
            self.world.check();
        }
    }

    fn clone_memory(&mut self, to: usize, from: usize, first: u64, pages: u64) {
        let Some((id, memory)) = self.handles[from] else { return };
        let World { vm, root, .. } = &mut self.world;
        let source = &self.memories[memory];
        let result = vm.memory_clone(*root, id, first, pages);
        if first + pages > source.count {
            assert_eq!(result.err(), Some(Error::Invalid));
            return;
        }
        let range = source.bytes.range(first..first + pages);
        let bytes = range.map(|(&page, &byte)| (page - first, byte)).collect();
        let vm = &mut self.world.vm;
        let result = result.and_then(|clone| {
            let mut next = Some(0);
            while let Some(at) = next {
                let piece = vm.memory_clone_more(clone, id, first, at);
                next = piece.inspect_err(|_| _ = vm.release(clone))?;
            }
            Ok(clone)
        });
        let Some(clone) = self.done(result) else { return self.world.destroy_dying() };
        self.set_handle(to, clone, Pages { count: pages, bytes });
    }

    fn clone_space(&mut self, to: usize, from: usize) {
        if to == from {
            return;
        }
        self.renew(to);
        let result = self.world.clone_space(self.spaces[to].0, self.spaces[from].0);
        if self.done(result).is_none() {
            return self.renew(to);
        }
        for (at, mapped) in self.spaces[from].1.clone() {
            let mut copy = mapped;
            if !mapped.shared && mapped.ceiling & MAP_WRITE != 0 {
                let source = &self.memories[mapped.memory];
                let byte = source.bytes.get(&mapped.page).filter(|_| mapped.page < source.count);
                let bytes = byte.map(|&byte| (0, byte)).into_iter().collect();
                self.memories.push(Pages { count: 1, bytes });
                (copy.memory, copy.page) = (self.memories.len() - 1, 0);
            }
            self.spaces[to].1.insert(at, copy);
        }
    }

    fn copy(&mut self, from: (usize, u64), to: (usize, u64)) {
        let vm = &mut self.world.vm;
        let place = |(space, at): (usize, u64)| Place::Space(self.spaces[space].0, at);
        let found = vm.copy(place(from), place(to), 1);
        let byte = self.expected(from.0, from.1, None);
        match (found, byte, self.expected(to.0, to.1, Some(0))) {
            (Ok(1), Ok(byte), Ok(_)) => self.put(to.0, to.1, byte),
            (Err(Error::BadAddress), Err(_), _) | (Err(Error::BadAddress), _, Err(_)) => {}
            (Err(Error::NoMemory), ..) if !self.ample => {}
            (found, from, to) => panic!("{found:?} where {from:?} and {to:?}"),
        }
    }

    fn fill(&mut self, slot: usize, page: u64, value: u8) {
        let Some((id, memory)) = self.handles[slot] else { return };
        let vm = &mut self.world.vm;
        let result = vm.memory_fill(id, page * PAGE_SIZE, &[value]);
        if page >= self.memories[memory].count {
            return assert_eq!(result, Err(Error::Invalid));
        }
        if self.done(result).is_some() {
            self.memories[memory].bytes.insert(page, value);
        }
    }

    fn fetch(&mut self, slot: usize, page: u64, space: usize, at: u64) {
        let Some((id, memory)) = self.handles[slot] else { return };
        let vm = &mut self.world.vm;
        let to = Place::Space(self.spaces[space].0, at);
        let found = vm.copy(Place::Memory(id, page * PAGE_SIZE), to, 1);
        let source = &self.memories[memory];
        let inside = page < source.count;
        let byte = source.bytes.get(&page).copied().unwrap_or(0);
        match (found, self.expected(space, at, Some(0))) {
            (Ok(1), Ok(_)) if inside => self.put(space, at, byte),
            (Err(Error::Invalid), _) if !inside => {}
            (Err(Error::BadAddress), Err(_)) => {}
            (Err(Error::NoMemory), _) if !self.ample => {}
            (found, to) => panic!("{found:?} where {to:?}"),
        }
    }

    fn resize(&mut self, slot: usize, pages: u64) {
        let Some((id, memory)) = self.handles[slot] else { return };
        loop {
            let vm = &mut self.world.vm;
            let result = vm.memory_resize(id, pages);
            let model = &mut self.memories[memory];
            model.count = model.count.min(pages);
            model.bytes.retain(|&page, _| page < pages);
            self.world.check();
            match self.done(result) {
                Some(true) => return self.memories[memory].count = pages,
                Some(false) => {}
                None => return,
            }
        }
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Create(slot, pages) => {
                let World { vm, root, .. } = &mut self.world;
                let made = vm.memory_create(*root, pages);
                if let Some(memory) = self.done(made) {
                    self.set_handle(slot, memory, Pages { count: pages, ..Pages::default() });
                }
            }
            Step::Drop(slot) => self.drop_handle(slot),
            Step::Map(s, m, at, first, pages, access) => self.map(s, m, at, first, pages, access),
            Step::Unmap(space, at, pages) => self.unmap(space, at, pages),
            Step::Protect(space, at, pages, access) => self.protect(space, at, pages, access),
            Step::Touch(space, at, write) => self.touch(space, at, write),
            Step::CloneMemory(to, from, first, pages) => self.clone_memory(to, from, first, pages),
            Step::Resize(slot, pages) => self.resize(slot, pages),
            Step::CloneSpace(to, from) => self.clone_space(to, from),
            Step::Copy(s, from, t, to) => self.copy((s, from), (t, to)),
            Step::Fill(slot, page, value) => self.fill(slot, page, value),
            Step::Fetch(slot, page, space, at) => self.fetch(slot, page, space, at),
            Step::Renew(space) => self.renew(space),
            Step::Enter(space) => {
                let _ = self.world.vm.enter(self.spaces[space].0, [None; MAX_CPUS]);
                take_flushed();
            }
        }
        self.world.check();
    }

    /// Everything that is mapped is as it should be; then it goes.
    fn end(mut self) {
        for space in 0..SPACES {
            for at in self.spaces[space].1.keys().copied().collect::<Vec<_>>() {
                self.touch(space, at, None);
            }
        }
        let handles = self.handles.into_iter().flatten().map(|(memory, _)| memory).collect();
        self.world.end(handles);
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn memory_is_what_was_written(
        limit in prop_oneof![Just(1u64 << 30), 150_000u64..600_000],
        steps in prop::collection::vec(step(), 1..if cfg!(miri) { 25 } else { 120 }),
    ) {
        let mut model = Model::new(limit);
        steps.into_iter().for_each(|step| model.run(step));
        model.end();
    }
}
