//! Entries of the page tables (Intel SDM vol. 3, 4.5), and the register that names the root.

use super::cpu::features::{self, Features};
use super::trap::descriptors;
use crate::arch::{Access, TableEntry};
use crate::units::{Frame, Main, PAGE_SIZE, VirtAddr};
use ::x86_64::PhysAddr;
use ::x86_64::registers::control::{Cr3, Cr3Flags};
use ::x86_64::structures::paging::PhysFrame;
use core::arch::asm;
use core::sync::atomic::{AtomicU64, Ordering};

const PRESENT: u64 = 1 << 0;
const WRITE: u64 = 1 << 1;
const USER: u64 = 1 << 2;
/// Write-through and no cache: the memory type of device registers.
const UNCACHED: u64 = 0b11 << 3;
const LARGE: u64 = 1 << 7;
const GLOBAL: u64 = 1 << 8;
/// The CPU does not look at it.
const FAR: u64 = 1 << 9;
const NO_EXECUTE: u64 = 1 << 63;
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

/// How many values an [`Asid`](crate::units::Asid) has. None is written to CR3: all translations have
/// PCID 0, and a change of address space drops those that are not global.
pub const ASIDS: u16 = 256;

/// An entry of a page table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(transparent)]
pub struct Entry(u64);

impl TableEntry for Entry {
    const EMPTY: Entry = Entry(0);

    fn top_leaf_level() -> u8 {
        if features::get().contains(Features::PAGES_1G) { 1 } else { 2 }
    }

    fn from_bits(bits: u64) -> Entry {
        Entry(bits)
    }

    fn bits(self) -> u64 {
        self.0
    }

    /// Allows everything: the leaf decides.
    fn table(frame: Frame) -> Entry {
        Entry(frame.start().0 | PRESENT | WRITE | USER)
    }

    #[inline(always)]
    fn leaf(frame: Frame, level: u8, access: Access) -> Entry {
        let when = |condition: bool, bits: u64| if condition { bits } else { 0 };
        Entry(
            frame.start().0
                | PRESENT
                | when(level < 3, LARGE)
                | when(access.contains(Access::WRITE), WRITE)
                | when(access.contains(Access::USER), USER)
                | when(access.contains(Access::GLOBAL), GLOBAL)
                | when(access.contains(Access::DEVICE), UNCACHED)
                | when(access.contains(Access::FAR), FAR)
                | when(!access.contains(Access::EXECUTE), NO_EXECUTE),
        )
    }

    fn is_present(self) -> bool {
        self.0 & PRESENT != 0
    }

    fn is_leaf(self, level: u8) -> bool {
        level == 3 || self.0 & LARGE != 0
    }

    fn frame(self) -> Frame {
        Frame((self.0 & ADDRESS) / PAGE_SIZE)
    }

    #[inline(always)]
    fn access(self) -> Access {
        let when = |condition: bool, access| if condition { access } else { Access::empty() };
        when(self.0 & WRITE != 0, Access::WRITE)
            | when(self.0 & NO_EXECUTE == 0, Access::EXECUTE)
            | when(self.0 & USER != 0, Access::USER)
            | when(self.0 & GLOBAL != 0, Access::GLOBAL)
            | when(self.0 & UNCACHED == UNCACHED, Access::DEVICE)
            | when(self.0 & FAR != 0, Access::FAR)
    }
}

/// The root of the kernel's own table, once that is in use.
static KERNEL_ROOT: AtomicU64 = AtomicU64::new(0);

/// What the CPU uses while no user memory is to be reached.
pub(super) fn kernel_root() -> Frame {
    Frame(KERNEL_ROOT.load(Ordering::Relaxed))
}

/// Translates addresses by the kernel's table, at `root`, from now on.
///
/// # Safety
/// The table maps all that the kernel uses, where it uses it.
pub unsafe fn activate(root: Frame) {
    KERNEL_ROOT.store(root.0, Ordering::Relaxed);
    let frame = PhysFrame::containing_address(PhysAddr::new_truncate(root.start().0));
    // SAFETY: the caller vouches for the table.
    unsafe { Cr3::write(frame, Cr3Flags::empty()) };
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
