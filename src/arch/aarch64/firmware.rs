//! Finding out what machine this is: a console before anything else, then the device tree.

use super::boot::{Handoff, map_early_device};
use super::{cpu, probe};
use crate::boot::built_in::{self, Board};
use crate::boot::{BootInfo, Console, device_tree, regions};
use crate::dev::{Mmio, Uart, Windows};
use crate::layout::PHYS_MAP;
use crate::log::Sink;
use crate::units::{LARGE_PAGE_SIZE, PAGE_SIZE, PhysAddr, VirtAddr};
use aarch64_cpu::registers::{MIDR_EL1, Readable};
use spin::Once;

/// MIDR's part number of the Pi 4's cores.
const CORTEX_A72: u64 = 0xd08;

/// Physical addresses below this are within reach of the first page tables.
const EARLY_REACH: u64 = 1 << 39;

/// The console that `early_console` guessed, and the one that firmware described.
static EARLY: Once<Uart> = Once::new();
static CONSOLE: Once<Uart> = Once::new();

/// The serial port this board has if all else fails, reachable under the first page tables.
pub fn early_console() -> Option<&'static dyn Sink> {
    take_over(&EARLY, built_in::console(board()), &mut |at, _| Some(map_early_device(at)))
}

/// The serial port that firmware described; `map` makes a window to its registers.
pub fn console(described: Console, map: &mut Windows<'_>) -> Option<&'static dyn Sink> {
    take_over(&CONSOLE, described, map)
}

fn take_over(
    slot: &'static Once<Uart>,
    console: Console,
    map: &mut Windows<'_>,
) -> Option<&'static dyn Sink> {
    let (at, take): (_, fn(Mmio) -> Uart) = match console {
        Console::Pl011(at) => (at, Uart::pl011),
        Console::MiniUart(at) => (at, Uart::mini),
        _ => return None,
    };
    let registers = map(at, PAGE_SIZE)?;
    Some(slot.call_once(|| take(registers)))
}

/// Reads the device tree, or falls back to what is known of the board.
pub fn discover(handoff: &Handoff) -> BootInfo {
    let blob = device_tree(handoff);
    let boot_cpu = cpu::hardware_id();
    match blob.ok_or("not found").and_then(|blob| device_tree::read(blob, boot_cpu)) {
        Ok(mut info) => {
            // The one that `early_console` found goes on speaking.
            if info.console == Console::None {
                info.console = built_in::console(board());
            }
            let start = handoff.device_tree;
            let size = blob.map_or(0, <[u8]>::len) as u64;
            let tree = start..PhysAddr(start.0 + size);
            regions::reserve(&mut info.reserved, tree.clone());
            info.tree = Some(tree);
            info
        }
        Err(error) => {
            let mut info = built_in::describe(board(), boot_cpu);
            info.note(format_args!(
                "device tree: {error}; using the built-in description of this board"
            ));
            info
        }
    }
}

/// The bytes that firmware's pointer leads to, if they can be a device tree: it must lie where the
/// first page tables map it, and be no longer than that.
fn device_tree(handoff: &Handoff) -> Option<&'static [u8]> {
    let at = handoff.device_tree.0;
    if at == 0 || !at.is_multiple_of(8) || at >= EARLY_REACH {
        return None;
    }
    let start = (PHYS_MAP + at) as *const u8;
    probe::read(VirtAddr(PHYS_MAP + at)).ok()?;
    // SAFETY: boot.S maps the 2 MiB block that the pointer leads to and the one after it; nothing
    // writes there before the device tree has been read.
    let header = unsafe { core::slice::from_raw_parts(start, 64) };
    let size = device_tree::total_size(header).ok()?;
    // SAFETY: as above, no byte lies beyond the second block.
    (size <= LARGE_PAGE_SIZE as usize).then(|| unsafe { core::slice::from_raw_parts(start, size) })
}

/// Which board the built-in descriptions should take this for.
fn board() -> Board {
    match (cfg!(feature = "board-rpi"), MIDR_EL1.get() >> 4 & 0xfff) {
        (false, _) => Board::Virt,
        (true, CORTEX_A72) => Board::Pi4,
        (true, _) => Board::Pi3,
    }
}
