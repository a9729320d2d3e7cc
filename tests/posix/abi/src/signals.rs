//! Signals: handlers, masks, queues, stacks, faults, calls that are interrupted.

use crate::sys::{BAD, fork, in_child, nap, pipe, value};
use crate::{check, sys};
use libc::*;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

static COUNT: AtomicI32 = AtomicI32::new(0);
static CODE: AtomicI32 = AtomicI32::new(0);
static PLACE: AtomicUsize = AtomicUsize::new(0);

pub fn run() {
    arguments();
    masks();
    handlers();
    queues();
    stacks();
    interruptions();
    faults();
}

extern "C" fn note(_: i32, info: *mut siginfo_t, _: *mut c_void) {
    COUNT.fetch_add(1, Ordering::Relaxed);
    // SAFETY: the kernel's.
    CODE.store(unsafe { (*info).si_code }, Ordering::Relaxed);
    PLACE.store(&raw const info as usize, Ordering::Relaxed);
}

extern "C" fn note_and_end(signal: i32, info: *mut siginfo_t, _: *mut c_void) {
    // SAFETY: the kernel's.
    let (code, address) = unsafe { ((*info).si_code, (*info).si_addr() as usize) };
    // Which instructions there are is the processor's affair.
    if signal == SIGILL {
        println!("an instruction that there is not");
    } else {
        println!("code {code}, address {:#x}", if address < 0x10000 { address } else { 0xffff });
    }
    crate::sys::exit(0);
}

fn handle(signal: i32, handler: extern "C" fn(i32, *mut siginfo_t, *mut c_void), flags: i32) {
    // SAFETY: the handlers only use atomics, or end the process.
    unsafe {
        let mut action: sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as *const () as usize;
        action.sa_flags = flags | SA_SIGINFO;
        sigaction(signal, &action, std::ptr::null_mut());
    }
}

fn me() -> isize {
    sys!(SYS_getpid)
}

fn arguments() {
    check!("kill 0", SYS_kill, me(), 0);
    check!("kill 65", SYS_kill, me(), 65);
    check!("kill -1", SYS_kill, me(), -1);
    check!("kill of nobody", SYS_kill, 999_999, SIGTERM);
    check!("tgkill of nobody", SYS_tgkill, me(), 999_999, SIGTERM);
    check!("tgkill of -1", SYS_tgkill, -1, -1, SIGTERM);
    check!("tkill of 0", SYS_tkill, 0, SIGTERM);
    let mut action = [0u64; 4];
    check!("rt_sigaction of SIGKILL", SYS_rt_sigaction, SIGKILL, &mut action, 0, 8);
    check!("rt_sigaction of SIGSTOP", SYS_rt_sigaction, SIGSTOP, &mut action, 0, 8);
    check!("rt_sigaction of 0", SYS_rt_sigaction, 0, 0, &mut action, 8);
    check!("rt_sigaction of 65", SYS_rt_sigaction, 65, 0, &mut action, 8);
    check!("rt_sigaction wrong size", SYS_rt_sigaction, SIGUSR1, 0, &mut action, 4);
    check!("rt_sigaction bad address", SYS_rt_sigaction, SIGUSR1, BAD, 0, 8);
    check!("rt_sigprocmask unknown", SYS_rt_sigprocmask, 9, &mut action, 0, 8);
    check!("rt_sigprocmask wrong size", SYS_rt_sigprocmask, SIG_BLOCK, &mut action, 0, 4);
    check!("rt_sigprocmask bad address", SYS_rt_sigprocmask, SIG_BLOCK, BAD, 0, 8);
}

