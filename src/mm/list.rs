//! Lists of chunks, doubly linked by index. The links lie in the chunks: a list needs no memory,
//! and putting in and taking out cost the same however long it is.
//!
//! Invariant: a chunk is in one list at most, and the two neighbours of a link name each other.

use super::chunk::Chunk;

const NONE: u32 = u32::MAX;

/// A list, by its first chunk.
#[derive(Debug)]
pub(super) struct List {
    first: u32,
}

/// A chunk's neighbours in the list it is in.
#[derive(Debug)]
pub(super) struct Links {
    next: u32,
    prev: u32,
}

impl Links {
    /// Of a chunk in no list.
    pub const NONE: Links = Links { next: NONE, prev: NONE };
}

impl List {
    pub const EMPTY: List = List { first: NONE };

    pub fn first(&self) -> Option<usize> {
        (self.first != NONE).then_some(self.first as usize)
    }

    /// The chunks, first to last.
    pub fn iter(&self, chunks: &[Chunk]) -> impl Iterator<Item = usize> {
        let some = |index: u32| (index != NONE).then_some(index as usize);
        core::iter::successors(some(self.first), move |&at| some(chunks[at].links.next))
    }

    /// Puts a chunk that is in no list before all others.
    pub fn push(&mut self, chunks: &mut [Chunk], index: usize) {
        let next = self.first;
        chunks[index].links = Links { next, prev: NONE };
        if next != NONE {
            chunks[next as usize].links.prev = index as u32;
        }
        self.first = index as u32;
    }

    /// Takes out a chunk that is in this list.
    pub fn remove(&mut self, chunks: &mut [Chunk], index: usize) {
        let Links { next, prev } = chunks[index].links;
        if next != NONE {
            chunks[next as usize].links.prev = prev;
        }
        if prev != NONE {
            chunks[prev as usize].links.next = next;
        } else {
            self.first = next;
        }
    }
}
