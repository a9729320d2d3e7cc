//! Page-table entries (Arm ARM D8.3, VMSAv8-64, 4 KiB granule, 48 bits) and switching tables.

use super::cpu;
use crate::arch::Access;
use crate::layout;
use crate::units::{Frame, Main, VirtAddr};
use core::arch::asm;

/// How many values an `Asid` has: every ARMv8 CPU has at least 8 bits of them.
pub const ASIDS: u16 = 256;

/// At levels 0 to 2 a table and not a block; at level 3 always set.
pub const TABLE: u64 = 1 << 1;
const ATTRIBUTE_DEVICE: u64 = 1 << 2;
const USER: u64 = 1 << 6;
const READ_ONLY: u64 = 1 << 7;
const INNER_SHAREABLE: u64 = 3 << 8;
const ACCESSED: u64 = 1 << 10;
const NOT_GLOBAL: u64 = 1 << 11;
const NO_KERNEL_EXECUTE: u64 = 1 << 53;
const NO_USER_EXECUTE: u64 = 1 << 54;

/// The largest page, as a level.
pub fn top_leaf_level() -> u8 {
    1
}

/// What an entry has that maps a page.
#[inline(always)]
pub fn leaf(level: u8, access: Access) -> u64 {
    let when = |condition: bool, bits: u64| if condition { bits } else { 0 };
    let user = access.contains(Access::USER);
    let execute = access.contains(Access::EXECUTE);
    ACCESSED
        | INNER_SHAREABLE
        | when(level == 3, TABLE)
        | when(access.contains(Access::DEVICE), ATTRIBUTE_DEVICE)
        | when(user, USER)
        | when(!access.contains(Access::WRITE), READ_ONLY)
        | when(!access.contains(Access::GLOBAL), NOT_GLOBAL)
        | when(user || !execute, NO_KERNEL_EXECUTE)
        | when(!user || !execute, NO_USER_EXECUTE)
}

/// Whether an entry maps a page, and is no table.
pub fn is_leaf(entry: u64, level: u8) -> bool {
    level == 3 || entry & TABLE == 0
}

/// Translates the upper half by the table at `root` from now on.
///
/// # Safety
/// The table maps all that the kernel uses, where it uses it.
pub unsafe fn activate(root: Frame) {
    // SAFETY: the caller promises that what runs and what it uses stay where they are.
    unsafe {
        asm!("dsb ishst", "msr ttbr1_el1, {}", "isb", "tlbi vmalle1", "dsb nsh", "isb",
             in(reg) root.start().0, options(nostack))
    };
}

/// Goes on with `then(main)` on the stack that ends at `stack_top`. What was on the present stack is
/// forgotten. From here on this CPU has its own emergency stack.
///
/// # Safety
/// All stacks of this CPU are mapped, and nobody else uses them.
pub unsafe fn enter(stack_top: VirtAddr, then: extern "C" fn(Main) -> !, main: Main) -> ! {
    let id = cpu::current();
    cpu::set_current(id, layout::stack_top(id, 0));
    // SAFETY: the caller vouches for the stack.
    unsafe {
        asm!("mov sp, {stack}", "mov x29, xzr", "mov x30, xzr", "br {then}",
             stack = in(reg) stack_top.0, then = in(reg) then, in("x0") main, options(noreturn))
    };
}
