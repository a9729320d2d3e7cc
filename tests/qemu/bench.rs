//! Costs in guest instructions, for QEMU run with `-icount shift=0,sleep=off`, where the clock counts
//! an instruction as a nanosecond.

use ochre::info;
use ochre::kernel;
use ochre::units::Frame;

const TIMES: usize = 1024;

/// Prints a line for each.
pub fn run() {
    let kernel = &mut *kernel::lock();
    let mut taken = [Frame(0); TIMES];
    let start = kernel.now();
    for slot in &mut taken {
        *slot = kernel.frames.alloc().expect("there is memory");
    }
    let middle = kernel.now();
    for frame in taken {
        kernel.frames.free(frame).expect("it was taken");
    }
    let end = kernel.now();
    info!("bench frame-alloc {}", (middle.0 - start.0).div_ceil(TIMES as u64));
    info!("bench frame-free {}", (end.0 - middle.0).div_ceil(TIMES as u64));
}
