//! What `boot.S` hands to Rust, where the image lies, and how a CPU is made ready for traps.

use super::{cpu, user};
use crate::arch::{Access, Entry};
use crate::layout::{IMAGE_BASE, STACK_SLOT, stack_top};
use crate::units::{CpuId, Frame, LARGE_PAGE_SIZE, PAGE_SIZE, PhysAddr, VirtAddr};
use aarch64_cpu::asm::barrier;
use aarch64_cpu::registers::{VBAR_EL1, Writeable};
use core::arch::{asm, global_asm};
use core::ops::Range;

global_asm!(include_str!("boot.S"), options(raw));

/// What `boot.S` found at the first instruction and leaves on the boot stack.
#[repr(C)]
pub struct Handoff {
    /// What firmware gave in x0: the device tree's address, if it is one.
    pub(super) device_tree: PhysAddr,
    /// Where the image was loaded.
    pub(in crate::arch) base: PhysAddr,
    /// The counter at the first instruction.
    pub entry_time: u64,
}

unsafe extern "C" {
    static vectors: u8;
    static emergency_stack_top: u8;
    static mut boot_image_l2: [u64; 512];
}

/// Physical memory that the first page tables map read-write: the 2 MiB block that the image begins
/// in and the two after it.
pub fn early_window(handoff: &Handoff) -> Range<PhysAddr> {
    let start = handoff.base.0 & !(LARGE_PAGE_SIZE - 1);
    PhysAddr(start)..PhysAddr(start + 3 * LARGE_PAGE_SIZE)
}

/// Maps the 2 MiB around `device` beside the image, in the first page tables only.
pub(super) fn map_early_device(device: PhysAddr) -> VirtAddr {
    let block = Frame((device.0 & !(LARGE_PAGE_SIZE - 1)) / PAGE_SIZE);
    let entry = Entry::leaf(block, 2, Access::WRITE | Access::DEVICE | Access::GLOBAL);
    // SAFETY: only the boot CPU runs; entry 1 of this table maps the 2 MiB after the image's own,
    // which nothing else uses.
    unsafe {
        let table = &raw mut boot_image_l2;
        (&raw mut (*table)[1]).write_volatile(entry.bits());
        asm!("dsb ish", "tlbi vmalle1", "dsb ish", "isb", options(nostack));
    }
    VirtAddr(IMAGE_BASE + LARGE_PAGE_SIZE + device.0 % LARGE_PAGE_SIZE)
}

/// Makes the CPU we run on ready for traps, and gives it its number. The boot CPU does not have the
/// kernel's address space yet, and traps in the image.
pub fn init_cpu(id: CpuId) {
    let in_image = VirtAddr(&raw const emergency_stack_top as u64 - STACK_SLOT);
    cpu::set_current(id, if id == CpuId::BOOT { in_image } else { stack_top(id, 0) });
    VBAR_EL1.set(&raw const vectors as u64);
    user::init_cpu();
    cpu::forbid_user_access();
    barrier::isb(barrier::SY);
    // SAFETY: from here on there are vectors: a system error is taken when it happens.
    unsafe { asm!("msr daifclr, #4", options(nostack)) };
}
