# Accesses that may fault (mapped/probe.rs). Each returns 0, or 1 after a fault at its first instruction
# (or, for `probe_execute`, at the target). A word that was read comes back in rdx. While
# `probe_execute` calls, rbx is where that returns to, and rbp is where its stack is.

.section .text.probe, "ax"
.global probe_read, probe_write, probe_execute, probe_execute_return, probe_return

probe_read:
    mov     (%rdi), %rdx
    xor     %eax, %eax
    ret

probe_write:
    mov     %sil, (%rdi)
    xor     %eax, %eax
probe_return:
    ret

probe_execute:
    push    %rbp
    mov     %rsp, %rbp
    push    %rbx
    push    %rbx
    lea     probe_execute_return(%rip), %rbx
    call    *%rdi
    xor     %eax, %eax
probe_execute_return:
    mov     -8(%rbp), %rbx
    leave
    ret
