//! The kernel as a value: everything it knows is in [`Kernel`], and `&mut Kernel` is the proof that
//! the one lock is held. It answers a trap with what happens next, and never waits inside.

use crate::arch;
use crate::boot::{BootInfo, Options};
use crate::clock::Clock;
use crate::mm::Ram;
use crate::mm::page_table::MapError;
use crate::units::{Cause, CpuId, MAX_CPUS, Nanos, PhysAddr, VirtAddr};
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use spin::Once;
use spin::mutex::{SpinMutex, SpinMutexGuard};
use spin::relax::RelaxStrategy;

/// All state of the kernel.
pub struct Kernel {
    /// The machine.
    pub info: BootInfo,
    /// What the command line asks for.
    pub options: Options,
    /// The counter at the first instruction.
    pub entry_time: u64,
    /// Physical memory.
    pub ram: Ram,
    /// Time.
    pub clock: Clock,
    /// The CPUs that have arrived, and their timers.
    pub cpus: [Cpu; MAX_CPUS],
}

/// What the kernel knows of one CPU.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu {
    /// It has arrived.
    pub online: bool,
    /// Ticks it has had.
    pub ticks: u64,
    /// IPIs it has had.
    pub ipis: u64,
    /// When the next tick is due, once it ticks.
    next_tick: Option<Nanos>,
    /// A moment it wants to be told of, once.
    deadline: Option<Nanos>,
    /// Deadlines that have passed.
    pub deadlines_met: u64,
}

/// What a CPU does when the kernel has dealt with a trap.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Goes on with what was interrupted.
    Resume,
    /// Stops for good.
    Stop,
}

impl Kernel {
    /// The kernel, once memory is in order. The clock stands until it is given its frequency.
    pub fn new(info: BootInfo, options: Options, entry_time: u64, ram: Ram) -> Kernel {
        let clock = Clock::new(1);
        let cpus = [Cpu::default(); MAX_CPUS];
        Kernel { info, options, entry_time, ram, clock, cpus }
    }

    /// Deals with an interrupt.
    pub fn handle(&mut self, cpu: CpuId, cause: Cause) -> Next {
        match cause {
            Cause::Timer => self.timer(cpu),
            Cause::Ipi => self.cpus[cpu.index()].ipis += 1,
            Cause::Device(line) => crate::warn!("nobody serves interrupt {line}"),
            Cause::Spurious => {}
            Cause::Fault(_) | Cause::Exception(_) | Cause::Native | Cause::Foreign | Cause::Fpu => {
                return Next::Stop;
            }
        }
        Next::Resume
    }

    /// The moment it is.
    pub fn now(&self) -> Nanos {
        self.clock.nanos(arch::timer::now())
    }

    /// A window to a device's registers.
    pub fn map_device(&mut self, at: PhysAddr, size: u64) -> Option<VirtAddr> {
        let Ram { space, memory, frames, .. } = &mut self.ram;
        space.open_window(at, size, memory, frames)
    }

    /// Makes sure that the heap has room for `bytes` more.
    pub fn reserve_heap(&mut self, bytes: usize) -> Result<(), MapError> {
        let table = &mut self.ram.space.table;
        crate::mm::global::reserve(bytes, table, &mut self.ram.memory, &mut self.ram.frames)
    }

    /// Calls up a CPU, which arrives at `secondary_entry` some time later, if it does.
    pub fn call_up(&mut self, id: CpuId) -> Result<(), &'static str> {
        let info = self.info.cpus.get(id.index()).ok_or("there is no such CPU")?;
        let gate = self
            .ram
            .space
            .gate(id, &self.ram.memory)
            .ok_or("it has no stack, or was called before")?;
        gate.call_up(info)
    }

    /// Distance between two ticks.
    fn tick(&self) -> Nanos {
        Nanos(1_000_000_000 / self.options.hz)
    }

    /// Lets `cpu`, which must be the one we run on, tick from now on.
    pub fn start_ticking(&mut self, cpu: CpuId) {
        self.cpus[cpu.index()].next_tick = Some(Nanos(self.now().0 + self.tick().0));
        self.arm(cpu);
    }

    /// Has `cpu`, which must be the one we run on, told once when `moment` has come.
    pub fn set_deadline(&mut self, cpu: CpuId, moment: Nanos) {
        self.cpus[cpu.index()].deadline = Some(moment);
        self.arm(cpu);
    }

    /// Ticks are counted from where the last was due, not from when it was served: none is lost and
    /// the rate does not drift, however late one comes.
    fn timer(&mut self, cpu: CpuId) {
        let now = self.now();
        let tick = self.tick();
        let state = &mut self.cpus[cpu.index()];
        if let Some(due) = state.next_tick.filter(|&due| due <= now) {
            let missed = (now.0 - due.0) / tick.0;
            state.ticks += 1 + missed;
            state.next_tick = Some(Nanos(due.0 + (1 + missed) * tick.0));
        }
        if state.deadline.is_some_and(|deadline| deadline <= now) {
            state.deadline = None;
            state.deadlines_met += 1;
        }
        self.arm(cpu);
    }

    fn arm(&self, cpu: CpuId) {
        let state = &self.cpus[cpu.index()];
        match state.next_tick.into_iter().chain(state.deadline).min() {
            Some(moment) => arch::timer::arm(self.clock.ticks(moment)),
            None => arch::timer::disarm(),
        }
    }
}

/// The kernel, once boot has made it.
static KERNEL: Once<SpinMutex<Kernel, Attentive>> = Once::new();

/// A panic is under way: whoever asks for the lock stops instead.
static STOPPING: AtomicBool = AtomicBool::new(false);

/// A CPU that waits for the lock with interrupts off still serves what others need from it: TLB
/// shootdowns, and the end of the world.
pub struct Attentive;

impl RelaxStrategy for Attentive {
    fn relax() {
        if stopping() {
            arch::cpu::park();
        }
        arch::tlb::serve();
        arch::cpu::relax();
    }
}

/// The kernel, for as long as this lives.
pub type Guard = SpinMutexGuard<'static, Kernel, Attentive>;

/// Puts the finished value behind the lock.
pub fn install(kernel: Kernel) {
    KERNEL.call_once(|| SpinMutex::new(kernel));
}

/// Takes the lock. Interrupts must be off: the trap that one raises would wait for it for ever.
pub fn lock() -> Guard {
    if stopping() {
        arch::cpu::park();
    }
    KERNEL.get().expect("the kernel is used after it was made").lock()
}

/// Tells every CPU to stop when it next looks. True for the first to say so.
pub fn stop_all() -> bool {
    !STOPPING.swap(true, Relaxed)
}

/// Whether a panic is under way.
pub fn stopping() -> bool {
    STOPPING.load(Relaxed)
}
