//! Page-table entries of the simulated machine: bit 0 present, bit 1 leaf, bits
//! 12..48 the frame.

use crate::arch::Access;
use crate::units::{Frame, Main, VirtAddr};
use std::cell::Cell;

/// How many values an [`Asid`](crate::units::Asid) has.
pub const ASIDS: u16 = 256;

/// What an entry has that points to a table: nothing else.
pub const TABLE: u64 = 0;
const LEAF: u64 = 2;

thread_local! {
    static TOP_LEAF_LEVEL: Cell<u8> = const { Cell::new(1) };
    static ACTIVE: Cell<Option<Frame>> = const { Cell::new(None) };
}

/// The largest page, as a level.
pub fn top_leaf_level() -> u8 {
    TOP_LEAF_LEVEL.get()
}

/// What an entry has that maps a page.
pub fn leaf(_level: u8, _access: Access) -> u64 {
    LEAF
}

/// Whether an entry maps a page, and is no table.
pub fn is_leaf(entry: u64, _level: u8) -> bool {
    entry & LEAF != 0
}

/// Makes this thread's machine one that has 1 GiB pages (1), or has not (2).
pub fn set_top_leaf_level(level: u8) {
    TOP_LEAF_LEVEL.set(level);
}

/// Translates addresses by the table at `root` from now on.
///
/// # Safety
/// The table maps all that the kernel uses, where it uses it.
pub unsafe fn activate(root: Frame) {
    ACTIVE.set(Some(root));
}

/// The table that translates addresses.
pub fn active() -> Option<Frame> {
    ACTIVE.get()
}

/// Never goes on: the simulated machine has no code of its own.
///
/// # Safety
/// None is asked for here.
pub unsafe fn enter(_stack_top: VirtAddr, _then: extern "C" fn(Main) -> !, _main: Main) -> ! {
    panic!("a simulated machine does not boot")
}
