//! Reads a flattened device tree into a [`BootInfo`] (Devicetree Specification v0.4).
//!
//! `blob` walks all nodes and refuses what is malformed; `reader` hands each, with its `place` in the
//! tree, to who knows its kind: memory and CPUs itself, all else `devices`. The first of two walks learns
//! what the others need, so the order of a tree does not matter. Anything odd ends in a note.

mod blob;
mod devices;
mod place;
mod reader;

use super::{BootInfo, Malformed};
use blob::Blob;
use reader::Reader;

pub use blob::total_size;

/// Reads the tree at the start of `bytes`. `boot_cpu` is the affinity (MPIDR) of the CPU that runs
/// this. The tree's own memory is not among what is reserved: only the caller knows where it lies.
pub fn read(bytes: &[u8], boot_cpu: u64) -> Result<BootInfo, Malformed> {
    let blob = Blob::new(bytes)?;
    let mut reader = Reader::new(boot_cpu);
    blob.walk(&mut |place| reader.learn(place))?;
    reader.find_console();
    blob.walk(&mut |place| reader.node(place))?;
    blob.reservations().for_each(|(start, size)| reader.info.take_reservation(start, size));
    Ok(reader.finish())
}
