//! Memory: who owns which frame, what is mapped where, and the kernel's heap.
//!
//! In the order in which boot needs them:
//!
//! * [`early`]: frames before there is an allocator.
//! * [`page_table`], [`walker`]: what is mapped where; [`asid`]: tags for what TLBs remember of it.
//! * [`kernel_space`]: the kernel's own page table.
//! * [`frames`], with [`chunk`]s of them in a [`ring`], and a search for [`runs`]: who has which.
//! * [`heap`]: the kernel's heap, made of frames; [`global`]: how Rust reaches it.

pub mod asid;
mod chunk;
pub mod early;
pub mod frames;
pub mod global;
pub mod heap;
pub mod kernel_space;
pub mod page_table;
mod ring;
mod runs;
mod walker;

use crate::units::Frame;

pub use frames::Frames;
pub use kernel_space::{Gate, KernelSpace};
pub use page_table::{MapError, PageTable};

/// Where frames for page tables, stacks and the heap come from, and where they go back to.
pub trait FrameSource {
    /// A frame nobody else uses, with anything in it.
    fn take(&mut self) -> Option<Frame>;
    /// Takes back a frame that `take` gave and that nobody uses any more.
    fn give(&mut self, frame: Frame);
}
