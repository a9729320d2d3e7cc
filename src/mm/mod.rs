//! Memory: who owns which frame, and what is mapped where. The kernel has no heap: what there may be many
//! of lives in arenas.
//!
//! In the order in which boot needs them:
//!
//! * [`early`]: frames before there is an allocator.
//! * [`page_table`]: what the kernel has mapped where, by a `walker` down the tables; [`asid`]: tags for
//!   what TLBs remember of those of processes.
//! * [`kernel_space`]: the kernel's own page table.
//! * [`frames`], with `chunk`s of them in a `ring`: who has which.
//! * [`vm`]: address spaces of processes, what they map, and who pays.
//! * [`arena`]: where objects live, each kind in a window of addresses; the `list`s and [`tree`]s that they are in.

pub mod arena;
pub mod asid;
mod chunk;
pub mod early;
pub mod frames;
pub mod kernel_space;
mod list;
mod owners;
pub mod page_table;
mod ring;
pub mod tree;
mod walker;
pub mod vm;

use crate::arch::PhysMem;
use crate::boot::{BootInfo, PhysRange, regions};
use crate::units::Frame;

pub use arena::{Arena, Id};
pub use frames::Frames;
pub use kernel_space::{Gate, KernelSpace};
pub use list::Neighbours;
pub use page_table::{MapError, PageTable};
pub use vm::{Account, Memory, Place, Region, Space, Vm};

/// Physical memory: how it is reached, who has which frame, and where the kernel maps its own.
pub struct Ram {
    /// The right to touch it.
    pub memory: PhysMem,
    /// Which frames are whose.
    pub frames: Frames,
    /// The kernel's own half of every address space.
    pub space: KernelSpace,
    /// Frames that arenas have.
    pub object_pages: usize,
}

/// Where frames for page tables and stacks come from, and where they go back to.
///
/// # Safety
/// What `take` gives is RAM that is mapped, and nobody else uses it until it is given back.
pub unsafe trait FrameSource {
    /// A frame nobody else uses, with anything in it.
    fn take(&mut self) -> Option<Frame>;
    /// Takes back a frame that `take` gave and that nobody uses any more.
    fn give(&mut self, frame: Frame);
}

/// The bytes of a range of RAM that is reserved, and so never changes; none if it is not.
pub fn reserved_bytes<'a>(memory: &'a PhysMem, info: &BootInfo, range: &PhysRange) -> &'a [u8] {
    let kept = |list| regions::contains(list, range);
    if range.is_empty() || !kept(&info.memory) || !kept(&info.reserved) {
        return &[];
    }
    let start = memory.pointer(range.start);
    // SAFETY: all of it is RAM, which is mapped, and reserved: nobody is given it to write to.
    unsafe { core::slice::from_raw_parts(start.as_ptr(), (range.end.0 - range.start.0) as usize) }
}
