//! The kernel as a value: everything it knows is in [`Kernel`], and `&mut Kernel` is the proof that
//! the one lock is held. What it does is in the modules above; it never waits inside.

use crate::abi::{Error, Kind, PortRights};
use crate::arch;
use crate::arch::user::Fpu;
use crate::boot::{BootInfo, Options};
use crate::clock::Clock;
use crate::mm::page_table::MapError;
use crate::mm::tree::Tree;
use crate::mm::window::Window;
use crate::mm::{Arena, Id, Ram, Space, Vm};
use crate::object::{
    Found, Handle, Interrupt, Life, Message, Object, Owner, Port, Process, Queue, Thread, Timer,
};
use crate::units::{CpuId, MAX_CPUS, Nanos, PhysAddr, VirtAddr};
use bitflags::Flags;
use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{
    AtomicBool, AtomicU8,
    Ordering::{Acquire, Relaxed, Release},
};

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
    /// Address spaces and what is in them, and who pays.
    pub vm: Vm,
    /// Time.
    pub clock: Clock,
    /// The CPUs that have arrived, and what they do.
    pub cpus: [Cpu; MAX_CPUS],
    /// Handles of all processes.
    pub handles: Arena<Handle>,
    /// Processes.
    pub processes: Arena<Process>,
    /// Threads.
    pub threads: Arena<Thread>,
    /// Floating point registers of the threads that have some.
    pub fpus: Arena<Fpu>,
    /// Ports.
    pub ports: Arena<Port>,
    /// Messages in the queues of ports.
    pub messages: Arena<Message>,
    /// Timers.
    pub timers: Arena<Timer>,
    /// Interrupts.
    pub interrupts: Arena<Interrupt>,
    /// What is being taken apart.
    pub dying: Dying,
    /// CPUs that have nothing to do, a bit each: at least those.
    pub resting: u8,
    /// Calls and answers take the short way where it is open: always, but for tests that compare.
    pub fast_path: bool,
}

/// What is being taken apart, in bounded pieces.
#[derive(Default)]
pub struct Dying {
    /// Processes, the first of a list.
    pub process: Option<Id<Process>>,
    /// Ports, likewise.
    pub port: Option<Id<Port>>,
    /// Handles that were on their way to nobody.
    pub handle: Option<Id<Handle>>,
}

/// What the kernel knows of one CPU.
pub struct Cpu {
    /// It has arrived.
    pub online: bool,
    /// IPIs it has had.
    pub ipis: u64,
    /// Timer interrupts it has had.
    pub rings: u64,
    /// The thread it runs.
    pub current: Option<Id<Thread>>,
    /// The threads that wait to run here.
    pub queue: Queue,
    /// The counter when it began to run the current thread.
    pub since: u64,
    /// When the slice of the current thread is over.
    pub slice_end: Nanos,
    /// The timers it keeps.
    pub timers: Tree<Timer>,
    /// When the first of them rings; the end of time if there is none.
    pub first_timer: Nanos,
    /// What its hardware timer is set to.
    pub armed: Option<Nanos>,
    /// The address space that is loaded.
    pub space: Option<Id<Space>>,
    /// The thread whose floating point registers it holds.
    pub fpu: Option<Id<Thread>>,
    /// User code may use them now.
    pub fpu_on: bool,
}

/// What a CPU does when the kernel has dealt with a trap.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// Goes on with what was interrupted in the kernel.
    Resume,
    /// Runs its current thread.
    Run(Id<Thread>),
    /// Has nothing to do.
    Idle,
    /// Stops for good.
    Stop,
}

