//! What there is to drive, and what a driver of it needs.

use alloc::vec::Vec;

/// The kind of the device that the kernel writes its log to, whichever it is.
const CONSOLE: &str = "console";
/// What `MachineInfo` says of it.
const PL011: u64 = 1;
const MINI_UART: u64 = 2;
const NS16550: u64 = 3;
/// Where machines have a PL011, and its line: virt; the Pi 3 and Zero 2 W, line 57 of the GPU; the Pi 4.
const PLACES: [(u64, u64); 3] = [(0x0900_0000, 33), (0x3f20_1000, 64 + 57), (0xfe20_1000, 153)];
/// The line of a PC's first serial port, and how many ports it has.
const PC: (u64, u16) = (4, 8);

/// A device.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Device {
    /// What it is, as the manifest names it.
    pub kind: &'static str,
    /// Its variety, which its driver finds as the word `variety`.
    pub variety: u64,
    /// Its registers: where they are in physical memory, and how many bytes.
    pub windows: Vec<(u64, u64)>,
    /// Its I/O ports: the first, and how many.
    pub io: Option<(u16, u16)>,
    /// Its interrupt.
    pub line: Option<u64>,
}

/// All of them.
pub fn all() -> Vec<Device> {
    console().into_iter().collect()
}

fn console() -> Option<Device> {
    let (variety, at) = rt::machine().console().ok()?;
    let device = Device { kind: CONSOLE, variety, ..Device::default() };
    Some(match variety {
        PL011 => {
            let line = PLACES.into_iter().find(|place| place.0 == at).map(|place| place.1);
            Device { windows: alloc::vec![(at, 0x1000)], line, ..device }
        }
        MINI_UART => Device { windows: alloc::vec![(at, 0x40)], ..device },
        NS16550 => Device { io: Some((at as u16, PC.1)), line: Some(PC.0), ..device },
        _ => return None,
    })
}
