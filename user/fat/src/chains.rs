//! Chains of clusters that were walked, so that none is walked again from its beginning.

use crate::Fat;
use crate::table::Next;
use alloc::vec::Vec;
use files::{Failure, Result};
use volume::Disk;

/// Chains that are remembered, and pieces of one.
const CHAINS: usize = 16;
const PIECES: usize = 2048;

/// Clusters side by side: which one of the chain the first is, where it is, and how many there are.
#[derive(Clone, Copy, Debug)]
struct Piece {
    index: u32,
    first: u32,
    count: u32,
}

/// A chain as far as it is known: pieces without gaps.
#[derive(Clone, Debug)]
struct Chain {
    head: u32,
    pieces: Vec<Piece>,
    used: u64,
    /// How often the walk came to a cluster alone, and one of those, ever further along: if that comes
    /// again it is in a loop.
    turns: u32,
    mark: u32,
    loops: bool,
}

/// Those that are remembered.
#[derive(Default, Debug)]
pub struct Chains {
    all: Vec<Chain>,
    clock: u64,
}

impl Chains {
    /// Forgets all.
    pub fn clear(&mut self) {
        self.all.clear();
    }

    /// Forgets the chain that begins with a cluster.
    pub fn forget(&mut self, head: u32) {
        self.all.retain(|chain| chain.head != head);
    }

    /// The chain that begins with a cluster, in the list.
    fn of(&mut self, head: u32) -> usize {
        self.clock += 1;
        let known = self.all.iter().position(|chain| chain.head == head);
        let nth = known.unwrap_or_else(|| {
            if self.all.len() == CHAINS {
                let oldest = (0..CHAINS).min_by_key(|&nth| self.all[nth].used).unwrap_or(0);
                self.all.swap_remove(oldest);
            }
            let pieces = Vec::from([Piece { index: 0, first: head, count: 1 }]);
            self.all.push(Chain { head, pieces, used: 0, turns: 0, mark: head, loops: false });
            self.all.len() - 1
        });
        self.all[nth].used = self.clock;
        nth
    }
}

impl Chain {
    /// The cluster of an index and how many follow it side by side, if it is known.
    fn known(&self, index: u32) -> Option<(u32, u32)> {
        let after = self.pieces.partition_point(|piece| piece.index <= index);
        let piece = self.pieces.get(after.checked_sub(1)?)?;
        let within = index - piece.index;
        (within < piece.count).then(|| (piece.first + within, piece.count - within))
    }

    /// The last cluster that is known, and its index.
    fn last(&self) -> (u32, u32) {
        let piece = self.pieces.last().copied();
        let piece = piece.unwrap_or(Piece { index: 0, first: self.head, count: 1 });
        (piece.first + piece.count - 1, piece.index + piece.count - 1)
    }

    /// So many more are known, side by side with the last.
    fn lengthen(&mut self, count: u32) {
        if let Some(piece) = self.pieces.last_mut() {
            piece.count += count;
        }
    }

    /// One more cluster is known.
    fn push(&mut self, cluster: u32) {
        let (last, index) = self.last();
        self.loops |= cluster == self.mark;
        self.turns += 1;
        if self.turns.is_power_of_two() {
            self.mark = cluster;
        }
        match self.pieces.last_mut() {
            Some(piece) if cluster == last + 1 => piece.count += 1,
            _ => {
                if self.pieces.len() == PIECES {
                    // Its beginning must be walked again, should anybody go back there.
                    self.pieces.drain(..PIECES / 2);
                }
                self.pieces.push(Piece { index: index + 1, first: cluster, count: 1 });
            }
        }
    }
}

impl<D: Disk> Fat<D> {
    /// The cluster of an index in the chain that begins with a cluster, and how many follow it side by
    /// side, up to what is wanted; nothing if the chain is not so long.
    pub(crate) fn follow(
        &mut self,
        head: u32,
        index: u32,
        wanted: u32,
    ) -> Result<Option<(u32, u32)>> {
        if !self.shape.has(head) || index > self.shape.last {
            return Err(Failure::Broken);
        }
        let nth = self.chains.of(head);
        let before = |piece: &Piece| piece.index > index;
        if self.chains.all[nth].pieces.first().is_some_and(before) {
            self.chains.all[nth].pieces = Vec::from([Piece { index: 0, first: head, count: 1 }]);
        }
        let (mut last, at) = self.chains.all[nth].last();
        for _ in at..index {
            if self.chains.all[nth].loops {
                return Err(Failure::Broken);
            }
            match self.next(last)? {
                Next::To(next) => last = next,
                Next::Last => return Ok(None),
                Next::Free | Next::Bad => return Err(Failure::Broken),
            }
            self.chains.all[nth].push(last);
        }
        let (first, mut count) = self.chains.all[nth].known(index).ok_or(Failure::Broken)?;
        // Only the piece that came last may go on.
        while count < wanted && first + count - 1 == last && !self.chains.all[nth].loops {
            let beside = self.followers(last, wanted - count)?;
            if beside > 0 {
                self.chains.all[nth].lengthen(beside);
                (count, last) = (count + beside, last + beside);
                continue;
            }
            let Next::To(next) = self.next(last)? else { break };
            self.chains.all[nth].push(next);
            count += u32::from(next == last + 1);
            last = next;
        }
        Ok(Some((first, count.min(wanted.max(1)))))
    }

    /// How many clusters a chain has, and the last of them.
    pub(crate) fn length(&mut self, head: u32) -> Result<(u32, u32)> {
        if !self.shape.has(head) {
            return Err(Failure::Broken);
        }
        let nth = self.chains.of(head);
        let (mut last, mut index) = self.chains.all[nth].last();
        while let Some((cluster, count)) = self.follow(head, index, u32::MAX)? {
            (index, last) = (index + count, cluster + count - 1);
        }
        Ok((index, last))
    }
}
