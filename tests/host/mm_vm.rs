//! Virtual memory of processes: quotas, faults, clones, and that what is taken comes back.

use crate::mm_world::World;
use ochre::abi::{Error, FaultKind, MAP_EXECUTE, MAP_SHARED, MAP_WRITE, USER_END};
use ochre::arch::tlb::{Flushed, take_flushed};
use ochre::arch::{self, Entry};
use ochre::mm::{Account, Arena, Place};
use ochre::units::{Access, Frame, MAX_CPUS, PAGE_SIZE, PhysAddr};

const PAGE: u64 = PAGE_SIZE;
const LARGE: u64 = 2 << 20;
const AT: u64 = 0x10_0000;

#[test]
fn what_a_child_may_use_is_its_parents() {
    let World { mut vm, root, space, .. } = World::new(1 << 30);
    let (before, _) = vm.usage(root);
    let cost = Arena::<Account>::COST;
    let child = vm.account_open(root, 1000).expect("room");
    assert_eq!(vm.usage(root).0, before + 1000 + cost);
    assert_eq!(vm.account_open(child, 1000).err(), Some(Error::NoMemory));
    assert_eq!(vm.account_open(child, u64::MAX).err(), Some(Error::NoMemory));
    let grandchild = vm.account_open(child, 100).expect("room");
    assert_eq!(vm.charge(grandchild, 101), Err(Error::NoMemory));
    assert_eq!(vm.charge(grandchild, 60), Ok(()));
    vm.account_close(grandchild);
    assert_eq!(vm.charge(grandchild, 1), Err(Error::NoMemory));
    assert_eq!(vm.usage(child), (60 + cost, 1000));
    vm.account_close(child);
    assert_eq!(vm.usage(root).0, before + 60 + 2 * cost);
    vm.uncharge(grandchild, 60);
    assert!(vm.accounts.get(child).is_none() && vm.accounts.get(grandchild).is_none());
    assert_eq!(vm.usage(root).0, before);
    while !vm.space_destroy(space) {}
}

#[test]
fn accounts_are_so_deep_and_no_deeper() {
    let World { mut vm, mut root, .. } = World::new(1 << 30);
    for depth in 2..=ochre::mm::vm::MAX_DEPTH {
        root = vm.account_open(root, (100 - u64::from(depth)) << 20).expect("room");
    }
    assert_eq!(vm.account_open(root, 0).err(), Some(Error::Invalid));
}

