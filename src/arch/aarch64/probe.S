// Accesses that may fault (mapped/probe.rs). Each returns 0, or 1 after a fault at its first instruction
// (or, for `probe_execute`, at the target). A word that was read comes back in x1.

.section .text.probe, "ax"
.global probe_read, probe_write, probe_execute, probe_execute_return, probe_return

probe_read:
    ldr     x1, [x0]
    mov     x0, #0
    ret

probe_write:
    strb    w1, [x0]
    mov     x0, #0
probe_return:
    ret

probe_execute:
    stp     x29, x30, [sp, #-16]!
    mov     x29, sp
    mov     x1, x0
    mov     x0, #0
    blr     x1
probe_execute_return:
    ldp     x29, x30, [sp], #16
    ret
