# Where an application processor begins: a copy of this, in a page below 1 MiB (AT&T syntax).
#
# In: real mode, cs:ip = the page:0. `cpu.rs` has filled in the `Letter` at the end of the page.
# Out: `secondary_long_mode` in the upper half, under the first page tables, which map this page
#   read-execute for as long as CPUs are being started; rax = root of the kernel's page tables,
#   rsp = the CPU's stack, rdi = its number.

.set CR0, 0x80010033                    # PG, WP, NE, ET, MP, PE
.set CR4, 0x20                          # PAE
.set EFER, 0xc0000080
.set EFER_LME_NXE, 0x900

.section .rodata.trampoline, "a"
.code16
.global trampoline, trampoline_long_mode, trampoline_end
trampoline:
    cli
    cld
    mov     %cs, %ax
    mov     %ax, %ds
    lgdtl   {letter} + {gdt_pointer}
    mov     $CR4, %eax
    mov     %eax, %cr4
    mov     $boot_root, %eax
    mov     %eax, %cr3
    mov     $EFER, %ecx
    rdmsr
    or      $EFER_LME_NXE, %eax
    wrmsr
    mov     $CR0, %eax                  # real mode to long mode in one step
    mov     %eax, %cr0
    ljmpl   *{letter} + {jump}

.code64
trampoline_long_mode:
    mov     $16, %eax
    mov     %eax, %ds
    mov     %eax, %es
    mov     %eax, %ss
    xor     %eax, %eax
    mov     %eax, %fs
    mov     %eax, %gs
    lea     trampoline(%rip), %rbx
    mov     {letter} + {root}(%rbx), %rax
    mov     {letter} + {stack}(%rbx), %rsp
    mov     {letter} + {id}(%rbx), %rdi
    mov     $secondary_long_mode, %rbx
    jmp     *%rbx
trampoline_end:
