//! Devices of a machine with a device tree.

use alloc::vec::Vec;
use devices::{Device, tree};
use rt::abi::{PAGE, WINDOW_DEVICE};
use rt::space::Mapping;
use rt::{Memory, println};

/// Those that the tree has; none without one.
pub fn all(firmware: Option<(Memory, u64)>) -> Option<Vec<Device>> {
    let (memory, offset) = firmware?;
    let mapping = Mapping::new(&memory, 0, memory.info().ok()?.pages, 0).ok()?;
    // SAFETY: nobody has a handle that allows writing to it.
    let tree = unsafe { mapping.bytes() }.get(offset as usize..)?;
    let mut last = None;
    let found = tree::devices(tree, &mut |at| read(&mut last, at));
    found.inspect_err(|why| println!("init: device tree: {why}")).ok()
}

/// A register in physical memory; its page stays mapped for the next one.
fn read(last: &mut Option<(u64, Mapping)>, at: u64) -> Option<u32> {
    let page = at & !(PAGE - 1);
    if last.as_ref().is_none_or(|(mapped, _)| *mapped != page) {
        let window = Memory::window(&rt::machine(), page, 1, WINDOW_DEVICE).ok()?;
        *last = Some((page, Mapping::new(&window, 0, 1, 0).ok()?));
    }
    let (_, mapping) = last.as_ref()?;
    // SAFETY: it is mapped, and aligned: the tree's reader asks for nothing else.
    Some(unsafe { mapping.pointer::<u32>((at % PAGE) & !3).read_volatile() })
}

/// A device of a tree is there as it is.
pub fn enable(_: &Device) {}
