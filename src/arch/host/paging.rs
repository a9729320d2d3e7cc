//! Page-table entries of the simulated machine: bit 0 present, bit 1 leaf, bits 2..7 the access,
//! bits 12..48 the frame.

use crate::arch::{Access, TableEntry};
use crate::units::{Frame, Main, PAGE_SIZE, VirtAddr};
use std::cell::Cell;

/// How many values an [`Asid`](crate::units::Asid) has.
pub const ASIDS: u16 = 256;

const PRESENT: u64 = 1;
const LEAF: u64 = 2;
const ACCESS_SHIFT: u32 = 2;
const FRAME: u64 = 0x0000_ffff_ffff_f000;

thread_local! {
    static TOP_LEAF_LEVEL: Cell<u8> = const { Cell::new(1) };
    static ACTIVE: Cell<Option<Frame>> = const { Cell::new(None) };
}

/// An entry of a page table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry(u64);

impl TableEntry for Entry {
    const EMPTY: Entry = Entry(0);

    fn top_leaf_level() -> u8 {
        TOP_LEAF_LEVEL.get()
    }

    fn from_bits(bits: u64) -> Entry {
        Entry(bits)
    }

    fn bits(self) -> u64 {
        self.0
    }

    fn table(frame: Frame) -> Entry {
        Entry(frame.start().0 | PRESENT)
    }

    fn leaf(frame: Frame, _level: u8, access: Access) -> Entry {
        Entry(frame.start().0 | PRESENT | LEAF | u64::from(access.bits()) << ACCESS_SHIFT)
    }

    fn is_present(self) -> bool {
        self.0 & PRESENT != 0
    }

    fn is_leaf(self, _level: u8) -> bool {
        self.0 & LEAF != 0
    }

    fn frame(self) -> Frame {
        Frame((self.0 & FRAME) / PAGE_SIZE)
    }

    fn access(self) -> Access {
        Access::from_bits_truncate((self.0 >> ACCESS_SHIFT) as u8)
    }
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
pub unsafe fn enter(
    _root: Frame,
    _stack_top: VirtAddr,
    _then: extern "C" fn(Main) -> !,
    _main: Main,
) -> ! {
    panic!("a simulated machine does not boot")
}
