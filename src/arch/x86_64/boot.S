# From a loader's hands to `kernel_entry` (AT&T syntax).
#
# In, by either way: 32-bit protected mode, flat segments, paging and interrupts off.
#   PVH:        enters at pvh_start, ebx = physical address of the start info.
#   multiboot2: enters at _start, eax = 0x36d76289, ebx = physical address of the boot information.
# Out: 64-bit mode in the upper half under the first page tables, .bss cleared, on the boot stack,
#   `kernel_entry(rdi = &Handoff)`.
#
# The first page tables map
#   .boot.text where it is loaded: read-execute (the jump to the upper half needs it, nothing else);
#   the image: text read-execute, rodata read-only, data and bss read-write, but for a page below the
#   boot stack;
#   the first 4 GiB of physical memory at PHYS_MAP: read-write.
# Only what is called read-execute above may be executed.
#
# The other CPUs begin in real mode, in a copy of `trampoline` that `cpu.rs` has made, and come by the
# same page tables to `secondary_entry(rdi = the CPU's number)`, on the stack and under the page tables
# that the `Letter` names.

.set CR0, 0x80010033                    # PG, WP, NE, ET, MP, PE
.set CR0_PROTECTED, 0x11                # ET, PE
.set CR4, 0x20                          # PAE
.set EFER, 0xc0000080
.set EFER_LME_NXE, 0x900
.set PRESENT, 1
.set WRITE, 2
.set LARGE, 0x80
.set NX, 0x80000000                     # in the upper half of an entry
.set MULTIBOOT2, 0xe85250d6
.set COM1, 0x3f8
.set CODE64, 8                          # in boot_gdt
.set DATA, 16
.set CODE32, 24

.section .multiboot2, "a"
.balign 8
multiboot2_header:
    .long MULTIBOOT2, 0, multiboot2_end - multiboot2_header
    .long -(MULTIBOOT2 + (multiboot2_end - multiboot2_header))
    .word 3, 0                          # entry address
    .long 12, _start, 0
    .word 6, 0                          # modules begin on pages
    .long 8
    .word 0, 0                          # end
    .long 8
multiboot2_end:

# XEN_ELFNOTE_PHYS32_ENTRY: where a PVH loader enters.
.section .note.Xen, "a", @note
.balign 4
    .long 4, 8, 18
    .asciz "Xen"
    .quad pvh_start

# Maps the pages of [first, end) in the table at ebx, which covers the 2 MiB around them, with the
# `low` and `high` bits of an entry. Clobbers eax, ecx, edx, esi.
.macro map_pages first, end, low, high
    mov     $\first, %eax
    mov     $\end, %ecx
    mov     $\low, %edx
    mov     $\high, %esi
    call    fill
.endm

.section .boot.text, "ax"
.code32
pvh_start:
    xor     %eax, %eax                  # PVH leaves no word about itself in eax

.global _start
_start:
    cld
    mov     %eax, %ebp
    rdtsc
    mov     %eax, %esi

    xor     %eax, %eax
    mov     $__boot_bss_start, %edi
    mov     $__boot_bss_end, %ecx
    sub     %edi, %ecx
    rep stosb
    mov     $__bss_start - {load_offset}, %edi
    mov     $__bss_end - {load_offset}, %ecx
    sub     %edi, %ecx
    rep stosb

    mov     %ebp, handoff - {load_offset}
    mov     %ebx, handoff - {load_offset} + 4
    mov     %esi, handoff - {load_offset} + 8
    mov     %edx, handoff - {load_offset} + 12
    movl    $__image_start - {load_offset}, handoff - {load_offset} + 16
    mov     $boot_stack_top - {load_offset}, %esp

    mov     $0x80000000, %eax
    cpuid
    mov     $no_long_mode, %esi
    cmp     $0x80000001, %eax
    jb      refuse
    mov     $0x80000001, %eax
    cpuid
    bt      $29, %edx
    jnc     refuse
    mov     $no_nx, %esi
    bt      $20, %edx
    jnc     refuse

    movl    $boot_low_l1 + PRESENT, boot_root
    movl    $boot_phys_l1 + PRESENT + WRITE, boot_root + 256 * 8
    movl    $boot_image_l1 + PRESENT + WRITE, boot_root + 511 * 8
    movl    $boot_low_l2 + PRESENT, boot_low_l1
    movl    $boot_low_l3 + PRESENT, boot_low_l2 + 1 * 8
    movl    $boot_image_l2 + PRESENT + WRITE, boot_image_l1 + 510 * 8
    movl    $boot_image_l3 + PRESENT + WRITE, boot_image_l2 + 1 * 8

    mov     $boot_low_l3, %ebx
    map_pages __boot_start, __boot_text_end, PRESENT, 0
    mov     $boot_image_l3, %ebx
    map_pages __text_start - {load_offset}, __text_end - {load_offset}, PRESENT, 0
    map_pages __rodata_start - {load_offset}, __rodata_end - {load_offset}, PRESENT, NX
    map_pages __data_start - {load_offset}, __image_end - {load_offset}, PRESENT + WRITE, NX
    mov     $boot_stack_guard - {load_offset}, %eax
    shr     $12 - 3, %eax
    and     $511 * 8, %eax
    movl    $0, boot_image_l3(%eax)

    xor     %ecx, %ecx                  # four tables of 512 large pages
