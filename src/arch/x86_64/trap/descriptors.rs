//! The tables the CPU reads when it traps: one GDT and one IDT for all CPUs, and a TSS for each.
//!
//! Each CPU has its own TSS descriptor, and so its own value of the task register, which therefore
//! says which CPU this is: even in an NMI or a double fault, and without any memory being read.
//!
//! What must not trust the stack it interrupts has its own: double fault, NMI, machine check. Until
//! the boot CPU has the kernel's address space, all three share a small one in the image.

use crate::layout::stack_top;
use crate::units::{CpuId, MAX_CPUS};
use ::x86_64::VirtAddr;
use ::x86_64::instructions::segmentation::{CS, DS, ES, SS, Segment};
use ::x86_64::instructions::tables::{lidt, load_tss};
use ::x86_64::structures::DescriptorTablePointer;
use ::x86_64::structures::gdt::{Descriptor, GlobalDescriptorTable, SegmentSelector};
use ::x86_64::structures::idt::{Entry, HandlerFunc};
use ::x86_64::structures::tss::TaskStateSegment;
use core::arch::asm;
use core::cell::UnsafeCell;
use spin::Once;

const KERNEL_CODE: SegmentSelector = SegmentSelector(0x08);
const KERNEL_DATA: SegmentSelector = SegmentSelector(0x10);
/// The TSS descriptor of CPU 0, after null, the kernel's two and user code's two; each takes 16 bytes.
const FIRST_TSS: u16 = 0x28;
const GDT_ENTRIES: usize = FIRST_TSS as usize / 8 + 2 * MAX_CPUS;

/// Vectors with a stack of their own, in the order of `layout::stack_top` from 1 on.
const OWN_STACK: [u8; 3] = [super::DOUBLE_FAULT, super::NMI, super::MACHINE_CHECK];

/// A task state segment that its CPU reads at any time and only that CPU's code writes.
#[repr(align(16))]
struct Tss(UnsafeCell<TaskStateSegment>);

// SAFETY: only `set_stacks` touches one, on the CPU it belongs to.
unsafe impl Sync for Tss {}

/// Room for a stack, which only the CPU uses.
#[repr(align(16))]
struct EarlyStack(UnsafeCell<[u8; 8192]>);

// SAFETY: no Rust code touches it but as the stack of one trap.
unsafe impl Sync for EarlyStack {}

static TSS: [Tss; MAX_CPUS] = [const { Tss(UnsafeCell::new(TaskStateSegment::new())) }; MAX_CPUS];
static GDT: Once<GlobalDescriptorTable<GDT_ENTRIES>> = Once::new();
static IDT: Once<[Entry<HandlerFunc>; 256]> = Once::new();
static EARLY_STACK: EarlyStack = EarlyStack(UnsafeCell::new([0; 8192]));

/// Makes the CPU we run on use the kernel's tables; from here on it is `id`.
pub(in super::super) fn load(id: CpuId) {
    let early = VirtAddr::from_ptr(EARLY_STACK.0.get().wrapping_add(1));
    set_stacks(id, |nth| if id == CpuId::BOOT { early } else { own_stack(id, nth) });
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
        DS::set_reg(SegmentSelector::NULL);
        ES::set_reg(SegmentSelector::NULL);
        load_tss(SegmentSelector(FIRST_TSS + 16 * u16::from(id.0)));
        lidt(&pointer);
    }
}

/// The kernel's address space is there: gives the CPU we run on its own stacks for the worst traps.
pub(in super::super) fn use_own_stacks() {
    let id = current();
    set_stacks(id, |nth| own_stack(id, nth));
}

/// The number of the CPU we run on; the boot CPU's, before it has one.
pub(in super::super) fn current() -> CpuId {
    let selector: u16;
    // SAFETY: reads a register.
    unsafe { asm!("str {:x}", out(reg) selector, options(nomem, nostack, preserves_flags)) };
    CpuId((selector.saturating_sub(FIRST_TSS) / 16) as u8)
}

fn own_stack(id: CpuId, nth: usize) -> VirtAddr {
    VirtAddr::new(stack_top(id, nth + 1).0)
}

fn set_stacks(id: CpuId, top: impl Fn(usize) -> VirtAddr) {
    let tss = TSS[id.index()].0.get();
    for nth in 0..OWN_STACK.len() {
        // SAFETY: this CPU's own TSS, which the CPU reads only while it takes one of these traps.
        // The structure is packed, hence the unaligned write.
        unsafe { (&raw mut (*tss).interrupt_stack_table[nth]).write_unaligned(top(nth)) };
    }
}

fn gdt() -> GlobalDescriptorTable<GDT_ENTRIES> {
    let mut gdt = GlobalDescriptorTable::empty();
    gdt.append(Descriptor::kernel_code_segment());
    gdt.append(Descriptor::kernel_data_segment());
    gdt.append(Descriptor::user_data_segment());
    gdt.append(Descriptor::user_code_segment());
    for tss in &TSS {
        // SAFETY: the TSS is a static.
        gdt.append(unsafe { Descriptor::tss_segment_unchecked(tss.0.get()) });
    }
    gdt
}

fn idt() -> [Entry<HandlerFunc>; 256] {
    let mut idt = [const { Entry::missing() }; 256];
    for (vector, gate) in (0..=u8::MAX).zip(&mut idt) {
        // SAFETY: `trap.S` has a gate for each vector, which preserves all registers. The stacks
        // are in each TSS.
        unsafe {
            let options = gate.set_handler_addr(VirtAddr::new(super::gate(vector)));
            if let Some(nth) = OWN_STACK.iter().position(|&own| own == vector) {
                options.set_stack_index(nth as u16);
            }
        }
    }
    idt
}
