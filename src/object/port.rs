//! Ports: where messages arrive.

use super::{Queue, Thread};
use crate::abi::MESSAGE_WORDS;
use crate::mm::{Account, Id};

/// A port.
pub struct Port {
    /// The threads that wait here.
    pub queue: Queue,
    /// What they wait for.
    pub waiting: Waiting,
    /// Signals nobody has received yet.
    pub signals: u64,
    /// Messages in the queue, the first and the last of them.
    pub messages: u32,
    /// The oldest and the newest.
    pub ends: Option<(Id<Message>, Id<Message>)>,
    /// Messages the queue has room for.
    pub capacity: u32,
    /// The thread that received here last: whoever waits lends it priority.
    pub server: Option<Id<Thread>>,
    /// Handles that may receive; with the last of them the port ends.
    pub receivers: u32,
    /// Handles to it.
    pub refs: u32,
    /// Who pays for it.
    pub account: Id<Account>,
    /// Nobody can receive any more, and nothing is left in it.
    pub is_empty: bool,
    /// The next port that is being taken apart.
    pub next_dying: Option<Id<Port>>,
}

impl Port {
    /// Nobody can receive from it any more.
    pub fn is_gone(&self) -> bool {
        self.receivers == 0
    }
}

/// What the threads in a port's queue wait for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waiting {
    /// For something to arrive, or there are none.
    Receivers,
    /// For their message to be taken.
    Senders,
    /// For nothing: nobody can receive from the port any more.
    Gone,
}

/// A message in a queue.
#[derive(Debug)]
pub struct Message {
    /// Its head, and its words.
    pub words: [u64; 1 + MESSAGE_WORDS],
    /// The badge of the handle it was sent by.
    pub badge: u64,
    /// The sender's tag.
    pub tag: u64,
    /// The one after it.
    pub next: Option<Id<Message>>,
}

/// Where the foreign calls and faults of a process go.
#[derive(Clone, Copy, Debug)]
pub struct Handler {
    /// The port.
    pub port: Id<Port>,
    /// What it knows the process by.
    pub badge: u64,
}
