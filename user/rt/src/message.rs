//! What is sent and what arrives.

use crate::abi::{
    Arrival, FaultKind, Handle, Info, Lease, MESSAGE_HANDLES, MESSAGE_LEASES, MESSAGE_WORDS,
};
use arrayvec::ArrayVec;
use core::marker::PhantomData;

/// A message to be sent: a label, words, windows of memory that are lent, handles.
///
/// What does not fit is the sender's mistake, and panics.
#[derive(Clone, Debug, Default)]
pub struct Message<'a> {
    label: u32,
    words: ArrayVec<u64, MESSAGE_WORDS>,
    leases: ArrayVec<(u64, u64), MESSAGE_LEASES>,
    handles: ArrayVec<Handle, MESSAGE_HANDLES>,
    copied: bool,
    lent: PhantomData<&'a mut [u8]>,
}

impl<'a> Message<'a> {
    /// A message of nothing but a label.
    pub fn new(label: u32) -> Message<'a> {
        Message { label, ..Message::default() }
    }

    /// With these words, after those it has.
    pub fn words(mut self, words: &[u64]) -> Message<'a> {
        self.words.extend(words.iter().copied());
        self
    }

    /// With a handle, which leaves the sender when the message does.
    pub fn handle(mut self, handle: Handle) -> Message<'a> {
        self.handles.push(handle);
        self
    }

    /// The sender keeps the handles, the receiver gets others to the same objects.
    pub fn copied(mut self) -> Message<'a> {
        self.copied = true;
        self
    }

    /// With a window that the receiver may read until it answers.
    pub fn lend(mut self, bytes: &'a [u8]) -> Message<'a> {
        self.leases.push((bytes.as_ptr() as u64, bytes.len() as u64 | Lease::READ));
        self
    }

    /// With a window that the receiver may read and write until it answers.
    pub fn lend_mut(mut self, bytes: &'a mut [u8]) -> Message<'a> {
        let length = bytes.len() as u64 | Lease::READ | Lease::WRITE;
        self.leases.push((bytes.as_mut_ptr() as u64, length));
        self
    }

    /// As the kernel takes it.
    pub fn encode(&self) -> (Info, [u64; MESSAGE_WORDS]) {
        let (handles, leases) = (self.handles.len(), self.leases.len());
        let data = MESSAGE_WORDS - handles - 2 * leases;
        assert!(self.words.len() <= data, "a message is too long");
        let mut words = [0; MESSAGE_WORDS];
        words[..self.words.len()].copy_from_slice(&self.words);
        let lease_words = self.leases.iter().flat_map(|&(address, length)| [address, length]);
        let rest = lease_words.chain(self.handles.iter().copied());
        words[data..].iter_mut().zip(rest).for_each(|(word, value)| *word = value);
        let info = Info::new(self.label).with_leases(leases).with_handles(handles);
        (if self.copied { info.copied() } else { info }, words)
    }
}

/// The answer to a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer {
    /// Its head.
    pub info: Info,
    /// Its words, handles last.
    pub words: [u64; MESSAGE_WORDS],
}

impl Answer {
    /// The handles that came along; they are the caller's to close.
    pub fn handles(&self) -> &[Handle] {
        handles(self.info, &self.words)
    }
}

/// What was received.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Received {
    /// What it is.
    pub arrival: Arrival,
    /// Its head.
    pub info: Info,
    /// Its words, handles last.
    pub words: [u64; MESSAGE_WORDS],
    /// The badge of the handle that it was sent through.
    pub badge: u64,
    /// The tag of the thread that made the foreign call or fault.
    pub tag: u64,
}

impl Received {
    /// What it is about.
    pub fn label(&self) -> u32 {
        self.info.label()
    }

    /// The handles that came along; they are the receiver's to close.
    pub fn handles(&self) -> &[Handle] {
        handles(self.info, &self.words)
    }

    /// Closes them: for what was looked at, or nobody asked for.
    pub fn close_handles(&self) {
        for &handle in self.handles() {
            // The sender may have taken it away.
            let _ = crate::object::close(handle);
        }
    }

    /// The signals that were set, if it is signals that arrived.
    pub fn signals(&self) -> u64 {
        if self.arrival == Arrival::Signals { self.words[0] } else { 0 }
    }

    /// What stopped the thread, if it is a fault that arrived.
    pub fn fault(&self) -> Option<FaultKind> {
        const ALL: [FaultKind; 10] = [
            FaultKind::Unmapped,
            FaultKind::Permission,
            FaultKind::Alignment,
            FaultKind::Bus,
            FaultKind::Instruction,
            FaultKind::Arithmetic,
            FaultKind::Breakpoint,
            FaultKind::Step,
            FaultKind::Other,
            FaultKind::NoMemory,
        ];
        let is_fault = self.arrival == Arrival::Fault;
        ALL.into_iter().find(|&kind| is_fault && kind as u32 == self.label())
    }
}

fn handles(info: Info, words: &[u64; MESSAGE_WORDS]) -> &[Handle] {
    &words[MESSAGE_WORDS - info.handles().min(MESSAGE_WORDS)..]
}
