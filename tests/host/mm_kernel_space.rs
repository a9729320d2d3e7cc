//! The kernel's own page table: everything is where it should be, and nothing is both writable and
//! executable, by whatever address.

use crate::support::Pool;
use ochre::arch::cpu::STACKS;
use ochre::arch::paging::set_top_leaf_level;
use ochre::arch::{Access, Entry, PhysMem};
use ochre::layout::{DEVICES, IMAGE_BASE, MAX_STACK, PHYS_MAP, STACK_SLOT, stack_at, stack_top};
use ochre::mm::page_table::Mapping;
use ochre::mm::{KernelSpace, MapError};
use ochre::units::{CpuId, Frame, Image, PAGE_SIZE, PhysAddr, VirtAddr};
use std::ops::Range;

const LOADED: u64 = 0x4020_0000;
const MIB: u64 = 1 << 20;

fn image() -> Image {
    let at = |kib: u64| VirtAddr(IMAGE_BASE + (kib << 10));
    Image {
        loaded: PhysAddr(LOADED),
        all: at(0)..at(192),
        text: at(0)..at(64),
        rodata: at(64)..at(128),
        data: at(128)..at(192),
    }
}

fn bank(start: u64, end: u64) -> Range<PhysAddr> {
    PhysAddr(start)..PhysAddr(end)
}

struct Machine {
    memory: PhysMem,
    pool: Pool,
    space: KernelSpace,
}

fn machine(top: u8) -> Machine {
    set_top_leaf_level(top);
    let mut memory = PhysMem::simulate(Frame(0)..Frame(256));
    let mut pool = Pool::new(0..256);
    let ram = [bank(0x1000, 0x9f000), bank(0x4000_0000, 0x4000_0000 + 3072 * MIB)];
    let space = KernelSpace::new(&image(), &ram, &mut memory, &mut pool).expect("there is room");
    Machine { memory, pool, space }
}

impl Machine {
    fn query(&self, at: u64) -> Option<Mapping> {
        self.space.table.query(VirtAddr(at), &self.memory)
    }

    /// All pages there are.
    fn pages(&self) -> Vec<(u64, Mapping)> {
        let mut pages = Vec::new();
        self.collect(self.space.table.root(), 0, 0xffff << 48, &mut pages);
        pages
    }

    fn collect(&self, table: Frame, level: u8, base: u64, pages: &mut Vec<(u64, Mapping)>) {
        for index in 0..512 {
            // SAFETY: a table of the space, in simulated RAM.
            let entry = Entry::from_bits(unsafe { self.memory.read(table, index) });
            let at = base + ((index as u64) << (39 - 9 * level));
            if !entry.is_present() {
                continue;
            }
            match entry.is_leaf(level) {
                true => pages.push((at, self.query(at).expect("an entry is a page"))),
                false => self.collect(entry.frame(), level + 1, at, pages),
            }
        }
    }
}

#[test]
fn each_cpu_has_one_way_in() {
    let Machine { mut memory, mut pool, mut space } = machine(1);
    assert!(space.gate(CpuId(1), &mut memory, &mut pool).is_ok(), "there is room");
    let again = space.gate(CpuId(1), &mut memory, &mut pool);
    assert!(again.is_err(), "two CPUs would share a stack");
}

#[test]
fn nothing_is_writable_and_executable() {
    for top in [1, 2] {
        let mut machine = machine(top);
        let registers = bank(0x900_0000, 0x900_1000);
        machine.space.map_device(registers, &mut machine.memory, &mut machine.pool).unwrap();
        machine.space.gate(CpuId(1), &mut machine.memory, &mut machine.pool).unwrap();
        let code = PhysAddr(LOADED).frame().0..PhysAddr(LOADED + 0x10000).frame().0;
        let constant = code.start..PhysAddr(LOADED + 0x20000).frame().0;
        for (at, page) in machine.pages() {
            let first = page.start.frame().0;
            let frames = first..first + page.bytes / PAGE_SIZE;
            let touches = |other: &Range<u64>| frames.start < other.end && other.start < frames.end;
            let executable = page.access.contains(Access::EXECUTE);
            let writable = page.access.contains(Access::WRITE);
            assert!(!(executable && writable), "{at:#x} is both");
            assert_eq!(executable, (IMAGE_BASE..IMAGE_BASE + 0x10000).contains(&at), "{at:#x}");
            assert!(!writable || !touches(&constant), "{at:#x} can change constants");
            assert!(page.access.contains(Access::GLOBAL) && !page.access.contains(Access::USER));
        }
    }
}

