//! The tables the CPU reads when it traps: one GDT and one IDT for all CPUs, and for each a TSS, with
//! what else is a CPU's own behind it.
//!
//! Each CPU has its own TSS descriptor, and so its own value of the task register, which therefore
//! says which CPU this is: even in an NMI or a double fault, and without any memory being read.
//!
//! A trap out of user code arrives at the end of the running thread's frame, as the TSS says. User code
//! has no I/O ports: the TSS ends where their bitmap would begin.
//!
//! What must not trust the stack it interrupts has its own: double fault, NMI, machine check. Until
//! the boot CPU has the kernel's address space, all three share a small one in the image.

use super::TrapFrame;
use crate::layout::stack_top;
use crate::units::{CpuId, MAX_CPUS};
use ::x86_64::instructions::segmentation::{CS, SS, Segment};
use ::x86_64::instructions::tables::{lidt, load_tss};
use ::x86_64::structures::DescriptorTablePointer;
use ::x86_64::structures::gdt::{Descriptor, GlobalDescriptorTable, SegmentSelector};
use ::x86_64::structures::idt::{Entry, HandlerFunc};
use ::x86_64::structures::tss::TaskStateSegment;
use ::x86_64::{PrivilegeLevel, VirtAddr};
use core::arch::asm;
use core::cell::{Cell, UnsafeCell};
use core::mem::offset_of;
use core::sync::atomic::AtomicU64;
use spin::Once;

const KERNEL_CODE: SegmentSelector = SegmentSelector(0x08);
const KERNEL_DATA: SegmentSelector = SegmentSelector(0x10);
/// The order is what `syscall` and `sysret` expect (Intel SDM vol. 3, 5.8.8).
pub(in super::super) const USER_DATA: SegmentSelector = SegmentSelector(0x18 | 3);
pub(in super::super) const USER_CODE: SegmentSelector = SegmentSelector(0x20 | 3);
/// The TSS descriptor of CPU 0; each takes 16 bytes. It lies where a sixteenth of the selector ends in the
/// CPU's number, as it does of zero, which is in the task register of the boot CPU at first.
pub(super) const FIRST_TSS: u16 = 16 * MAX_CPUS as u16;
const GDT_ENTRIES: usize = FIRST_TSS as usize / 8 + 2 * MAX_CPUS;

/// Vectors with a stack of their own, in the order of `layout::stack_top` from 1 on.
const OWN_STACK: [u64; 3] = [super::DOUBLE_FAULT, super::NMI, super::MACHINE_CHECK];

/// What is a CPU's own.
#[repr(C, align(256))]
pub(in super::super) struct Local {
    tss: UnsafeCell<TaskStateSegment>,
    /// Where `syscall` keeps the user's stack pointer for a moment.
    pub(super) user_stack: Cell<u64>,
    /// CR3, as it was last loaded for user code.
    pub(in super::super) loaded: AtomicU64,
    /// The bases of FS and GS as they were last loaded, in one word: zero if both are.
    pub(in super::super) bases: Cell<u64>,
}

// SAFETY: each is touched by the CPU it belongs to, and only by it, but for what is atomic.
unsafe impl Sync for Local {}

const _: () = assert!(size_of::<Local>() == 16 * 16);

impl Local {
    /// Where a TSS has the end of the running thread's frame, RSP0 (Intel SDM vol. 3, 7.7).
    pub(super) const FRAME_END: usize =
        offset_of!(Local, tss) + offset_of!(TaskStateSegment, privilege_stack_table);

    /// That of the CPU we run on.
    #[inline(always)]
    pub(in super::super) fn current() -> &'static Local {
        let local: *const Local;
        // SAFETY: the task register is that of one of the CPUs, whose selectors are 16 apart, and
        // one of these is 16 times as large. By hand, for it is on the shortest way; and pure, for the
        // register is loaded once, before this is asked for.
        unsafe {
            asm!("str {local:e}", "shl {local:e}, 4", "lea {local}, [{local} + {locals} - {first}]",
                 local = out(reg) local, locals = sym LOCALS, first = const 16 * FIRST_TSS as usize,
                 options(pure, nomem, nostack));
            &*local
        }
    }

    /// The next trap out of user code arrives at the end of this frame.
    #[inline(always)]
    pub(in super::super) fn set_frame(&self, frame: *mut TrapFrame) {
        // SAFETY: this CPU's own TSS, which the CPU reads only in user mode. The structure is packed,
        // hence the unaligned write.
        unsafe {
            let field = &raw mut (*self.tss.get()).privilege_stack_table[0];
            field.cast::<*mut TrapFrame>().write_unaligned(frame.wrapping_add(1));
        }
    }
}

