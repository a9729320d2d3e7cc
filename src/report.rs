//! The boot report: what machine this is and what the kernel made of it, a line for each.

use crate::arch;
use crate::boot::{BootInfo, Console, InterruptController, PhysRange, Timer};
use crate::kernel::Kernel;
use crate::units::{Frame, PAGE_SIZE, frames_touching};
use core::fmt;

/// Says what was found; what was odd comes last.
pub fn machine(kernel: &Kernel) {
    let info = &kernel.info;
    crate::info!("Ochre {} on {}", env!("CARGO_PKG_VERSION"), arch::NAME);
    line("machine", format_args!("{} ({})", info.machine, info.source));
    line("cpus", format_args!("{} of {}: {}", info.cpus.len(), info.cpus_present, arch::cpu::features()));
    memory(kernel);
    line("initrd", format_args!("{}", Initrd(info)));
    line("console", format_args!("{}", Described(&info.console)));
    line("interrupts", format_args!("{}", Described(&info.interrupts)));
    let tick = 1_000_000_000 / kernel.tick.0;
    let frequency = Megahertz(kernel.clock.frequency());
    line("timer", format_args!("{} at {frequency}, {tick} ticks a second", Described(&info.timer)));
    line("command", format_args!("{}", Quoted(&info.command_line)));
    info.notes.iter().for_each(|note| crate::warn!("{note}"));
    kernel.options.unknown(&info.command_line, |word| crate::warn!("unknown command-line word {word:?}"));
}

/// The last line of boot.
pub fn done(kernel: &Kernel) {
    let online = kernel.cpus.iter().filter(|cpu| cpu.online).count();
    line("running", format_args!("{online} CPUs"));
    let now = kernel.now().0;
    let entry = kernel.clock.nanos(kernel.entry_time).0;
    crate::info!("boot: done, {now} ns since power-on, {} ns of them in the kernel", now.saturating_sub(entry));
}

fn line(what: &str, text: fmt::Arguments<'_>) {
    crate::info!("  {what:<11}{text}");
}

fn memory(kernel: &Kernel) {
    let info = &kernel.info;
    let stats = kernel.frames.stats();
    let mib = |frames: usize| frames as u64 * PAGE_SIZE >> 20;
    let banks = info.memory.len();
    let plural = if banks == 1 { "" } else { "s" };
    line("memory", format_args!("{} MiB in {banks} bank{plural}, {} MiB free", mib(stats.total), mib(stats.free)));
    info.memory.iter().for_each(|bank| crate::debug!("  memory     {}", Shown(bank)));
    info.reserved.iter().for_each(|range| crate::debug!("  reserved   {}", Shown(range)));
}
