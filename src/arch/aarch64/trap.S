// The sixteen exception vectors. Each saves all registers as a `TrapFrame` (trap.rs) on the current
// stack and calls the one Rust function `trap_entry(&mut TrapFrame)`; then the frame, as Rust left
// it, is restored.
//
// A CPU's stack is the upper half of its 32 KiB slot, so where a frame fits bit 14 of its address is
// set. Where it is not, the stack has overflowed into its guard (or is no CPU stack yet): the frame
// goes to the CPU's emergency stack instead, and Rust tells from the saved SP what happened.

.equ FRAME, 304                         // size_of::<TrapFrame>(), asserted in trap.rs
.equ STACK_BIT, 14                      // half of layout::STACK_SLOT, asserted in trap.rs
.equ EMERGENCY_STACK, 8192              // of the boot CPU until it has its own, in the image

.macro vector index, save
    .balign 0x80
    b       \save\()_\index
.endm

.macro save_registers
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    stp     x8, x9, [sp, #64]
    stp     x10, x11, [sp, #80]
    stp     x12, x13, [sp, #96]
    stp     x14, x15, [sp, #112]
    stp     x16, x17, [sp, #128]
    stp     x18, x19, [sp, #144]
    stp     x20, x21, [sp, #160]
    stp     x22, x23, [sp, #176]
    stp     x24, x25, [sp, #192]
    stp     x26, x27, [sp, #208]
    stp     x28, x29, [sp, #224]
.endm

.section .text.vectors, "ax"
.balign 0x800
.global vectors
vectors:
.irp index, 0, 1, 2, 3, 4, 5, 6, 7
    vector  \index, from_kernel
.endr
.irp index, 8, 9, 10, 11, 12, 13, 14, 15
    vector  \index, from_user
.endr

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
    mov     x1, #\index
    b       save_kernel
1:  sub     x0, sp, x0
    sub     sp, sp, x0
    msr     tpidrro_el0, x1
    mov     x1, #\index
    b       to_emergency_stack
.endr

.irp index, 8, 9, 10, 11, 12, 13, 14, 15
from_user_\index:
    sub     sp, sp, #FRAME
    stp     x0, x1, [sp]
    mov     x1, #\index
    b       save_user
.endr

// x1 = vector index, TPIDRRO_EL0 = x1 as it was. The stack this CPU was on stays as it is. TPIDR_EL1
// is the top of its emergency stack, and its number in the lowest byte (cpu.rs).
to_emergency_stack:
    msr     tpidr_el0, x0               // the machine is about to stop: nobody misses it
    add     x0, sp, #FRAME
    msr     sp_el0, x0
    mrs     x0, tpidr_el1
    and     x0, x0, #~0xff
    sub     x0, sp, x0
    cmn     x0, #EMERGENCY_STACK
    b.hs    1f                          // on it already: a trap in the report of another
    mrs     x0, tpidr_el1
    and     x0, x0, #~0xff
    sub     sp, x0, #FRAME
1:  mrs     x0, tpidr_el0
    str     x0, [sp]
    mrs     x0, tpidrro_el0
    str     x0, [sp, #8]
    save_registers
    mrs     x0, sp_el0
    b       save_system

save_kernel:
    save_registers
    add     x0, sp, #FRAME
    b       save_system

save_user:
    save_registers
    mrs     x0, sp_el0

// x0 = stack pointer of the interrupted code, x1 = vector index.
save_system:
    str     x30, [sp, #240]
    mrs     x2, elr_el1
    mrs     x3, spsr_el1
    stp     x0, x2, [sp, #248]
    mrs     x4, esr_el1
    stp     x3, x4, [sp, #264]
    mrs     x5, far_el1
    stp     x5, x1, [sp, #280]
    mov     x0, sp
    bl      trap_entry

    ldp     x2, x3, [sp, #256]          // pc, pstate
    msr     elr_el1, x2
    msr     spsr_el1, x3
    ldr     x0, [sp, #248]
    mov     x1, sp
    tbnz    x3, #2, 1f                  // back to EL1, or to user code
    msr     sp_el0, x0
    add     x0, sp, #FRAME
1:  mov     sp, x0                      // the frame stays where it is: nothing traps from here on
    ldp     x2, x3, [x1, #16]
    ldp     x4, x5, [x1, #32]
    ldp     x6, x7, [x1, #48]
    ldp     x8, x9, [x1, #64]
    ldp     x10, x11, [x1, #80]
    ldp     x12, x13, [x1, #96]
    ldp     x14, x15, [x1, #112]
    ldp     x16, x17, [x1, #128]
    ldp     x18, x19, [x1, #144]
    ldp     x20, x21, [x1, #160]
    ldp     x22, x23, [x1, #176]
    ldp     x24, x25, [x1, #192]
    ldp     x26, x27, [x1, #208]
    ldp     x28, x29, [x1, #224]
    ldr     x30, [x1, #240]
    ldp     x0, x1, [x1]
    eret

.section .bss.emergency, "aw", @nobits
.balign 256
    .skip   EMERGENCY_STACK
.global emergency_stack_top
emergency_stack_top:
