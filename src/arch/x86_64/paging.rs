//! Entries of the page tables (Intel SDM vol. 3, 4.5), and the register that names the root.

use super::cpu::features::{self, Features};
use super::trap::descriptors;
use super::user;
use crate::arch::Access;
use crate::units::{Asid, Frame, Main, VirtAddr};
use ::x86_64::structures::paging::PageTableFlags as Flags;
use core::arch::asm;

/// The memory type of device registers.
const UNCACHED: Flags = Flags::WRITE_THROUGH.union(Flags::NO_CACHE);

/// How many values an [`Asid`] has. None is written to CR3: all translations have
/// PCID 0, and a change of address space drops those that are not global.
pub const ASIDS: u16 = 256;

/// What an entry has that points to a table: all is allowed, the leaf decides.
pub const TABLE: u64 = Flags::WRITABLE.union(Flags::USER_ACCESSIBLE).bits();

/// The largest page, as a level: 1 where the CPU has 1 GiB pages, 2 otherwise.
pub fn top_leaf_level() -> u8 {
    if features::get().contains(Features::PAGES_1G) { 1 } else { 2 }
}

/// What an entry has that maps a page.
#[inline(always)]
pub fn leaf(level: u8, access: Access) -> u64 {
    let mut flags = Flags::empty();
    flags.set(Flags::HUGE_PAGE, level < 3);
    flags.set(Flags::WRITABLE, access.contains(Access::WRITE));
    flags.set(Flags::USER_ACCESSIBLE, access.contains(Access::USER));
    flags.set(Flags::GLOBAL, access.contains(Access::GLOBAL));
    flags.set(UNCACHED, access.contains(Access::DEVICE));
    flags.set(Flags::NO_EXECUTE, !access.contains(Access::EXECUTE));
    flags.bits()
}

/// Whether an entry maps a page, and is no table.
#[inline(always)]
pub fn is_leaf(entry: u64, level: u8) -> bool {
    level == 3 || entry & Flags::HUGE_PAGE.bits() != 0
}

/// Translates addresses by the kernel's table, at `root`, from now on, and whenever no user memory is to
/// be reached.
///
/// # Safety
/// The table maps all that the kernel uses, where it uses it.
pub unsafe fn activate(root: Frame) {
    user::load_space(user::seat(root, Asid::KERNEL));
}

/// Goes on with `then(main)` on the stack that ends at `stack_top`. What was on the present stack is
/// forgotten. From here on the worst traps have their own stacks as well.
///
/// # Safety
/// All stacks of this CPU are mapped, and nobody else uses them.
pub unsafe fn enter(stack_top: VirtAddr, then: extern "C" fn(Main) -> !, main: Main) -> ! {
    descriptors::use_own_stacks();
    // SAFETY: the caller vouches for the stack. `then` is called, and so finds it aligned as functions
    // expect it.
    unsafe {
        asm!("mov rsp, {stack}", "xor ebp, ebp", "call {then}", "ud2",
             stack = in(reg) stack_top.0, then = in(reg) then, in("rdi") main, options(noreturn))
    }
}