#[test]
fn the_image_and_all_ram_are_there() {
    for top in [1, 2] {
        let machine = machine(top);
        for (offset, access) in [(0, Access::EXECUTE), (64, Access::empty()), (128, Access::WRITE)]
        {
            let start = PhysAddr(LOADED + (offset << 10));
            let page = Mapping { start, bytes: PAGE_SIZE, access: access | Access::GLOBAL };
            assert_eq!(machine.query(IMAGE_BASE + (offset << 10)), Some(page));
        }
        for at in [0x1000, 0x9efff, 0x4000_0000, LOADED, LOADED + 12345, 0xffff_ffff] {
            let page = machine.query(PHYS_MAP + at).unwrap();
            assert_eq!(page.start, PhysAddr(at & !(page.bytes - 1)));
        }
        for at in [0, 0x9f000, 0x3fff_ffff, 0x4000_0000 + 3072 * MIB] {
            assert_eq!(machine.query(PHYS_MAP + at), None);
        }
        let largest = if top == 1 { 1 << 30 } else { 2 << 20 };
        assert_eq!(machine.query(PHYS_MAP + 0x8000_0000).map(|page| page.bytes), Some(largest));
    }
}

#[test]
fn stacks_have_guards() {
    let mut machine = machine(1);
    let Machine { memory, pool, space } = &mut machine;
    space.gate(CpuId(2), memory, pool).unwrap();
    for nth in 0..STACKS {
        let top = stack_top(CpuId(2), nth);
        assert_eq!(stack_at(VirtAddr(top.0 - 1)), Some((CpuId(2), nth)));
        assert_eq!(stack_at(VirtAddr(top.0 - STACK_SLOT)), Some((CpuId(2), nth)));
    }
    for nth in 0..STACKS {
        let top = stack_top(CpuId(2), nth).0;
        for at in (top - STACK_SLOT..top).step_by(PAGE_SIZE as usize) {
            let access = Access::WRITE | Access::GLOBAL;
            let expected = (at >= top - MAX_STACK).then_some(access);
            assert_eq!(machine.query(at).map(|page| page.access), expected);
        }
    }
}

#[test]
fn device_windows_are_apart() {
    let mut machine = machine(1);
    let Machine { memory, pool, space } = &mut machine;
    let first = space.map_device(bank(0x900_0018, 0x900_0020), memory, pool).unwrap();
    let second = space.map_device(bank(0x3f00_0ff0, 0x3f00_1010), memory, pool).unwrap();
    assert_eq!(first, VirtAddr(DEVICES.start + 0x18));
    assert_eq!(second, VirtAddr(DEVICES.start + 2 * PAGE_SIZE + 0xff0));
    let too_much = bank(0, DEVICES.end - DEVICES.start);
    for refused in [too_much, bank(u64::MAX - 1, u64::MAX), bank(5, 5), bank(6, 5)] {
        assert_eq!(space.map_device(refused, memory, pool), Err(MapError::OutOfRange));
    }
    let device = Access::WRITE | Access::DEVICE | Access::GLOBAL;
    for (at, frame) in [(first, 0x9000), (second, 0x3f000), (VirtAddr(second.0 + 0x20), 0x3f001)] {
        let page = Mapping { start: Frame(frame).start(), bytes: PAGE_SIZE, access: device };
        assert_eq!(machine.query(at.0), Some(page));
    }
    assert_eq!(machine.query(DEVICES.start + PAGE_SIZE), None);
}

#[test]
fn too_little_memory_is_an_error() {
    set_top_leaf_level(2);
    // The root; three for the image; two for the physical map, and one for the 2 MiB of it that
    // the image lies in.
    for frames in 0..10 {
        let mut memory = PhysMem::simulate(Frame(0)..Frame(16));
        let mut pool = Pool::new(0..frames);
        let ram = [bank(0x4000_0000, 0x5000_0000)];
        let result = KernelSpace::new(&image(), &ram, &mut memory, &mut pool);
        assert_eq!(result.is_ok(), frames >= 7, "with {frames} frames");
    }
}
