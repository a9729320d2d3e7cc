# The ways into the kernel, and the one way out (AT&T syntax).
#
# Each way in completes a `TrapFrame` (trap.rs) and calls Rust with rdi = its address.
#
#   From user code, the stack is the end of the running thread's frame: the CPU takes it from the TSS
#   (`arrive` in user.rs has put it there), `syscall_gates` do the same by hand. What is left to save is
#   saved there too, then the CPU's usual stack is taken, empty: `call_entry`, and `user_entry` for all
#   that is no call. They end in `trap_restore` with the frame of whoever is next.
#   From the kernel, the frame is on the stack that was in use: `trap_entry`, which returns the frame to
#   restore.
#   What has a stack of its own may have interrupted anything, a way in included, and stays on that
#   stack, with the frame: `trap_entry` as well.
#
# The kernel does not use GS, so there is nothing to swap: the number of a CPU is in its task
# register (cpu.rs), and what `syscall` needs of memory it finds by having a gate for each CPU.

.set WITH_ERROR_CODE, 0x60227d00        # 8, 10-14, 17, 21, 29, 30
.set WITH_OWN_STACK, 0x40104            # 2, 8, 18

.macro push_registers
    push    %r11
    push    %rbp
    push    %rcx
    push    %rbx
    push    %rax
    push    %r15
    push    %r14
    push    %r13
    push    %r12
    push    %r9
    push    %r8
    push    %r10
    push    %rdx
    push    %rsi
    push    %rdi
    mov     %rsp, %rdi
.endm

# What a call has to keep, into the frame at rdi, but rdi.
.macro store_registers
    mov     %rsi, 8(%rdi)
    mov     %rdx, 16(%rdi)
    mov     %r10, 24(%rdi)
    mov     %r8, 32(%rdi)
    mov     %r9, 40(%rdi)
    mov     %r12, 48(%rdi)
    mov     %r13, 56(%rdi)
    mov     %r14, 64(%rdi)
    mov     %r15, 72(%rdi)
    mov     %rax, 80(%rdi)
    mov     %rbx, 88(%rdi)
    mov     %rbp, 104(%rdi)
.endm

# Whoever was interrupted: DF and AC (SMAP's key) are clear. Below a thread's frame is another's.
.macro clear_flags
    push    $2
    popfq
.endm

# Restores the frame at rax. Until the last instruction nothing can come but what has its own stack.
.macro restore
    mov     (%rax), %rdi
    mov     8(%rax), %rsi
    mov     16(%rax), %rdx
    mov     24(%rax), %r10
    mov     32(%rax), %r8
    mov     40(%rax), %r9
    mov     48(%rax), %r12
    mov     56(%rax), %r13
    mov     64(%rax), %r14
    mov     72(%rax), %r15
    mov     88(%rax), %rbx
    mov     96(%rax), %rcx
    mov     104(%rax), %rbp
    mov     112(%rax), %r11
    lea     {rip}(%rax), %rsp
    mov     80(%rax), %rax
    iretq
.endm

.section .text.trap, "ax"

# The 256 interrupt gates, 16 bytes each.
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
    .if vector < 32 && ((WITH_OWN_STACK >> vector) & 1)
    jmp     own_stack
    .else
    jmp     usual_stack
    .endif
    .set vector, vector + 1
.endr

# Every stack and every thread's frame ends at a multiple of 16 bytes, and the frame is 22 words, so
# the calls find the stack aligned.
usual_stack:
    push_registers
    testb   $3, {cs}(%rdi)
    jz      1f
    str     %eax                        # layout::stack_top(CPU, 0)
    shl     ${selector_to_stack}, %eax
    lea     {stack_of_selector_0}(%rax), %rsp
    clear_flags
    call    user_entry

own_stack:
    push_registers
1:  clear_flags
    call    trap_entry
.global trap_restore
trap_restore:
    restore

# Where `syscall` leads on each CPU, {syscall_gate} bytes each. In: rcx = rip and r11 = rflags of user
# code; interrupts are off, and DF and AC clear (user.rs). The frame's cs and ss never change, and its rcx
# and r11 are what they were when they last meant something: a call returns them like that.
.balign {syscall_gate}
.global syscall_gates
syscall_gates:
.set cpu, 0
.rept {cpus}
    .balign {syscall_gate}
    mov     %rsp, {locals} + cpu * {local} + {user_stack}(%rip)
    mov     {locals} + cpu * {local} + {frame_end}(%rip), %rsp
    mov     %rdi, -{size}(%rsp)
    lea     -{size}(%rsp), %rdi
    store_registers
    movq    ${syscall}, {vector} - {size}(%rsp)
    mov     %rcx, {rip} - {size}(%rsp)
    mov     %r11, {rflags} - {size}(%rsp)
    mov     {locals} + cpu * {local} + {user_stack}(%rip), %rcx
    mov     %rcx, {rsp} - {size}(%rsp)
    mov     ${stack_0} + cpu * {stack_step}, %rsp
    call    call_entry
    .set cpu, cpu + 1
.endr

# A function: the registers of its caller into the frame at rdi.
.global trap_here
trap_here:
    store_registers
    mov     %rdi, (%rdi)
    mov     %rcx, 96(%rdi)
    mov     %r11, 112(%rdi)
    mov     (%rsp), %rax
    mov     %rax, {rip}(%rdi)
    lea     8(%rsp), %rax
    mov     %rax, {rsp}(%rdi)
    pushfq
    popq    {rflags}(%rdi)
    mov     %cs, {cs}(%rdi)
    mov     %ss, {ss}(%rdi)
    ret
