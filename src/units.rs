//! The words the whole kernel speaks in: addresses, frames, CPU numbers, time, and the causes of a
//! trap. Newtypes, so that a physical address is never taken for a virtual one.

use crate::abi::{Error, FaultKind};
use core::fmt;
use core::ops::Range;

/// Bytes in a page, and in the frame that backs it.
pub const PAGE_SIZE: u64 = 4096;
/// Bytes in a large page: what one entry of a level-2 table maps.
pub const LARGE_PAGE_SIZE: u64 = 2 << 20;
/// CPUs the kernel can use; further ones are counted in the log and left alone.
pub const MAX_CPUS: usize = 8;

/// What comes of what a process asks for.
pub type Result<T = (), E = Error> = core::result::Result<T, E>;

/// An address on the memory bus.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct PhysAddr(pub u64);

/// An address as the CPU issues it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct VirtAddr(pub u64);

/// A physical page, by number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[repr(transparent)]
pub struct Frame(pub u64);

/// A CPU, numbered from zero in the order firmware lists them; the boot CPU is always zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[repr(transparent)]
pub struct CpuId(pub u8);

/// What TLB entries of one address space are tagged with: ASID on AArch64, PCID on x86-64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[repr(transparent)]
pub struct Asid(pub u16);

/// What the kernel does once it has booted: `main` of the shipped kernel, or of the tests'.
pub type Main = extern "C" fn() -> !;

/// A moment on the monotonic clock, or a distance between two, in nanoseconds. 64 bits last 584 years.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[repr(transparent)]
pub struct Nanos(pub u64);

impl PhysAddr {
    /// The frame this address lies in.
    pub const fn frame(self) -> Frame {
        Frame(self.0 / PAGE_SIZE)
    }
}

impl Frame {
    /// Where the frame begins.
    pub const fn start(self) -> PhysAddr {
        PhysAddr(self.0 * PAGE_SIZE)
    }
}

impl Asid {
    /// What runs without an address space of its own has this one.
    pub const KERNEL: Asid = Asid(0);
}

impl CpuId {
    /// The CPU that booted.
    pub const BOOT: CpuId = CpuId(0);

    /// As an array index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The frames that lie wholly inside a range of bytes: what can be handed out.
pub fn frames_inside(range: &Range<PhysAddr>) -> Range<Frame> {
    let start = range.start.0.div_ceil(PAGE_SIZE);
    Frame(start)..Frame((range.end.0 / PAGE_SIZE).max(start))
}

/// The frames that a range of bytes touches: what must be kept back.
pub fn frames_touching(range: &Range<PhysAddr>) -> Range<Frame> {
    Frame(range.start.0 / PAGE_SIZE)..Frame(range.end.0.div_ceil(PAGE_SIZE))
}

/// The kernel's own image, as it was loaded. Every border lies between two pages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Image {
    /// Where the first byte was loaded; the rest follows it.
    pub loaded: PhysAddr,
    /// All of it.
    pub all: Range<VirtAddr>,
    /// Code.
    pub text: Range<VirtAddr>,
    /// What never changes.
    pub rodata: Range<VirtAddr>,
    /// What does, zeroed at boot or not.
    pub data: Range<VirtAddr>,
}

impl Image {
    /// Where a part of the image lies in physical memory.
    pub fn physical(&self, part: &Range<VirtAddr>) -> Range<PhysAddr> {
        let at = |virt: VirtAddr| PhysAddr(self.loaded.0 + (virt.0 - self.all.start.0));
        at(part.start)..at(part.end)
    }
}

impl fmt::Debug for PhysAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::Debug for VirtAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// Why a CPU left what it was doing, decoded by `arch` from its syndrome registers or error code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// The timer's deadline has passed.
    Timer,
    /// Another CPU wants something; `arch` has already done what concerns only the machine (TLB).
    Ipi,
    /// A device's line.
    Device(u32),
    /// An interrupt that was gone when asked for.
    Spurious,
    /// A native call.
    Native,
    /// A call meant for another system.
    Foreign,
    /// User code used floating point while it was off.
    Fpu,
    /// Memory refused an access.
    Fault(Fault),
    /// Anything else the CPU could not or would not execute.
    Exception(Exception),
}

impl Cause {
    /// Whether it came from outside, and not from what was being executed.
    pub const fn is_interrupt(self) -> bool {
        matches!(self, Cause::Timer | Cause::Ipi | Cause::Device(_) | Cause::Spurious)
    }
}

/// A refused memory access.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// The address that was accessed.
    pub address: VirtAddr,
    /// What was tried.
    pub access: Access,
    /// Why it was refused.
    pub reason: FaultReason,
}

/// The kind of a memory access.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// A load.
    Read,
    /// A store.
    Write,
    /// An instruction fetch.
    Execute,
}

impl Access {
    /// As a report says it.
    pub const fn text(self) -> &'static str {
        match self {
            Access::Read => "read",
            Access::Write => "write",
            Access::Execute => "execution",
        }
    }
}

/// Why memory refused an access.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultReason {
    /// Nothing is mapped there, as the table of that level says.
    Unmapped {
        /// Level of the table whose entry was empty, 0 the root; `None` where the CPU does not tell.
        level: Option<u8>,
    },
    /// Something is mapped, but not for this access.
    Permission,
    /// The address does not suit the size of the access.
    Alignment,
    /// The address cannot be one, the bus answered with an error, or a table is malformed.
    Other(&'static str),
}

/// An exception that is not about memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exception {
    /// Its name, as a person would say it: "divide error", "undefined instruction".
    pub name: &'static str,
    /// What user code is told of it.
    pub kind: FaultKind,
    /// The syndrome as AArch64 gives it; on x86-64 the vector in the upper half, and the error code.
    pub code: u64,
}
