//! The boot report: what machine this is and what the kernel made of it, a line for each.

use crate::arch;
use crate::boot::{Console, InterruptController, PhysRange, initrd, unknown_words};
use crate::kernel::Kernel;
use crate::mm;
use crate::units::PAGE_SIZE;
use core::fmt;

/// Says what was found; what was odd comes last.
pub fn machine(kernel: &Kernel) {
    let info = &kernel.info;
    crate::info!("Ochre {} on {}", env!("CARGO_PKG_VERSION"), arch::NAME);
    line("machine", format_args!("{} ({})", info.machine, info.source));
    line(
        "cpus",
        format_args!("{} of {}: {}", info.cpus.len(), info.cpus_present, arch::cpu::features()),
    );
    memory(kernel);
    initrd(kernel);
    line("console", format_args!("{}", info.console));
    line("interrupts", format_args!("{}", info.interrupts));
    let khz = kernel.clock.frequency() / 1000;
    let hz = kernel.options.hz;
    let (timer, mhz, rest) = (arch::timer::NAME, khz / 1000, khz % 1000);
    line("timer", format_args!("{timer}, {mhz}.{rest:03} MHz, slices of 1/{hz} s"));
    if !info.command_line.is_empty() {
        line("command", format_args!("{}", info.command_line));
    }
    info.notes.iter().for_each(|note| crate::warn!("{note}"));
    unknown_words(&info.command_line)
        .for_each(|word| crate::warn!("unknown command-line word \"{word}\", ignored"));
}

/// The last line of boot.
pub fn done(kernel: &Kernel) {
    let online = kernel.cpus.iter().filter(|cpu| cpu.online).count();
    line("running", format_args!("{online} CPUs"));
    let now = kernel.now().0;
    let entry = kernel.clock.nanos(kernel.entry_time).0;
    crate::info!(
        "boot: done, {now} ns since power-on, {} ns of them in the kernel",
        now.saturating_sub(entry)
    );
}

fn line(what: &str, text: fmt::Arguments<'_>) {
    crate::info!("  {what:<11}{text}");
}

fn memory(kernel: &Kernel) {
    let info = &kernel.info;
    let stats = kernel.vm.ram.frames.stats();
    let all: u64 = info.memory.iter().map(|bank| bank.end.0 - bank.start.0).sum();
    let (mib, free) = (all >> 20, (stats.free as u64 * PAGE_SIZE) >> 20);
    let banks = info.memory.len();
    let plural = if banks == 1 { "" } else { "s" };
    line("memory", format_args!("{mib} MiB in {banks} bank{plural}, {free} MiB free"));
    info.memory.iter().for_each(|bank| crate::debug!("  bank       {}", bytes(bank)));
    info.reserved.iter().for_each(|range| crate::debug!("  reserved   {}", bytes(range)));
}

fn initrd(kernel: &Kernel) {
    let Some(range) = &kernel.info.initrd else {
        return line("initrd", format_args!("none"));
    };
    let archive = mm::reserved_bytes(&kernel.vm.ram.memory, &kernel.info, range);
    match initrd::check(archive) {
        Ok(entries) => line("initrd", format_args!("{entries} entries, {}", bytes(range))),
        Err(why) => crate::warn!("initrd: {why}; going on without it"),
    }
}

/// A range and its size.
fn bytes(range: &PhysRange) -> impl fmt::Display {
    let (start, size) = (range.start.0, range.end.0 - range.start.0);
    fmt::from_fn(move |f| write!(f, "{} KiB at {start:#x}", size >> 10))
}

impl fmt::Display for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Console::Pl011(at) => write!(f, "PL011 at {at:?}"),
            Console::MiniUart(at) => write!(f, "mini UART at {at:?}"),
            Console::Ns16550(port) => write!(f, "16550 at port {port:#x}"),
            Console::None => f.write_str("none: the log is in memory only"),
        }
    }
}

impl fmt::Display for InterruptController {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InterruptController::Gic { version, distributor, .. } => {
                write!(f, "GICv{version} at {distributor:?}")
            }
            InterruptController::Bcm2836(at) => write!(f, "BCM2836 at {at:?}"),
            InterruptController::Apic { local, .. } => write!(f, "APIC at {local:?}"),
            InterruptController::None => f.write_str("none"),
        }
    }
}
