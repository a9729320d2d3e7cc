//! The kernel as a value: everything it knows is in [`Kernel`], and `&mut Kernel` is the proof that
//! the one lock ([`lock`](mod@lock)) is held. What it does is in the modules above; it never waits inside.

mod lock;

pub use lock::{Guard, install, lock, run, stop_all, stopping, try_lock};

use crate::abi::Error;
use crate::arch;
use crate::arch::user::Fpu;
use crate::boot::{BootInfo, Options};
use crate::clock::Clock;
use crate::mm::tree::Tree;
use crate::mm::{Arena, Id, Ram, Space, Vm};
use crate::object::{
    Found, Handle, Interrupt, Life, Message, Named, Object, Port, Process, Queue, Thread, Timer,
};
use crate::units::{CpuId, MAX_CPUS, Nanos, Result};
use bitflags::Flags;
use core::mem::offset_of;
use core::ptr::NonNull;

/// All state of the kernel; first what calls and answers need.
#[repr(C)]
pub struct Kernel {
    /// Threads.
    pub threads: Arena<Thread>,
    /// Handles of all processes.
    pub handles: Arena<Handle>,
    /// Ports.
    pub ports: Arena<Port>,
    /// Processes.
    pub processes: Arena<Process>,
    /// Physical memory, address spaces and what is in them, and who pays.
    pub vm: Vm,
    /// The CPUs that have arrived, and what they do.
    pub cpus: [Cpu; MAX_CPUS],
    /// The machine.
    pub info: BootInfo,
    /// What the command line asks for.
    pub options: Options,
    /// The counter at the first instruction.
    pub entry_time: u64,
    /// Time.
    pub clock: Clock,
    /// Floating point registers of the threads that have some.
    pub fpus: Arena<Fpu>,
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

/// What the kernel knows of one CPU. Its size is a power of two, so that it is found by a shift.
#[repr(C, align(1024))]
pub struct Cpu {
    /// The thread it runs.
    pub current: Option<Id<Thread>>,
    /// The counter when it began to run the current thread.
    pub since: u64,
    /// The address space that is loaded.
    pub space: Option<Id<Space>>,
    /// The thread whose floating point registers it holds.
    pub fpu: Option<Id<Thread>>,
    /// User code may use them now.
    pub fpu_on: bool,
    /// It has arrived.
    pub online: bool,
    /// It has not for so long that it is to stop when it does.
    pub given_up: bool,
    /// IPIs it has had.
    pub ipis: u64,
    /// Timer interrupts it has had.
    pub rings: u64,
    /// The threads that wait to run here.
    pub queue: Queue,
    /// When the slice of the current thread is over.
    pub slice_end: Nanos,
    /// When the first that waits to run here has waited for long.
    pub help: Nanos,
    /// The timers it keeps.
    pub timers: Tree<Timer>,
    /// When the first of them rings; the end of time if there is none.
    pub first_timer: Nanos,
    /// What its hardware timer is set to; the end of time if to nothing.
    pub armed: Nanos,
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
            vm: Vm::new(ram),
            clock: Clock::new(1),
            cpus: [const { Cpu::new() }; MAX_CPUS],
            handles: Arena::new(4),
            processes: Arena::new(5),
            threads: Arena::new(6),
            fpus: Arena::new(7),
            ports: Arena::new(8),
            messages: Arena::new(9),
            timers: Arena::new(10),
            interrupts: Arena::new(11),
            dying: Dying::default(),
            resting: 0,
        }
    }

    /// The moment it is.
    pub fn now(&self) -> Nanos {
        self.clock.nanos(arch::timer::now())
    }

    /// Calls up a CPU, which arrives at `secondary_entry` some time later, if it does.
    pub fn call_up(&mut self, id: CpuId) -> Result<(), &'static str> {
        let info = self.info.cpus.get(id.index()).ok_or("there is no such CPU")?;
        let Ram { space, memory, frames, .. } = &mut self.vm.ram;
        let gate = space.gate(id, memory, frames).map_err(|_| "it has no stacks")?;
        gate.call_up(info)
    }

    /// Whether anything is being taken apart.
    #[inline(always)]
    pub fn has_work(&self) -> bool {
        let Dying { process, port, handle } = &self.dying;
        process.is_some() || port.is_some() || handle.is_some() || self.vm.has_dying()
    }

    /// A handle of a process.
    #[inline(always)]
    pub fn owned(&self, process: Id<Process>, word: u64) -> Result<(Id<Handle>, &Handle)> {
        let found = self.handles.named(word).filter(|(_, handle)| process.is(handle.owner));
        found.ok_or(Error::BadHandle)
    }

    /// Finds what a handle of a process names, if it is of this kind and has these rights.
    #[inline(always)]
    pub fn find<T: Object>(
        &self,
        process: Id<Process>,
        word: u64,
        needed: T::Rights,
    ) -> Result<Found<T>> {
        let (handle, &Handle { named, rights, badge, .. }) = self.owned(process, word)?;
        let id = T::of(named)?;
        if rights & needed.bits() != needed.bits() {
            return Err(Error::NoRight);
        }
        Ok(Found { handle, id, rights, badge })
    }

    /// How many handles there are to an object, if that is counted here.
    pub fn refs(&mut self, named: Named) -> Option<&mut u32> {
        match named {
            Named::Process(id) => Some(&mut self.processes[id].refs),
            Named::Thread(id) => Some(&mut self.threads[id].refs),
            Named::Port(id) => Some(&mut self.ports[id].refs),
            Named::Timer(id) => Some(&mut self.timers[id].refs),
            Named::Interrupt(id) => Some(&mut self.interrupts[id].refs),
            Named::Memory(_) | Named::Reply(_) | Named::Machine | Named::IoPorts => None,
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

impl Cpu {
    /// Whether the turn of a thread of this priority ends in time for those that wait, whom it does not
    /// keep waiting now: nobody more urgent, and its hardware timer rings for the others.
    #[inline(always)]
    pub fn bounds_turn(&self, priority: u8, resting: u8) -> bool {
        let help = if resting == 0 { self.slice_end } else { self.help };
        !self.queue.has_above(priority) && self.armed <= self.slice_end.min(help)
    }

    const fn new() -> Cpu {
        Cpu {
            online: false,
            given_up: false,
            ipis: 0,
            rings: 0,
            current: None,
            queue: Queue::EMPTY,
            since: 0,
            slice_end: Nanos(0),
            help: Nanos(u64::MAX),
            timers: Tree::EMPTY,
            first_timer: Nanos(u64::MAX),
            armed: Nanos(u64::MAX),
            space: None,
            fpu: None,
            fpu_on: false,
        }
    }
}

/// The thread that this CPU runs. It is what the CPU has for it: a pointer to where a trap saves its
/// registers, which is where the thread begins.
#[repr(transparent)]
pub struct Current(NonNull<Thread>);

const _: () = assert!(offset_of!(Thread, context) == 0);

impl Current {
    /// The thread, which is the current one of its CPU.
    #[inline(always)]
    pub fn of(thread: &mut Thread) -> Current {
        Current(NonNull::from(thread))
    }

    /// The thread.
    #[inline(always)]
    pub fn thread(&mut self) -> &mut Thread {
        // SAFETY: a thread that runs is there, and stays where it is. Its registers are its CPU's alone;
        // all else is for whoever has the lock, and who has it here looks for other threads only.
        unsafe { self.0.as_mut() }
    }

    /// Goes on with it.
    #[inline(always)]
    pub fn resume(mut self) -> ! {
        // SAFETY: it has arrived on this CPU, and its registers are its CPU's.
        unsafe { arch::user::resume(&raw mut self.thread().context.frame) }
    }
}
