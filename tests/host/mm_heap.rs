//! The kernel's heap under random use.

use crate::support::{Pool, cases};
use ochre::arch::PhysMem;
use ochre::layout::HEAP;
use ochre::mm::heap::{KernelHeap, cost};
use ochre::mm::{MapError, PageTable};
use ochre::units::{Frame, PAGE_SIZE, VirtAddr};
use proptest::prelude::*;
use std::alloc::Layout;
use std::ptr::NonNull;

/// Memory for a heap: pages are mapped at the kernel's addresses in the simulated machine, and lie
/// one after the other in an allocation of the test that stands in for them.
struct Machine {
    memory: PhysMem,
    pool: Pool,
    table: PageTable,
    heap: KernelHeap,
    room: PhysMem,
}

const PAGES: u64 = 256;

fn machine(frames: u64) -> Machine {
    let mut memory = PhysMem::simulate(Frame(0)..Frame(frames));
    let mut pool = Pool::new(0..frames);
    let table = PageTable::new(&mut memory, &mut pool).expect("there is room");
    let heap = KernelHeap::new(HEAP.start..HEAP.start + PAGES * PAGE_SIZE);
    let room =
        PhysMem::simulate(Frame(HEAP.start / PAGE_SIZE)..Frame(HEAP.start / PAGE_SIZE + PAGES));
    Machine { memory, pool, table, heap, room }
}

impl Machine {
    fn reserve(&mut self, bytes: usize) -> Result<(), MapError> {
        if self.heap.has_room(bytes) {
            return Ok(());
        }
        let (pages, result) =
            self.heap.map_more(bytes, &mut self.table, &mut self.memory, &mut self.pool);
        if !pages.is_empty() {
            for at in pages.clone().step_by(PAGE_SIZE as usize) {
                assert!(self.table.query(VirtAddr(at), &self.memory).is_some());
            }
            let start = self.room.pointer(ochre::units::PhysAddr(pages.start));
            // SAFETY: the pages of `room` follow each other as those of the heap do.
            unsafe { self.heap.extend(start, (pages.end - pages.start) as usize) };
        }
        result
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// Reserves room for blocks of these sizes, and then allocates them.
    Blocks(Vec<(usize, u32)>),
    Free(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let size = prop_oneof![1usize..200, Just(8), Just(4096), 5000usize..30000];
    prop_oneof![
        prop::collection::vec((size, 0u32..9), 1..20).prop_map(Step::Blocks),
        any::<usize>().prop_map(Step::Free),
        any::<usize>().prop_map(Step::Free),
    ]
}

struct Block {
    at: NonNull<u8>,
    layout: Layout,
    mark: u8,
}

impl Block {
    fn fill(at: NonNull<u8>, layout: Layout, mark: u8) -> Block {
        assert!(at.as_ptr().addr().is_multiple_of(layout.align()));
        // SAFETY: the heap gave out so many bytes.
        unsafe { at.write_bytes(mark, layout.size()) };
        Block { at, layout, mark }
    }

    /// Nobody else wrote into the block.
    fn give_back(self, heap: &mut KernelHeap) {
        for offset in (0..self.layout.size()).step_by(if cfg!(miri) { 499 } else { 1 }) {
            // SAFETY: within the block.
            assert_eq!(unsafe { self.at.add(offset).read() }, self.mark);
        }
        // SAFETY: allocated with this layout and given back once.
        unsafe { heap.deallocate(self.at, self.layout) };
    }
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn what_was_reserved_can_be_allocated(
        steps in prop::collection::vec(step(), 1..if cfg!(miri) { 10 } else { 100 }),
    ) {
        let mut machine = machine(100);
        let mut blocks = Vec::new();
        for (mark, step) in steps.into_iter().enumerate() {
            match step {
                Step::Blocks(sizes) => {
                    let layouts = sizes.iter().map(|&(size, order)| {
                        Layout::from_size_align(size, 1 << order).expect("a small block")
                    });
                    if machine.reserve(layouts.clone().map(cost).sum()).is_err() {
                        continue;
                    }
                    for layout in layouts {
                        let block = machine.heap.allocate(layout).expect("room was reserved");
                        blocks.push(Block::fill(block, layout, mark as u8));
                    }
                }
                Step::Free(which) if !blocks.is_empty() => {
                    blocks.swap_remove(which % blocks.len()).give_back(&mut machine.heap);
                }
                Step::Free(_) => {}
            }
        }
        blocks.into_iter().for_each(|block| block.give_back(&mut machine.heap));
        prop_assert_eq!(machine.heap.stats().used, 0);
        let all = machine.heap.stats().free;
        prop_assert!(all < 64 || machine.heap.has_room(all - 64), "the holes have merged");
    }
}

#[test]
fn running_out_is_an_error_and_loses_nothing() {
    let mut machine = machine(20);
    assert_eq!(machine.reserve(40 * 4096), Err(MapError::NoMemory));
    assert_eq!(machine.pool.out(), 20);
    let free = machine.heap.stats().free;
    assert!(free >= 16 * 4096, "what could be mapped is the heap's");
    assert_eq!(machine.reserve(free - 64), Ok(()));
}

#[test]
fn the_window_is_not_left() {
    let mut machine = machine(20);
    for bytes in [PAGES as usize * 4096 + 1, usize::MAX] {
        assert_eq!(machine.reserve(bytes), Err(MapError::OutOfRange));
    }
    assert_eq!(machine.pool.out(), 1);
}