pub(in super::super) static LOCALS: [Local; MAX_CPUS] = [const {
    Local {
        tss: UnsafeCell::new(TaskStateSegment::new()),
        user_stack: Cell::new(0),
        loaded: AtomicU64::new(0),
        bases: Cell::new(0),
    }
}; MAX_CPUS];
unsafe extern "C" {
    static emergency_stack_top: u8;
}

static GDT: Once<GlobalDescriptorTable<GDT_ENTRIES>> = Once::new();
static IDT: Once<[Entry<HandlerFunc>; 256]> = Once::new();

/// Makes the CPU we run on use the kernel's tables; from here on it is `id`.
pub(in super::super) fn load(id: CpuId) {
    let early = VirtAddr::from_ptr(&raw const emergency_stack_top);
    set_stacks(id, (id == CpuId::BOOT).then_some(early));
    let idt = IDT.call_once(idt);
    let pointer = DescriptorTablePointer {
        limit: (size_of_val(idt) - 1) as u16,
        base: VirtAddr::from_ptr(idt),
    };
    GDT.call_once(gdt).load();
    // SAFETY: the selectors are those of `gdt()`, this CPU's TSS is not in use yet, and the gates
    // lead to `trap.S`.
    unsafe {
        CS::set_reg(KERNEL_CODE);
        SS::set_reg(KERNEL_DATA);
        load_tss(SegmentSelector(FIRST_TSS + 16 * u16::from(id.0)));
        // User code finds no other segments in what firmware may have left.
        asm!("lldt {:x}", in(reg) 0, options(nostack, preserves_flags));
        lidt(&pointer);
    }
}

/// The kernel's address space is there: gives the CPU we run on its own stacks for the worst traps.
pub(in super::super) fn use_own_stacks() {
    set_stacks(current(), None);
}

/// The CPU we run on. Right in every context, and the boot CPU before there are numbers.
#[inline(always)]
pub fn current() -> CpuId {
    let selector: u32;
    // SAFETY: reads a register.
    unsafe { asm!("str {:e}", out(reg) selector, options(nomem, nostack, preserves_flags)) };
    CpuId((selector / 16 % MAX_CPUS as u32) as u8)
}

/// Gives a CPU its own stacks for the worst traps, or the one that all of them share.
fn set_stacks(id: CpuId, shared: Option<VirtAddr>) {
    let tss = LOCALS[id.index()].tss.get();
    for nth in 0..OWN_STACK.len() {
        let top = shared.unwrap_or(VirtAddr::new(stack_top(id, nth + 1).0));
        // SAFETY: this CPU's own TSS, which the CPU reads only while it takes one of these traps.
        // The structure is packed, hence the unaligned write.
        unsafe { (&raw mut (*tss).interrupt_stack_table[nth]).write_unaligned(top) };
    }
}

fn gdt() -> GlobalDescriptorTable<GDT_ENTRIES> {
    let mut gdt = GlobalDescriptorTable::empty();
    gdt.append(Descriptor::kernel_code_segment());
    gdt.append(Descriptor::kernel_data_segment());
    gdt.append(Descriptor::user_data_segment());
    gdt.append(Descriptor::user_code_segment());
    while gdt.entries().len() < usize::from(FIRST_TSS) / 8 {
        gdt.append(Descriptor::UserSegment(0));
    }
    for local in &LOCALS {
        // SAFETY: the TSS is a static.
        gdt.append(unsafe { Descriptor::tss_segment_unchecked(local.tss.get()) });
    }
    gdt
}

fn idt() -> [Entry<HandlerFunc>; 256] {
    let mut idt = [const { Entry::missing() }; 256];
    for (vector, gate) in (0..).zip(&mut idt) {
        // SAFETY: `trap.S` has a gate for each vector, which preserves all registers. The stacks
        // are in each TSS.
        unsafe {
            let options = gate.set_handler_addr(VirtAddr::new(super::gate(vector)));
            if let Some(nth) = OWN_STACK.iter().position(|&own| own == vector) {
                options.set_stack_index(nth as u16);
            }
            if vector == super::BREAKPOINT {
                options.set_privilege_level(PrivilegeLevel::Ring3);
            }
        }
    }
    idt
}
