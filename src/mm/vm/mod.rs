//! Virtual memory of processes: who pays ([`Account`]), pages ([`Memory`]), where they are mapped
//! ([`Region`]) and for whom ([`Space`]).
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
mod space;

pub use account::{Account, MAX_DEPTH};
pub use space::Space;

use super::asid::Asids;
use super::window::Window;
use super::{Arena, Id, Ram};
use crate::abi::{Error, FaultKind};
use crate::arch::paging::ASIDS;
use crate::units::{Access, PhysAddr};

/// Pages, wherever they are mapped.
pub struct Memory {}

/// Pages of a memory in an address space.
pub struct Region {}

/// All address spaces and what they map.
pub struct Vm {
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
}

impl Vm {
    /// Nothing yet. Takes the first four windows.
    #[expect(clippy::new_without_default, reason = "there is one, and its windows are its own")]
    pub fn new() -> Vm {
        Vm {
            spaces: Arena::new(Window::new(0)),
            memories: Arena::new(Window::new(1)),
            regions: Arena::new(Window::new(2)),
            accounts: Arena::new(Window::new(3)),
            asids: Asids::new(ASIDS),
        }
    }
}

type Bytes = (Id<Space>, u64);

#[expect(missing_docs, unused_variables, clippy::too_many_arguments, reason = "a skeleton")]
impl Vm {
    pub fn space_destroy(&mut self, ram: &mut Ram, space: Id<Space>) -> bool {
        unimplemented!()
    }
    pub fn space_empty(&self, space: Id<Space>) -> bool {
        unimplemented!()
    }
    pub fn memory_create(
        &mut self,
        ram: &mut Ram,
        account: Id<Account>,
        pages: u64,
    ) -> Result<Id<Memory>, Error> {
        unimplemented!()
    }
    pub fn memory_contiguous(
        &mut self,
        ram: &mut Ram,
        account: Id<Account>,
        pages: u64,
    ) -> Result<(Id<Memory>, PhysAddr), Error> {
        unimplemented!()
    }
    pub fn memory_window(
        &mut self,
        ram: &mut Ram,
        account: Id<Account>,
        at: PhysAddr,
        pages: u64,
        device: bool,
    ) -> Result<Id<Memory>, Error> {
        unimplemented!()
    }
    /// The clone, and the page at which to go on with `memory_clone_more`, if it is not complete.
    pub fn memory_clone(
        &mut self,
        ram: &mut Ram,
        account: Id<Account>,
        from: Id<Memory>,
        first: u64,
        pages: u64,
    ) -> Result<(Id<Memory>, Option<u64>), Error> {
        unimplemented!()
    }
    /// Another piece of a clone: `first` as given to `memory_clone`, `at` as it was told.
    pub fn memory_clone_more(
        &mut self,
        ram: &mut Ram,
        to: Id<Memory>,
        from: Id<Memory>,
        first: u64,
        at: u64,
    ) -> Result<Option<u64>, Error> {
        unimplemented!()
    }
    pub fn memory_resize(
        &mut self,
        ram: &mut Ram,
        memory: Id<Memory>,
        pages: u64,
    ) -> Result<bool, Error> {
        unimplemented!()
    }
    pub fn memory_info(&self, memory: Id<Memory>) -> (u64, u64, u64) {
        unimplemented!()
    }
    pub fn retain(&mut self, memory: Id<Memory>) {
        unimplemented!()
    }
    /// True: the last reference. It is then in the list of `next_dying` as well.
    pub fn release(&mut self, memory: Id<Memory>) -> bool {
        unimplemented!()
    }
    pub fn memory_destroy(&mut self, ram: &mut Ram, memory: Id<Memory>) -> bool {
        unimplemented!()
    }
    /// A memory nobody refers to; the same one again until `memory_destroy` has said that it is gone.
    pub fn has_dying(&self) -> bool {
        unimplemented!()
    }
    pub fn next_dying(&mut self) -> Option<Id<Memory>> {
        unimplemented!()
    }
    pub fn map(
        &mut self,
        ram: &mut Ram,
        space: Id<Space>,
        memory: Id<Memory>,
        at: u64,
        first: u64,
        pages: u64,
        access: u64,
        ceiling: u64,
    ) -> Result<(), Error> {
        unimplemented!()
    }
    pub fn unmap(
        &mut self,
        ram: &mut Ram,
        space: Id<Space>,
        at: u64,
        pages: u64,
    ) -> Result<u64, Error> {
        unimplemented!()
    }
    pub fn protect(
        &mut self,
        ram: &mut Ram,
        space: Id<Space>,
        at: u64,
        pages: u64,
        access: u64,
    ) -> Result<u64, Error> {
        unimplemented!()
    }
    pub fn fault(
        &mut self,
        ram: &mut Ram,
        space: Id<Space>,
        address: u64,
        access: Access,
    ) -> Result<(), FaultKind> {
        unimplemented!()
    }
    pub fn space_clone(
        &mut self,
        ram: &mut Ram,
        to: Id<Space>,
        from: Id<Space>,
        cursor: u64,
    ) -> Result<Option<u64>, Error> {
        unimplemented!()
    }
    pub fn copy(
        &mut self,
        ram: &mut Ram,
        from: Bytes,
        to: Bytes,
        bytes: u64,
    ) -> Result<u64, Error> {
        unimplemented!()
    }
    pub fn read_space(
        &mut self,
        ram: &mut Ram,
        space: Id<Space>,
        at: u64,
        into: &mut [u8],
    ) -> Result<(), Error> {
        unimplemented!()
    }
    pub fn write_space(
        &mut self,
        ram: &mut Ram,
        space: Id<Space>,
        at: u64,
        from: &[u8],
    ) -> Result<(), Error> {
        unimplemented!()
    }
    /// For `MemoryWrite`.
    pub fn memory_copy_in(
        &mut self,
        ram: &mut Ram,
        memory: Id<Memory>,
        offset: u64,
        from: Bytes,
        bytes: u64,
    ) -> Result<u64, Error> {
        unimplemented!()
    }
    /// For `MemoryRead`.
    pub fn memory_copy_out(
        &mut self,
        ram: &mut Ram,
        memory: Id<Memory>,
        offset: u64,
        to: Bytes,
        bytes: u64,
    ) -> Result<u64, Error> {
        unimplemented!()
    }
    pub fn memory_fill(
        &mut self,
        ram: &mut Ram,
        memory: Id<Memory>,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), Error> {
        unimplemented!()
    }
    pub fn translation(&self, ram: &Ram, space: Id<Space>, at: u64) -> [u64; 4] {
        unimplemented!()
    }
    pub fn check(&self, ram: &Ram) -> Result<(), &'static str> {
        unimplemented!()
    }
}
