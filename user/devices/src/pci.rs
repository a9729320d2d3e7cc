//! Devices on a PCI bus, through its configuration space (PCI 3.0, chapter 6).
//!
//! Of devices of virtio's it is known where their registers are: four windows, in this order: `common`,
//! `notify`, `isr`, `device`; and the word `notify-step`. Of all others, no more than what they are.

use crate::{Device, Window, virtio_name};
use alloc::format;
use alloc::vec::Vec;

/// The configuration space.
pub trait Config {
    /// Reads the 4 bytes at an offset, a multiple of 4 below 256; all ones where there is no device.
    fn read(&mut self, at: Address, offset: u8) -> u32;
    /// Writes them.
    fn write(&mut self, at: Address, offset: u8, value: u32);
}

/// A place on the bus.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Address {
    /// Which bus.
    pub bus: u8,
    /// Which device on it, below 32.
    pub device: u8,
    /// Which function of that, below 8.
    pub function: u8,
}

impl Address {
    /// As the address port of PCs wants it (3.2.2.3.2).
    pub fn port(self, offset: u8) -> u32 {
        let Address { bus, device, function } = self;
        let [bus, device, function] = [bus, device, function].map(u32::from);
        1 << 31 | bus << 16 | device << 11 | function << 8 | u32::from(offset & !3)
    }
}

/// Registers: vendor and device; command and status; class; header type; subsystem; the list of
/// capabilities; a bridge's buses; line and pin.
const ID: u8 = 0x00;
const COMMAND: u8 = 0x04;
const CLASS: u8 = 0x08;
const HEADER: u8 = 0x0c;
const BASES: u8 = 0x10;
const BUSES: u8 = 0x18;
const SUBSYSTEM: u8 = 0x2c;
const CAPABILITIES: u8 = 0x34;
const INTERRUPT: u8 = 0x3c;

/// Of the command: answer to accesses to memory, make some by oneself, do not interrupt.
const MEMORY: u32 = 1 << 1;
const MASTER: u32 = 1 << 2;
const NO_INTERRUPT: u32 = 1 << 10;
/// Of the status: there is a list of capabilities.
const HAS_LIST: u32 = 1 << 20;

const NOTHING: u32 = !0;
const BRIDGE: u32 = 0x0604;
const VIRTIO: u32 = 0x1af4;
/// Intel's host bridge of PCs since 2007, with the chip that QEMU's `q35` has.
const Q35: u32 = 0x29c0_8086;

/// The devices that can be reached from bus 0.
pub fn devices(config: &mut dyn Config) -> Vec<Device> {
    let mut bus = Bus { config, ways: Vec::new(), found: Vec::new() };
    bus.ways.push(Way { bus: 0, bridge: None });
    // Every bus is in the list once, so it ends.
    let mut next = 0;
    while let Some(&way) = bus.ways.get(next) {
        bus.scan(way);
        next += 1;
    }
    bus.found
}

/// Lets a device use memory and interrupt; or keeps it from both.
pub fn enable(config: &mut dyn Config, at: Address, on: bool) {
    let command = config.read(at, COMMAND) & 0xffff & !NO_INTERRUPT;
    let wanted = MEMORY | MASTER;
    config.write(at, COMMAND, if on { command | wanted } else { command & !wanted });
}

/// A bus, and the bridge that leads to it.
#[derive(Clone, Copy)]
struct Way {
    bus: u8,
    bridge: Option<Address>,
}

struct Bus<'a> {
    config: &'a mut dyn Config,
    ways: Vec<Way>,
    found: Vec<Device>,
}

