//! Accesses that may fault, and say how: for tests of what is mapped how, and for reading memory
//! whose address cannot be trusted. The instructions themselves are each machine's (`probe.S`
//! there): they return zero, or 1 after a fault at their first one or at what `probe_execute` calls.

use crate::arch::{TrapFrame, cpu};
use crate::units::{Access, Fault, MAX_CPUS, VirtAddr};
use spin::Mutex;

unsafe extern "C" {
    fn probe_read(address: VirtAddr) -> Probed;
    fn probe_write(address: VirtAddr, value: u64) -> u64;
    fn probe_execute(address: VirtAddr) -> u64;
    static probe_execute_return: u8;
    static probe_return: u8;
}

/// A result in two registers.
#[repr(C)]
struct Probed {
    faulted: u64,
    value: u64,
}

/// The last fault of each CPU's probe.
static FAULTS: [Mutex<Option<Fault>>; MAX_CPUS] = [const { Mutex::new(None) }; MAX_CPUS];

/// Reads the word at an aligned address.
pub fn read(address: VirtAddr) -> Result<u64, Fault> {
    // SAFETY: the load may fault, which `recover` turns into a result.
    let probed = unsafe { probe_read(address) };
    outcome(probed.faulted).map(|()| probed.value)
}

/// Writes a byte.
///
/// # Safety
/// If memory takes the write, nobody may mind the byte being overwritten.
pub unsafe fn write(address: VirtAddr, value: u8) -> Result<(), Fault> {
    // SAFETY: the caller vouches for the byte; a fault becomes a result.
    outcome(unsafe { probe_write(address, value.into()) })
}

/// Calls `address` as a function.
///
/// # Safety
/// If it can be executed, a function without arguments, results or effects must begin there.
pub unsafe fn execute(address: VirtAddr) -> Result<(), Fault> {
    // SAFETY: the caller vouches for the code; a fault on fetching it becomes a result.
    outcome(unsafe { probe_execute(address) })
}

fn outcome(faulted: u64) -> Result<(), Fault> {
    let fault = FAULTS[cpu::current().index()].lock().take();
    match fault {
        Some(fault) if faulted != 0 => Err(fault),
        _ => Ok(()),
    }
}

/// Whether `fault` was a probe's; if so the frame now returns to it with the fault.
pub fn recover(frame: &mut TrapFrame, fault: Fault) -> bool {
    let after_call = &raw const probe_execute_return as u64;
    let called = frame.pc() == fault.address && frame.link() == after_call;
    let resume = match (accessing(frame), fault.access) {
        (Some(_), _) => &raw const probe_return as u64,
        (None, Access::Execute) if called => after_call,
        _ => return false,
    };
    *FAULTS[cpu::current().index()].lock() = Some(fault);
    frame.divert(resume, 1);
    true
}

/// What a probe was doing when it was interrupted at the instruction that may fault.
pub fn accessing(frame: &TrapFrame) -> Option<Access> {
    match frame.pc().0 {
        pc if pc == probe_read as *const () as u64 => Some(Access::Read),
        pc if pc == probe_write as *const () as u64 => Some(Access::Write),
        _ => None,
    }
}
