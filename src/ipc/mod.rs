//! Messages between threads: sending, receiving, answering, signals.
//!
//! A message waits in its sender's registers until a receiver takes it: only what `Send` leaves in a
//! port's queue is ever stored. Its handles are taken from the sender when it is sent and belong to
//! nobody on the way.
//!
//! Queued messages come before threads that wait, and nobody can queue a message while somebody
//! waits: so what one sender sends arrives in order, and no flood of messages keeps a caller out.

mod fast;
mod lease;
mod receive;
mod reply;
mod send;
mod transfer;
mod wait;

pub use fast::Way;

use crate::abi::{Arrival, MESSAGE_WORDS};
use crate::kernel::Kernel;
use crate::mm::Id;
use crate::object::{Sort, Thread};

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

/// A message on its way.
#[derive(Clone, Copy, Debug)]
struct Letter {
    arrival: Arrival,
    info: u64,
    words: [u64; MESSAGE_WORDS],
    badge: u64,
    tag: u64,
}

impl Kernel {
    /// What a thread has to say that waits at a port.
    fn letter(&self, id: Id<Thread>, sort: Sort) -> Letter {
        let thread = &self.threads[id];
        let frame = &thread.context.frame;
        let (info, words) = match sort {
            Sort::Send | Sort::Call => {
                let [_, info, a, b, c, d, e, f] = *frame.args();
                (info, [a, b, c, d, e, f])
            }
            Sort::Foreign => (frame.number() & 0xffff_ffff, frame.foreign_arguments()),
            Sort::Fault => {
                let (kind, [a, b, c, d, e]) =
                    thread.fault.unwrap_or((crate::abi::FaultKind::Other, [0; 5]));
                (kind as u64, [a, b, c, d, e, 0])
            }
        };
        let (arrival, badge, tag) = (sort.arrival(), thread.badge, thread.tag);
        Letter { arrival, info, words, badge, tag }
    }

    /// Puts a message into its receiver's registers, and its handles into that one's process.
    fn put(&mut self, letter: Letter, to: Id<Thread>) {
        let Letter { arrival, info, mut words, badge, tag } = letter;
        if matches!(arrival, Arrival::Message | Arrival::Call) {
            self.attach(self.threads[to].process, info, &mut words);
        }
        let frame = &mut self.threads[to].context.frame;
        let [a, b, c, d, e, f] = words;
        *frame.args_mut() = [arrival as u64, info, a, b, c, d, e, f];
        frame.set_badge(badge, tag);
    }
}
