// From power-on to Rust.
//
// Firmware enters `_start` as the arm64 Linux boot protocol says: x0 = device tree (physical), MMU
// off, at EL2 or EL1, loaded anywhere on a page boundary. Secondary CPUs enter `secondary_start`,
// as PSCI or a spin table sends them. Both end up at EL1 in the upper half, with the MMU on.
//
// There is no identity map. EL1's vector base is set so that the fault of the first fetch after the
// MMU comes on lands on the upper-half `in_upper_half`: no page is ever reachable at two addresses
// of which one could be executed, and nothing has to be taken down afterwards.

.equ PAGE,       0x703                  // normal memory, inner shareable, accessed
.equ BLOCK,      0x701                  // the same, 2 MiB
.equ TABLE,      0x003
.equ READ_ONLY,  1 << 7
.equ PXN,        1 << 53                // not executable by the kernel
.equ UXN,        1 << 54                // not executable by user code
.equ PHYS_MAP_L0, 256                   // root entry of 0xffff_8000_0000_0000
.equ MAX_PHYS,   1 << 39                // what one level-1 table of the physical map reaches

.section .head, "ax"
.global _start
_start:
    b       primary                     // Image header, as the boot protocol lays it out
    .long   0
    .quad   0                           // text offset: none
    .quad   __image_end - _start        // bytes in memory, BSS included
    .quad   0xa                         // little-endian, 4 KiB pages, anywhere in memory
    .quad   0, 0, 0
    .ascii  "ARM\x64"
    .long   0

// x0 = device tree. Leaves x20 = device tree, x21 = physical base, x22 = counter at entry.
primary:
    mov     x20, x0
    mrs     x22, cntvct_el0
    bl      enter_el1
    adrp    x21, _start
    adrp    x0, boot_stack_top
    mov     sp, x0

    bl      forget_lines                // a loader's dirty line must not be written over our tables
    adrp    x0, __bss_start
    adrp    x1, __bss_end
1:  stp     xzr, xzr, [x0], #16
    cmp     x0, x1
    b.lo    1b

    bl      build_tables
    bl      forget_lines                // nor a stale one be read
    adrp    x24, boot_root
    ldr     x25, =primary_in_upper_half
    b       enable_mmu

// The fetch fault arrives here: VBAR_EL1 is the image's virtual base, and this is its entry for
// synchronous exceptions taken at EL1. x25 = where to go on.
.org 0x200
in_upper_half:
    br      x25