#[test]
fn faults_say_why() {
    let mut world = World::new(1 << 30);
    let (space, memory) = (world.space, world.memory(4));
    world.map(memory, AT, 2);
    let vm = &mut world.vm;
    vm.map(space, memory, AT + LARGE, 2, 2, MAP_EXECUTE, 3).expect("free");
    let mut fault = |at, access| vm.fault(space, at, access);
    assert_eq!(fault(AT + 5, Access::Read), Ok(()));
    assert_eq!(fault(AT + PAGE, Access::Write), Ok(()));
    assert_eq!(fault(AT, Access::Execute), Err(FaultKind::Permission));
    assert_eq!(fault(AT - 1, Access::Read), Err(FaultKind::Unmapped));
    assert_eq!(fault(AT + 2 * PAGE, Access::Read), Err(FaultKind::Unmapped));
    assert_eq!(fault(AT + LARGE, Access::Execute), Ok(()));
    assert_eq!(fault(AT + LARGE, Access::Write), Err(FaultKind::Permission));
    for at in [USER_END, u64::MAX, 1 << 47, 0xffff_8000_0000_0000] {
        assert_eq!(fault(at, Access::Read), Err(FaultKind::Unmapped));
    }
    assert_eq!(vm.memory_resize(memory, 3), Ok(true));
    assert_eq!(vm.fault(space, AT + LARGE + PAGE, Access::Read), Err(FaultKind::Bus));
    world.check();
    world.end(vec![memory]);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut world = World::new(1 << 30);
    let (space, memory, root) = (world.space, world.memory(8), world.root);
    let vm = &mut world.vm;
    let mut map = |at, first, pages, access, ceiling| {
        vm.map(space, memory, at, first, pages, access, ceiling).err()
    };
    assert_eq!(map(AT + 1, 0, 1, 0, 3), Some(Error::Invalid));
    assert_eq!(map(AT, 0, 0, 0, 3), Some(Error::Invalid));
    assert_eq!(map(AT, 1, 8, 0, 3), Some(Error::Invalid));
    assert_eq!(map(AT, u64::MAX, 2, 0, 3), Some(Error::Invalid));
    assert_eq!(map(AT, 0, u64::MAX, 0, 3), Some(Error::Invalid));
    assert_eq!(map(USER_END - PAGE, 0, 2, 0, 3), Some(Error::Invalid));
    assert_eq!(map(AT, 0, 1, MAP_WRITE | MAP_EXECUTE, 3), Some(Error::Invalid));
    assert_eq!(map(AT, 0, 1, 8, 3), Some(Error::Invalid));
    assert_eq!(map(AT, 0, 1, MAP_WRITE, MAP_EXECUTE), Some(Error::NoRight));
    assert_eq!(map(USER_END - PAGE, 0, 1, 0, 0), None);
    assert_eq!(map(AT, 0, 4, MAP_SHARED, 0), None);
    assert_eq!(map(AT + 3 * PAGE, 0, 2, 0, 3), Some(Error::Occupied));
    assert_eq!(map(AT - PAGE, 0, 2, 0, 3), Some(Error::Occupied));
    assert_eq!(vm.unmap(space, AT + 1, 1), Err(Error::Invalid));
    assert_eq!(vm.unmap(space, AT, 0), Err(Error::Invalid));
    assert_eq!(vm.protect(space, AT, 1, MAP_WRITE), Err(Error::NoRight));
    assert_eq!(vm.protect(space, AT + 4 * PAGE, 1, 0), Err(Error::NotFound));
    assert_eq!(vm.protect(space, AT, 1, 4), Err(Error::Invalid));
    assert_eq!(vm.memory_create(root, (1 << 36) + 1).err(), Some(Error::Invalid));
    assert_eq!(vm.memory_resize(memory, u64::MAX), Err(Error::Invalid));
    assert_eq!(vm.memory_contiguous(root, 0).err(), Some(Error::Invalid));
    assert_eq!(vm.memory_contiguous(root, 513).err(), Some(Error::Invalid));
    assert_eq!(vm.memory_clone(root, memory, 5, 4).err(), Some(Error::Invalid));
    for (at, pages) in [(1, 1), (0, 0), (1 << 48, 1), (!4095, 9)] {
        let window = vm.memory_window(root, PhysAddr(at), pages, false);
        assert_eq!(window.err(), Some(Error::Invalid), "{at:#x}");
    }
    world.check();
    world.end(vec![memory]);
}

/// A copy is one from then on, whoever writes, and the last who has a page does not copy it.
#[test]
fn a_clone_is_a_copy() {
    let mut world = World::new(1 << 30);
    let (space, memory, root) = (world.space, world.memory(600), world.root);
    world.map(memory, AT, 600);
    for page in [0, 1, 511, 512, 599] {
        world.access(space, AT + page * PAGE, Some(page as u8 | 1)).expect("it is mapped");
    }
    let other = world.vm.space_create(root).expect("room");
    let _ = world.vm.enter(space, [None; MAX_CPUS]);
    let free = world.vm.ram.frames.stats().free;
    take_flushed();
    world.clone_space(other, space).expect("room");
    let flushed = take_flushed();
    assert!(flushed.len() <= 2 && flushed.iter().all(|flush| matches!(flush, Flushed::Space(_))));
    world.check();
    assert!(world.vm.ram.frames.stats().free + 5 >= free, "pages were copied");
    let at = AT + 511 * PAGE;
    assert_eq!(world.access(space, at, Some(7)), Ok(7));
    assert_eq!(world.access(other, at, None), Ok(255));
    assert_eq!(world.access(other, AT + 512 * PAGE, Some(9)), Ok(9));
    assert_eq!(world.access(space, AT + 512 * PAGE, None), Ok(1));
    world.check();
    while !world.vm.space_destroy(other) {}
    world.destroy_dying();
    let free = world.vm.ram.frames.stats().free;
    assert_eq!(world.access(space, AT, Some(3)), Ok(3));
    assert_eq!(world.vm.ram.frames.stats().free, free, "it was the last owner's");
    world.check();
    world.end(vec![memory]);
}

