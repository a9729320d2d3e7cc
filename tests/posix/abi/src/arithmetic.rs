//! Arithmetic that goes wrong. Only x86-64 traps; elsewhere the process sends itself what comes of it, so
//! that the lines are the same.

use crate::sys;
use crate::sys::{in_child, value};
use libc::*;

/// What goes wrong, the code that a handler sees, and the x87's control word that lets it.
const WRONG: [(&str, i32, u16); 6] = [
    ("an integer divided by zero", 1, 0),
    ("one divided by zero", 3, 0x37b),
    ("what is too large", 4, 0x377),
    ("what is too small", 5, 0x36f),
    ("what is not exact", 6, 0x35f),
    ("zero divided by zero", 7, 0x37e),
];

extern "C" fn told(_: i32, info: *mut siginfo_t, _: *mut c_void) {
    // SAFETY: the kernel's.
    println!("  code {}", unsafe { (*info).si_code });
    sys::exit(0);
}

/// `struct sigaction` of the kernel.
#[repr(C)]
struct Action {
    handler: usize,
    flags: u64,
    restorer: usize,
    mask: u64,
}

pub fn run() {
    for (name, code, control) in WRONG {
        println!("{name}:");
        let status = in_child(|| {
            let action = Action {
                handler: told as *const () as usize,
                flags: SA_SIGINFO as u64 | 0x0400_0000,
                restorer: 8,
                mask: 0,
            };
            sys!(SYS_rt_sigaction, SIGFPE, &action, 0, 8);
            go_wrong(code, control);
            1
        });
        value("  status", status);
    }
    let status = in_child(|| {
        go_wrong(1, 0);
        1
    });
    value("without a handler", (WIFSIGNALED(status), WTERMSIG(status)));
}

#[cfg(target_arch = "x86_64")]
fn go_wrong(code: i32, control: u16) {
    use std::arch::asm;
    let (tiny, huge, three) = (f64::MIN_POSITIVE, f64::MAX, 3.0f64);
    let mut result = 0.0f32;
    // SAFETY: the x87 is nobody else's, and the process ends here.
    unsafe {
        match code {
            1 => asm!("div {}", in(reg) 0u64, inout("rax") 1u64 => _, inout("rdx") 0u64 => _),
            3 => asm!("fldcw [{}]", "fld1", "fldz", "fdivp", "fwait", in(reg) &control),
            4 => asm!("fldcw [{}]", "fld qword ptr [{}]", "fstp dword ptr [{}]", "fwait",
                in(reg) &control, in(reg) &huge, in(reg) &mut result),
            5 => asm!("fldcw [{}]", "fld qword ptr [{}]", "fstp dword ptr [{}]", "fwait",
                in(reg) &control, in(reg) &tiny, in(reg) &mut result),
            6 => asm!("fldcw [{}]", "fld1", "fld qword ptr [{}]", "fdivp", "fwait",
                in(reg) &control, in(reg) &three),
            _ => asm!("fldcw [{}]", "fldz", "fldz", "fdivp", "fwait", in(reg) &control),
        }
    }
}

#[cfg(target_arch = "aarch64")]
fn go_wrong(code: i32, _: u16) {
    let me = sys!(SYS_getpid);
    let mut info = [0i32; 32];
    (info[0], info[2]) = (SIGFPE, code);
    sys!(SYS_rt_tgsigqueueinfo, me, me, SIGFPE, &info);
}
