//! What is known of the machine while its tree is being read, and which node tells what.

use super::bus::Place;
use super::chosen::Chosen;
use super::cpus::Cpus;
use super::devices::Devices;
use super::node::{Node, text};
use super::{DtError, DtNode};
use crate::boot::info::{BootInfo, Regions};
use crate::boot::regions;
use crate::boot::text::prefix;

pub(super) struct Reader<'a> {
    pub info: BootInfo,
    pub place: Place<'a>,
    pub chosen: Chosen<'a>,
    pub cpus: Cpus,
    pub devices: Devices<'a>,
    /// Reserved, and not to be mapped either.
    pub unmapped: Regions,
}

impl<'a> Reader<'a> {
    pub fn new(boot_cpu: u64, root: &Node<'a>) -> Reader<'a> {
        let mut info = BootInfo::new("device tree");
        let name = if root.model.is_empty() { root.compatible } else { root.model };
        info.machine = prefix(text(name)).0;
        Reader {
            info,
            place: Place::new(root),
            chosen: Chosen::default(),
            cpus: Cpus::new(boot_cpu),
            devices: Devices::default(),
            unmapped: Regions::new(),
        }
    }

    /// Takes the next node, `depth` levels below the root.
    pub fn node(&mut self, depth: usize, node: DtNode<'a>) -> Result<(), DtError> {
        let read = Node::read(&node)?;
        self.place.go(depth, &read);
        match (depth, self.place.parent(), read.name) {
            (1, _, "chosen") => self.chosen.read(&read),
            (1, _, "aliases") => self.chosen.aliases = Some(node),
            (1, _, _) if text(read.device_type) == b"memory" => self.memory(&read),
            (1, _, "memory") => self.memory(&read),
            (2, "reserved-memory", _) => self.reserved_memory(&read),
            (2, "cpus", _) => self.cpu(&read),
            _ if !read.compatible.is_empty() => self.device(&read),
            _ => {}
        }
        Ok(())
    }

    /// Settles what depends on more than one node.
    pub fn finish(mut self) -> BootInfo {
        self.finish_memory();
        self.finish_chosen();
        self.finish_cpus();
        self.finish_devices();
        regions::order_reserved(&mut self.info.reserved);
        self.info
    }
}
