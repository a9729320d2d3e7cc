//! What sets signals by itself: timers and interrupts.

use super::{Port, Thread};
use crate::mm::tree::{Key, Links, Node};
use crate::mm::{Account, Id};
use crate::units::{CpuId, Nanos};

/// Signals to be set at a port. If the port is gone by then nothing happens.
#[derive(Clone, Copy, Debug)]
pub struct Notice {
    /// Where.
    pub port: Id<Port>,
    /// Which.
    pub bits: u64,
}

/// A deadline. While it is set it is in the tree of one CPU, whose hardware timer rings for it.
pub struct Timer {
    /// When.
    pub when: Nanos,
    /// Tells apart timers of the same moment.
    pub number: u32,
    /// Whose tree it is in.
    pub cpu: Option<CpuId>,
    /// Who is told.
    pub target: Target,
    /// Handles to it.
    pub refs: u32,
    /// Who pays for it.
    pub account: Id<Account>,
    /// Its place in the tree.
    pub links: Links<Timer>,
}

/// Who is told when a timer rings.
#[derive(Clone, Copy, Debug)]
pub enum Target {
    /// A thread, whose wait ends.
    Thread(Id<Thread>),
    /// A port, by signals.
    Port(Notice),
}

impl Node for Timer {
    fn key(&self) -> Key {
        (self.when.0, self.number)
    }

    fn links(&self) -> &Links<Timer> {
        &self.links
    }

    fn links_mut(&mut self) -> &mut Links<Timer> {
        &mut self.links
    }
}

/// A line of the interrupt controller.
pub struct Interrupt {
    /// Its number there.
    pub line: u32,
    /// What it signals.
    pub notice: Notice,
    /// It has been signalled and not acknowledged: the line is masked.
    pub pending: bool,
    /// Handles to it.
    pub refs: u32,
    /// Who pays for it.
    pub account: Id<Account>,
}
