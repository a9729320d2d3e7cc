//! The process at the other end.

use crate::meter::Real;
use crate::{PRIORITY, ipc, traps};
use rt::abi::{EXIT_FAULT, FOREVER};
use rt::loader::Child;
use rt::thread::SLICE;
use rt::{Object, Port};

/// Answers every call with as many words.
pub const ECHO: u64 = 1;
/// Answers every call with the handle that came along.
pub const BOUNCE: u64 = 2;
/// Reads what every call lends.
pub const READ: u64 = 3;
/// Answers every signal with a signal.
pub const SIGNAL: u64 = 4;
/// Does nothing but fault.
pub const FAULT: u64 = 5;
/// Does nothing but foreign calls.
pub const FOREIGN: u64 = 6;

/// What the figures need.
pub struct Bench<'a> {
    /// This program.
    pub file: &'a [u8],
}

/// Plays a role, until it is ended.
pub fn act(role: u64, word: u64) -> ! {
    match role {
        ECHO => ipc::echo::<Real>(word, u64::MAX),
        BOUNCE => ipc::bounce::<Real>(word, u64::MAX),
        READ => ipc::read::<Real>(word, u64::MAX),
        // Two handles in one word would not fit: the second comes as a message.
        SIGNAL => ipc::answer_signals(word),
        FAULT => traps::fault_for_ever(),
        FOREIGN => traps::call_for_ever(),
        _ => {}
    }
    rt::exit(2)
}

impl Bench<'_> {
    /// A process in a role, which is given a handle.
    pub fn partner(&self, role: u64, object: impl Object) -> Child {
        let child = self.load();
        let word = child.give(object).expect("room for a handle");
        let child = child.with_words([role, word]);
        child.start().expect("a start");
        child
    }

    /// A process in a role, whose faults and foreign calls arrive at a port.
    pub fn subject(&self, role: u64, handler: &Port) -> Child {
        let child = self.load().with_words([role, 0]);
        child.process.set_handler(Some(handler)).expect("a handler");
        child.start().expect("a start");
        child
    }

    fn load(&self) -> Child {
        let child = Child::load(self.file, 4 << 20, PRIORITY).expect("a process");
        child.thread.schedule(PRIORITY, SLICE, rt::abi::ANY_CPU).expect("its priority");
        child
    }
}

/// Ends a process, and waits until it has.
pub fn end(child: Child) {
    child.process.kill(EXIT_FAULT).expect("its end");
    child.wait(FOREVER).expect("its end");
}
