//! Messages between threads: sending, receiving, answering, signals.
//!
//! A message waits in its sender's registers until a receiver takes it: only what `Send` leaves in a
//! port's queue is ever stored. Its handles are taken from the sender when it is sent and belong to
//! nobody on the way.
//!
//! Queued messages come before threads that wait, and nobody can queue a message while somebody
//! waits: so what one sender sends arrives in order, and no flood of messages keeps a caller out.

mod fast;
mod receive;
mod reply;
mod send;
mod transfer;
mod wait;

pub use fast::Way;
pub use transfer::{DUPLICATE, RECEIVE, TRANSFER};

use crate::abi::Info;
use crate::kernel::Kernel;
use crate::mm::Id;
use crate::object::{Sort, Thread};
use crate::units::Result;

/// What a call of the kernel returns.
pub type Answer = Result<Outcome>;

/// How a call of the kernel ended.
#[must_use]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It did what was asked.
    Done,
    /// It did, and this is the first value.
    Value(u64),
    /// The thread waits, has ended, or has had its registers set already: they are left alone.
    Settled,
    /// A piece of it is done; the thread makes the call again with the registers as they are now.
    Again,
}

impl Kernel {
    /// Gives a receiver what a thread has to say, and its process the handles that come with it.
    #[inline(always)]
    fn deliver(&mut self, from: Id<Thread>, sort: Sort, to: Id<Thread>) {
        let Some((sender, receiver)) = self.threads.pair(from, to) else { return };
        let words = sender.message(sort);
        receiver.context.frame.set_words(sort as u64, words);
        receiver.context.frame.set_badge(sender.badge, sender.tag);
        if matches!(sort, Sort::Send | Sort::Call) {
            self.attach(to, Info(words[0]));
        }
    }
}
