//! What firmware says about the machine, checked and read into one [`BootInfo`].
//!
//! Everything here is pure: bytes in, descriptions out. It runs on the host as it does on a board,
//! and no input, however malformed, makes it panic, loop or read outside the bytes it was given.

pub mod acpi;
pub mod built_in;
mod collect;
mod command_line;
pub mod device_tree;
pub mod elf;
mod info;
pub mod initrd;
pub mod multiboot2;
mod phys;
pub mod pvh;
pub mod regions;
mod text;

pub use collect::COM1;
pub use command_line::*;
pub use info::*;
pub use phys::PhysRead;
pub use text::clipped;

/// Why something that firmware or a loader left cannot be believed, as a person would say it.
pub type Malformed = &'static str;
