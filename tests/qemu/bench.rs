//! Costs in guest instructions, for QEMU run with `-icount shift=0,sleep=off`, where the clock counts
//! an instruction as a nanosecond.

use ochre::abi::{MAP_WRITE, PAGE};
use ochre::info;
use ochre::kernel::{self, Kernel};
use ochre::units::{Access, Frame};
use spin::Mutex;

const TIMES: usize = 1024;

/// More than a kernel stack has room for.
static TAKEN: Mutex<[Frame; TIMES]> = Mutex::new([Frame(0); TIMES]);

/// Where the memory of processes is mapped.
const AT: u64 = 0x40_0000;

/// Prints a line for each.
pub fn run() {
    let kernel = &mut *kernel::lock();
    let taken = &mut *TAKEN.lock();
    let start = kernel.now();
    for slot in taken.iter_mut() {
        *slot = kernel.vm.ram.frames.alloc().expect("there is memory");
    }
    let middle = kernel.now();
    for frame in taken.iter() {
        kernel.vm.ram.frames.free(*frame).expect("it was taken");
    }
    let end = kernel.now();
    info!("bench frame-alloc {}", (middle.0 - start.0).div_ceil(TIMES as u64));
    info!("bench frame-free {}", (end.0 - middle.0).div_ceil(TIMES as u64));
    memory(kernel);
}

/// Pages of a process of the usual size.
const PAGES: u64 = 300;

/// What faults cost, and a clone of an address space, from its beginning until all of it is gone.
fn memory(kernel: &mut Kernel) {
    let now = |kernel: &Kernel| kernel.now().0;
    let Kernel { vm, .. } = kernel;
    let root = vm.account_root(64 << 20).expect("room");
    let space = vm.space_create(root).expect("room");
    for nth in 0..10 {
        let memory = vm.memory_create(root, PAGES / 10).expect("room");
        let at = AT + nth * (PAGES / 10 + 1) * PAGE;
        vm.map(space, memory, at, 0, PAGES / 10, MAP_WRITE, MAP_WRITE).expect("free");
        vm.release(memory);
    }
    let pages = (0..PAGES).map(|page| AT + (page + page / (PAGES / 10)) * PAGE);
    let start = now(kernel);
    for at in pages.clone() {
        kernel.vm.fault(space, at, Access::Write).expect("mapped");
    }
    info!("bench fault-zero {}", (now(kernel) - start) / PAGES);
    let (mut most, mut total) = (0, 0);
    let mut piece = |from: u64, to: u64| {
        most = most.max(to - from);
        total += to - from;
    };
    let start = now(kernel);
    let to = kernel.vm.space_create(root).expect("room");
    piece(start, now(kernel));
    let mut cursor = Some(0);
    while let Some(at) = cursor {
        let start = now(kernel);
        cursor = kernel.vm.space_clone(to, space, at).expect("room");
        piece(start, now(kernel));
    }
    let cloned = now(kernel) - start;
    let start = now(kernel);
    for at in pages.clone().take(100) {
        kernel.vm.fault(to, at, Access::Read).expect("mapped");
    }
    info!("bench fault-resident {}", (now(kernel) - start) / 100);
    let start = now(kernel);
    for at in pages.take(100) {
        kernel.vm.fault(space, at, Access::Write).expect("mapped");
    }
    info!("bench fault-copy {}", (now(kernel) - start) / 100);
    for (space, last) in [(to, false), (space, true)] {
        let begin = now(kernel);
        loop {
            let start = now(kernel);
            let done = kernel.vm.space_destroy(space);
            piece(start, now(kernel));
            if done {
                break;
            }
        }
        while kernel.vm.has_dying() {
            let start = now(kernel);
            kernel.vm.destroy_dying();
            piece(start, now(kernel));
        }
        let name = if last { "space-destroy-last" } else { "space-destroy" };
        info!("bench {name} {}", now(kernel) - begin);
    }
    info!("bench space-clone {cloned}");
    info!("bench longest-piece {most}");
}
