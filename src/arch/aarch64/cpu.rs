//! The CPUs: which one we are, how others are brought up, how one waits, what it can do.

use super::power::psci;
use super::probe;
use crate::boot::{CpuInfo, CpuStart, clipped};
use crate::units::{CpuId, Frame, PhysAddr, VirtAddr};
use aarch64_cpu::registers::{
    ID_AA64MMFR1_EL1, MIDR_EL1, MPIDR_EL1, Readable, TPIDR_EL1, Writeable,
};
use arrayvec::ArrayString;
use core::arch::asm;

/// Stacks of each CPU: the usual one, and the one for traps when that is used up.
pub const STACKS: usize = 2;

/// PSCI's `CPU_ON`, SMC64.
const PSCI_CPU_ON: u64 = 0xc400_0003;

/// What a CPU that is being brought up reads with its caches off; `boot.S` knows the layout. One CPU
/// is brought up at a time.
#[repr(C, align(64))]
struct Mailbox {
    hardware_id: u64,
    root: PhysAddr,
    stack_top: VirtAddr,
    id: u64,
}

/// No CPU has this hardware ID: the mailbox calls for nobody.
const NOBODY: u64 = u64::MAX;

#[unsafe(export_name = "mailbox")]
static mut MAILBOX: Mailbox =
    Mailbox { hardware_id: NOBODY, root: PhysAddr(0), stack_top: VirtAddr(0), id: 0 };

unsafe extern "C" {
    static secondary_start: u8;
}

/// The CPU we run on.
pub fn current() -> CpuId {
    CpuId(TPIDR_EL1.get() as u8)
}

/// Gives the CPU we run on its number and the top of its usual stack: both in one register, which
/// `trap.S` needs no other to read. One slot above is the top of its emergency stack.
pub(super) fn set_current(id: CpuId, stack_top: VirtAddr) {
    assert!(stack_top.0.is_multiple_of(1 << u8::BITS), "no room for the CPU's number");
    TPIDR_EL1.set(stack_top.0 | u64::from(id.0));
}

/// The MPIDR's affinity fields: how firmware names this CPU.
pub fn hardware_id() -> u64 {
    MPIDR_EL1.get() & 0xff_00ff_ffff
}

/// Calls up a CPU. It enters `secondary_entry(id)` on the stack that ends at `stack_top`, under the
/// page tables at `root`. When this returns it has been called, not yet arrived.
///
/// # Safety
/// The tables at `root` are the kernel's, and nobody uses the stack, nor another of that CPU's.
pub unsafe fn start(
    info: &CpuInfo,
    id: CpuId,
    root: Frame,
    stack_top: VirtAddr,
) -> Result<(), &'static str> {
    let mailbox = &raw mut MAILBOX;
    let letter =
        Mailbox { hardware_id: info.hardware_id, root: root.start(), stack_top, id: id.0.into() };
    // SAFETY: only the boot CPU writes the mailbox, and a CPU that reads it has its caches off, so
    // the line is cleaned to memory before that CPU is called.
    unsafe {
        mailbox.write_volatile(letter);
        clean(mailbox as u64);
    }
    let entry = physical(&raw const secondary_start).ok_or("its entry is not mapped")?;
    match info.start {
        CpuStart::Psci(call) => match psci(call, PSCI_CPU_ON, info.hardware_id, entry.0, 0) {
            0 => Ok(()),
            -2 => Err("PSCI knows no such CPU"),
            -4 => Err("PSCI says that it is on already"),
            -9 => Err("PSCI refuses the entry address"),
            _ => Err("PSCI refuses"),
        },
        CpuStart::SpinTable(release) => {
            let slot = super::phys::pointer(release).cast::<u64>();
            probe::read(VirtAddr(slot as u64)).map_err(|_| "its release address is no memory")?;
            // SAFETY: firmware set this place aside for exactly this, and memory is mapped there.
            unsafe {
                slot.write_volatile(entry.0);
                clean(slot as u64);
                asm!("sev", options(nostack));
            }
            Ok(())
        }
        CpuStart::Boot | CpuStart::InitSipi => Err("firmware names no way to start it"),
    }
}

/// Where a byte that is mapped lies in physical memory.
fn physical(mapped: *const u8) -> Option<PhysAddr> {
    let result: u64;
    // SAFETY: asks for a translation; nothing is accessed.
    unsafe {
        asm!("at s1e1r, {0}", "isb", "mrs {1}, par_el1", in(reg) mapped, out(reg) result, options(nostack))
    };
    (result & 1 == 0).then_some(PhysAddr(result & 0x0000_ffff_ffff_f000 | mapped as u64 & 0xfff))
}

/// Writes a cache line back to memory, for observers without caches.
///
/// # Safety
/// `address` must be mapped.
unsafe fn clean(address: u64) {
    // SAFETY: cache maintenance by address on a mapped line.
    unsafe { asm!("dsb sy", "dc civac, {}", "dsb sy", in(reg) address, options(nostack)) };
}

/// Calls for nobody any more: a CPU that arrives from now on parks.
pub fn stop_calling(_arrived: bool) {
    let mailbox = &raw mut MAILBOX;
    // SAFETY: as in `start`.
    unsafe {
        (&raw mut (*mailbox).hardware_id).write_volatile(NOBODY);
        clean(mailbox as u64);
    }
}

/// Lets interrupts in, sleeps until there is one and it has been served, and keeps them out again.
pub fn wait() {
    // SAFETY: WFI wakes for a masked interrupt as well, so none is lost between it and the unmasking.
    unsafe { asm!("dsb sy", "wfi", "msr daifclr, #3", "isb", "msr daifset, #3", options(nostack)) };
}

/// A pause in a loop that waits for another CPU: an emulator with one thread runs that one now.
pub fn relax() {
    // SAFETY: a hint.
    unsafe { asm!("yield", options(nostack, nomem)) };
}

/// Lets interrupts in.
pub fn interrupts_on() {
    // SAFETY: vectors are in place since `init_cpu`.
    unsafe { asm!("msr daifclr, #3", options(nostack)) };
}

/// Keeps interrupts out.
pub fn interrupts_off() {
    // SAFETY: masking interrupts is always sound.
    unsafe { asm!("msr daifset, #3", options(nostack)) };
}

/// Stops this CPU for good.
pub fn park() -> ! {
    interrupts_off();
    loop {
        aarch64_cpu::asm::wfe();
    }
}

/// Sets PAN: the kernel's loads and stores to user pages fault, unless it says so.
pub(super) fn forbid_user_access() {
    if has_pan() {
        // SAFETY: SCTLR_EL1.SPAN (bit 23) cleared makes every exception set PAN; `msr pan, #1` sets
        // it now, spelt as a generic system instruction for assemblers at ARMv8.0.
        unsafe {
            asm!("mrs {0}, sctlr_el1", "bic {0}, {0}, #(1 << 23)", "msr sctlr_el1, {0}", "isb",
                 ".inst 0xd500419f", out(reg) _, options(nostack))
        };
    }
}

fn has_pan() -> bool {
    ID_AA64MMFR1_EL1.get() >> 20 & 0xf != 0
}

/// The CPU's part number, and those of its features that the kernel uses, for the boot report.
pub fn features() -> ArrayString<64> {
    let part = MIDR_EL1.get() >> 4 & 0xfff;
    let pan = if has_pan() { " pan" } else { "" };
    clipped(format_args!("part {part:#x} wxn pxn uxn{pan}"))
}
