//! Accesses that may fault, and say how: for tests of what is mapped how, and for reading memory
//! whose address cannot be trusted.

use super::{TrapFrame, cpu};
use crate::units::{Access, Fault, FaultReason, MAX_CPUS, VirtAddr};
use core::arch::global_asm;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use spin::Mutex;

// Each returns 0 in rax, or 1 after a fault at its first instruction (or, for `probe_execute`, at
// the target). A word that was read comes back in rdx.
global_asm!(
    ".section .text.probe, \"ax\"",
    ".global probe_read, probe_write, probe_execute, probe_execute_return, probe_return",
    "probe_read:",
    "    mov     (%rdi), %rdx",
    "    xor     %eax, %eax",
    "    ret",
    "probe_write:",
    "    mov     %sil, (%rdi)",
    "    xor     %eax, %eax",
    "probe_return:",
    "    ret",
    "probe_execute:",
    "    push    %rbp",
    "    mov     %rsp, %rbp",
    "    call    *%rdi",
    "    xor     %eax, %eax",
    "probe_execute_return:",
    "    pop     %rbp",
    "    ret",
    ".text",
    options(att_syntax)
);

unsafe extern "C" {
    fn probe_read(address: VirtAddr) -> Probed;
    fn probe_write(address: VirtAddr, value: u64) -> u64;
    fn probe_execute(address: VirtAddr) -> u64;
    static probe_execute_return: u8;
    static probe_return: u8;
}

/// A result in rax and rdx.
#[repr(C)]
struct Probed {
    faulted: u64,
    value: u64,
}

/// What a CPU's probe is about, touched by that CPU alone.
struct Slot {
    /// What is being called; zero when nothing is.
    target: AtomicU64,
    /// How the last probe ended, if with a fault.
    fault: Mutex<Option<Fault>>,
}

static SLOTS: [Slot; MAX_CPUS] =
    [const { Slot { target: AtomicU64::new(0), fault: Mutex::new(None) } }; MAX_CPUS];

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
    slot().target.store(address.0, Relaxed);
    // SAFETY: the caller vouches for the code; a fault on fetching it becomes a result.
    let faulted = unsafe { probe_execute(address) };
    slot().target.store(0, Relaxed);
    outcome(faulted)
}

fn slot() -> &'static Slot {
    &SLOTS[cpu::current().index()]
}

fn outcome(faulted: u64) -> Result<(), Fault> {
    match slot().fault.lock().take() {
        Some(fault) if faulted != 0 => Err(fault),
        _ => Ok(()),
    }
}

/// Whether `fault` was a probe's; if so the frame now returns to it with the fault.
pub fn recover(frame: &mut TrapFrame, fault: Fault) -> bool {
    let in_access = accessing(frame).is_some();
    let in_fetch = fault.access == Access::Execute && called(frame);
    if in_fetch {
        frame.drop_return_address();
        frame.divert(&raw const probe_execute_return as u64, 1);
    } else if in_access {
        frame.divert(&raw const probe_return as u64, 1);
    }
    if in_access || in_fetch {
        *slot().fault.lock() = Some(fault);
    }
    in_access || in_fetch
}

/// A general protection fault says nothing of memory; where a probe raised it, it means an address
/// that is not canonical (Intel SDM vol. 1, 3.3.7.1).
pub(super) fn wild_access(frame: &TrapFrame) -> Option<Fault> {
    accessing(frame).map(|access| Fault {
        address: VirtAddr(frame.argument()),
        access,
        reason: FaultReason::Other("the address is not canonical"),
    })
}

/// What a probe was doing when it was interrupted at the instruction that may fault.
fn accessing(frame: &TrapFrame) -> Option<Access> {
    let at = |function: usize| frame.pc().0 == function as u64;
    match () {
        () if at(probe_read as *const () as usize) => Some(Access::Read),
        () if at(probe_write as *const () as usize) => Some(Access::Write),
        () => None,
    }
}

fn called(frame: &TrapFrame) -> bool {
    let target = slot().target.load(Relaxed);
    target != 0 && frame.pc().0 == target
}
