//! Accesses that may fault. The simulated machine has no virtual memory to access.

use crate::units::{Access, Fault, FaultReason, VirtAddr};

/// Loads a byte.
pub fn read(address: VirtAddr) -> Result<u8, Fault> {
    Err(refused(address, Access::Read))
}

/// Stores a byte.
pub fn write(address: VirtAddr, _value: u8) -> Result<(), Fault> {
    Err(refused(address, Access::Write))
}

/// Calls what is there.
pub fn execute(address: VirtAddr) -> Result<(), Fault> {
    Err(refused(address, Access::Execute))
}

fn refused(address: VirtAddr, access: Access) -> Fault {
    Fault {
        address,
        access,
        reason: FaultReason::Unmapped { level: None },
    }
}
