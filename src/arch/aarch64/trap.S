// The sixteen exception vectors. Each saves all registers as a `TrapFrame` (trap.rs) and calls Rust with
// it; then the frame that Rust returns, or goes to `restore_user` with, is restored, be it the same or
// another.
//
// While user code runs, SP points to its thread's frame: that is where its registers go. Rust's
// `user_entry` then has the CPU's usual stack, all of it.
//
// The frame of kernel code goes onto its own stack, and to `trap_entry`. A CPU's stack is the upper
// half of its 32 KiB slot, so where a frame fits bit 14 of its address is set. Where it is not, the
// stack has overflowed into its guard (or is no CPU stack yet): the frame goes to the CPU's emergency
// stack instead, and Rust tells from the saved SP what happened.
//
// TPIDR_EL1 is the top of the CPU's usual stack, and its number in the lowest byte (cpu.rs); the top of
// its emergency stack is one slot above.

.equ FRAME, 304                         // size_of::<TrapFrame>(), asserted in trap.rs, as are
.equ LR_SP, 240                         // its fields' offsets: x30, sp
.equ PC_PSTATE, 256                     // pc, pstate
.equ SYNDROME, 272                      // syndrome
.equ FROM_KERNEL, 1                     // bits of what the syndrome gets in bits 61 and up
.equ STACK_BIT, 14                      // half of layout::STACK_SLOT, asserted in trap.rs
.equ EMERGENCY_STACK, 8192              // of the boot CPU until it has its own, in the image

