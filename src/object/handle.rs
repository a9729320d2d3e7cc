//! Handles: the only way in which a process names an object. All handles of all processes are in one
//! arena; each knows whose it is, so one that was guessed names nothing.

use super::{Interrupt, Port, Process, Thread, Timer};
use crate::abi::{
    Error, InterruptRights, IoRights, Kind, MachineRights, MemoryRights, PortRights, ProcessRights,
    ReplyRights, ThreadRights, TimerRights,
};
use crate::mm::{Id, Memory, Neighbours};
use crate::units::Result;

/// A handle.
#[derive(Debug)]
pub struct Handle {
    /// Whose it is and in whose list; nobody's while it is on its way in a message.
    pub owner: Option<Id<Process>>,
    /// What it names.
    pub named: Named,
    /// For a port the badge, for a reply which of the thread's calls, for I/O ports which ones.
    pub badge: u64,
    /// The handles before and after it in its owner's list.
    pub links: Neighbours<Handle>,
    /// What it allows, as bits of the kind's rights.
    pub rights: u8,
}

/// What a handle names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Named {
    /// A process.
    Process(Id<Process>),
    /// A thread.
    Thread(Id<Thread>),
    /// A port.
    Port(Id<Port>),
    /// The answer that this thread waits for.
    Reply(Id<Thread>),
    /// Memory.
    Memory(Id<Memory>),
    /// An interrupt.
    Interrupt(Id<Interrupt>),
    /// A timer.
    Timer(Id<Timer>),
    /// The machine.
    Machine,
    /// I/O ports.
    IoPorts,
}

impl Named {
    /// What tells the object from others of its kind.
    pub fn object(self) -> u64 {
        match self {
            Named::Process(id) => id.to_bits(),
            Named::Thread(id) | Named::Reply(id) => id.to_bits(),
            Named::Port(id) => id.to_bits(),
            Named::Memory(id) => id.to_bits(),
            Named::Interrupt(id) => id.to_bits(),
            Named::Timer(id) => id.to_bits(),
            Named::Machine | Named::IoPorts => 0,
        }
    }
}

/// What a handle led to.
#[derive(Debug)]
pub struct Found<T: Object> {
    /// The handle itself.
    pub handle: Id<Handle>,
    /// The object.
    pub id: T::Name,
    /// What the handle allows, as bits.
    pub rights: u8,
    /// The handle's badge.
    pub badge: u64,
}

/// The duty to answer a call.
pub struct Reply;

/// The machine.
pub struct Machine;

/// I/O ports.
pub struct IoPorts;

/// A kind of object and the rights that go with it, so that a check for the wrong pair is not even a
/// program.
pub trait Object {
    /// What one of them is named by.
    type Name: Copy;
    /// The rights.
    type Rights: bitflags::Flags<Bits = u8>;

    /// The one that a handle names, if it is of this kind.
    fn of(named: Named) -> Result<Self::Name>;
}

macro_rules! objects {
    ($($object:ident, named by $name:ty: $pattern:pat => $value:expr, $rights:ty;)+) => {
        $(impl Object for $object {
            type Name = $name;
            type Rights = $rights;

            #[inline(always)]
            fn of(named: Named) -> Result<$name> {
                if let $pattern = named { Ok($value) } else { Err(Error::WrongKind) }
            }
        })+

        impl Named {
            /// The kind.
            pub fn kind(self) -> Kind {
                match self {
                    $(Named::$object { .. } => Kind::$object,)+
                }
            }
        }
    };
}

objects! {
    Process, named by Id<Process>: Named::Process(id) => id, ProcessRights;
    Thread, named by Id<Thread>: Named::Thread(id) => id, ThreadRights;
    Port, named by Id<Port>: Named::Port(id) => id, PortRights;
    Reply, named by Id<Thread>: Named::Reply(id) => id, ReplyRights;
    Memory, named by Id<Memory>: Named::Memory(id) => id, MemoryRights;
    Interrupt, named by Id<Interrupt>: Named::Interrupt(id) => id, InterruptRights;
    Timer, named by Id<Timer>: Named::Timer(id) => id, TimerRights;
    Machine, named by (): Named::Machine => (), MachineRights;
    IoPorts, named by (): Named::IoPorts => (), IoRights;
}
