//! A machine with a device tree.

use alloc::vec::Vec;
use devices::{Device, Window};
use rt::Memory;
use rt::Start;
use rt::abi::{PAGE, WINDOW_DEVICE};
use rt::space::Mapping;

fn read(physical: u64) -> Option<u32> {
    let memory = Memory::window(&rt::machine(), physical & !(PAGE - 1), 1, WINDOW_DEVICE).ok()?;
    let mapping = Mapping::new(&memory, 0, 1, 0).ok()?;
    // SAFETY: it is mapped, and aligned.
    Some(unsafe { mapping.pointer::<u32>(physical % PAGE).read_volatile() })
}

pub fn devices(_: &Start) -> Option<Vec<Device>> {
    let slots = (0..32).filter_map(|nth| {
        let at = 0x0a00_0000 + nth * 0x200;
        (read(at + 8)? == 2).then(|| Device {
            name: "slot".into(),
            compatible: alloc::vec!["virtio-blk".into()],
            windows: alloc::vec![Window { physical: at, bytes: 0x200 }],
            interrupt: Some(32 + 16 + nth),
            ..Device::default()
        })
    });
    Some(slots.collect())
}
