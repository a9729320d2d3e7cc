//! A PC: its PCI bus.

use devices::pci::{Address, Config, enable};
use devices::{Device, pci};
use rt::{IoPorts, Start};

/// The configuration space's address, and data (PCI 3.0, 3.2.2.3.2).
const ADDRESS: u16 = 0xcf8;
const DATA: u16 = 0xcfc;

struct Ports(IoPorts);

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

pub fn devices(_: &Start) -> Option<alloc::vec::Vec<Device>> {
    let mut ports = Ports(IoPorts::create(&rt::machine(), ADDRESS, 8).ok()?);
    let all = pci::devices(&mut ports);
    for at in all.iter().filter_map(|device| device.pci) {
        enable(&mut ports, at, true);
    }
    Some(all)
}