1:  mov     %ecx, %eax
    shl     $21, %eax
    or      $PRESENT + WRITE + LARGE, %eax
    mov     %eax, boot_phys_l2(, %ecx, 8)
    movl    $NX, boot_phys_l2 + 4(, %ecx, 8)
    inc     %ecx
    cmp     $4 * 512, %ecx
    jb      1b
    xor     %ecx, %ecx
2:  mov     %ecx, %eax
    shl     $12, %eax
    add     $boot_phys_l2 + PRESENT + WRITE, %eax
    mov     %eax, boot_phys_l1(, %ecx, 8)
    inc     %ecx
    cmp     $4, %ecx
    jb      2b

    mov     $first_entry - {load_offset}, %ebp

# In: 32-bit protected mode, flat segments, ebp = where to go in the upper half, as an offset from there.
enter_long_mode:
    mov     $CR4, %eax
    mov     %eax, %cr4
    mov     $boot_root, %eax
    mov     %eax, %cr3
    mov     $EFER, %ecx
    rdmsr
    or      $EFER_LME_NXE, %eax
    wrmsr
    mov     $CR0, %eax
    mov     %eax, %cr0
    lgdt    boot_gdt_pointer
    ljmp    $CODE64, $long_mode

.code64
long_mode:
    mov     $DATA, %eax
    mov     %eax, %ds
    mov     %eax, %es
    mov     %eax, %ss
    xor     %eax, %eax
    mov     %eax, %fs
    mov     %eax, %gs
    mov     %ebp, %eax
    add     ${load_offset}, %rax
    xor     %ebp, %ebp                  # backtraces end here
    jmp     *%rax

.code32
secondary_start:
    mov     $DATA, %eax
    mov     %eax, %ds
    mov     $other_entry - {load_offset}, %ebp
    jmp     enter_long_mode

# Fills entries: eax = first address, ecx = end, edx = low bits, esi = high bits, ebx = table.
fill:
    mov     %eax, %edi
    shr     $12 - 3, %edi
    and     $511 * 8, %edi
    add     %eax, %edx
    mov     %edx, (%ebx, %edi)
    sub     %eax, %edx
    mov     %esi, 4(%ebx, %edi)
    add     $4096, %eax
    cmp     %ecx, %eax
    jb      fill
    ret

# Says why on COM1, and stops: esi = text. A port that is not there reads as ready.
refuse:
    mov     $COM1 + 5, %edx
    mov     $1000000, %ecx
1:  in      %dx, %al
    test    $0x20, %al
    loopz   1b
    mov     $COM1, %edx
    lodsb
    out     %al, %dx
    test    %al, %al
    jnz     refuse
2:  cli
    hlt
    jmp     2b

no_long_mode:
    .asciz "error: this CPU has no 64-bit mode, without which Ochre cannot run\r\n"
no_nx:
    .asciz "error: this CPU cannot forbid execution (NX), without which Ochre does not run\r\n"

# Null, 64-bit code, data, 32-bit code.
.balign 8
boot_gdt:
    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff
boot_gdt_pointer:
    .word boot_gdt_pointer - boot_gdt - 1
    .long boot_gdt

# In: real mode, cs:ip = the copy's page:0.
.section .rodata.trampoline, "a"
.code16
.global trampoline, trampoline_end
trampoline:
    cli
    cld
    mov     %cs, %ax
    mov     %ax, %ds
    lgdtl   1f - trampoline
    mov     $CR0_PROTECTED, %eax
    mov     %eax, %cr0
    ljmpl   $CODE32, $secondary_start
1:  .word boot_gdt_pointer - boot_gdt - 1
    .long boot_gdt
trampoline_end:

.section .text.entry, "ax"
.code64
first_entry:
    mov     $boot_stack_top, %rsp
    mov     $handoff, %rdi
    call    kernel_entry
    ud2

other_entry:
    mov     {letter} + {root}(%rip), %rax
    mov     {letter} + {stack_top}(%rip), %rsp
    mov     {letter} + {id}(%rip), %rdi
    mov     %rax, %cr3
    call    secondary_entry
    ud2

.section .boot.bss, "aw", @nobits
.balign 4096
boot_root:      .skip 4096
boot_low_l1:    .skip 4096
boot_low_l2:    .skip 4096
boot_low_l3:    .skip 4096
boot_image_l1:  .skip 4096
boot_image_l2:  .skip 4096
boot_image_l3:  .skip 4096
boot_phys_l1:   .skip 4096
boot_phys_l2:   .skip 4 * 4096

.section .bss.boot, "aw", @nobits
.balign 4096
boot_stack_guard: .skip 4096
    .skip 16 * 4096
boot_stack_top:
    .skip 2 * 4096                      # of the boot CPU's worst traps, until it has its own
.global emergency_stack_top
emergency_stack_top:
handoff:        .skip 24
