//! Tags for address spaces, so that a switch from one to another need not flush the TLB. There are
//! fewer tags than there may be address spaces: when they run out all are forgotten at once, with
//! one flush, and a new generation begins.
//!
//! Invariant: two address spaces with tags of the current generation have different ones, and an
//! address space has the same tag on all CPUs that run it, whenever they began to.

use crate::arch;
use crate::units::{Asid, Frame, MAX_CPUS};

/// Values that are kept apart at most.
const MAX: usize = 256;

/// What an address space remembers: its tag, and the generation it is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tag {
    /// What the CPU loads together with the table.
    pub asid: Asid,
    /// Zero before the first use: there is no such generation.
    generation: u64,
}

/// Gives out tags.
#[derive(Debug)]
pub struct Asids {
    /// Tags the CPU has; zero is the kernel's.
    count: usize,
    generation: u64,
    used: [u64; MAX / 64],
    /// Where the search for a free tag goes on.
    next: usize,
    /// What each CPU ran when this generation began: an address space that has this tag keeps it.
    kept: [Tag; MAX_CPUS],
}

/// What a CPU loads to run an address space, as long as the tag in it is of the current generation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Seat {
    /// The root of the table and the tag, as the CPU wants them.
    pub word: u64,
    generation: u64,
}

impl Seat {
    /// Of the address space with this table, whose tag is current.
    pub fn new(root: Frame, tag: Tag) -> Seat {
        Seat { word: arch::user::seat(root, tag.asid), generation: tag.generation }
    }
}

impl Asids {
    /// For a CPU with `count` tags ([`ASIDS`](crate::arch::paging::ASIDS)); there have to be more
    /// than CPUs.
    pub const fn new(count: u16) -> Asids {
        assert!(count as usize > MAX_CPUS + 1 && count as usize <= MAX);
        Asids {
            count: count as usize,
            generation: 1,
            used: [1, 0, 0, 0],
            next: 1,
            kept: [Tag { asid: Asid::KERNEL, generation: 0 }; MAX_CPUS],
        }
    }

    /// Whether this can still be loaded.
    #[inline(always)]
    pub fn is_current(&self, seat: Seat) -> bool {
        seat.generation == self.generation
    }

    /// A CPU is about to run the address space that has `tag`. `running` are the tags of what the
    /// others run, as they are now. True if a generation has begun: `tlb::flush_all` first, on all CPUs.
    #[must_use]
    pub fn switch(&mut self, tag: &mut Tag, running: &[Tag; MAX_CPUS]) -> bool {
        let begins = self.current(*tag).is_none() && self.find().is_none();
        if begins {
            self.begin_generation(running);
        }
        // What other CPUs run may include this very address space.
        if self.current(*tag).is_none() {
            let asid = self.find().expect("more tags than CPUs");
            self.used[asid / 64] |= 1 << (asid % 64);
            self.next = asid + 1;
            tag.asid = Asid(asid as u16);
        }
        tag.generation = self.generation;
        begins
    }

    /// The tag under which TLBs may remember something of an address space.
    pub fn current(&self, tag: Tag) -> Option<Asid> {
        let kept = || tag.generation != 0 && self.kept.contains(&tag);
        (tag.generation == self.generation || kept()).then_some(tag.asid)
    }

    /// Forgets all tags but those that other CPUs run with.
    fn begin_generation(&mut self, running: &[Tag; MAX_CPUS]) {
        self.generation += 1;
        self.kept = *running;
        self.used = [1, 0, 0, 0];
        for tag in &self.kept {
            let asid = tag.asid.0 as usize;
            self.used[asid / 64] |= 1 << (asid % 64);
        }
        self.next = 1;
    }

    /// The next tag nobody has. Tags are not given back one by one, so the search only ever goes up.
    fn find(&self) -> Option<usize> {
        (self.next..self.count).find(|at| self.used[at / 64] >> (at % 64) & 1 == 0)
    }
}
