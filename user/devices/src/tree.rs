//! Devices in a device tree: the nodes with registers that are enabled. Of the slots for virtio devices
//! those that have one.

use crate::blob::{Blob, Node};
use crate::boot::Malformed;
use crate::place::Place;
use crate::{Device, Window, virtio_name};
use alloc::string::String;
use alloc::vec::Vec;

/// Registers of one device that are looked for at most, and devices.
const WINDOWS: usize = 8;
const DEVICES: usize = 256;

/// A slot of virtio's, and what it begins with: this, a version, the type of the device.
const VIRTIO: &str = "virtio,mmio";
const MAGIC: u32 = 0x7472_6976;
const TYPE: u64 = 8;

/// The devices of a tree. `read` reads a register of 4 bytes in physical memory, if it can.
pub fn devices(
    tree: &[u8],
    read: &mut dyn FnMut(u64) -> Option<u32>,
) -> Result<Vec<Device>, Malformed> {
    let blob = Blob::new(tree)?;
    let mut controllers = Vec::new();
    blob.walk(&mut |place| controllers.extend(Controller::of(&place.node())))?;
    let (mut parents, mut found) = (Parents::default(), Vec::new());
    blob.walk(&mut |place| {
        let parent = parents.enter(place);
        if found.len() < DEVICES {
            found.extend(device(place, parent, &controllers));
        }
    })?;
    found.retain_mut(|device| !device.is(VIRTIO) || probe(device, read));
    Ok(found)
}

/// The device of a node, if it is one.
fn device(place: &Place, parent: Option<u32>, controllers: &[Controller]) -> Option<Device> {
    let node = place.node();
    let names = node.compatible().filter_map(|name| str::from_utf8(name).ok());
    let compatible: Vec<String> = names.filter(|name| !name.is_empty()).map(String::from).collect();
    if compatible.is_empty() || !node.is_enabled() {
        return None;
    }
    let registers = (0..WINDOWS).map_while(|index| place.registers(index));
    let windows: Option<Vec<_>> = registers.map(|(at, bytes)| Window::new(at.0, bytes)).collect();
    let windows = windows.filter(|windows| !windows.is_empty())?;
    let controller = controllers.iter().find(|controller| Some(controller.phandle) == parent);
    let interrupt = controller.and_then(|controller| controller.line(node.get("interrupts")?));
    Some(Device { name: node.name.into(), compatible, windows, interrupt, ..Device::default() })
}

/// Whether there is a device in a slot, which is named then.
fn probe(device: &mut Device, read: &mut dyn FnMut(u64) -> Option<u32>) -> bool {
    let at = device.windows[0].physical;
    match (read(at), at.checked_add(TYPE).and_then(read)) {
        (Some(MAGIC), Some(kind @ 1..)) => {
            device.compatible.insert(0, virtio_name(kind));
            true
        }
        _ => false,
    }
}

/// The `interrupt-parent` of each node on the way to the one in hand: its own, or that of the node
/// around it.
#[derive(Default)]
struct Parents(Vec<Option<u32>>);

impl Parents {
    fn enter(&mut self, place: &Place) -> Option<u32> {
        self.0.truncate(place.depth());
        let around = self.0.last().copied().flatten();
        self.0.push(place.node().cell("interrupt-parent").or(around));
        self.0.last().copied().flatten()
    }
}

/// An interrupt controller, and how it numbers its lines.
struct Controller {
    phandle: u32,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    /// ARM's: a type, a number, flags.
    Gic,
    /// The Raspberry Pi's: a bank, a number.
    Bcm2835,
}

impl Controller {
    fn of(node: &Node) -> Option<Controller> {
        let phandle = node.cell("phandle")?;
        let kind = node.compatible().find_map(|name| match name {
            b"arm,cortex-a15-gic" | b"arm,gic-400" | b"arm,gic-v3" => Some(Kind::Gic),
            b"brcm,bcm2835-armctrl-ic" | b"brcm,bcm2836-armctrl-ic" => Some(Kind::Bcm2835),
            _ => None,
        })?;
        Some(Controller { phandle, kind })
    }

    /// The kernel's number of the first line in a property.
    fn line(&self, interrupts: &[u8]) -> Option<u64> {
        let (cells, _) = interrupts.as_chunks::<4>();
        let cell = |nth: usize| cells.get(nth).map(|&cell| u32::from_be_bytes(cell));
        let (first, second) = (cell(0)?, u64::from(cell(1)?));
        match (self.kind, first) {
            // Those that all CPUs share come behind 32 that each has for itself (GIC, 2.2.1).
            (Kind::Gic, 0) if second < 988 => Some(32 + second),
            // Those of the GPU come behind 64 of the CPUs'; bank 0 has others.
            (Kind::Bcm2835, 1 | 2) if second < 32 => Some(64 + 32 * u64::from(first - 1) + second),
            _ => None,
        }
    }
}
