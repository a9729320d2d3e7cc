//! Costs in guest instructions, for QEMU run with `-icount shift=0,sleep=off`, where the clock counts
//! an instruction as a nanosecond.

use ochre::info;
use ochre::kernel;
use ochre::units::Frame;
use spin::Mutex;

const TIMES: usize = 1024;

/// More than a kernel stack has room for.
static TAKEN: Mutex<[Frame; TIMES]> = Mutex::new([Frame(0); TIMES]);

/// Prints a line for each.
pub fn run() {
    let kernel = &mut *kernel::lock();
    let taken = &mut *TAKEN.lock();
    let start = kernel.now();
    for slot in taken.iter_mut() {
        *slot = kernel.ram.frames.alloc().expect("there is memory");
    }
    let middle = kernel.now();
    for frame in taken.iter() {
        kernel.ram.frames.free(*frame).expect("it was taken");
    }
    let end = kernel.now();
    info!("bench frame-alloc {}", (middle.0 - start.0).div_ceil(TIMES as u64));
    info!("bench frame-free {}", (end.0 - middle.0).div_ceil(TIMES as u64));
}
