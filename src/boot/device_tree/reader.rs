//! What is known of the machine while its tree is being read, and which node tells what: RAM and what in
//! it is taken, and the CPUs and how each is started, by itself.

use super::blob::Node;
use super::place::Place;
use crate::boot::info::{
    BootInfo, Console, CpuInfo, CpuStart, InterruptController, PsciCall, Regions,
};
use crate::boot::regions;
use crate::boot::text::prefix;
use crate::units::{PAGE_SIZE, PhysAddr};

#[derive(Default)]
pub(super) struct Reader<'a> {
    pub info: BootInfo,
    /// `/chosen` and `/aliases`.
    pub chosen: Node<'a>,
    pub aliases: Node<'a>,
    pub psci: Option<PsciCall>,
    /// CPUs that there is no room for.
    cpus_beyond: usize,
    /// Where the console is that `/chosen` names.
    pub console_path: &'a [u8],
    /// The UART that it leads to, `Console::None` if there is no driver for it.
    pub chosen_console: Option<Console>,
    /// The first there is a driver for.
    pub first_console: Option<Console>,
    /// With the cells of one of its interrupts.
    pub gic: Option<(InterruptController, u32)>,
    pub local: Option<PhysAddr>,
    pub timer: Option<Node<'a>>,
    pub watchdog: Option<PhysAddr>,
    /// Reserved, and not to be mapped either.
    unmapped: Regions,
}

/// The affinity fields of MPIDR_EL1 (Arm ARM D24.2.110); the rest is flags.
const AFFINITY: u64 = 0xff_00ff_ffff;

impl<'a> Reader<'a> {
    pub fn new(boot_cpu: u64) -> Reader<'a> {
        let mut info = BootInfo::new("device tree");
        info.begin_cpus(boot_cpu & AFFINITY);
        Reader { info, ..Reader::default() }
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
        self.info.end_cpus("device tree", self.cpus_beyond);
        self.finish_devices();
        self.info.settle(&mut self.unmapped);
        if self.info.memory.is_empty() {
            self.info.note(format_args!("device tree: no memory in it"));
        }
        self.info
    }

    fn memory(&mut self, place: &Place<'a>) {
        // Secure memory is "disabled" to us.
        if place.node().is_enabled() {
            let banks = self.ranges(place, "");
            banks.for_each(|(start, size)| self.info.take_memory(start, size));
        }
    }

    /// A child of `/reserved-memory`. One without `reg` only asks for memory to be found for it,
    /// which is for those to do who want to use it.
    fn reserved_memory(&mut self, place: &Place<'a>) {
        let node = place.node();
        if !node.is_enabled() || node.get("reg").is_none() {
            return;
        }
        for (start, size) in self.ranges(place, "reserved-memory/") {
            match regions::range(start, size) {
                Ok(range) if node.get("no-map").is_some() => {
                    regions::reserve(&mut self.unmapped, range);
                }
                _ => self.info.take_reservation(start, size),
            }
        }
    }

    /// The ranges in the `reg` of the node in hand, as far as they can be read.
    fn ranges(
        &mut self,
        place: &Place<'a>,
        parent: &str,
    ) -> impl Iterator<Item = (u64, u64)> + use<'a> {
        let (ranges, whole) = place.reg();
        if !whole {
            let name = place.node().name;
            self.info.note(format_args!("{parent}{name}: its reg is malformed"));
        }
        ranges
    }

    fn psci(&mut self, node: &Node<'a>) {
        match node.text("method") {
            _ if !node.is_enabled() => {}
            b"hvc" => self.psci = Some(PsciCall::Hvc),
            b"smc" => self.psci = Some(PsciCall::Smc),
            _ => self.info.note(format_args!("psci: neither hvc nor smc, not used")),
        }
    }

    /// A child of `/cpus`: a CPU, or a description of caches, topology, idle states.
    fn cpu(&mut self, place: &Place<'a>) {
        let node = place.node();
        if node.text("device_type") == b"cpu" || node.plain_name() == "cpu" {
            self.info.cpus_present += 1;
            if let Err(why) = self.take_cpu(place, &node) {
                self.info.note(format_args!("{}: {why}, not used", node.name));
            }
        }
    }

    fn take_cpu(&mut self, place: &Place<'a>, node: &Node<'a>) -> Result<(), &'static str> {
        let (id, _) = place.reg().0.next().ok_or("its reg is malformed")?;
        if id & !AFFINITY != 0 {
            return Err("its reg is no affinity");
        }
        if self.info.is_boot_cpu(id)? {
            return Ok(());
        }
        if !node.is_enabled() {
            return Err("disabled");
        }
        let start = match node.text("enable-method") {
            b"psci" => CpuStart::Psci(self.psci.ok_or("it wants PSCI and there is none")?),
            b"spin-table" => {
                let release = node.number("cpu-release-addr").filter(|at| at.is_multiple_of(8));
                let release = release.ok_or("no release address")?;
                // It spins in the page of its release address, whether that is reserved or not.
                if let Ok(page) = regions::range(release & !(PAGE_SIZE - 1), PAGE_SIZE) {
                    regions::reserve(&mut self.info.reserved, page);
                }
                CpuStart::SpinTable(PhysAddr(release))
            }
            _ => return Err("no known way to start it"),
        };
        let kept = self.info.cpus.try_push(CpuInfo { hardware_id: id, start });
        self.cpus_beyond += usize::from(kept.is_err());
        Ok(())
    }
}