.macro save_registers at=sp
    stp     x2, x3, [\at, #16]
    stp     x4, x5, [\at, #32]
    stp     x6, x7, [\at, #48]
    stp     x8, x9, [\at, #64]
    stp     x10, x11, [\at, #80]
    stp     x12, x13, [\at, #96]
    stp     x14, x15, [\at, #112]
    stp     x16, x17, [\at, #128]
    stp     x18, x19, [\at, #144]
    stp     x20, x21, [\at, #160]
    stp     x22, x23, [\at, #176]
    stp     x24, x25, [\at, #192]
    stp     x26, x27, [\at, #208]
    stp     x28, x29, [\at, #224]
.endm

// All of it fits into the vector. FAR is read in Rust where it means something.
.macro from_user kind
    .balign 0x80
    stp     x0, x1, [sp]
    save_registers
    mrs     x0, sp_el0
    mrs     x1, elr_el1
    mrs     x2, spsr_el1
    mrs     x3, esr_el1
    .if \kind
    orr     x3, x3, #\kind << 62
    .endif
    stp     x30, x0, [sp, #LR_SP]
    stp     x1, x2, [sp, #PC_PSTATE]
    str     x3, [sp, #SYNDROME]
    mov     x0, sp
    mrs     x1, tpidr_el1
    and     sp, x1, #~0xff
    bl      user_entry                  // a call for the backtrace's sake: it goes to restore_user
.endm

.section .text.vectors, "ax"
.balign 0x800
.global vectors
vectors:
.irp index, 0, 1, 2, 3, 4, 5, 6, 7
    .balign 0x80
    b       from_kernel_\index
.endr
.irp kind, 0, 1, 2, 3, 0, 1, 2, 3
    from_user \kind
.endr

// x0 = frame. Restores user code, and leaves SP pointing to its frame. Nothing traps from here on.
.global restore_user
restore_user:
    ldp     x30, x1, [x0, #LR_SP]
    ldp     x2, x3, [x0, #PC_PSTATE]
    msr     sp_el0, x1
    mov     sp, x0
restore_registers:
    msr     elr_el1, x2
    msr     spsr_el1, x3
    ldp     x2, x3, [x0, #16]
    ldp     x4, x5, [x0, #32]
    ldp     x6, x7, [x0, #48]
    ldp     x8, x9, [x0, #64]
    ldp     x10, x11, [x0, #80]
    ldp     x12, x13, [x0, #96]
    ldp     x14, x15, [x0, #112]
    ldp     x16, x17, [x0, #128]
    ldp     x18, x19, [x0, #144]
    ldp     x20, x21, [x0, #160]
    ldp     x22, x23, [x0, #176]
    ldp     x24, x25, [x0, #192]
    ldp     x26, x27, [x0, #208]
    ldp     x28, x29, [x0, #224]
    ldp     x0, x1, [x0]
    eret

// A function: the registers of its caller into the frame at x0, as if kernel code had been interrupted.
.global trap_here
trap_here:
    stp     x0, x1, [x0]
    save_registers x0
    mov     x1, sp
    stp     x30, x1, [x0, #LR_SP]
    mov     x1, #0b0101                 // EL1 with its own stack pointer
    stp     x30, x1, [x0, #PC_PSTATE]
    mov     x1, #FROM_KERNEL << 61
    str     x1, [x0, #SYNDROME]
    ret

.irp index, 0, 1, 2, 3, 4, 5, 6, 7
from_kernel_\index:
    sub     sp, sp, #FRAME
    add     sp, sp, x0                  // test a bit of SP without a free register:
    sub     x0, sp, x0                  // x0 = old SP, SP = old SP + old x0
    tbz     x0, #STACK_BIT, 1f
    tst     x0, #0xf                    // nothing can be stored where it is not aligned
    b.ne    1f
    sub     x0, sp, x0                  // x0 = old x0
    sub     sp, sp, x0                  // SP = old SP
    stp     x0, x1, [sp]
    mov     x1, #(\index & 3) << 1 | FROM_KERNEL
    save_registers
    add     x0, sp, #FRAME
    b       save_system
1:  sub     x0, sp, x0
    sub     sp, sp, x0
    msr     tpidrro_el0, x1
    mov     x1, #(\index & 3) << 1 | FROM_KERNEL
    b       to_emergency_stack
.endr

// x1 = what the syndrome gets, TPIDRRO_EL0 = x1 as it was. The stack this CPU was on stays as it is.
to_emergency_stack:
    msr     tpidr_el0, x0               // the machine is about to stop: nobody misses it
    add     x0, sp, #FRAME
    msr     sp_el0, x0
    mrs     x0, tpidr_el1
    add     x0, x0, #2 << (STACK_BIT - 12), lsl #12
    and     x0, x0, #~0xff
    sub     x0, sp, x0
    cmn     x0, #EMERGENCY_STACK
    b.hs    1f                          // on it already: a trap in the report of another
    mrs     x0, tpidr_el1
    add     x0, x0, #2 << (STACK_BIT - 12), lsl #12
    and     x0, x0, #~0xff
    sub     sp, x0, #FRAME
1:  mrs     x0, tpidr_el0
    str     x0, [sp]
    mrs     x0, tpidrro_el0
    str     x0, [sp, #8]
    save_registers
    mrs     x0, sp_el0

// x0 = stack pointer of the interrupted code, x1 = what the syndrome gets in bits 61 and up.
save_system:
    stp     x30, x0, [sp, #LR_SP]
    mrs     x2, elr_el1
    mrs     x3, spsr_el1
    stp     x2, x3, [sp, #PC_PSTATE]
    mrs     x4, esr_el1
    orr     x4, x4, x1, lsl #61
    stp     x4, xzr, [sp, #SYNDROME]
    stp     xzr, xzr, [sp, #SYNDROME + 16]
    mov     x0, sp
    bl      trap_entry

    ldp     x2, x3, [x0, #PC_PSTATE]
    tbz     x3, #2, restore_user        // to user code, or back to EL1
    ldp     x30, x1, [x0, #LR_SP]
    mov     sp, x1                      // the frame stays where it is
    b       restore_registers

.section .bss.emergency, "aw", @nobits
.balign 256
    .skip   EMERGENCY_STACK
.global emergency_stack_top
emergency_stack_top:
