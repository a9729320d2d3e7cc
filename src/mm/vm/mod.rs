//! Virtual memory of processes, and the RAM it is made of: who pays ([`Account`]), pages ([`Memory`]), where
//! they are mapped ([`Region`]) and for whom ([`Space`]).
//!
//! Every page belongs to a `Memory`; page tables are a cache of what regions say, filled by faults,
//! and hold no references. A frame may be held by several memories until one of them writes
//! (`owners.rs` counts them), and each of them pays for it.
//!
//! Invariant: an entry of a page table that maps page `p` of a region names the frame that the
//! region's memory has there, and allows writing only if the region does and that frame has one
//! owner. There are tables only where there are regions. What is charged to an account is what its
//! objects, pages and tables take.
//!
//! Whatever takes time works in bounded pieces, and is called again until it is done.

mod account;
// Looks whether all this holds; the tests ask it to.
#[cfg(not(target_os = "none"))]
#[path = "../../../tests/kernel/vm_check.rs"]
mod check;
mod clone;
mod copy;
mod fault;
mod index;
mod memory;
mod region;
mod space;
mod tables;

pub use account::{Account, MAX_DEPTH};
pub use copy::Place;
pub use memory::{MAX_CONTIGUOUS, MAX_MAPPINGS, MAX_PAGES, Memory};
pub use region::Region;
pub use space::Space;

use super::asid::Asids;
use super::{Arena, Id, Ram};
use crate::arch::paging::ASIDS;

/// Entries that one piece of work looks at, or other work that takes as long.
const FUEL: u64 = 1024;

/// All address spaces and what they map.
pub struct Vm {
    /// Physical memory.
    pub ram: Ram,
    /// Address spaces.
    pub spaces: Arena<Space>,
    /// Pages.
    pub memories: Arena<Memory>,
    /// Where they are mapped.
    pub regions: Arena<Region>,
    /// Who pays.
    pub accounts: Arena<Account>,
    /// Tags of address spaces.
    pub asids: Asids,
    /// The first of the memories that nothing refers to.
    dying: Option<Id<Memory>>,
}

impl Vm {
    /// Nothing yet. Takes the first four windows.
    pub fn new(ram: Ram) -> Vm {
        Vm {
            ram,
            spaces: Arena::new(0),
            memories: Arena::new(1),
            regions: Arena::new(2),
            accounts: Arena::new(3),
            asids: Asids::new(ASIDS),
            dying: None,
        }
    }
}