impl Bus<'_> {
    fn scan(&mut self, way: Way) {
        for device in 0..32 {
            let first = Address { bus: way.bus, device, function: 0 };
            if self.config.read(first, ID) == NOTHING {
                continue;
            }
            let many = self.config.read(first, HEADER) >> 16 & 0x80 != 0;
            for function in 0..if many { 8 } else { 1 } {
                self.function(Address { function, ..first });
            }
        }
    }

    fn function(&mut self, at: Address) {
        let id = self.config.read(at, ID);
        if id == NOTHING {
            return;
        }
        let class = self.config.read(at, CLASS) >> 16;
        let is_bridge = self.config.read(at, HEADER) >> 16 & 0x7f == 1;
        if class == BRIDGE && is_bridge {
            let bus = (self.config.read(at, BUSES) >> 8) as u8;
            if self.ways.iter().all(|way| way.bus != bus) {
                self.ways.push(Way { bus, bridge: Some(at) });
            }
            return;
        }
        let (vendor, product) = (id & 0xffff, id >> 16);
        let mut device = Device {
            name: format!("{:02x}:{:02x}.{}", at.bus, at.device, at.function),
            compatible: alloc::vec![
                format!("pci{vendor:x},{product:x}"),
                format!("pciclass,{class:04x}"),
            ],
            pci: Some(at),
            ..Device::default()
        };
        if vendor == VIRTIO && !is_bridge {
            self.virtio(at, product, &mut device);
        }
        device.interrupt = self.line(at);
        self.found.push(device);
    }

    /// Adds the registers of a virtio device (virtio 1.2, 4.1).
    fn virtio(&mut self, at: Address, product: u32, device: &mut Device) {
        let kind = match product {
            // Older ones say what they are elsewhere.
            0x1000..0x1040 => self.config.read(at, SUBSYSTEM) >> 16,
            0x1040..0x1080 => product - 0x1040,
            _ => return,
        };
        let mut windows = [None; 4];
        let mut step = 0;
        for capability in self.capabilities(at) {
            let head = self.config.read(at, capability);
            let (id, length, nth) = (head & 0xff, head >> 16 & 0xff, head >> 24);
            // Of several the first is the one that the device likes best.
            let Some(place @ None) = windows.get_mut(nth.wrapping_sub(1) as usize) else {
                continue;
            };
            if id != 0x09 || length < 16 {
                continue;
            }
            let [base, offset, bytes] =
                [4, 8, 12].map(|more| self.config.read(at, capability.saturating_add(more)));
            *place = base_address(self.config, at, base & 0xff)
                .and_then(|base| Window::new(base.checked_add(offset.into())?, bytes.into()));
            if nth == 2 && length >= 20 {
                step = self.config.read(at, capability.saturating_add(16));
            }
        }
        if let [Some(common), Some(notify), Some(isr), Some(own)] = windows {
            device.compatible.insert(0, virtio_name(kind));
            device.windows = alloc::vec![common, notify, isr, own];
            device.words.push(("notify-step", step.into()));
        }
    }

    /// Where the capabilities are.
    fn capabilities(&mut self, at: Address) -> Vec<u8> {
        let mut found: Vec<u8> = Vec::new();
        if self.config.read(at, COMMAND) & HAS_LIST == 0 {
            return found;
        }
        let mut next = self.config.read(at, CAPABILITIES) as u8 & !3;
        while next >= 0x40 && !found.contains(&next) {
            found.push(next);
            next = (self.config.read(at, next) >> 8) as u8 & !3;
        }
        found
    }

    /// The line of the I/O APIC that a device interrupts.
    ///
    /// How pins are wired is a matter of the board. What QEMU's `q35` has is known; on other boards it
    /// is the line that firmware has written down, which is one of the 16 old ones.
    fn line(&mut self, at: Address) -> Option<u64> {
        let register = self.config.read(at, INTERRUPT);
        let (line, pin @ 1..=4) = (register & 0xff, register >> 8 & 0xff) else { return None };
        if self.config.read(Address::default(), ID) != Q35 {
            return (1..16).contains(&line).then_some(line.into());
        }
        let (slot, pin) = self.on_the_board(at, pin - 1);
        // ICH9, 10.1.36: slots 25 and above are devices of the chip itself, which software may rewire.
        (slot < 25).then_some(16 + 4 + u64::from(u32::from(slot) + pin) % 4)
    }

    /// The slot and pin of the board that a device's pin leads to: bridges turn pins by the slot.
    fn on_the_board(&self, mut at: Address, mut pin: u32) -> (u8, u32) {
        while let Some(bridge) =
            self.ways.iter().find(|way| way.bus == at.bus).and_then(|way| way.bridge)
        {
            pin = (pin + u32::from(at.device)) % 4;
            at = bridge;
        }
        (at.device, pin)
    }
}

/// The address of the memory that a base register names.
fn base_address(config: &mut dyn Config, at: Address, nth: u32) -> Option<u64> {
    let register = |nth: u32| BASES + 4 * nth as u8;
    let low = (nth < 6).then(|| config.read(at, register(nth)))?;
    let high = match low & 7 {
        0b000 => 0,
        0b100 if nth < 5 => config.read(at, register(nth + 1)),
        // I/O ports, or nothing that there is.
        _ => return None,
    };
    Some(u64::from(low & !0xf) | u64::from(high) << 32)
}
