//! From the first Rust instruction to the last line of boot.
//!
//! The first half runs on the first page tables and the boot stack: it finds out what the machine
//! is, and builds the kernel's own tables and the kernel. The second half runs on those: it starts
//! interrupts, the clock and the other CPUs, and reports.

use crate::arch::{self, Exit, Handoff, PhysMem};
use crate::boot::{BootInfo, Options, PhysRange, regions};
use crate::clock::Clock;
use crate::kernel::{self, Kernel, Next};
use crate::log;
use crate::mm::early::EarlyFrames;
use crate::mm::{Gate, KernelSpace, MapError, Ram};
use crate::panic::{self, Doing};
use crate::report;
use crate::units::{CpuId, Image, Main, Nanos};
use core::fmt;
use spin::Once;

/// How long a CPU that was called may take to arrive. It takes microseconds; an emulator whose host
/// is busy may let it wait much longer.
const PATIENCE: Nanos = Nanos(2_000_000_000);

/// Defines the symbol that `boot.S` calls, so that booting ends in `$main` on the boot CPU and in
/// `$other` on the others.
#[macro_export]
macro_rules! entry {
    ($main:path, $other:path) => {
        #[unsafe(no_mangle)]
        extern "C" fn kernel_entry(handoff: &$crate::arch::Handoff) -> ! {
            $crate::start::boot(handoff, $main, $other)
        }
    };
}

/// Boots, and goes on with `main`; the other CPUs go on with `other`.
pub fn boot(handoff: &Handoff, main: Main, other: Main) -> ! {
    OTHER.call_once(|| other);
    arch::init_cpu(CpuId::BOOT);
    panic::now_doing(Doing::Boot);
    if let Some(console) = arch::early_console() {
        log::attach(console);
    }
    let mut info = arch::discover(handoff);
    let options = Options::parse(&info.command_line);
    log::set_console_level(options.level);
    arch::power::init(&info, options.emulator);
    let image = arch::image(handoff);
    let loaded = image.physical(&image.all);
    if !regions::contains(&info.memory, &loaded) {
        refuse(&info, format_args!("the kernel, at {loaded:?}, is not in it"));
    }
    if info.initrd.take_if(|initrd| regions::overlap(initrd, &loaded)).is_some() {
        info.note(format_args!("initrd: it is where the kernel is, ignored"));
    }
    info.tree.take_if(|tree| regions::overlap(tree, &loaded));
    regions::reserve(&mut info.reserved, loaded);
    regions::order_reserved(&mut info.reserved);
    let refused = |why: MapError| refuse(&info, format_args!("{why:?}"));
    make(handoff, &info, image, options).unwrap_or_else(refused).enter(resume, main)
}

/// Builds the kernel and puts it where all CPUs find it. A frame of its own: several copies of the
/// kernel pass through it, for which the boot stack has no room beside what `boot` keeps there.
#[inline(never)]
fn make(
    handoff: &Handoff,
    info: &BootInfo,
    image: Image,
    options: Options,
) -> Result<Gate, MapError> {
    let memory = PhysMem::claim().expect("nobody has claimed memory before");
    let (kernel, gate) = build(handoff, info, image, options, memory)?;
    kernel::install(kernel);
    Ok(gate)
}

/// What the CPUs do that were called up.
static OTHER: Once<Main> = Once::new();

/// Makes the kernel, with its page table, its stacks and the allocator of frames, and the way to the
/// second half of boot. From here on its page table is in use.
pub fn build(
    handoff: &Handoff,
    info: &BootInfo,
    image: Image,
    options: Options,
    mut memory: PhysMem,
) -> Result<(Kernel, Gate), MapError> {
    let window: PhysRange = arch::early_window(handoff);
    let mut early = EarlyFrames::new(&info.memory, &info.reserved, &window);
    let mut space = KernelSpace::new(&image, &info.memory, &mut memory, &mut early)?;
    let gate = space.gate(CpuId::BOOT, &mut memory, &mut early)?;
    log::detach();
    gate.activate();
    let mut map = |at, size| space.open_window(at, size, &mut memory, &mut early);
    if let Some(console) = arch::console(info.console, &mut map) {
        log::attach(console);
    }
    early.open_window();
    let frames = early.into_frames(&memory).ok_or(MapError::NoMemory)?;
    let entry_time = handoff.entry_time;
    let ram = Ram { memory, frames, space, object_pages: 0 };
    Ok((Kernel::new(info.clone(), options, entry_time, ram), gate))
}

