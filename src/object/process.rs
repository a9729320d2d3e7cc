//! Processes: an address space, handles, a quota.

use super::{Handle, Handler, Notice, Thread};
use crate::mm::{Account, Id, Space};

/// A process.
pub struct Process {
    /// What is mapped.
    pub space: Id<Space>,
    /// What it may use, and whose what it makes is.
    pub account: Id<Account>,
    /// Its creator's account, which pays for the process itself.
    pub payer: Id<Account>,
    /// Its handles.
    pub handles: Option<Id<Handle>>,
    /// Its threads.
    pub threads: Option<Id<Thread>>,
    /// How many they are.
    pub thread_count: u32,
    /// Where its foreign calls and faults go.
    pub handler: Option<Handler>,
    /// Who is told when it ends.
    pub watch: Option<Notice>,
    /// A clone is being made in it, and nothing else is mapped until that is done.
    pub cloning: bool,
    /// Whether it lives.
    pub life: Life,
    /// What it ended with.
    pub code: u64,
    /// Time its ended threads ran, in ticks.
    pub time: u64,
    /// The highest priority its threads may have.
    pub ceiling: u8,
    /// Handles to it.
    pub refs: u32,
    /// The next process that is being taken apart.
    pub next_dying: Option<Id<Process>>,
}

/// Whether a process lives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Life {
    /// It does.
    Alive,
    /// It is being taken apart.
    Ending,
    /// Nothing is left but this.
    Ended,
}
