//! Calls that neither wait nor make anything, and need none of their server's heap for it. What says how
//! often that was used is there only where there is such a server.

use crate::sys;
use crate::sys::{close, pipe, unlink, value};
use libc::*;
use std::ffi::CStr;

const FILE: &CStr = c"quiet";
const ROUNDS: u64 = 50;
const TRIES: u32 = 4;

pub fn run() {
    let fd = sys!(SYS_openat, AT_FDCWD, FILE, O_CREAT | O_RDWR, 0o600);
    let long = vec![7u8; 12 << 10];
    sys!(SYS_pwrite64, fd, long.as_slice(), long.len(), 0);
    files(fd);
    others(fd);
    close(fd);
    unlink(FILE);
}

fn files(fd: isize) {
    let (mut bytes, mut info) = (vec![0u8; 8 << 10], [0u64; 32]);
    let zero = sys!(SYS_openat, AT_FDCWD, c"/dev/zero", O_RDWR, 0);
    quiet("read a byte of /dev/zero", || sys!(SYS_read, zero, bytes.as_mut_ptr(), 1));
    quiet("write to /dev/zero", || sys!(SYS_write, zero, bytes.as_slice(), 9));
    quiet("pread64 a byte", || sys!(SYS_pread64, fd, bytes.as_mut_ptr(), 1, 5));
    quiet("pread64 of two pages", || sys!(SYS_pread64, fd, bytes.as_mut_ptr(), 8 << 10, 9));
    quiet("pwrite64 a byte", || sys!(SYS_pwrite64, fd, bytes.as_slice(), 1, 5));
    quiet("pwrite64 of two pages", || sys!(SYS_pwrite64, fd, bytes.as_slice(), 8 << 10, 9));
    quiet("read at the end", || sys!(SYS_pread64, fd, bytes.as_mut_ptr(), 9, 1 << 20));
    let at = bytes.as_mut_ptr() as u64;
    let pieces = [[at, 3], [at + 9, 5]];
    quiet("preadv", || sys!(SYS_preadv, fd, &pieces, 2, 0, 0));
    quiet("pwritev", || sys!(SYS_pwritev, fd, &pieces, 2, 0, 0));
    quiet("lseek", || sys!(SYS_lseek, fd, 77, SEEK_SET));
    quiet("fstat", || sys!(SYS_fstat, fd, &mut info));
    quiet("newfstatat", || sys!(SYS_newfstatat, AT_FDCWD, FILE, &mut info, 0));
    quiet("newfstatat of nothing", || sys!(SYS_newfstatat, AT_FDCWD, c"none", &mut info, 0));
    quiet("statx", || sys!(SYS_statx, AT_FDCWD, FILE, 0, 0x7ff, &mut info));
    quiet("faccessat", || sys!(SYS_faccessat, AT_FDCWD, c"/dev/../dev/null", R_OK));
    quiet("openat of nothing", || sys!(SYS_openat, AT_FDCWD, c"/none/of/it", O_RDONLY, 0));
    quiet("ftruncate to what it is", || sys!(SYS_ftruncate, fd, 12 << 10));
    quiet("fcntl F_GETFL", || sys!(SYS_fcntl, fd, F_GETFL));
    quiet("fchmod", || sys!(SYS_fchmod, fd, 0o644));
    quiet("fsync", || sys!(SYS_fsync, fd));
    close(zero);
}

fn others(fd: isize) {
    let [reader, writer] = pipe();
    let mut bytes = [0u8; 64];
    sys!(SYS_write, writer, bytes.as_slice(), 9);
    quiet("a byte through a pipe", || {
        sys!(SYS_write, writer, bytes.as_slice(), 1);
        sys!(SYS_read, reader, bytes.as_mut_ptr(), 1)
    });
    let mut watched = [fd as u64 | 1 << 32, reader as u64 | 1 << 32];
    quiet("ppoll of what is ready", || sys!(SYS_ppoll, &mut watched, 2, &[0u64; 2], 0, 8));
    close(reader as isize);
    close(writer as isize);
    let (mut words, mut word) = ([0u64; 32], 1u32);
    quiet("getppid", || sys!(SYS_getppid));
    quiet("getuid", || sys!(SYS_getuid));
    quiet("umask", || sys!(SYS_umask, 0o22));
    quiet("clock_gettime", || sys!(SYS_clock_gettime, CLOCK_REALTIME, &mut words));
    quiet("rt_sigprocmask", || sys!(SYS_rt_sigprocmask, SIG_BLOCK, &words, &mut word, 8));
    quiet("rt_sigaction", || sys!(SYS_rt_sigaction, SIGUSR2, 0, &mut words, 8));
    quiet("futex wake", || sys!(SYS_futex, &mut word, FUTEX_WAKE, 1));
    quiet("futex wait for another value", || sys!(SYS_futex, &mut word, FUTEX_WAIT, 7, 0));
    quiet("sched_yield", || sys!(SYS_sched_yield));
    quiet("prctl", || sys!(SYS_prctl, PR_GET_DUMPABLE));
    quiet("getrandom", || sys!(SYS_getrandom, bytes.as_mut_ptr(), 16, 0));
    let me = sys!(SYS_getpid);
    quiet("kill with no signal", || sys!(SYS_kill, me, 0));
    quiet("wait4 without children", || sys!(SYS_wait4, -1, 0, WNOHANG, 0));
    quiet("mprotect to what it is", || {
        let page = &raw const words as usize & !0xfff;
        sys!(SYS_mprotect, page, 4096, PROT_READ | PROT_WRITE)
    });
}

/// Says how often the heap was used for many calls, beyond what it takes to ask: the least of a few tries,
/// for others may use it meanwhile.
fn quiet(what: &str, mut call: impl FnMut() -> isize) {
    let _ = call();
    let asking = (0..TRIES).map(|_| difference(|| ())).min().unwrap_or(0);
    let mut calls = || difference(|| (0..ROUNDS).for_each(|_| _ = call()));
    let used = (0..TRIES).map(|_| calls()).min().unwrap_or(0);
    value(what, used.wrapping_sub(asking));
}

fn difference(act: impl FnOnce()) -> u64 {
    let before = taken();
    act();
    taken().wrapping_sub(before)
}

fn taken() -> u64 {
    let text = std::fs::read_to_string("/proc/ochre/heap").unwrap_or_default();
    text.trim().parse().unwrap_or(0)
}
