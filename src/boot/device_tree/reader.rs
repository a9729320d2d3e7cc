//! What is known of the machine while its tree is being read, and which node tells what.

use super::blob::Node;
use super::devices::Devices;
use super::place::Place;
use crate::boot::info::{BootInfo, CpuInfo, CpuStart, PsciCall, Regions};
use crate::boot::text::prefix;

pub(super) struct Reader<'a> {
    pub info: BootInfo,
    /// `/chosen` and `/aliases`.
    pub chosen: Node<'a>,
    pub aliases: Node<'a>,
    pub psci: Option<PsciCall>,
    pub boot_cpu_is_listed: bool,
    pub cpus_too_many: usize,
    pub devices: Devices<'a>,
    /// Reserved, and not to be mapped either.
    pub unmapped: Regions,
}

/// The affinity fields of MPIDR_EL1 (Arm ARM D24.2.110); the rest is flags.
pub(super) const AFFINITY: u64 = 0xff_00ff_ffff;

impl<'a> Reader<'a> {
    pub fn new(boot_cpu: u64) -> Reader<'a> {
        let mut info = BootInfo::new("device tree");
        info.cpus.push(CpuInfo { hardware_id: boot_cpu & AFFINITY, start: CpuStart::Boot });
        Reader {
            info,
            chosen: Node::default(),
            aliases: Node::default(),
            psci: None,
            boot_cpu_is_listed: false,
            cpus_too_many: 0,
            devices: Devices::default(),
            unmapped: Regions::new(),
        }
    }

    /// Takes from the next node what has to be known to understand others.
    pub fn learn(&mut self, place: &Place<'a>) {
        let node = place.node();
        match (place.depth(), node.name) {
            (0, _) => {
                let named = [node.text("model"), node.text("compatible")];
                let name = named.into_iter().find(|name| !name.is_empty());
                self.info.machine = prefix(name.unwrap_or_default()).0;
            }
            (1, "chosen") => self.chosen = node,
            (1, "aliases") => self.aliases = node,
            (1, _) if node.compatible().any(|name| name.starts_with(b"arm,psci-")) => {
                self.psci(&node);
            }
            _ => {}
        }
    }

    /// Takes the next node.
    pub fn node(&mut self, place: &Place<'a>) {
        let node = place.node();
        match (place.depth(), place.parent()) {
            (1, _) if node.text("device_type") == b"memory" => self.memory(place),
            (1, _) if node.plain_name() == "memory" => self.memory(place),
            (2, "reserved-memory") => self.reserved_memory(place),
            (2, "cpus") => self.cpu(place),
            _ => self.device(place),
        }
    }

    /// Settles what depends on more than one node.
    pub fn finish(mut self) -> BootInfo {
        let chosen = self.chosen;
        self.info.take_command_line(chosen.text("bootargs"));
        let initrd = ["linux,initrd-start", "linux,initrd-end"];
        match initrd.map(|name| chosen.number(name)) {
            [Some(start), Some(end)] => self.info.take_initrd(start, end),
            _ if initrd.iter().all(|name| chosen.get(name).is_none()) => {}
            _ => self.info.note(format_args!("initrd: only half described, ignored")),
        }
        self.finish_cpus();
        self.finish_devices();
        self.info.settle(&mut self.unmapped);
        if self.info.memory.is_empty() {
            self.info.note(format_args!("device tree: no memory in it"));
        }
        self.info
    }
}
