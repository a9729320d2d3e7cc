//! What drivers of virtio devices share: how a device is spoken to, and the queue that is shared with it.
#![no_std]

extern crate alloc;

mod queue;
mod transport;

pub use queue::{OWN, Piece, Queue};
pub use transport::{Place, Transport, Trouble, open, within};