#[test]
fn a_clone_that_exceeds_the_quota_leaves_nothing() {
    let mut world = World::new(1 << 30);
    let memory = world.memory(40);
    world.map(memory, AT, 40);
    let space = world.space;
    (0..40).for_each(|page| assert_eq!(world.access(space, AT + page * PAGE, Some(1)), Ok(1)));
    let (used, _) = world.vm.usage(world.root);
    let child = world.vm.account_open(world.root, 20 * PAGE).expect("room");
    let vm = &mut world.vm;
    let clone = vm.memory_clone(child, memory, 0, 40).expect("room");
    assert_eq!(vm.memory_clone_more(clone, memory, 0, 0), Err(Error::NoMemory));
    vm.release(clone);
    world.destroy_dying();
    let vm = &mut world.vm;
    let to = vm.space_create(child).expect("room");
    assert_eq!(vm.space_clone(to, space, 0), Err(Error::NoMemory));
    world.check();
    while !world.vm.space_destroy(to) {}
    world.destroy_dying();
    world.vm.account_close(child);
    assert_eq!(world.vm.usage(world.root).0, used);
    world.end(vec![memory]);
}

#[test]
#[cfg_attr(miri, ignore)]
fn large_clones_come_in_pieces() {
    let mut world = World::new(1 << 30);
    let (space, memory, root) = (world.space, world.memory(900), world.root);
    world.map(memory, AT, 900);
    for page in 0..900 {
        world.access(space, AT + page * PAGE, Some(page as u8)).expect("it is mapped");
    }
    let clone = world.vm.memory_clone(root, memory, 10, 890).expect("room");
    let (mut next, mut pieces) = (Some(0), 0);
    while let Some(at) = next {
        world.check();
        next = world.vm.memory_clone_more(clone, memory, 10, at).expect("room");
        assert!(next.is_none_or(|next| next > at));
        pieces += 1;
    }
    assert!(pieces > 1);
    assert_eq!(world.vm.memory_info(clone), (890, 890, 0));
    world.map(clone, AT + LARGE * 4, 890);
    assert_eq!(world.access(space, AT + LARGE * 4 + 889 * PAGE, None), Ok(899u64 as u8));
    world.check();
    world.end(vec![memory, clone]);
}

/// What has to be done wherever a memory is mapped is done in one piece, so that there is a limit.
#[test]
#[cfg_attr(miri, ignore)]
fn so_many_regions_map_a_memory_and_no_more() {
    let mut world = World::new(1 << 30);
    let (space, memory, root) = (world.space, world.memory(40), world.root);
    let most = u64::from(ochre::mm::vm::MAX_MAPPINGS);
    for nth in 0..most {
        world.map(memory, AT + nth * 41 * PAGE, 40);
        assert_eq!(world.access(space, AT + nth * 41 * PAGE + nth % 40 * PAGE, Some(1)), Ok(1));
    }
    let vm = &mut world.vm;
    let refused = vm.map(space, memory, AT + most * 41 * PAGE, 0, 1, 0, 3);
    assert_eq!(refused, Err(Error::NoMemory));
    let clone = vm.memory_clone(root, memory, 0, 40).expect("room");
    let (mut next, mut pieces) = (Some(0), 0);
    while let Some(at) = next {
        world.check();
        next = world.vm.memory_clone_more(clone, memory, 0, at).expect("room");
        pieces += 1;
    }
    assert!(pieces > 10);
    assert_eq!(world.access(space, AT, Some(2)), Ok(2));
    world.check();
    while !world.vm.memory_resize(memory, 1).expect("room") {
        world.check();
    }
    world.unmap(space, AT, most * 41);
    world.end(vec![memory, clone]);
}

#[test]
fn contiguous_memory_is_mapped_in_large_pages() {
    let mut world = World::new(1 << 30);
    let (space, root) = (world.space, world.root);
    let vm = &mut world.vm;
    let (memory, at) = vm.memory_contiguous(root, 512).expect("room");
    assert!(at.0.is_multiple_of(LARGE));
    let mut pieces = 1;
    while !vm.memory_clear(memory).expect("contiguous") {
        pieces += 1;
    }
    assert_eq!(pieces, 16);
    vm.map(space, memory, LARGE, 0, 512, MAP_WRITE, 3).expect("free");
    vm.map(space, memory, 4 * LARGE + PAGE, 0, 512, MAP_WRITE, 3).expect("free");
    assert_eq!(vm.memory_clone(root, memory, 0, 1).err(), Some(Error::Unsupported));
    assert_eq!(vm.memory_resize(memory, 1), Err(Error::Unsupported));
    assert_eq!(world.access(space, LARGE + 77 * PAGE, Some(5)), Ok(5));
    assert_eq!(world.access(space, 4 * LARGE + 78 * PAGE, None), Ok(5));
    let entries = world.vm.translation(space, LARGE + 9 * PAGE);
    assert_eq!(entries[3], 0);
    assert!(Entry::from_bits(entries[2]).is_leaf(2));
    world.check();
    world.unmap(space, LARGE + PAGE, 1);
    assert_eq!(world.access(space, LARGE + PAGE, None), Err(FaultKind::Unmapped));
    assert_eq!(world.access(space, LARGE + 77 * PAGE, None), Ok(5));
    world.check();
    world.end(vec![memory]);
}

