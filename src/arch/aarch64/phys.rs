//! Physical memory as the kernel reaches it: all RAM lies at `PHYS_MAP` plus its address.

use super::paging::PHYS_MAP;
use crate::units::PhysAddr;

/// Where a physical address can be read and written, once it is mapped.
pub(super) fn pointer(address: PhysAddr) -> *mut u64 {
    (PHYS_MAP + address.0) as *mut u64
}