primary_in_upper_half:
    ldr     x0, =boot_stack_top
    mov     sp, x0
    mov     x29, xzr
    mov     x30, xzr
    stp     x22, xzr, [sp, #-16]!       // Handoff, see boot.rs
    stp     x20, x21, [sp, #-16]!
    mov     x0, sp
    bl      kernel_entry

// A CPU that was called for takes its root table, stack and number from the mailbox, if the mailbox
// calls for it: one that comes too late, or uncalled, parks.
.global secondary_start
secondary_start:
    bl      enter_el1
    adrp    x19, mailbox
    add     x19, x19, :lo12:mailbox
    mrs     x0, mpidr_el1
    ldr     x1, =0xff00ffffff           // affinity fields only
    and     x0, x0, x1
    ldp     x26, x27, [x19, #16]        // Mailbox, see cpu.rs
    ldr     x24, [x19, #8]
    ldr     x1, [x19]                   // last, in order as the MMU is off: what was read is for x1
    cmp     x0, x1
    b.ne    park
    ldr     x25, =secondary_in_upper_half
    b       enable_mmu
secondary_in_upper_half:
    mov     sp, x26
    mov     x0, x27
    mov     x29, xzr
    mov     x30, xzr
    bl      secondary_entry
park:
    wfe
    b       park

// Leaves EL2 if that is where we are. Clobbers x0-x2, x23.
enter_el1:
    mrs     x23, CurrentEL
    lsr     x23, x23, #2
    ldr     x0, =0x30d00980             // SCTLR_EL1: RES1 bits of ARMv8.0, everything off (PAN is set later)
    msr     sctlr_el1, x0
    cmp     x23, #2
    b.ne    1f
    ldr     x0, =(1 << 31 | 3 << 40)    // HCR_EL2.RW, API, APK: EL1 is AArch64, nothing is trapped
    msr     hcr_el2, x0
    isb                                 // E2H is off: registers below have their plain layout
    mov     x0, #3                      // EL1 may use the physical counter and timer
    msr     cnthctl_el2, x0
    msr     cntvoff_el2, xzr
    mrs     x0, midr_el1
    msr     vpidr_el2, x0
    mrs     x0, mpidr_el1
    msr     vmpidr_el2, x0
    mov     x0, #0x33ff                 // CPTR_EL2: RES1, no traps
    msr     cptr_el2, x0
    msr     hstr_el2, xzr
    msr     vttbr_el2, xzr
    mrs     x0, id_aa64dfr0_el1
    ubfx    x0, x0, #8, #4              // PMUVer: with a PMU, give EL1 all its counters
    sub     x1, x0, #1
    mov     x0, xzr
    cmp     x1, #0xe                    // 0 and 0xf mean none
    b.hs    2f
    mrs     x0, pmcr_el0
    ubfx    x0, x0, #11, #5
2:  msr     mdcr_el2, x0                // and in any case trap no access to debug registers
    mrs     x0, id_aa64pfr0_el1
    ubfx    x0, x0, #24, #4             // GIC system registers: let EL1 use them
    cbz     x0, 3f
    mov     x0, #0xf
    msr     S3_4_C12_C9_5, x0           // ICC_SRE_EL2
    isb
    mrs     x0, S3_4_C12_C9_5
    tbz     x0, #0, 3f                  // EL3 keeps them to itself
    msr     S3_4_C12_C11_0, xzr         // ICH_HCR_EL2
3:  mov     x0, #0x3c5                  // EL1 with its own stack pointer, all interrupts masked
    msr     spsr_el2, x0
    msr     elr_el2, x30
    eret
1:  ret

// x24 = root table, x25 = where to go on in the upper half.
enable_mmu:
    ldr     x0, =0x04ff                 // MAIR: 0 = write-back, 1 = device nGnRE
    msr     mair_el1, x0
    // 48-bit addresses, 4 KiB granule, walks cached and inner shareable
    ldr     x0, =(16 | (1 << 8) | (1 << 10) | (3 << 12) | (16 << 16) | (1 << 24) | (1 << 26) | (3 << 28) | (2 << 30))
    mrs     x1, id_aa64mmfr0_el1
    and     x2, x1, #0xf                // physical address size, at most 48 bits
    cmp     x2, #5
    mov     x3, #5
    csel    x2, x2, x3, lo
    orr     x0, x0, x2, lsl #32
    ubfx    x2, x1, #4, #4              // 16-bit ASIDs where there are any
    cmp     x2, #2
    b.ne    1f
    orr     x0, x0, #1 << 36
1:  msr     tcr_el1, x0
    msr     ttbr1_el1, x24
    adrp    x0, no_space
    msr     ttbr0_el1, x0
    ldr     x0, =__image_start          // its entry for EL1's synchronous exceptions: in_upper_half
    msr     vbar_el1, x0
    dsb     ish
    tlbi    vmalle1
    ic      iallu
    dsb     nsh
    isb
    mrs     x0, sctlr_el1
    ldr     x1, =0x408d01d              // M, C, I, SA, SA0, WXN; for user code DZE, UCT, UCI
    orr     x0, x0, x1
    msr     sctlr_el1, x0
    isb
    b       .                           // never executed: the fetch has no translation any more

// The first page tables: the image with the rights of its sections, and of the physical map what
// Rust needs to read the device tree and to build the final tables. x20 = device tree, x21 = physical
// base of the image. Clobbers x0-x8, x18.
build_tables:
    mov     x18, x30
    adrp    x0, boot_root
    adrp    x1, boot_image_l1
    orr     x2, x1, #TABLE
    str     x2, [x0, #511 * 8]
    adrp    x3, boot_image_l2
    orr     x2, x3, #TABLE
    str     x2, [x1, #510 * 8]
    adrp    x4, boot_image_l3
    orr     x2, x4, #TABLE
    str     x2, [x3]
    adrp    x1, boot_phys_l1
    orr     x2, x1, #TABLE
    str     x2, [x0, #PHYS_MAP_L0 * 8]

    adrp    x0, __text_start
    adrp    x1, __text_end
    ldr     x2, =(PAGE | READ_ONLY | UXN)
    bl      map_section
    adrp    x0, __rodata_start
    adrp    x1, __rodata_end
    ldr     x2, =(PAGE | READ_ONLY | PXN | UXN)
    bl      map_section
    adrp    x0, __data_start
    adrp    x1, __image_end
    ldr     x2, =(PAGE | PXN | UXN)
    bl      map_section
    adrp    x0, boot_stack              // the page below the boot stack is a table, which nobody
    sub     x0, x0, x21                 // but the walker reads: unmapped, it is the stack's guard
    lsr     x0, x0, #9
    sub     x0, x0, #8
    adrp    x3, boot_image_l3
    str     xzr, [x3, x0]

    adrp    x8, boot_phys_l2            // tables to take from
    mov     x0, x20                     // the device tree: at most 2 MiB, anywhere
    ldr     x1, =(BLOCK | READ_ONLY | PXN | UXN)
    bl      map_block
    bl      map_block
    mov     x0, x21                     // the image's block and the two after it
    ldr     x1, =(BLOCK | PXN | UXN)
    bl      map_block
    bl      map_block
    bl      map_block
    ret     x18

// Maps the pages from physical x0 to x1, both in the image, with attributes x2. Clobbers x0, x3, x5.
map_section:
    adrp    x3, boot_image_l3
1:  cmp     x0, x1
    b.hs    2f
    sub     x5, x0, x21
    orr     x6, x0, x2
    lsr     x5, x5, #9                  // page number in the image, times 8
    str     x6, [x3, x5]
    add     x0, x0, #4096
    b       1b
2:  ret

// Maps the 2 MiB block that physical x0 lies in, with attributes x1; leaves x0 in the next block.
// x8 = next free table. Clobbers x2-x5.
map_block:
    mov     x2, #MAX_PHYS
    cmp     x0, x2
    b.hs    2f                          // out of reach: Rust will say so
    adrp    x3, boot_phys_l1
    ubfx    x2, x0, #30, #9
    ldr     x4, [x3, x2, lsl #3]
    cbnz    x4, 1f
    orr     x4, x8, #TABLE
    str     x4, [x3, x2, lsl #3]
    add     x8, x8, #4096
1:  and     x4, x4, #~0xfff
    ubfx    x2, x0, #21, #9
    and     x5, x0, #~0x1fffff
    orr     x5, x5, x1
    str     x5, [x4, x2, lsl #3]
2:  add     x0, x0, #0x200000
    ret

// We write past the caches: drops what they hold of BSS, which the boot protocol does not promise to
// be clean. Clobbers x0-x2.
forget_lines:
    mrs     x2, ctr_el0
    ubfx    x2, x2, #16, #4
    mov     x1, #4
    lsl     x2, x1, x2                  // bytes in the smallest line
    adrp    x0, __bss_start
    adrp    x1, __bss_end
    dsb     sy
1:  dc      ivac, x0
    add     x0, x0, x2
    cmp     x0, x1
    b.lo    1b
    dsb     sy
    ret

.section .bss.boot, "aw", @nobits
.balign 4096
.global boot_image_l2
boot_root:      .skip 4096
boot_image_l1:  .skip 4096
boot_image_l2:  .skip 4096
boot_image_l3:  .skip 4096
boot_phys_l1:   .skip 4096
no_space:       .skip 4096              // the lower half while no process has it: empty for ever
boot_phys_l2:   .skip 4 * 4096          // device tree and image may each lie across a GiB's edge
boot_stack:     .skip 16 * 4096         // the kernel, as it is made, is copied here more than once
boot_stack_top:
