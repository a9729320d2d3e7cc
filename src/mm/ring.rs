//! The chunks that have free frames, in a ring: first those that are partly free, then those that
//! are wholly free. The links lie in the chunks, and a chunk that is none closes the ring: putting
//! in and taking out are a few moves, with no case to tell from another.
//!
//! Invariant: the two neighbours of a chunk in the ring name it.

use super::chunk::Chunk;
use core::ptr::NonNull;

/// The ring, by the chunk that closes it and has no frames.
#[derive(Debug)]
pub(super) struct Ring {
    head: NonNull<Chunk>,
}

/// A chunk's neighbours in the ring; they mean nothing while it is not in there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Links {
    next: NonNull<Chunk>,
    prev: NonNull<Chunk>,
}

impl Links {
    /// Of a chunk that is not in the ring.
    pub const NONE: Links = Links { next: NonNull::dangling(), prev: NonNull::dangling() };
}

impl Ring {
    /// An empty ring.
    ///
    /// # Safety
    /// `head` and every chunk that is ever put in stay valid for as long as the ring exists, and
    /// nobody holds a reference to a chunk while a method of the ring runs.
    pub unsafe fn new(head: NonNull<Chunk>) -> Ring {
        link(head, head);
        Ring { head }
    }

    /// The first chunk: partly free, if any is.
    pub fn first(&self) -> Option<NonNull<Chunk>> {
        self.unless_head(links(self.head).next)
    }

    /// The last chunk: wholly free, if any is.
    pub fn last(&self) -> Option<NonNull<Chunk>> {
        self.unless_head(links(self.head).prev)
    }

    /// The chunks, first to last.
    pub fn iter(&self) -> impl Iterator<Item = NonNull<Chunk>> {
        core::iter::successors(self.first(), |&chunk| self.unless_head(links(chunk).next))
    }

    /// Puts a chunk in before all others.
    pub fn push_first(&mut self, chunk: NonNull<Chunk>) {
        let next = links(self.head).next;
        link(self.head, chunk);
        link(chunk, next);
    }

    /// Puts a chunk in after all others.
    pub fn push_last(&mut self, chunk: NonNull<Chunk>) {
        let prev = links(self.head).prev;
        link(prev, chunk);
        link(chunk, self.head);
    }

    /// Takes out a chunk that is in the ring.
    pub fn remove(&mut self, chunk: NonNull<Chunk>) {
        let Links { next, prev } = links(chunk);
        link(prev, next);
    }

    fn unless_head(&self, chunk: NonNull<Chunk>) -> Option<NonNull<Chunk>> {
        (chunk != self.head).then_some(chunk)
    }
}

fn links(chunk: NonNull<Chunk>) -> Links {
    // SAFETY: a chunk of the ring, or one that is being put in: valid, as `Ring::new` was promised.
    unsafe { (*chunk.as_ptr()).links }
}

fn link(prev: NonNull<Chunk>, next: NonNull<Chunk>) {
    // SAFETY: as in `links`; no reference to either exists.
    unsafe {
        (*prev.as_ptr()).links.next = next;
        (*next.as_ptr()).links.prev = prev;
    }
}
