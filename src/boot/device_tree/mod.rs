//! Reads a flattened device tree into a [`BootInfo`].
//!
//! `check` walks the blob once and refuses what is malformed; after that the `fdt` crate walks all
//! nodes once more, each is read by `node`, and `reader` hands it to the file that knows its kind:
//! `memory`, `cpus`, `devices`, `chosen`. What depends on more than one node is settled when all
//! have been seen, so the order of a tree does not matter. Anything odd ends in a note.
//!
//! The total size is read and the padding behind the blocks never is: QEMU's tree is 8 KiB in a
//! blob of 1 MiB.

mod bus;
mod check;
mod chosen;
mod cpus;
mod devices;
mod memory;
mod node;
mod reader;

use super::info::BootInfo;
use core::fmt;
use fdt::Fdt;
use fdt::helpers::UnalignedFallibleNode as DtNode;
use fdt::nodes::AsNode;
use node::Node;
use reader::Reader;

pub use check::total_size;

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
    /// The `fdt` crate will not have what the check let pass.
    Walk,
}

impl fmt::Display for DtError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DtError::Magic => f.write_str("device tree: not found"),
            DtError::Header(what) => write!(f, "device tree: {what}"),
            DtError::Structure { at, what } => write!(f, "device tree: {what} at {at:#x}"),
            DtError::Walk => f.write_str("device tree: cannot be walked"),
        }
    }
}

impl From<fdt::FdtError> for DtError {
    fn from(_: fdt::FdtError) -> DtError {
        DtError::Walk
    }
}

/// Reads the tree at the start of `blob`. `boot_cpu` is the affinity (MPIDR) of the CPU that runs
/// this. The tree's own memory is not among what is reserved: only the caller knows where it lies.
pub fn read(blob: &[u8], boot_cpu: u64) -> Result<BootInfo, DtError> {
    let blob = check::check(blob)?;
    let tree = Fdt::new_unaligned_fallible(blob)?;
    let root = tree.root()?;
    let mut reader = Reader::new(boot_cpu, &Node::read(&root.as_node())?);
    for entry in root.all_nodes()? {
        let (depth, node) = entry?;
        reader.node(depth, node)?;
    }
    reader.reservations(check::reservations(blob));
    Ok(reader.finish())
}
