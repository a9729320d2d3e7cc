//! The only place that knows the instruction set. Three architectures, `aarch64`, `x86_64` and
//! `host` (simulated, for tests on the developer's machine), with the same files and the same
//! names; the rest of the kernel calls them through this module and never asks which one it has.
//!
//! | file | what it exports |
//! |---|---|
//! | `boot.rs`, `boot.S` | `Handoff`, `image()`, `symbols()`, `early_window()`, `init_cpu()` |
//! | `firmware.rs` | `early_console()`, `discover()`, `console()` |
//! | `cpu.rs` | `current()`, `start()`, `wait()`, `relax()`, `interrupts_on/off()`, `park()`, `features()` |
//! | `trap.rs`, `trap.S` | `TrapFrame`: `cause()`, `pc()`, `sp()`, `fp()`, `here()`, registers as text |
//! | `paging.rs` | `TABLE`, `leaf()`, `is_leaf()`: bits of an [`Entry`]; `ASIDS`, `activate()`, `enter()` |
//! | `tlb.rs` | `publish()`, `flush()`, `flush_space()`, `flush_all()`, `serve()` |
//! | `phys.rs` | `PhysMem`: `claim()`, `read()`, `write()`, `zero()`, `pointer()`; `Objects` |
//! | `interrupts.rs` | `init()`, `init_cpu()`, `enable()`, `end()`, `send_ipi()`, `stop_others()` |
//! | `timer.rs` | `NAME`, `init()`, `init_cpu()`, `now()`, `arm()`, `disarm()` |
//! | `power.rs` | `init()`, `map()`, `off()`, `exit()` |
//! | `probe.rs`, `probe.S` | `read()`, `write()`, `execute()`: accesses that may fault and say how; `recover()` |
//!
//! Each file is a public module (`arch::tlb::flush()`); its types are named here (`arch::Entry`).
//! A file that grows has the rest in a folder of its name (`interrupts/gic.rs`).
//!
//! Physical memory and page tables, in the exact words that `mm` uses:
//!
//! ```ignore
//! impl PhysMem {
//!     /// The one value of its kind, for the first who asks: the right to reach all RAM.
//!     pub fn claim() -> Option<PhysMem>;
//!     /// One entry of a table.
//!     pub unsafe fn read(&self, table: Frame, index: usize) -> u64;
//!     /// One store of 64 bits, seen by other CPUs after every earlier `zero`.
//!     pub unsafe fn write(&mut self, table: Frame, index: usize, bits: u64);
//!     pub unsafe fn zero(&mut self, frame: Frame);
//!     /// Where the kernel reaches a byte of RAM.
//!     pub fn pointer(&self, at: PhysAddr) -> NonNull<u8>;
//! }
//! /// How many values an `Asid` has, `Asid::KERNEL` included; at most 256.
//! pub const ASIDS: u16;
//! /// Entries that were empty and are no more are seen by every CPU that looks after this.
//! pub fn tlb::publish();
//! /// No CPU uses what was in the tables of `asid` for a few user pages once this returns, nor, if tables
//! /// went too, what it remembers of those.
//! pub fn tlb::flush(pages: Range<VirtAddr>, tables: bool, asid: Asid);
//! /// No CPU uses any old translation, of any address space, once this returns.
//! pub fn tlb::flush_all();
//! ```

use crate::abi::{MAP_EXECUTE, MAP_WRITE};
use crate::units::{Frame, PhysAddr};
use bitflags::bitflags;

#[cfg(all(target_os = "none", target_arch = "aarch64"))]
mod aarch64;
#[cfg(all(target_os = "none", target_arch = "aarch64"))]
pub use aarch64::*;

#[cfg(all(target_os = "none", target_arch = "x86_64"))]
mod x86_64;
#[cfg(all(target_os = "none", target_arch = "x86_64"))]
pub use x86_64::*;

#[cfg(target_os = "none")]
mod mapped;

#[cfg(not(target_os = "none"))]
mod host;
#[cfg(not(target_os = "none"))]
pub use host::*;

bitflags! {
    /// What a mapping allows. Reading is always allowed; `WRITE` and `EXECUTE` exclude each other.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct Access: u8 {
        /// Stores.
        const WRITE = MAP_WRITE as u8;
        /// Instruction fetches, by the kernel or by user code but never by both.
        const EXECUTE = MAP_EXECUTE as u8;
        /// User code may use it.
        const USER = 4;
        /// The same in every address space: kept in the TLB across switches.
        const GLOBAL = 8;
        /// Device registers: uncached, in order.
        const DEVICE = 16;
        /// The kernel does not reach the page, or not in this way, by its map of physical memory.
        const FAR = 32;
    }
}

/// One entry of a page table. All four levels have 512 of them; level 0 is the root, level 3 maps 4 KiB
/// pages, level 2 may map 2 MiB and level 1 1 GiB. `paging` says what bits it has besides these: bit 0
/// is set if anything is there, and the frame is where its address has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry(u64);

impl Entry {
    /// Nothing there.
    pub const EMPTY: Entry = Entry(0);
    const PRESENT: u64 = 1;
    const FRAME: u64 = 0x0000_ffff_ffff_f000;
    /// From this bit on a leaf has its access as it is. The CPU looks at none of them.
    const ACCESS: u32 = 55;

    /// The entry in memory that has these bits.
    pub fn from_bits(bits: u64) -> Entry {
        Entry(bits)
    }

    /// The bits to put into memory.
    pub fn bits(self) -> u64 {
        self.0
    }

    /// Points to the table of the next level.
    pub fn table(frame: Frame) -> Entry {
        Entry(frame.start().0 | Entry::PRESENT | paging::TABLE)
    }

    /// Maps a page at `level` (3, 2 or 1).
    #[inline(always)]
    pub fn leaf(frame: Frame, level: u8, access: Access) -> Entry {
        let kept = u64::from(access.bits()) << Entry::ACCESS;
        Entry(frame.start().0 | Entry::PRESENT | kept | paging::leaf(level, access))
    }

    /// Whether anything is there.
    pub fn is_present(self) -> bool {
        self.0 & Entry::PRESENT != 0
    }

    /// Whether a present entry at `level` maps a page rather than pointing to a table.
    pub fn is_leaf(self, level: u8) -> bool {
        paging::is_leaf(self.0, level)
    }

    /// The page or table it names.
    pub fn frame(self) -> Frame {
        PhysAddr(self.0 & Entry::FRAME).frame()
    }

    /// What a leaf allows.
    pub fn access(self) -> Access {
        Access::from_bits_truncate((self.0 >> Entry::ACCESS) as u8)
    }
}

/// How the machine stops, and the status an emulator hands to whoever started it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Exit {
    /// All is well.
    Success = 0,
    /// The kernel panicked.
    Panic = 3,
    /// The first process says that something failed.
    Failure = 1,
    /// The machine cannot be booted on: no memory, too little of it, nothing sensible to do.
    Refused = 4,
    /// The first process, on which all others depend, has ended against its will.
    Abandoned = 5,
}
