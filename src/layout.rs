//! Where the kernel's address space has what: the same on every architecture, so that an address in
//! a report means the same everywhere. Below `arch`, which reaches physical memory through it, and
//! below `mm`, which builds it. User code has the lower half, the kernel the upper.

use crate::units::{CpuId, LARGE_PAGE_SIZE, MAX_CPUS, VirtAddr};
use core::ops::Range;

/// All RAM, writable, never executable, in the largest pages that fit: address = this + physical.
pub const PHYS_MAP: u64 = 0xffff_8000_0000_0000;
/// Bytes of physical addresses the map has room for.
pub const PHYS_MAP_SIZE: u64 = 1 << 46;
/// The kernel's image, in small pages.
pub const IMAGE_BASE: u64 = 0xffff_ffff_8000_0000;
/// The CPUs' stacks, each at the top of a slot whose lower part is never mapped.
pub const STACKS: u64 = 0xffff_ffff_a000_0000;
/// Windows to device registers.
pub const DEVICES: Range<u64> = 0xffff_ffff_c000_0000..0xffff_ffff_e000_0000;

/// Where objects live: a window for each kind.
pub const ARENAS: u64 = 0xffff_ffff_e000_0000;
/// Bytes of each window.
pub const ARENA_SIZE: u64 = 32 << 20;

/// Distance from one stack's top to the next one's.
pub const STACK_SLOT: u64 = 32 << 10;
/// The largest stack: the lower half of every slot stays unmapped, so that one bit of a stack pointer
/// tells whether it is still inside.
pub const MAX_STACK: u64 = STACK_SLOT / 2;
/// Stacks a CPU may have: the usual one, and those for what must not trust it.
pub const STACKS_PER_CPU: usize = 4;

/// Where the `nth` stack of `cpu` begins, growing downwards. The zeroth is the usual one.
pub const fn stack_top(cpu: CpuId, nth: usize) -> VirtAddr {
    assert!(cpu.index() < MAX_CPUS && nth < STACKS_PER_CPU);
    let slot = cpu.index() * STACKS_PER_CPU + nth;
    VirtAddr(STACKS + (slot as u64 + 1) * STACK_SLOT)
}

/// The stack whose slot holds `at`: an access below what is mapped of it is an overflow.
pub const fn stack_at(at: VirtAddr) -> Option<(CpuId, usize)> {
    let slot = at.0.wrapping_sub(STACKS) / STACK_SLOT;
    if slot >= (MAX_CPUS * STACKS_PER_CPU) as u64 {
        return None;
    }
    let slot = slot as usize;
    Some((CpuId((slot / STACKS_PER_CPU) as u8), slot % STACKS_PER_CPU))
}

// The pieces are in order, do not overlap, and begin where a large page may.
const _: () = {
    assert!(PHYS_MAP + PHYS_MAP_SIZE <= IMAGE_BASE);
    assert!(IMAGE_BASE < STACKS);
    assert!(stack_top(CpuId(MAX_CPUS as u8 - 1), STACKS_PER_CPU - 1).0 <= DEVICES.start);
    assert!(PHYS_MAP.is_multiple_of(1 << 39));
    assert!(IMAGE_BASE.is_multiple_of(LARGE_PAGE_SIZE) && STACKS.is_multiple_of(LARGE_PAGE_SIZE));
    assert!(DEVICES.start.is_multiple_of(LARGE_PAGE_SIZE));
    assert!(DEVICES.end <= ARENAS && ARENAS.is_multiple_of(LARGE_PAGE_SIZE));
};
