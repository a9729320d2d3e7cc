//! `/cpus` and `/psci`: which CPUs there are and how each is started.

use super::node::{Node, number, text};
use super::reader::Reader;
use crate::boot::info::{CpuInfo, CpuStart, PsciCall};
use crate::boot::regions;
use crate::units::{MAX_CPUS, PAGE_SIZE, PhysAddr};
use arrayvec::ArrayVec;

/// The affinity fields of MPIDR_EL1 (Arm ARM D24.2.110); the rest is flags.
const AFFINITY: u64 = 0xff_00ff_ffff;

pub(super) struct Cpus {
    boot: u64,
    boot_is_listed: bool,
    /// The others, in the order of the tree.
    others: ArrayVec<(u64, Start), { MAX_CPUS - 1 }>,
    too_many: usize,
    pub psci: Option<PsciCall>,
}

/// How a CPU says it is started; PSCI's conduit may only be known later.
#[derive(Clone, Copy)]
enum Start {
    Psci,
    SpinTable(u64),
}

impl Cpus {
    pub fn new(boot: u64) -> Cpus {
        let boot = boot & AFFINITY;
        Cpus { boot, boot_is_listed: false, others: ArrayVec::new(), too_many: 0, psci: None }
    }
}

impl<'a> Reader<'a> {
    /// A child of `/cpus`: a CPU, or a description of caches, topology, idle states.
    pub fn cpu(&mut self, node: &Node<'a>) {
        if text(node.device_type) != b"cpu" && node.name != "cpu" {
            return;
        }
        self.info.cpus_present += 1;
        let unit = node.unit;
        let Some((id, _)) = self.place.reg(node).next() else {
            return self.info.note(format_args!("cpu@{unit}: its reg is malformed, not used"));
        };
        if id & !AFFINITY != 0 {
            return self.info.note(format_args!("cpu@{unit}: {id:#x} is no affinity, not used"));
        }
        if id == self.cpus.boot && !self.cpus.boot_is_listed {
            self.cpus.boot_is_listed = true;
            return;
        }
        if id == self.cpus.boot || self.cpus.others.iter().any(|&(other, _)| other == id) {
            return self.info.note(format_args!("cpu@{unit}: listed twice"));
        }
        if !node.is_enabled() {
            return self.info.note(format_args!("cpu@{unit}: disabled, not used"));
        }
        let start = match text(node.enable_method) {
            b"psci" => Start::Psci,
            b"spin-table" => match node.release_address.and_then(number) {
                Some(address) if address % 8 == 0 => Start::SpinTable(address),
                _ => {
                    return self.info.note(format_args!("cpu@{unit}: no release address"));
                }
            },
            _ => {
                return self.info.note(format_args!("cpu@{unit}: no known way to start it"));
            }
        };
        if self.cpus.others.try_push((id, start)).is_err() {
            self.cpus.too_many += 1;
        }
    }

    pub fn finish_cpus(&mut self) {
        let boot = self.cpus.boot;
        if !self.cpus.boot_is_listed {
            self.info.cpus_present += 1;
            self.info.note(format_args!("the boot CPU {boot:#x} is not in the device tree"));
        }
        self.info.cpus.push(CpuInfo { hardware_id: boot, start: CpuStart::Boot });
        let mut without_psci = 0;
        for (hardware_id, start) in core::mem::take(&mut self.cpus.others) {
            let start = match start {
                Start::SpinTable(address) => {
                    self.keep_release_page(address);
                    CpuStart::SpinTable(PhysAddr(address))
                }
                Start::Psci => match self.cpus.psci {
                    Some(call) => CpuStart::Psci(call),
                    None => {
                        without_psci += 1;
                        continue;
                    }
                },
            };
            self.info.cpus.push(CpuInfo { hardware_id, start });
        }
        if without_psci > 0 {
            self.info
                .note(format_args!("{without_psci} CPUs want PSCI and there is none: not used"));
        }
        if self.cpus.too_many > 0 {
            let (limit, more) = (MAX_CPUS, self.cpus.too_many);
            self.info.note(format_args!("{more} CPUs beyond the limit of {limit}: not used"));
        }
    }

    /// A CPU that spins does so in the page of its release address, whether reserved or not.
    fn keep_release_page(&mut self, address: u64) {
        if let Ok(page) = regions::range(address & !(PAGE_SIZE - 1), PAGE_SIZE) {
            regions::reserve(&mut self.info.reserved, page);
        }
    }
}