impl Kernel {
    /// The kernel, once memory is in order. The clock stands until it is given its frequency.
    pub fn new(info: BootInfo, options: Options, entry_time: u64, ram: Ram) -> Kernel {
        Kernel {
            info,
            options,
            entry_time,
            ram,
            vm: Vm::new(),
            clock: Clock::new(1),
            cpus: [const { Cpu::new() }; MAX_CPUS],
            handles: Arena::new(Window::new(4)),
            processes: Arena::new(Window::new(5)),
            threads: Arena::new(Window::new(6)),
            fpus: Arena::new(Window::new(7)),
            ports: Arena::new(Window::new(8)),
            messages: Arena::new(Window::new(9)),
            timers: Arena::new(Window::new(10)),
            interrupts: Arena::new(Window::new(11)),
            dying: Dying::default(),
            resting: 0,
            fast_path: true,
        }
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
        let Ram { space, memory, frames, .. } = &mut self.ram;
        crate::mm::global::reserve(bytes, &mut space.table, memory, frames)
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
}

impl Kernel {
    /// Whether anything is being taken apart.
    #[inline(always)]
    pub fn has_work(&self) -> bool {
        let Dying { process, port, handle } = &self.dying;
        process.is_some() || port.is_some() || handle.is_some() || self.vm.has_dying()
    }

    /// Finds what a handle of a process names, if it is of this kind and has these rights.
    #[inline(always)]
    pub fn find<T: Object>(
        &self,
        process: Id<Process>,
        word: u64,
        needed: impl Into<Option<T::Rights>>,
    ) -> Result<Found<T>, Error> {
        let id = Id::from_bits(word).ok_or(Error::BadHandle)?;
        let handle: &Handle = self.handles.get(id).ok_or(Error::BadHandle)?;
        if handle.owner != Owner::Process(process) {
            return Err(Error::BadHandle);
        }
        if handle.kind != T::KIND {
            return Err(Error::WrongKind);
        }
        let needed = needed.into().map_or(0, |rights: T::Rights| rights.bits());
        if handle.rights & needed != needed {
            return Err(Error::NoRight);
        }
        let id = Id::from_bits(handle.object).ok_or(Error::BadHandle)?;
        Ok(Found { id, rights: handle.rights, badge: handle.badge })
    }

    /// A handle has come to be: what it names has one more reference.
    pub fn retain(&mut self, id: Id<Handle>) {
        let Handle { kind, rights, object, .. } = self.handles[id];
        match kind {
            Kind::Process => {
                let id = Id::from_bits(object);
                id.and_then(|id| self.processes.get_mut(id)).expect(NAMED).refs += 1;
            }
            Kind::Thread => {
                let id = Id::from_bits(object);
                id.and_then(|id| self.threads.get_mut(id)).expect(NAMED).refs += 1;
            }
            Kind::Port => {
                let id = Id::from_bits(object);
                let port = id.and_then(|id| self.ports.get_mut(id)).expect(NAMED);
                port.refs += 1;
                port.receivers += u32::from(rights & PortRights::RECEIVE.bits() != 0);
            }
            Kind::Memory => self.vm.retain(Id::from_bits(object).expect(NAMED)),
            Kind::Timer => {
                let id = Id::from_bits(object);
                id.and_then(|id| self.timers.get_mut(id)).expect(NAMED).refs += 1;
            }
            Kind::Interrupt => {
                let id = Id::from_bits(object);
                id.and_then(|id| self.interrupts.get_mut(id)).expect(NAMED).refs += 1;
            }
            Kind::Reply | Kind::Machine | Kind::IoPorts => {}
        }
    }

    /// A process is over: from here on it is taken apart. It keeps the first code.
    pub fn end_process(&mut self, id: Id<Process>, code: u64) {
        let process = &mut self.processes[id];
        if process.life == Life::Alive {
            process.life = Life::Ending;
            process.code = code;
            process.next_dying = self.dying.process.replace(id);
        }
    }
}

/// What a handle names exists for as long as the handle.
const NAMED: &str = "a handle names what there is";

impl Cpu {
    const fn new() -> Cpu {
        Cpu {
            online: false,
            ipis: 0,
            rings: 0,
            current: None,
            queue: Queue::new(),
            since: 0,
            slice_end: Nanos(0),
            timers: Tree::EMPTY,
            first_timer: Nanos(u64::MAX),
            armed: None,
            space: None,
            fpu: None,
            fpu_on: false,
        }
    }
}

/// The one lock, and what it guards.
struct Lock {
    /// `FREE`, or not: someone has it, there is no kernel yet, or there never will be one again.
    state: AtomicU8,
    kernel: UnsafeCell<MaybeUninit<Kernel>>,
}

const TAKEN: u8 = 0;
const FREE: u8 = 1;

// SAFETY: whoever sets `state` from `FREE` to `TAKEN` is the only one who touches the kernel until it is
// `FREE` again; and it is first `FREE` when the kernel has been written.
unsafe impl Sync for Lock {}

static LOCK: Lock =
    Lock { state: AtomicU8::new(TAKEN), kernel: UnsafeCell::new(MaybeUninit::uninit()) };

/// A panic is under way: whoever waits for the lock stops instead.
static STOPPING: AtomicBool = AtomicBool::new(false);

/// The kernel, for as long as this lives.
pub struct Guard(());

impl Deref for Guard {
    type Target = Kernel;

