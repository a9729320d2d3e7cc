//! What there is to drive, and what a driver of it needs.

#[cfg(target_arch = "x86_64")]
#[path = "device/pci.rs"]
mod bus;
#[cfg(target_arch = "aarch64")]
#[path = "device/tree.rs"]
mod bus;

pub use bus::enable;

use alloc::vec::Vec;
use devices::Window;
use rt::Memory;

/// The kind of the device that the kernel writes its log to, whichever it is.
const CONSOLE: &str = "console";
/// What `MachineInfo` says of it, where it is at I/O ports: how many those are, and the line of a PC.
const NS16550: u64 = 3;
const PORTS: u16 = 8;
const LINE: u64 = 4;
/// Bytes of registers of one that nobody describes.
const BYTES: u64 = 0x1000;
/// The clock that every PC has, and its I/O ports.
const CLOCK: &str = "motorola,mc146818";
const CLOCK_PORTS: (u16, u16) = (0x70, 2);

/// A device.
#[derive(Clone, Debug)]
pub struct Device {
    /// What was found.
    pub found: devices::Device,
    /// Its I/O ports: the first, and how many.
    pub io: Option<(u16, u16)>,
}

/// All of them.
pub fn all(firmware: Option<(Memory, u64)>) -> Vec<Device> {
    let found = bus::all(firmware).unwrap_or_default();
    let mut all: Vec<Device> = found.into_iter().map(|found| Device { found, io: None }).collect();
    if let Ok((variety @ 1.., at)) = rt::machine().console() {
        name_console(&mut all, variety, at);
    }
    if cfg!(target_arch = "x86_64") {
        let compatible = Vec::from([CLOCK.into()]);
        let found = devices::Device { compatible, ..devices::Device::default() };
        all.push(Device { found, io: Some(CLOCK_PORTS) });
    }
    all
}

/// Finds the console among the devices, or adds it.
fn name_console(all: &mut Vec<Device>, variety: u64, at: u64) {
    let is_it = |device: &Device| device.found.windows.first().is_some_and(|it| it.physical == at);
    let place = all.iter().position(is_it).unwrap_or_else(|| {
        let mut device = Device { found: devices::Device::default(), io: None };
        if variety == NS16550 {
            (device.io, device.found.interrupt) = (Some((at as u16, PORTS)), Some(LINE));
        } else {
            device.found.windows.push(Window { physical: at, bytes: BYTES });
        }
        all.push(device);
        all.len() - 1
    });
    all[place].found.compatible.push(CONSOLE.into());
    all[place].found.words.push(("variety", variety));
}