fn masks() {
    let mask: u64 = 1 << (SIGUSR1 - 1) | 1 << (SIGKILL - 1);
    let mut set = 0u64;
    handle(SIGUSR1, note, 0);
    check!("rt_sigprocmask SIG_BLOCK", SYS_rt_sigprocmask, SIG_BLOCK, &mask, 0, 8);
    check!("rt_sigprocmask", SYS_rt_sigprocmask, 0, 0, &mut set, 8);
    value("SIGKILL cannot be blocked", set == 1 << (SIGUSR1 - 1));
    sys!(SYS_kill, me(), SIGUSR1);
    sys!(SYS_kill, me(), SIGUSR1);
    check!("rt_sigpending", SYS_rt_sigpending, &mut set, 8);
    value("pending", (set, COUNT.load(Ordering::Relaxed)));
    sys!(SYS_rt_sigprocmask, SIG_UNBLOCK, &mask, 0, 8);
    value("handled after it", (COUNT.swap(0, Ordering::Relaxed), CODE.load(Ordering::Relaxed)));
    sys!(SYS_tgkill, me(), sys!(SYS_gettid), SIGUSR1);
    value("the code of tgkill", (COUNT.swap(0, Ordering::Relaxed), CODE.load(Ordering::Relaxed)));
}

extern "C" fn again(_: i32, _: *mut siginfo_t, _: *mut c_void) {
    if COUNT.fetch_add(1, Ordering::Relaxed) < 3 {
        sys!(SYS_kill, me(), SIGUSR2);
        CODE.store(COUNT.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

fn handlers() {
    for (what, flags) in [("a handler in itself", 0), ("with SA_NODEFER", SA_NODEFER)] {
        handle(SIGUSR2, again, flags);
        COUNT.store(0, Ordering::Relaxed);
        sys!(SYS_kill, me(), SIGUSR2);
        value(what, (COUNT.swap(0, Ordering::Relaxed), CODE.load(Ordering::Relaxed)));
    }
    let status = in_child(|| {
        handle(SIGUSR1, note, SA_RESETHAND);
        sys!(SYS_kill, me(), SIGUSR1);
        sys!(SYS_kill, me(), SIGUSR1);
        0
    });
    value("SA_RESETHAND", (WIFSIGNALED(status), WTERMSIG(status)));
    // SAFETY: no handler is installed.
    unsafe { signal(SIGUSR2, SIG_IGN) };
    check!("kill of what is ignored", SYS_kill, me(), SIGUSR2);
}

fn queues() {
    let signal = 40;
    let mask: u64 = 1 << (signal - 1) | 1 << (signal + 1 - 1) | 1 << (SIGUSR1 - 1);
    sys!(SYS_rt_sigprocmask, SIG_BLOCK, &mask, 0, 8);
    // SAFETY: plain integers.
    let mut info: siginfo_t = unsafe { std::mem::zeroed() };
    info.si_code = SI_QUEUE;
    for number in [signal + 1, signal, signal, SIGUSR1, SIGUSR1] {
        info.si_signo = number;
        check!("rt_sigqueueinfo", SYS_rt_sigqueueinfo, me(), number, &mut info);
    }
    let now = timespec { tv_sec: 0, tv_nsec: 0 };
    for _ in 0..5 {
        check!("rt_sigtimedwait", SYS_rt_sigtimedwait, &mask, &mut info, &now, 8);
    }
    info.si_code = SI_USER;
    let other = fork();
    if other == 0 {
        nap(50);
        crate::sys::exit(0);
    }
    check!("rt_sigqueueinfo in another's name", SYS_rt_sigqueueinfo, other, signal, &mut info);
    crate::sys::wait(other);
    check!("rt_sigtimedwait wrong size", SYS_rt_sigtimedwait, &mask, 0, &now, 4);
    let wrong = timespec { tv_sec: 0, tv_nsec: -1 };
    check!("rt_sigtimedwait wrong time", SYS_rt_sigtimedwait, &mask, 0, &wrong, 8);
    sys!(SYS_rt_sigprocmask, SIG_UNBLOCK, &mask, 0, 8);
}

fn stacks() {
    let memory = vec![0u8; 65536];
    let stack = |flags, size| stack_t {
        ss_sp: memory.as_ptr() as *mut c_void,
        ss_flags: flags,
        ss_size: size,
    };
    check!("sigaltstack too small", SYS_sigaltstack, &stack(0, 1000), 0);
    check!("sigaltstack unknown flags", SYS_sigaltstack, &stack(64, 65536), 0);
    check!("sigaltstack", SYS_sigaltstack, &stack(0, 65536), 0);
    let mut old = stack(9, 9);
    handle(SIGUSR1, note, SA_ONSTACK);
    sys!(SYS_kill, me(), SIGUSR1);
    let range = memory.as_ptr_range();
    value(
        "it runs there",
        (range.start as usize..range.end as usize).contains(&PLACE.load(Ordering::Relaxed)),
    );
    check!("sigaltstack SS_DISABLE", SYS_sigaltstack, &stack(SS_DISABLE, 0), &mut old);
    value("it was", (old.ss_flags, old.ss_size));
    check!("sigaltstack bad address", SYS_sigaltstack, BAD, 0);
}

fn interruptions() {
    let [reader, _writer] = pipe();
    let later = || {
        let parent = me();
        let child = fork();
        if child == 0 {
            nap(30);
            sys!(SYS_kill, parent, SIGUSR1);
            crate::sys::exit(0);
        }
        child
    };
    handle(SIGUSR1, note, 0);
    let mut byte = 0u8;
    let long = timespec { tv_sec: 10, tv_nsec: 0 };
    let mut left = long;
    let child = later();
    check!("read that is interrupted", SYS_read, reader, &mut byte, 1);
    crate::sys::wait(child);
    let child = later();
    check!("nanosleep that is interrupted", SYS_nanosleep, &long, &mut left);
    value("what is left", left.tv_sec);
    crate::sys::wait(child);
    let child = later();
    check!("ppoll that is interrupted", SYS_ppoll, 0, 0, 0, 0, 8);
    crate::sys::wait(child);
    let child = later();
    check!("pselect6 that is interrupted", SYS_pselect6, 0, 0, 0, 0, 0, 0);
    crate::sys::wait(child);
    let child = later();
    let none = 0u64;
    check!("rt_sigsuspend", SYS_rt_sigsuspend, &none, 8);
    crate::sys::wait(child);
    let child = later();
    let word = 5u32;
    check!("futex that is interrupted", SYS_futex, &word, FUTEX_WAIT, 5, 0);
    crate::sys::wait(child);
    handle(SIGUSR1, note, SA_RESTART);
    let child = later();
    let short = timespec { tv_sec: 0, tv_nsec: 100_000_000 };
    check!("nanosleep with SA_RESTART", SYS_nanosleep, &short, 0);
    crate::sys::wait(child);
    let [reader, writer] = pipe();
    let child = later();
    let feeder = fork();
    if feeder == 0 {
        nap(80);
        sys!(SYS_write, writer, b"x".as_slice(), 1);
        crate::sys::exit(0);
    }
    check!("read with SA_RESTART", SYS_read, reader, &mut byte, 1);
    crate::sys::wait(child);
    crate::sys::wait(feeder);
}

fn faults() {
    value(
        "SIGSEGV of nothing",
        in_child(|| {
            handle(SIGSEGV, note_and_end, 0);
            // SAFETY: it faults.
            unsafe { (0x10 as *mut u8).write_volatile(1) };
            1
        }),
    );
    value(
        "SIGSEGV of what is read-only",
        in_child(|| {
            handle(SIGSEGV, note_and_end, 0);
            let page = sys!(SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            // SAFETY: it faults.
            unsafe { (page as *mut u8).write_volatile(1) };
            1
        }),
    );
    value(
        "SIGTRAP or SIGILL of an instruction",
        in_child(|| {
            handle(SIGILL, note_and_end, 0);
            // SAFETY: it ends this process.
            unsafe {
                #[cfg(target_arch = "aarch64")]
                std::arch::asm!("udf #0");
                #[cfg(target_arch = "x86_64")]
                std::arch::asm!("ud2");
            }
            1
        }),
    );
    let status = in_child(|| {
        let mask: u64 = 1 << (SIGSEGV - 1);
        handle(SIGSEGV, note_and_end, 0);
        sys!(SYS_rt_sigprocmask, SIG_BLOCK, &mask, 0, 8);
        // SAFETY: it faults.
        unsafe { (0x10 as *mut u8).write_volatile(1) };
        1
    });
    value("SIGSEGV that is blocked", (WIFSIGNALED(status), WTERMSIG(status)));
}
