//! Entries of the page tables (Intel SDM vol. 3, 4.5), and the register that names the root.

use super::cpu::features::{self, Features};
use super::trap::descriptors;
use super::user;
use crate::arch::Access;
use crate::units::{Asid, Frame, Main, VirtAddr};
use core::arch::asm;

const WRITE: u64 = 1 << 1;
const USER: u64 = 1 << 2;
/// Write-through and no cache: the memory type of device registers.
const UNCACHED: u64 = 0b11 << 3;
const LARGE: u64 = 1 << 7;
const GLOBAL: u64 = 1 << 8;
const NO_EXECUTE: u64 = 1 << 63;
/// How many values an [`Asid`] has. None is written to CR3: all translations have
/// PCID 0, and a change of address space drops those that are not global.
pub const ASIDS: u16 = 256;

/// What an entry has that points to a table: all is allowed, the leaf decides.
pub const TABLE: u64 = WRITE | USER;

/// The largest page, as a level: 1 where the CPU has 1 GiB pages, 2 otherwise.
pub fn top_leaf_level() -> u8 {
    if features::get().contains(Features::PAGES_1G) { 1 } else { 2 }
}

/// What an entry has that maps a page.
#[inline(always)]
pub fn leaf(level: u8, access: Access) -> u64 {
    let when = |condition: bool, bits: u64| if condition { bits } else { 0 };
    when(level < 3, LARGE)
        | when(access.contains(Access::WRITE), WRITE)
        | when(access.contains(Access::USER), USER)
        | when(access.contains(Access::GLOBAL), GLOBAL)
        | when(access.contains(Access::DEVICE), UNCACHED)
        | when(!access.contains(Access::EXECUTE), NO_EXECUTE)
}

/// Whether an entry maps a page, and is no table.
#[inline(always)]
pub fn is_leaf(entry: u64, level: u8) -> bool {
    level == 3 || entry & LARGE != 0
}

/// Translates addresses by the kernel's table, at `root`, from now on, and whenever no user memory is to
/// be reached.
///
/// # Safety
/// The table maps all that the kernel uses, where it uses it.
pub unsafe fn activate(root: Frame) {
    user::load_space(user::seat(root, Asid::KERNEL));
}

/// Translates addresses by the table at `root` from now on, and goes on with `then(main)` on the
/// stack that ends at `stack_top`. What was on the present stack is forgotten. From here on the worst
/// traps have their own stacks as well.
///
/// # Safety
/// The table maps all that the kernel uses, where it uses it, all stacks of this CPU included, and
/// nobody else uses those.
pub unsafe fn enter(
    root: Frame,
    stack_top: VirtAddr,
    then: extern "C" fn(Main) -> !,
    main: Main,
) -> ! {
    descriptors::use_own_stacks();
    // SAFETY: the caller promises that what runs and what it uses stay where they are. `then` is
    // called, and so finds the stack aligned as functions expect it.
    unsafe {
        asm!("mov cr3, {root}", "mov rsp, {stack}", "xor ebp, ebp", "call {then}", "ud2",
             root = in(reg) root.start().0, stack = in(reg) stack_top.0, then = in(reg) then,
             in("rdi") main, options(noreturn))
    }
}
