//! Accesses that may fault. The simulated machine has no virtual memory to access.

use super::TrapFrame;
use crate::units::{Access, Fault, FaultReason, VirtAddr};

/// Loads a word.
pub fn read(address: VirtAddr) -> Result<u64, Fault> {
    Err(refused(address, Access::Read))
}

/// Stores a byte.
///
/// # Safety
/// None is asked for here.
pub unsafe fn write(address: VirtAddr, _value: u8) -> Result<(), Fault> {
    Err(refused(address, Access::Write))
}

/// Calls what is there.
///
/// # Safety
/// None is asked for here.
pub unsafe fn execute(address: VirtAddr) -> Result<(), Fault> {
    Err(refused(address, Access::Execute))
}

/// Whether the fault was a probe's: none is raised here.
pub fn recover(_frame: &mut TrapFrame, _fault: Fault) -> bool {
    false
}

fn refused(address: VirtAddr, access: Access) -> Fault {
    Fault { address, access, reason: FaultReason::Unmapped { level: None } }
}
