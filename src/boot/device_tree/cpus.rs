//! `/cpus` and `/psci`: which CPUs there are and how each is started.

use super::blob::Node;
use super::place::Place;
use super::reader::{AFFINITY, Reader};
use crate::boot::info::{CpuInfo, CpuStart, PsciCall};
use crate::boot::regions;
use crate::units::{MAX_CPUS, PAGE_SIZE, PhysAddr};

impl<'a> Reader<'a> {
    pub fn psci(&mut self, node: &Node<'a>) {
        match node.text("method") {
            _ if !node.is_enabled() => {}
            b"hvc" => self.psci = Some(PsciCall::Hvc),
            b"smc" => self.psci = Some(PsciCall::Smc),
            _ => self.info.note(format_args!("psci: neither hvc nor smc, not used")),
        }
    }

    /// A child of `/cpus`: a CPU, or a description of caches, topology, idle states.
    pub fn cpu(&mut self, place: &Place<'a>) {
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
        let listed = self.info.cpus.iter().position(|cpu| cpu.hardware_id == id);
        if listed == Some(0) && !self.boot_cpu_is_listed {
            self.boot_cpu_is_listed = true;
            return Ok(());
        }
        if listed.is_some() {
            return Err("listed twice");
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
        if self.info.cpus.try_push(CpuInfo { hardware_id: id, start }).is_err() {
            self.cpus_too_many += 1;
        }
        Ok(())
    }

    pub fn finish_cpus(&mut self) {
        if !self.boot_cpu_is_listed {
            self.info.cpus_present += 1;
            let boot = self.info.cpus[0].hardware_id;
            self.info.note(format_args!("the boot CPU {boot:#x} is not in the device tree"));
        }
        if self.cpus_too_many > 0 {
            let more = self.cpus_too_many;
            self.info.note(format_args!("{more} CPUs beyond the limit of {MAX_CPUS}: not used"));
        }
    }
}
