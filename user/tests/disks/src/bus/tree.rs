//! A machine with a device tree.

use alloc::vec::Vec;
use devices::{Device, tree};
use rt::abi::{PAGE, WINDOW_DEVICE};
use rt::space::Mapping;
use rt::{Memory, Start};

pub fn devices(start: &Start) -> Option<Vec<Device>> {
    let (memory, offset) = start.firmware.as_ref()?;
    let mapping = Mapping::new(memory, 0, memory.info().ok()?.pages, 0).ok()?;
    // SAFETY: nobody writes to what firmware left.
    let bytes = unsafe { mapping.bytes() };
    tree::devices(bytes.get(*offset as usize..)?, &mut register).ok()
}

fn register(physical: u64) -> Option<u32> {
    let page = physical & !(PAGE - 1);
    let window = Memory::window(&rt::machine(), page, 1, WINDOW_DEVICE).ok()?;
    let mapping = Mapping::new(&window, 0, 1, 0).ok()?;
    // SAFETY: it is mapped, and aligned if registers are.
    Some(unsafe { mapping.pointer::<u32>(physical % PAGE).read_volatile() })
}
