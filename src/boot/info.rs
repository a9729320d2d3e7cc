//! The one description of a machine that the portable kernel reads. A board is data.

use super::text::clipped;
use crate::units::{MAX_CPUS, PhysAddr};
use arrayvec::{ArrayString, ArrayVec};
use core::fmt;
use core::ops::Range;

/// Memory banks that are kept apart; more are ignored, with a note.
pub const MAX_REGIONS: usize = 32;

/// The INTID that Arm's Base System Architecture gives the EL1 virtual timer.
pub(super) const VIRTUAL_TIMER: u32 = 27;

/// Bytes of physical memory, start inclusive, end exclusive.
pub type PhysRange = Range<PhysAddr>;

/// A list of physical ranges.
pub type Regions = ArrayVec<PhysRange, MAX_REGIONS>;

/// All that is known of the machine when the kernel proper begins.
#[derive(Debug, Clone, Default)]
pub struct BootInfo {
    /// What the machine calls itself: "linux,dummy-virt", "Raspberry Pi 3 Model B", "QEMU q35".
    pub machine: ArrayString<48>,
    /// Who told us: "device tree", "built-in description", "PVH + ACPI", "multiboot2 + ACPI".
    pub source: &'static str,
    /// RAM: sorted, disjoint, page-aligned.
    pub memory: Regions,
    /// What in RAM is taken: the kernel's image, initrd, device tree, firmware. Sorted, disjoint.
    pub reserved: Regions,
    /// The CPUs to use, the boot CPU first.
    pub cpus: ArrayVec<CpuInfo, MAX_CPUS>,
    /// How many CPUs firmware listed, usable or not.
    pub cpus_present: usize,
    /// The boot CPU was among them.
    pub(super) boot_cpu_listed: bool,
    /// The initial RAM disk, where there is one.
    pub initrd: Option<PhysRange>,
    /// The device tree, where this is read from one.
    pub tree: Option<PhysRange>,
    /// The kernel's command line.
    pub command_line: ArrayString<512>,
    /// The serial console.
    pub console: Console,
    /// The interrupt controller.
    pub interrupts: InterruptController,
    /// Interrupt number of the EL1 virtual timer at the GIC (unused with the BCM2836).
    pub timer_interrupt: u32,
    /// Frequency of its counter, where firmware says so and not CNTFRQ.
    pub timer_frequency: Option<u64>,
    /// The I/O port of ACPI's PM timer, against which others are measured.
    pub pm_timer: Option<u16>,
    /// Where ACPI's root pointer lies, if the loader says so.
    pub acpi: Option<PhysAddr>,
    /// How to switch the machine off.
    pub power: Power,
    /// Remarks made while reading, for the boot report: each one line.
    pub notes: ArrayVec<Note, 16>,
}

impl BootInfo {
    /// A description that knows nothing yet but who is going to tell.
    pub fn new(source: &'static str) -> BootInfo {
        BootInfo { source, timer_interrupt: VIRTUAL_TIMER, ..BootInfo::default() }
    }

    /// Adds a remark, cut to the length of a note. When the notes are full the last one says so.
    pub fn note(&mut self, remark: fmt::Arguments<'_>) {
        if self.notes.try_push(clipped(remark)).is_err() {
            self.notes.pop();
            self.notes
                .push(clipped(format_args!("there is more that was odd than room to say it")));
        }
    }
}

/// A remark about something firmware said that was odd, absent or ignored.
pub type Note = ArrayString<96>;

/// One CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CpuInfo {
    /// MPIDR affinity on AArch64, local APIC ID on x86-64.
    pub hardware_id: u64,
    /// How it is brought up.
    pub start: CpuStart,
}

/// How a CPU is brought up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CpuStart {
    /// It runs already.
    Boot,
    /// PSCI's `CPU_ON`.
    Psci(PsciCall),
    /// It spins until an address appears at this place.
    SpinTable(PhysAddr),
    /// INIT and start-up interrupts.
    InitSipi,
}

/// How PSCI is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PsciCall {
    /// `hvc #0`
    Hvc,
    /// `smc #0`
    Smc,
}

/// A serial port the kernel can speak through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Console {
    /// ARM PrimeCell UART.
    Pl011(PhysAddr),
    /// The Raspberry Pi's auxiliary UART.
    MiniUart(PhysAddr),
    /// A 16550 behind I/O ports.
    Ns16550(u16),
    /// Nothing found: the log is kept in memory only.
    #[default]
    None,
}

/// Where interrupts come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InterruptController {
    /// A GIC.
    Gic {
        /// 2 (GIC-400 is one), or 3.
        version: u8,
        /// Distributor.
        distributor: PhysAddr,
        /// What is the CPUs' own: their interface (version 2), or the first redistributor (3).
        own: PhysAddr,
        /// Bytes of that.
        size: u64,
    },
    /// The BCM2836's per-core interrupt registers.
    Bcm2836(PhysAddr),
    /// Local APICs and one or more I/O APICs.
    Apic {
        /// Local APIC registers (unused in x2APIC mode).
        local: PhysAddr,
        /// The first I/O APIC.
        io: Option<PhysAddr>,
        /// How its lines work.
        kinds: LineKinds,
    },
    /// Nothing found: no ticks, no IPIs.
    #[default]
    None,
}

/// How the lines of an I/O APIC work, a bit for each; the last stands for all that follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineKinds {
    /// By levels, and not by edges.
    pub level: u32,
    /// Active low, and not high.
    pub low: u32,
}

impl LineKinds {
    /// Unless firmware says otherwise the first 16 are ISA's, with edges, active high; those above are
    /// PCI's, with levels, active low.
    pub const USUAL: LineKinds = LineKinds { level: 0xffff_0000, low: 0xffff_0000 };
}

/// How to switch the machine off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Power {
    /// PSCI's `SYSTEM_OFF`.
    Psci(PsciCall),
    /// The BCM2835 watchdog's halt.
    Bcm2835(PhysAddr),
    /// ACPI S5: the PM1a control port and the value to write.
    Acpi {
        /// PM1a control register.
        port: u16,
        /// Sleep type and enable, ready to write.
        value: u16,
    },
    /// Not known: the machine is left halted.
    #[default]
    None,
}
