//! Where the disk is, and which program drives it.

#[cfg(target_arch = "x86_64")]
#[path = "bus/ports.rs"]
mod all;
#[cfg(target_arch = "aarch64")]
#[path = "bus/tree.rs"]
mod all;

use devices::Device;
use rt::Start;

/// Programs, and what they drive.
const PROGRAMS: [(&str, &str); 2] = [("virtio-blk", "virtio-blk"), ("brcm,bcm2835-mmc", "sd")];

/// The machine's first disk, which may be used from now on.
pub fn disk(start: &Start) -> Option<(Device, &'static str)> {
    let all = all::devices(start)?;
    all.into_iter().find_map(|device| {
        let (_, program) = PROGRAMS.into_iter().find(|(kind, _)| device.is(kind))?;
        Some((device, program))
    })
}
