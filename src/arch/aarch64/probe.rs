//! Accesses that may fault, and say how: for tests of what is mapped how, and for reading memory
//! whose address cannot be trusted.

use super::{TrapFrame, cpu};
use crate::units::{Access, Fault, MAX_CPUS, VirtAddr};
use core::arch::global_asm;
use spin::Mutex;

// Each returns 0, or 1 after a fault at its first instruction (or, for `probe_execute`, at the
// target). A word that was read comes back in x1.
global_asm!(
    ".section .text.probe, \"ax\"",
    ".global probe_read, probe_write, probe_execute, probe_execute_return, probe_return",
    "probe_read:",
    "    ldr     x1, [x0]",
    "    mov     x0, #0",
    "    ret",
    "probe_write:",
    "    strb    w1, [x0]",
    "    mov     x0, #0",
    "probe_return:",
    "    ret",
    "probe_execute:",
    "    stp     x29, x30, [sp, #-16]!",
    "    mov     x29, sp",
    "    mov     x1, x0",
    "    mov     x0, #0",
    "    blr     x1",
    "probe_execute_return:",
    "    ldp     x29, x30, [sp], #16",
    "    ret",
);

unsafe extern "C" {
    fn probe_read(address: VirtAddr) -> Probed;
    fn probe_write(address: VirtAddr, value: u64) -> u64;
    fn probe_execute(address: VirtAddr) -> u64;
    static probe_execute_return: u8;
    static probe_return: u8;
}

/// A result in x0 and x1.
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
    let pc = frame.pc();
    let after_call = &raw const probe_execute_return as u64;
    let in_access =
        pc.0 == probe_read as *const () as u64 || pc.0 == probe_write as *const () as u64;
    let in_fetch =
        fault.access == Access::Execute && pc == fault.address && frame.link() == after_call;
    let resume = if in_fetch { after_call } else { &raw const probe_return as u64 };
    if in_access || in_fetch {
        *FAULTS[cpu::current().index()].lock() = Some(fault);
        frame.divert(resume, 1);
    }
    in_access || in_fetch
}
