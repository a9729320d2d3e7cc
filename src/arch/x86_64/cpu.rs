//! The CPUs: which one we are, how others are brought up, how one waits.
//!
//! A CPU is brought up by INIT and start-up IPIs (Intel SDM vol. 3, 8.4), one at a time. It begins
//! in real mode in a page below 1 MiB that holds a copy of the `trampoline` of `boot.S`, and finds what is
//! for it alone in the [`Letter`].

pub(super) mod features;

pub use super::trap::descriptors::current;
pub use ::x86_64::instructions::interrupts::{disable as interrupts_off, enable as interrupts_on};
pub use core::hint::spin_loop as relax;

use super::interrupts::apic;
use super::{phys, timer};
use crate::boot::{CpuInfo, CpuStart, PhysRange, regions};
use crate::units::{CpuId, Frame, Nanos, PAGE_SIZE, PhysAddr, VirtAddr};
use arrayvec::ArrayString;
use core::arch::asm;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Stacks of each CPU: the usual one, and those of double faults, NMIs and machine checks.
pub const STACKS: usize = 4;

/// What a CPU that is being brought up needs to know.
#[repr(C)]
pub(super) struct Letter {
    /// Of the kernel's page tables.
    pub(super) root: AtomicU64,
    pub(super) stack_top: AtomicU64,
    pub(super) id: AtomicU64,
}

/// That of the CPU that was called last.
pub(super) static LETTER: Letter =
    Letter { root: AtomicU64::new(0), stack_top: AtomicU64::new(0), id: AtomicU64::new(0) };

/// How long a CPU gets from INIT to the start-up IPI, and from that to the second one. No 64-bit CPU
/// needs the 10 ms after INIT that the MultiProcessor Specification (B.4) gave the 82489DX.
const AFTER_INIT: Nanos = Nanos(50_000);
const AFTER_STARTUP: Nanos = Nanos(200_000);

/// The page below 1 MiB; zero where there is none.
static TRAMPOLINE: AtomicU64 = AtomicU64::new(0);

/// The APIC ID of the CPU that was called last.
static CALLED: AtomicU32 = AtomicU32::new(0);

unsafe extern "C" {
    static trampoline: u8;
    static trampoline_end: u8;
}

/// Chooses the page that CPUs start in: a free one below 640 KiB, not the first.
pub(super) fn choose_trampoline(memory: &[PhysRange], taken: &[PhysRange]) {
    let pages = (1..(640 << 10) / PAGE_SIZE).rev().map(Frame);
    let mut pages = pages.map(|page| page.start()..Frame(page.0 + 1).start());
    let taken = |page: &PhysRange| taken.iter().any(|range| regions::overlap(range, page));
    let page = pages.find(|page| regions::contains(memory, page) && !taken(page));
    TRAMPOLINE.store(page.map_or(0, |page| page.start.0), Ordering::Relaxed);
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
    if info.start != CpuStart::InitSipi {
        return Err("firmware names no way to start it");
    }
    let page = PhysAddr(TRAMPOLINE.load(Ordering::Relaxed));
    if page == PhysAddr(0) {
        return Err("no free page below 640 KiB to start it in");
    }
    let target = u32::try_from(info.hardware_id).map_err(|_| "its APIC ID is too large")?;
    LETTER.root.store(root.start().0, Ordering::Relaxed);
    LETTER.stack_top.store(stack_top.0, Ordering::Relaxed);
    LETTER.id.store(id.0.into(), Ordering::Relaxed);
    let (code, end) = (&raw const trampoline, &raw const trampoline_end);
    // SAFETY: `choose_trampoline` found the page free, and it is reserved since.
    unsafe { phys::pointer(page).copy_from_nonoverlapping(code, end as usize - code as usize) };
    CALLED.store(target, Ordering::Relaxed);
    apic::send(target, apic::INIT)?;
    timer::wait(AFTER_INIT);
    let startup = apic::STARTUP | (page.0 / PAGE_SIZE) as u32;
    apic::send(target, startup)?;
    // One that has begun minds the second no more than the manual says that it minds the first.
    timer::wait(AFTER_STARTUP);
    apic::send(target, startup)
}

/// The CPU that was called has arrived, or is given up: one that comes up later would find another's
/// letter, so it is sent back to wait for ever.
pub fn stop_calling(arrived: bool) {
    if !arrived {
        // One that cannot even be told will not come.
        let _ = apic::send(CALLED.load(Ordering::Relaxed), apic::INIT);
        timer::wait(AFTER_INIT);
    }
}

/// Lets interrupts in, sleeps until there is one and it has been served, and keeps them out again.
pub fn wait() {
    // SAFETY: STI lets nothing in before the instruction after it, so no interrupt is served between
    // the caller's last look and HLT, only to be slept over.
    unsafe { asm!("sti", "hlt", "cli", options(nostack)) };
}

/// Stops this CPU for good.
pub fn park() -> ! {
    loop {
        interrupts_off();
        ::x86_64::instructions::hlt();
    }
}

/// The features that the kernel uses, for the boot report.
pub fn features() -> ArrayString<96> {
    let mut text = ArrayString::new();
    // All of them fit; what did not would be cut off.
    let _ = bitflags::parser::to_writer(&features::get(), &mut text);
    text
}
