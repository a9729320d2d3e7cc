//! The end of a program that has found a bug in itself: where it was, in the log, then an exit code of
//! its own. A service's supervisor is told.

use crate::arch::frame_pointer;
use crate::log::Line;
use crate::service;
use crate::start::exit;
use core::fmt::Write;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// The exit code of a program that panicked.
pub const EXIT_PANIC: u64 = 101;

/// Frames that are shown.
const FRAMES: usize = 12;
/// The largest frame that is believed.
const LARGEST: u64 = 1 << 16;

/// Panics end in a fault, for whoever handles those.
static FAULTS: AtomicBool = AtomicBool::new(false);

/// Has panics end in a fault from now on, instead of an exit code.
pub fn fault_instead() {
    FAULTS.store(true, Relaxed);
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    // A line of its own: the thread that panicked may be the one that holds the other.
    let mut line = Line::new();
    let _ = match info.location() {
        Some(place) => write!(line, "panic at {}:{}: ", place.file(), place.line()),
        None => line.write_str("panic: "),
    };
    let _ = write!(line, "{}", info.message());
    let why = line.clone();
    line.finish();
    let _ = line.write_str("  called from");
    for address in callers() {
        let _ = write!(line, " {address:#x}");
    }
    line.finish();
    service::end(why.text());
    if FAULTS.load(Relaxed) {
        crate::arch::trap();
    }
    exit(EXIT_PANIC)
}

/// The addresses that the functions on the stack return to, by their frame records.
fn callers() -> impl Iterator<Item = u64> {
    let mut frame = frame_pointer();
    core::iter::from_fn(move || {
        if frame == 0 || !frame.is_multiple_of(8) {
            return None;
        }
        let record = frame as *const [u64; 2];
        // SAFETY: the first frame is this function's, and each further one is above it on the same
        // stack; where that is not so the walk has ended.
        let [above, address] = unsafe { record.read_volatile() };
        let is_near = above > frame && above - frame <= LARGEST;
        frame = if is_near { above } else { 0 };
        Some(address).filter(|&address| address != 0)
    })
    .take(FRAMES)
}
