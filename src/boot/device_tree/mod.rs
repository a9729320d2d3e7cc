//! Reads a flattened device tree into a [`BootInfo`] (Devicetree Specification v0.4).
//!
//! `blob` walks all nodes and refuses what is malformed; `reader` hands each, with its `place` in the
//! tree, to the file that knows its kind: `memory`, `cpus`, `devices`. The first of two walks learns
//! what the others need, so the order of a tree does not matter. Anything odd ends in a note.

mod blob;
mod cpus;
mod devices;
mod memory;
mod place;
mod reader;

use super::info::BootInfo;
use blob::Blob;
use core::fmt;
use reader::Reader;

pub use blob::total_size;

/// Why a device tree cannot be believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DtError {
    /// It does not begin like one.
    Magic,
    /// Its header cannot be true.
    Header(&'static str),
    /// Its nodes and properties do not add up.
    Structure {
        /// Where, as an offset into the structure block.
        at: usize,
        /// What is wrong there.
        what: &'static str,
    },
}

impl fmt::Display for DtError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DtError::Magic => f.write_str("device tree: not found"),
            DtError::Header(what) => write!(f, "device tree: {what}"),
            DtError::Structure { at, what } => write!(f, "device tree: {what} at {at:#x}"),
        }
    }
}

/// Reads the tree at the start of `bytes`. `boot_cpu` is the affinity (MPIDR) of the CPU that runs
/// this. The tree's own memory is not among what is reserved: only the caller knows where it lies.
pub fn read(bytes: &[u8], boot_cpu: u64) -> Result<BootInfo, DtError> {
    let blob = Blob::new(bytes)?;
    let mut reader = Reader::new(boot_cpu);
    blob.walk(&mut |place| reader.learn(place))?;
    reader.find_console();
    blob.walk(&mut |place| reader.node(place))?;
    blob.reservations().for_each(|(start, size)| reader.info.take_reservation(start, size));
    Ok(reader.finish())
}
