//! Devices of a PC: those on its PCI bus.

use alloc::vec::Vec;
use devices::Device;
use devices::pci::{self, Address, Config};
use rt::{IoPorts, Memory};

/// The configuration space's address, and data (PCI 3.0, 3.2.2.3.2).
const ADDRESS: u16 = 0xcf8;
const DATA: u16 = 0xcfc;
const PORTS: u64 = 8;

struct Ports(IoPorts);

impl Ports {
    fn new() -> Option<Ports> {
        IoPorts::create(&rt::machine(), ADDRESS, PORTS).ok().map(Ports)
    }
}

impl Config for Ports {
    fn read(&mut self, at: Address, offset: u8) -> u32 {
        let address = self.0.write(ADDRESS, 4, at.port(offset).into());
        address.and_then(|()| self.0.read(DATA, 4)).map_or(!0, |value| value as u32)
    }

    fn write(&mut self, at: Address, offset: u8, value: u32) {
        let address = self.0.write(ADDRESS, 4, at.port(offset).into());
        // Whoever cannot write reads all ones as well, and finds no device.
        let _ = address.and_then(|()| self.0.write(DATA, 4, value.into()));
    }
}

/// Those that the bus has.
pub fn all(_: Option<(Memory, u64)>) -> Option<Vec<Device>> {
    Some(pci::devices(&mut Ports::new()?))
}

/// Lets a device that is about to be driven use memory.
pub fn enable(device: &Device) {
    if let (Some(at), Some(mut ports)) = (device.pci, Ports::new()) {
        pci::enable(&mut ports, at, true);
    }
}
