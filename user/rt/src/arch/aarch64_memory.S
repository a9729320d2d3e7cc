// What the compiler calls to copy and to fill memory: two registers at a time, where the functions
// that come with it take one. What overlaps is not for them.

.text
.global memcpy
memcpy:
    cmp x2, #16
    add x4, x1, x2
    add x5, x0, x2
    b.lo 3f
    mov x3, x0
    subs x2, x2, #32
    b.lo 2f
1:  ldp x6, x7, [x1], #32
    ldp x8, x9, [x1, #-16]
    stp x6, x7, [x3], #32
    stp x8, x9, [x3, #-16]
    subs x2, x2, #32
    b.hs 1b
    cmn x2, #32
    b.eq 9f
    // The last 32 bytes, some of them once more.
    ldp x6, x7, [x4, #-32]
    ldp x8, x9, [x4, #-16]
    stp x6, x7, [x5, #-32]
    stp x8, x9, [x5, #-16]
    ret
2:  ldp x6, x7, [x1]
    ldp x8, x9, [x4, #-16]
    stp x6, x7, [x0]
    stp x8, x9, [x5, #-16]
    ret
3:  tbz x2, #3, 4f
    ldr x6, [x1]
    ldr x7, [x4, #-8]
    str x6, [x0]
    str x7, [x5, #-8]
    ret
4:  tbz x2, #2, 5f
    ldr w6, [x1]
    ldr w7, [x4, #-4]
    str w6, [x0]
    str w7, [x5, #-4]
    ret
5:  cbz x2, 9f
    ldrb w6, [x1]
    tbz x2, #1, 6f
    ldrh w7, [x4, #-2]
    strh w7, [x5, #-2]
6:  strb w6, [x0]
9:  ret

.global memset
memset:
    and x1, x1, #255
    mov x6, #0x0101010101010101
    mul x1, x1, x6
    cmp x2, #16
    add x5, x0, x2
    b.lo 3f
    mov x3, x0
    subs x2, x2, #32
    b.lo 2f
1:  stp x1, x1, [x3], #32
    stp x1, x1, [x3, #-16]
    subs x2, x2, #32
    b.hs 1b
    cmn x2, #32
    b.eq 9f
    stp x1, x1, [x5, #-32]
    stp x1, x1, [x5, #-16]
    ret
2:  stp x1, x1, [x0]
    stp x1, x1, [x5, #-16]
    ret
3:  tbz x2, #3, 4f
    str x1, [x0]
    str x1, [x5, #-8]
    ret
4:  tbz x2, #2, 5f
    str w1, [x0]
    str w1, [x5, #-4]
    ret
5:  cbz x2, 9f
    strb w1, [x0]
    tbz x2, #1, 9f
    strh w1, [x5, #-2]
9:  ret
