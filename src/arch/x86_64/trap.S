# The 256 interrupt gates (AT&T syntax). Each completes what the CPU pushed to a `TrapFrame`
# (trap.rs) on the current stack and calls the one Rust function `trap_entry(rdi = &mut TrapFrame)`;
# then the frame, as Rust left it, is restored.
#
# The kernel does not use GS, so there is nothing to swap when user code was interrupted: the
# number of a CPU is in its task register (cpu.rs).

.set WITH_ERROR_CODE, 0x60227d00        # 8, 10-14, 17, 21, 29, 30

.section .text.trap, "ax"
.balign 16
.global trap_gates
trap_gates:
.set vector, 0
.rept 256
    .balign 16
    .if vector >= 32 || !((WITH_ERROR_CODE >> vector) & 1)
    push    $0
    .endif
    push    $vector
    jmp     trap_common
    .set vector, vector + 1
.endr

# The CPU aligned the stack to 16 bytes and the frame is 22 words, so the call is aligned as well.
trap_common:
    push    %rax
    push    %rcx
    push    %rdx
    push    %rbx
    push    %rbp
    push    %rsi
    push    %rdi
    push    %r8
    push    %r9
    push    %r10
    push    %r11
    push    %r12
    push    %r13
    push    %r14
    push    %r15
    push    $2                          # whoever we interrupted: DF and AC (SMAP's key) are clear
    popfq
    mov     %rsp, %rdi
    call    trap_entry
    pop     %r15
    pop     %r14
    pop     %r13
    pop     %r12
    pop     %r11
    pop     %r10
    pop     %r9
    pop     %r8
    pop     %rdi
    pop     %rsi
    pop     %rbp
    pop     %rbx
    pop     %rdx
    pop     %rcx
    pop     %rax
    add     $16, %rsp                   # vector and error code
    iretq
