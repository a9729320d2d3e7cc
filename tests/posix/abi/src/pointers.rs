//! Addresses that are none, in calls of every kind: an error, and neither end nor harm.

use crate::sys::{call, close, file, text, unlink};
use libc::*;

/// Nothing, the first page, what is not aligned, the kernel's, the last byte.
const PLACES: [(&str, usize); 4] =
    [("0", 0), ("1", 1), ("the kernel's", 0xffff_8000_0000_1000), ("the last", usize::MAX)];

pub fn run() {
    let fd = file(c"f", b"0123456789") as usize;
    let name = c"f".as_ptr() as usize;
    let at = AT_FDCWD as usize;
    for (place, bad) in PLACES {
        let calls: &[(&str, i64, [usize; 6])] = &[
            ("read", SYS_read, [fd, bad, 4, 0, 0, 0]),
            ("write", SYS_write, [fd, bad, 4, 0, 0, 0]),
            ("readv", SYS_readv, [fd, bad, 1, 0, 0, 0]),
            ("openat", SYS_openat, [at, bad, 0, 0, 0, 0]),
            ("newfstatat", SYS_newfstatat, [at, name, bad, 0, 0, 0]),
            ("newfstatat of a name", SYS_newfstatat, [at, bad, bad, 0, 0, 0]),
            ("getcwd", SYS_getcwd, [bad, 256, 0, 0, 0, 0]),
            ("pipe2", SYS_pipe2, [bad, 0, 0, 0, 0, 0]),
            ("uname", SYS_uname, [bad, 0, 0, 0, 0, 0]),
            ("execve", SYS_execve, [bad, 0, 0, 0, 0, 0]),
            ("getdents64", SYS_getdents64, [fd, bad, 100, 0, 0, 0]),
            ("ppoll", SYS_ppoll, [bad, 1, 0, 0, 0, 0]),
            ("rt_sigreturn's neighbour", SYS_rt_sigpending, [bad, 8, 0, 0, 0, 0]),
            ("nanosleep", SYS_nanosleep, [bad, 0, 0, 0, 0, 0]),
            ("getrandom", SYS_getrandom, [bad, 16, 0, 0, 0, 0]),
            ("futex", SYS_futex, [bad, FUTEX_WAKE as usize, 1, 0, 0, 0]),
            ("symlinkat", SYS_symlinkat, [bad, at, name, 0, 0, 0]),
            ("renameat2", SYS_renameat2, [at, bad, at, name, 0, 0]),
            ("socketpair", SYS_socketpair, [1, 1, 0, bad, 0, 0]),
            ("statfs", SYS_statfs, [name, bad, 0, 0, 0, 0]),
            ("readlinkat", SYS_readlinkat, [at, bad, bad, 16, 0, 0]),
            ("sysinfo", SYS_sysinfo, [bad, 0, 0, 0, 0, 0]),
            ("getresuid", SYS_getresuid, [bad, bad, bad, 0, 0, 0]),
            ("mincore", SYS_mincore, [bad & !4095, 4096, bad, 0, 0, 0]),
        ];
        for (what, number, words) in calls {
            println!("{what} at {place} = {}", text(call(*number, *words)));
        }
    }
    close(fd as isize);
    unlink(c"f");
}