#[test]
fn windows_are_not_touched_by_the_kernel() {
    let mut world = World::new(1 << 30);
    let (space, root) = (world.space, world.root);
    let vm = &mut world.vm;
    let window = vm.memory_window(root, PhysAddr(0x900_0000), 4, true).expect("no RAM");
    vm.map(space, window, AT, 0, 4, MAP_WRITE, 3).expect("free");
    assert_eq!(vm.fault(space, AT + PAGE, Access::Write), Ok(()));
    let entry = Entry::from_bits(vm.translation(space, AT + PAGE)[3]);
    assert!(entry.access().contains(arch::Access::DEVICE | arch::Access::WRITE));
    assert_eq!(entry.frame(), Frame(0x9001));
    assert_eq!(vm.read_space(space, AT, &mut [0u8; 8]), Err(Error::BadAddress));
    assert_eq!(vm.memory_fill(window, 0, &[1]), Err(Error::BadAddress));
    world.check();
    world.end(vec![window]);
}

/// Sizes that are only numbers cost next to nothing: but under Miri, where looking at tables does.
#[test]
#[cfg_attr(miri, ignore)]
fn a_sparse_giant_is_no_work() {
    let mut world = World::new(1 << 30);
    let (space, memory) = (world.space, world.memory(1 << 34));
    world.map(memory, 0, 1 << 34);
    for at in [0, 1 << 30, 1 << 39, (1 << 46) - PAGE] {
        assert_eq!(world.access(space, at, Some(1)), Ok(1));
    }
    world.check();
    let other = world.vm.space_create(world.root).expect("room");
    world.clone_space(other, space).expect("room");
    world.check();
    let mut pieces = 0;
    while !world.vm.memory_resize(memory, 3).expect("room") {
        world.check();
        pieces += 1;
    }
    assert!(pieces < 60);
    world.unmap(other, PAGE, (1 << 34) - 1);
    world.check();
    assert_eq!(world.access(other, 0, None), Ok(1));
    world.end(vec![memory]);
}

#[test]
fn bytes_go_across_pages_and_address_spaces() {
    let mut world = World::new(1 << 30);
    let (space, memory) = (world.space, world.memory(3));
    world.map(memory, AT, 3);
    let World { vm, root, .. } = &mut world;
    let text: Vec<u8> = (0..200).collect();
    vm.write_space(space, AT + PAGE - 50, &text).expect("mapped");
    let other = vm.space_create(*root).expect("room");
    vm.map(other, memory, AT, 0, 3, 0, 3).expect("free");
    let mut read = vec![0; 200];
    vm.read_space(other, AT + PAGE - 50, &mut read).expect("mapped");
    assert_eq!(read, text);
    assert_eq!(vm.write_space(other, AT, &text), Err(Error::BadAddress));
    let here = |at| Place::Space(space, at);
    let there = |at| Place::Space(other, at);
    assert_eq!(vm.copy(here(AT), there(AT), 1), Err(Error::BadAddress));
    assert_eq!(vm.copy(there(AT), here(AT), 0), Ok(0));
    assert_eq!(vm.copy(there(AT + PAGE - 50), here(AT + 10), 200), Ok(200));
    vm.read_space(space, AT + 10, &mut read).expect("mapped");
    assert_eq!(read, text);
    assert_eq!(vm.copy(there(AT + PAGE - 50), here(AT + 3 * PAGE - 150), 200), Ok(150));
    assert_eq!(vm.copy(here(u64::MAX), here(AT), 9), Err(Error::BadAddress));
    let inside = |offset| Place::Memory(memory, offset);
    assert_eq!(vm.copy(inside(10), here(AT + 2 * PAGE), 200), Ok(200));
    assert_eq!(vm.copy(here(AT), inside(3 * PAGE), 1), Err(Error::Invalid));
    assert_eq!(vm.copy(here(AT), inside(PAGE), 9 * PAGE), Ok(2 * PAGE));
    assert_eq!(vm.copy(inside(PAGE + 10), here(AT + 2 * PAGE), 200), Ok(200));
    vm.read_space(space, AT + 2 * PAGE, &mut read).expect("mapped");
    assert_eq!(read, text);
    world.check();
    world.end(vec![memory]);
}