/// Stops before there is a kernel.
fn refuse(info: &BootInfo, why: fmt::Arguments<'_>) -> ! {
    info.notes.iter().for_each(|note| crate::warn!("{note}"));
    let bytes: u64 = info.memory.iter().map(|bank| bank.end.0 - bank.start.0).sum();
    crate::error!(
        "cannot boot with {} KiB of memory: {why}; give the machine at least 16 MiB",
        bytes >> 10
    );
    arch::power::exit(Exit::Refused)
}

/// The second half of boot.
extern "C" fn resume(main: Main) -> ! {
    let mut kernel = kernel::lock();
    start_devices(&mut kernel);
    report::machine(&kernel);
    kernel.cpus[CpuId::BOOT.index()].online = true;
    let cpus = kernel.info.cpus.len() as u8;
    drop(kernel);
    (1..cpus).map(CpuId).for_each(call_up);
    report::done(&kernel::lock());
    panic::now_doing(Doing::Idle);
    main()
}

/// Starts interrupts and the clock, as far as they do not depend on the CPU.
fn start_devices(kernel: &mut Kernel) {
    let Kernel { info, vm, clock, .. } = kernel;
    let Ram { space, memory, frames, .. } = &mut vm.ram;
    let mut map = |at, size| space.open_window(at, size, memory, frames);
    arch::power::map(info.power, &mut map);
    arch::interrupts::init(info, &mut map);
    *clock = Clock::new(arch::timer::init(info));
    arch::interrupts::init_cpu(CpuId::BOOT);
    arch::timer::init_cpu();
}

/// Calls up one CPU and waits until it is there, but not for ever.
fn call_up(id: CpuId) {
    let mut kernel = kernel::lock();
    let called = kernel.call_up(id);
    let deadline = kernel.now().0 + PATIENCE.0;
    drop(kernel);
    if let Err(why) = called {
        return crate::warn!("CPU {} does not start: {why}", id.0);
    }
    // It arrives, or is given up, under the lock: never both.
    let arrived = loop {
        let mut kernel = kernel::lock();
        let late = kernel.now().0 >= deadline;
        let cpu = &mut kernel.cpus[id.index()];
        cpu.given_up = late && !cpu.online;
        if late || cpu.online {
            break cpu.online;
        }
        drop(kernel);
        arch::cpu::relax();
    };
    arch::cpu::stop_calling(arrived);
    if !arrived {
        crate::warn!("CPU {} does not come up; going on without it", id.0);
    }
}

/// Where a CPU that was called up arrives, on its own stack and the kernel's page tables.
#[unsafe(no_mangle)]
extern "C" fn secondary_entry(id: u64) -> ! {
    let id = CpuId(id as u8);
    arch::init_cpu(id);
    panic::now_doing(Doing::Boot);
    let mut kernel = kernel::lock();
    if kernel.cpus[id.index()].given_up {
        drop(kernel);
        arch::cpu::park();
    }
    arch::interrupts::init_cpu(id);
    arch::timer::init_cpu();
    kernel.cpus[id.index()].online = true;
    drop(kernel);
    OTHER.get().map_or_else(|| idle_entry(), |other| other())
}

/// Starts the first process, if there is one, and does what is to be done.
pub fn first() -> ! {
    let started = kernel::lock().start_first(CpuId::BOOT);
    if let Err(why) = started {
        crate::warn!("no first process: {why}");
    }
    idle_entry()
}

/// What a CPU does when it has nothing to do, on an empty stack: what is ready, what is to be taken apart,
/// and sleep from one interrupt to the next.
#[unsafe(no_mangle)]
pub extern "C" fn idle_entry() -> ! {
    panic::now_doing(Doing::Idle);
    let cpu = arch::cpu::current();
    loop {
        let mut kernel = kernel::lock();
        kernel.reap(cpu);
        if let Next::Run(thread) = kernel.pick(cpu) {
            panic::now_doing(Doing::User);
            kernel::run(kernel, thread)
        }
        let busy = kernel.has_work();
        drop(kernel);
        if busy {
            arch::cpu::interrupts_on();
            arch::cpu::interrupts_off();
        } else {
            arch::cpu::wait();
        }
    }
}
