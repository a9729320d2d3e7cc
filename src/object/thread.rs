//! Threads: registers, what they wait for, how they are scheduled.

use super::{Port, Process, Timer};
use crate::abi::{Arrival, FaultKind};
use crate::arch::Context;
use crate::arch::user::Fpu;
use crate::mm::asid::Seat;
use crate::mm::{Account, Id, Memory, Neighbours, Space};
use crate::units::CpuId;
use bitflags::bitflags;

/// A thread.
#[repr(C)]
pub struct Thread {
    /// Its registers while it does not run. The CPU saves them right here.
    pub context: Context,
    /// What it is doing.
    pub state: State,
    /// What keeps it off the short ways.
    pub flags: Flags,
    /// Its priority now, with what callers have donated.
    pub priority: u8,
    /// Its own priority.
    pub base: u8,
    /// The CPU it runs on, ran on last, or is queued on.
    pub cpu: CpuId,
    /// The CPUs it may run on, a bit each.
    pub affinity: u8,
    /// Before and after it in the queue it is in.
    pub links: Neighbours<Thread>,
    /// Where it lives.
    pub process: Id<Process>,
    /// Its process's address space.
    pub space: Id<Space>,
    /// What a CPU loads to run it.
    pub seat: Seat,
    /// The call it received last and has not answered.
    pub caller: Option<Caller>,
    /// Where that came from.
    pub serving: Option<Id<Port>>,
    /// Counts its calls, so that an answer to an earlier one is told apart.
    pub calls: u32,
    /// What receivers of its messages learn of it.
    pub tag: u64,
    /// The badge of the message it waits to send.
    pub badge: u64,
    /// Time it ran, in ticks of the counter.
    pub time: u64,
    /// How long it may run while others of its priority wait, in nanoseconds; zero: as long as it likes.
    pub slice: u64,
    /// What is left of a slice that was interrupted; zero if none was.
    pub left: u64,
    /// Its floating point registers, if it was created with them.
    pub fpu: Option<Id<Fpu>>,
    /// Rings when its deadline has passed.
    pub timer: Id<Timer>,
    /// Its last fault: the kind, the address, and the kind of access.
    pub fault: (FaultKind, u64, u64),
    /// How far a call has come that takes several pieces.
    pub progress: Option<Progress>,
    /// Handles to it.
    pub refs: u32,
    /// Before and after it in its process's list.
    pub siblings: Neighbours<Thread>,
    /// Who pays for it.
    pub account: Id<Account>,
}

/// How far a call has come that takes several pieces: what it makes is in no one's hands until it is done.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The registers it was made with: others make another call.
    pub args: [u64; 3],
    /// What it makes.
    pub made: Made,
    /// Where it goes on.
    pub at: u64,
}

/// What a call makes that takes several pieces.
#[derive(Clone, Copy, Debug)]
pub enum Made {
    /// A memory, that is referred to from here only.
    Memory(Id<Memory>),
    /// What is mapped in a process.
    Space(Id<Process>),
}

/// What a thread is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// It is in the queue of its CPU.
    Ready,
    /// Its CPU runs it.
    Running,
    /// It waits at a port for something to arrive.
    Receiving(Id<Port>),
    /// It waits at a port for its message to be taken.
    Sending(Id<Port>, Sort),
    /// Its message was taken, and it waits for the answer.
    Awaiting(Awaited),
    /// It waits for its deadline.
    Sleeping,
    /// It has not been started, or was suspended.
    Stopped,
    /// It will never run again.
    Ended,
}

/// What the answer a thread waits for is about, and who took its message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Awaited {
    /// How the answer is put into its registers.
    pub sort: Sort,
    /// The thread that took it: it inherits this one's priority. Its own thread if nobody owes it an
    /// answer, and whoever has a handle to it may give one.
    pub server: Id<Thread>,
}

/// How a message came to be, in the numbers of what it arrives as.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Sort {
    /// By `Send`.
    Send = Arrival::Message as u8,
    /// By `Call`.
    Call = Arrival::Call as u8,
    /// By a call meant for another system.
    Foreign = Arrival::Foreign as u8,
    /// By a fault.
    Fault = Arrival::Fault as u8,
}

/// Who waits for an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caller {
    /// The thread.
    pub thread: Id<Thread>,
    /// Which of its calls.
    pub call: u32,
}

bitflags! {
    /// What keeps a thread off the short ways. The fast path asks for none of them.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct Flags: u8 {
        /// It ends as soon as it leaves its CPU.
        const DOOMED = 1;
        /// It is kept from running.
        const SUSPENDED = 2;
        /// Its wait has a deadline.
        const TIMED = 4;
        /// It makes single steps.
        const STEPPING = 8;
        /// It runs as long as it likes: its slice is zero. Two such threads take the short ways.
        const COOPERATIVE = 16;
    }
}

impl Thread {
    /// Whether it may run on a CPU.
    #[inline(always)]
    pub fn may_run_on(&self, cpu: CpuId) -> bool {
        self.affinity >> (cpu.0 & 7) & 1 == 1
    }

    /// Whether no other CPU has stopped it, or sent it away from this one.
    #[inline(always)]
    pub fn may_go_on(&self, cpu: CpuId) -> bool {
        !self.flags.intersects(Flags::SUSPENDED | Flags::DOOMED) && self.may_run_on(cpu)
    }

    /// What it has to say.
    #[inline(always)]
    pub fn message(&self, sort: Sort) -> [u64; 7] {
        let frame = &self.context.frame;
        match sort {
            Sort::Send | Sort::Call => {
                let [_, words @ ..] = *frame.args();
                words
            }
            Sort::Foreign => {
                let [a, b, c, d, e, f] = frame.foreign_arguments();
                [frame.number() & 0xffff_ffff, a, b, c, d, e, f]
            }
            Sort::Fault => {
                let (kind, address, access) = self.fault;
                [kind as u64, address, access, frame.pc().0, frame.sp().0, frame.code(), 0]
            }
        }
    }
}

impl State {
    /// The port in whose queue it is.
    pub fn port(self) -> Option<Id<Port>> {
        match self {
            State::Receiving(port) | State::Sending(port, _) => Some(port),
            _ => None,
        }
    }
}