    #[inline(always)]
    fn deref(&self) -> &Kernel {
        // SAFETY: this CPU has the lock, and the kernel was written before anyone could take it.
        unsafe { (*LOCK.kernel.get()).assume_init_ref() }
    }
}

impl DerefMut for Guard {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut Kernel {
        // SAFETY: as in `deref`; borrowed together with the guard.
        unsafe { (*LOCK.kernel.get()).assume_init_mut() }
    }
}

impl Drop for Guard {
    #[inline(always)]
    fn drop(&mut self) {
        #[cfg(feature = "lock-stats")]
        hold::end();
        LOCK.state.store(FREE, Release);
    }
}

/// Puts the finished value behind the lock, once.
pub fn install(kernel: Kernel) {
    static INSTALLED: AtomicBool = AtomicBool::new(false);
    assert!(!INSTALLED.swap(true, Relaxed), "there is one kernel");
    // SAFETY: the lock is not free before the next line, and nobody else comes here.
    unsafe { (*LOCK.kernel.get()).write(kernel) };
    LOCK.state.store(FREE, Release);
}

/// Takes the lock. Interrupts must be off: the trap that one raises would wait for it for ever. A CPU
/// that waits still serves what others need from it: TLB shootdowns, and the end of the world.
pub fn lock() -> Guard {
    loop {
        if stopping() {
            arch::cpu::park();
        }
        if let Some(guard) = try_lock() {
            return guard;
        }
        arch::tlb::serve();
        arch::cpu::relax();
    }
}

/// Takes the lock, unless someone has it.
#[inline(always)]
pub fn try_lock() -> Option<Guard> {
    LOCK.state.compare_exchange(FREE, TAKEN, Acquire, Relaxed).ok()?;
    #[cfg(feature = "lock-stats")]
    hold::begin();
    Some(Guard(()))
}

/// How long the lock is held at most, from the first trap of user code on. Only who has the lock
/// writes here.
#[cfg(feature = "lock-stats")]
pub mod hold {
    use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

    static SINCE: AtomicU64 = AtomicU64::new(0);
    /// What is being done, as `Kernel::long_way` numbers it.
    pub static DOING: AtomicU64 = AtomicU64::new(0);
    /// The longest time, in ticks of the counter.
    pub static LONGEST: AtomicU64 = AtomicU64::new(0);
    /// What was done then.
    pub static WORST: AtomicU64 = AtomicU64::new(0);

    pub(super) fn begin() {
        SINCE.store(crate::arch::timer::now(), Relaxed);
    }

    pub(super) fn end() {
        let held = crate::arch::timer::now() - SINCE.load(Relaxed);
        let doing = DOING.load(Relaxed);
        if doing != 0 && held > LONGEST.load(Relaxed) {
            LONGEST.store(held, Relaxed);
            WORST.store(doing, Relaxed);
        }
    }
}

/// Gives up the lock, and goes on with the current thread of this CPU.
pub fn run(mut kernel: Guard, thread: Id<Thread>) -> ! {
    let frame = &raw mut kernel.threads[thread].context.frame;
    drop(kernel);
    // SAFETY: a thread that runs stays where it is, and its registers are its CPU's.
    unsafe { arch::user::resume(frame) }
}

/// Tells every CPU to stop when it next looks. True for the first to say so.
pub fn stop_all() -> bool {
    !STOPPING.swap(true, Relaxed)
}

/// Whether a panic is under way.
pub fn stopping() -> bool {
    STOPPING.load(Relaxed)
}
