//! Signals: who gets which, and what that does.
//!
//! * [`info`]: what a signal says of itself. [`queue`]: those that wait.
//! * [`action`]: what a process does with them. [`mask`]: what threads block, and waiting for the rest.
//! * [`send`]: sending. [`stop`]: stopping, going on, and the parents. [`fault`]: those of faults.
//! * [`deliver`]: giving them to threads. [`stack`], [`frame`]: what a handler finds.

pub mod action;
pub mod deliver;
pub mod fault;
pub mod frame;
pub mod info;
pub mod mask;
pub mod queue;
pub mod send;
pub mod stack;
pub mod stop;

pub use deliver::{Verdict, before_return, interrupts};
pub use fault::fault;
pub use info::{Info, child_code};
pub use mask::UNBLOCKABLE;
pub use send::{is_unwanted, send, send_to_process, send_to_task};
pub use stop::{child_changed, reaps_children};

use crate::errno::Result;
use crate::wait::{Wait, Waiters, Waiting};
use action::{Action, SIGNALS};
use alloc::boxed::Box;
use alloc::rc::Rc;
use core::cell::{Cell, RefCell};
use core::pin::Pin;
use core::task::{Context, Poll};
use fault::Circumstances;
use queue::Queue;
use stack::Stack;

/// What a process does with signals, and those that wait for any of its threads.
pub struct Signals {
    actions: RefCell<Rc<[Action; SIGNALS as usize]>>,
    /// Those that wait.
    pub queue: Queue,
    /// Who wants to know when one has come to wait, for the process or one of its threads.
    pub arrived: Waiters,
    /// The signal that is about to end the process.
    pub doomed: Cell<Option<u32>>,
}

impl Default for Signals {
    fn default() -> Signals {
        Signals {
            actions: RefCell::new(Rc::new([Action::default(); SIGNALS as usize])),
            queue: Queue::default(),
            arrived: Waiters::default(),
            doomed: Cell::default(),
        }
    }
}

/// Signals that wait for one thread, and those that it blocks.
#[derive(Default)]
pub struct Pending {
    /// A bit for each.
    pub blocked: Cell<u64>,
    /// What was blocked before a wait that blocks something else.
    pub saved: Cell<Option<u64>>,
    /// Those that wait.
    pub queue: Queue,
    /// Where its handlers run that wish another stack.
    pub stack: Cell<Stack>,
    /// Its last fault.
    pub fault: Cell<Circumstances>,
    /// It has made a call, or a fault, that is not answered yet.
    pub called: Cell<bool>,
    /// It is to be caught, and still ran: nanoseconds until it is looked at again, or 0.
    pub hunted: Cell<u64>,
}

impl Pending {
    /// Those of a new thread: what is blocked stays blocked.
    pub fn inherited(from: Option<&Pending>) -> Pending {
        let pending = Pending::default();
        if let Some(from) = from {
            pending.blocked.set(from.blocked.get());
            pending.stack.set(from.stack.get());
        }
        pending
    }
}

/// Waits until a stopped process goes on: until then nobody asks.
pub fn stopped(result: Result) -> Waiting {
    Box::pin(Stopped(result))
}

struct Stopped(Result);

impl Future for Stopped {
    type Output = Result;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result> {
        Poll::Ready(self.0)
    }
}

impl Wait for Stopped {
    fn interrupted(&self) -> Option<Result> {
        None
    }
}
