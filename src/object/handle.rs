//! Handles: the only way in which a process names an object. All handles of all processes are in one
//! arena; each knows whose it is, so one that was guessed names nothing.

use super::{Interrupt, Port, Process, Thread, Timer};
use crate::abi::{
    InterruptRights, IoRights, Kind, MachineRights, MemoryRights, PortRights, ProcessRights,
    ReplyRights, ThreadRights, TimerRights,
};
use crate::mm::{Id, Memory};

/// A handle.
#[derive(Debug)]
pub struct Handle {
    /// Whose it is.
    pub owner: Owner,
    /// What kind of object it names.
    pub kind: Kind,
    /// What it allows, as bits of the kind's rights.
    pub rights: u8,
    /// Which object: its id as a word. For a reply, the thread that waits for it.
    pub object: u64,
    /// For a port the badge, for a reply which of the thread's calls, for I/O ports which ones.
    pub badge: u64,
    /// The handles before and after it in its owner's list.
    pub links: (Option<Id<Handle>>, Option<Id<Handle>>),
}

/// Whose a handle is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    /// A process's, and in its list.
    Process(Id<Process>),
    /// A message's, on its way.
    Message,
}

/// What a handle led to.
#[derive(Debug)]
pub struct Found<T> {
    /// The object.
    pub id: Id<T>,
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
    /// The kind.
    const KIND: Kind;
    /// The rights.
    type Rights: bitflags::Flags<Bits = u8>;
}

macro_rules! objects {
    ($($object:ty: $kind:ident, $rights:ty;)+) => {
        $(impl Object for $object {
            const KIND: Kind = Kind::$kind;
            type Rights = $rights;
        })+
    };
}

objects! {
    Process: Process, ProcessRights;
    Thread: Thread, ThreadRights;
    Port: Port, PortRights;
    Reply: Reply, ReplyRights;
    Memory: Memory, MemoryRights;
    Interrupt: Interrupt, InterruptRights;
    Timer: Timer, TimerRights;
    Machine: Machine, MachineRights;
    IoPorts: IoPorts, IoRights;
}
