//! Which devices a machine has, from its device tree or its PCI bus.
//!
//! It touches nothing by itself: whoever asks brings the tree's bytes, and reads registers for it. What
//! firmware and devices say is not believed before it makes sense, and every search ends.
#![no_std]

extern crate alloc;

/// What the kernel's reader of device trees is built on.
mod boot {
    /// Why something cannot be read, as a person would say it.
    pub type Malformed = &'static str;
}
mod units {
    /// An address on the memory bus.
    #[derive(Clone, Copy, Debug)]
    pub struct PhysAddr(pub u64);
}
// The kernel reads the same trees with the same two.
#[path = "../../../src/boot/device_tree/blob.rs"]
#[expect(dead_code, reason = "the kernel asks for more")]
mod blob;
#[path = "../../../src/boot/device_tree/place.rs"]
#[expect(dead_code, reason = "the kernel asks for more")]
mod place;
pub mod pci;
pub mod tree;

use alloc::string::String;
use alloc::vec::Vec;

/// A device, with all that its driver needs.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Device {
    /// What it is called where it was found.
    pub name: String,
    /// What it is compatible with, the most particular first. Virtio devices are also `virtio-blk`,
    /// `virtio-rng` or `virtio-NUMBER`, whatever bus they are on.
    pub compatible: Vec<String>,
    /// Its registers.
    pub windows: Vec<Window>,
    /// The line of the interrupt controller that it has, as the kernel counts them.
    pub interrupt: Option<u64>,
    /// Numbers that its driver needs.
    pub words: Vec<(&'static str, u64)>,
    /// Where on the PCI bus it is, if it is there.
    pub pci: Option<pci::Address>,
}

/// Registers, in physical memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// Where they are, which may be in the middle of a page.
    pub physical: u64,
    /// How many bytes.
    pub bytes: u64,
}

impl Window {
    /// Those that make sense.
    fn new(physical: u64, bytes: u64) -> Option<Window> {
        let fits = bytes > 0 && physical > 0 && physical.checked_add(bytes).is_some();
        fits.then_some(Window { physical, bytes })
    }
}

impl Device {
    /// Whether it is compatible with something.
    pub fn is(&self, what: &str) -> bool {
        self.compatible.iter().any(|name| name == what)
    }
}

/// What a virtio device is called by its type (virtio 1.2, 5).
fn virtio_name(kind: u32) -> String {
    match kind {
        2 => "virtio-blk".into(),
        4 => "virtio-rng".into(),
        _ => alloc::format!("virtio-{kind}"),
    }
}
