//! Which calls there are, and what each of them takes: a letter for each argument.
//!
//! | letter | argument |
//! |---|---|
//! | `f` `d` | a descriptor, one of a directory |
//! | `p` | a path |
//! | `b` `s` `t` `v` | an address: bytes, a structure, times, a vector |
//! | `n` `c` | a length, a small count |
//! | `o` `w` `x` | flags, fewer flags, a small number |
//! | `g` `k` | a signal, a process |
//! | `m` `l` | an address for mapping, a length in pages |
//! | `0` `*` | zero, anything |

use super::values::Values;
use libc::*;

/// A call that is to be made.
pub struct Call {
    pub number: i64,
    pub words: [u64; 6],
}

#[rustfmt::skip]
const CALLS: &[(i64, &[u8])] = &[
    (SYS_read, b"fbn"), (SYS_write, b"fbn"), (SYS_readv, b"fvc"), (SYS_writev, b"fvc"), (SYS_pread64, b"fbnn"),
    (SYS_pwrite64, b"fbnn"), (SYS_preadv, b"fvcn0"), (SYS_pwritev, b"fvcn0"), (SYS_preadv2, b"fvcn0w"),
    (SYS_pwritev2, b"fvcn0w"), (SYS_lseek, b"fnx"), (SYS_openat, b"dpow"), (SYS_openat2, b"dpsn"), (SYS_close, b"f"),
    (SYS_dup, b"f"), (SYS_dup3, b"ffo"), (SYS_fcntl, b"fxs"), (SYS_fcntl, b"fxf"), (SYS_pipe2, b"bo"),
    (SYS_memfd_create, b"pw"), (SYS_name_to_handle_at, b"dpsbw"), (SYS_flock, b"fx"), (SYS_truncate, b"pn"),
    (SYS_ftruncate, b"fn"), (SYS_fallocate, b"fxnn"), (SYS_fadvise64, b"fnnx"), (SYS_readahead, b"fnn"),
    (SYS_fsync, b"f"), (SYS_fdatasync, b"f"), (SYS_sync_file_range, b"fnnw"), (SYS_sendfile, b"ffsn"),
    (SYS_copy_file_range, b"fsfsn0"), (SYS_splice, b"fsfsnw"), (SYS_tee, b"ffnw"), (SYS_vmsplice, b"fvcw"),
    (SYS_fstat, b"fb"), (SYS_newfstatat, b"dpbo"), (SYS_statx, b"dpowb"), (SYS_getdents64, b"fbn"),
    (SYS_getcwd, b"bn"), (SYS_chdir, b"p"), (SYS_fchdir, b"f"), (SYS_chroot, b"p"), (SYS_mkdirat, b"dpw"),
    (SYS_mknodat, b"dpo*"), (SYS_symlinkat, b"pdp"), (SYS_linkat, b"dpdpo"), (SYS_unlinkat, b"dpo"),
    (SYS_readlinkat, b"dpbn"), (SYS_renameat2, b"dpdpw"), (SYS_faccessat, b"dpx"), (SYS_faccessat2, b"dpxo"),
    (SYS_umask, b"w"), (SYS_fchmod, b"fw"), (SYS_fchmodat, b"dpw"), (SYS_fchown, b"f**"), (SYS_fchownat, b"dp**o"),
    (SYS_utimensat, b"dpto"), (SYS_getxattr, b"ppbn"), (SYS_fgetxattr, b"fpbn"), (SYS_listxattr, b"pbn"),
    (SYS_flistxattr, b"fbn"), (SYS_setxattr, b"ppbnw"), (SYS_removexattr, b"pp"), (SYS_statfs, b"pb"),
    (SYS_fstatfs, b"fb"), (SYS_mount, b"pppob"), (SYS_umount2, b"pw"), (SYS_sync, b""), (SYS_syncfs, b"f"),
    (SYS_ppoll, b"vctsn"), (SYS_ppoll, b"sct0x"), (SYS_pselect6, b"xssst0"), (SYS_epoll_create1, b"o"),
    (SYS_epoll_ctl, b"fxfs"), (SYS_epoll_pwait, b"fbcx0x"), (SYS_epoll_pwait2, b"fbct0x"), (SYS_eventfd2, b"*o"),
    (SYS_timerfd_create, b"xo"), (SYS_timerfd_settime, b"fwtb"), (SYS_timerfd_gettime, b"fb"),
    (SYS_signalfd4, b"fsno"), (SYS_ioctl, b"f*s"), (SYS_ioctl, b"f*x"), (SYS_mmap, b"mlwof0"), (SYS_mmap, b"mlwof0"),
    (SYS_mmap, b"m*wofn"), (SYS_munmap, b"ml"), (SYS_munmap, b"m*"), (SYS_mprotect, b"mlw"), (SYS_mremap, b"mllwm"),
    (SYS_mremap, b"m**wm"), (SYS_madvise, b"mlx"), (SYS_msync, b"mlw"), (SYS_brk, b"m"), (SYS_mlock, b"ml"),
    (SYS_mlock2, b"mlw"), (SYS_munlock, b"ml"), (SYS_mlockall, b"w"), (SYS_munlockall, b""), (SYS_mincore, b"mlb"),
    (SYS_clone, b"gbbbb"), (SYS_clone, b"gsbbb"), (SYS_clone, b"obbbb"), (SYS_clone3, b"sn"), (SYS_execve, b"pvv"),
    (SYS_execveat, b"dpvvo"), (SYS_exit, b"x"), (SYS_exit_group, b"x"), (SYS_wait4, b"kbwb"), (SYS_waitid, b"xksob"),
    (SYS_getpid, b""), (SYS_gettid, b""), (SYS_set_tid_address, b"b"), (SYS_getppid, b""), (SYS_getuid, b""),
    (SYS_getpgid, b"k"), (SYS_setpgid, b"kk"), (SYS_getsid, b"k"), (SYS_setsid, b""), (SYS_rt_sigaction, b"gsbx"),
    (SYS_rt_sigaction, b"g0bx"), (SYS_rt_sigprocmask, b"xsbx"), (SYS_rt_sigpending, b"bx"),
    (SYS_rt_sigsuspend, b"sx"), (SYS_rt_sigtimedwait, b"sbtx"), (SYS_rt_sigreturn, b""), (SYS_sigaltstack, b"sb"),
    (SYS_kill, b"kg"), (SYS_tkill, b"kg"), (SYS_tgkill, b"kkg"), (SYS_rt_sigqueueinfo, b"kgs"),
    (SYS_rt_tgsigqueueinfo, b"kkgs"), (SYS_setuid, b"*"), (SYS_setgid, b"*"), (SYS_setreuid, b"**"),
    (SYS_setregid, b"**"), (SYS_setresuid, b"***"), (SYS_setresgid, b"***"), (SYS_getresuid, b"bbb"),
    (SYS_getresgid, b"bbb"), (SYS_setfsuid, b"*"), (SYS_setfsgid, b"*"), (SYS_getgroups, b"cb"),
    (SYS_setgroups, b"cs"), (SYS_setgroups, b"ns"), (SYS_capget, b"sb"), (SYS_capset, b"ss"), (SYS_personality, b"*"),
    (SYS_prctl, b"xs***"), (SYS_prctl, b"xx000"), (SYS_uname, b"b"), (SYS_sethostname, b"bx"),
    (SYS_setdomainname, b"bx"), (SYS_sysinfo, b"b"), (SYS_getrandom, b"bnw"), (SYS_times, b"b"),
    (SYS_getrusage, b"*b"), (SYS_prlimit64, b"kxsb"), (SYS_getrlimit, b"xb"), (SYS_setrlimit, b"xs"),
    (SYS_sched_yield, b""), (SYS_sched_getaffinity, b"knb"), (SYS_sched_setaffinity, b"kns"), (SYS_getcpu, b"bb0"),
    (SYS_sched_getscheduler, b"k"), (SYS_sched_setscheduler, b"kxs"), (SYS_sched_getparam, b"kb"),
    (SYS_sched_setparam, b"ks"), (SYS_sched_get_priority_max, b"x"), (SYS_sched_rr_get_interval, b"kb"),
    (SYS_getpriority, b"xk"), (SYS_setpriority, b"0k*"), (SYS_pidfd_open, b"kw"), (SYS_pidfd_send_signal, b"fgs0"),
    (SYS_futex, b"bx*tb*"), (SYS_futex, b"sx0tb0"), (SYS_futex, b"bxccb*"), (SYS_set_robust_list, b"sn"),
    (SYS_set_robust_list, b"bn"), (SYS_get_robust_list, b"kbb"), (SYS_clock_gettime, b"xb"),
    (SYS_clock_getres, b"xb"), (SYS_clock_settime, b"xt"), (SYS_gettimeofday, b"bb"), (SYS_nanosleep, b"tb"),
    (SYS_clock_nanosleep, b"xwtb"), (SYS_getitimer, b"xb"), (SYS_setitimer, b"ctb"), (SYS_timer_create, b"xsb"),
    (SYS_timer_settime, b"xwtb"), (SYS_timer_gettime, b"xb"), (SYS_timer_getoverrun, b"x"), (SYS_timer_delete, b"x"),
    (SYS_socket, b"xx0"), (SYS_socketpair, b"cc0b"), (SYS_bind, b"fsn"), (SYS_listen, b"fc"), (SYS_accept, b"fbb"),
    (SYS_accept4, b"fbbo"), (SYS_connect, b"fsn"), (SYS_shutdown, b"fc"), (SYS_getsockname, b"fbs"),
    (SYS_getpeername, b"fbs"), (SYS_getsockopt, b"fxxbs"), (SYS_setsockopt, b"fxxsn"), (SYS_sendto, b"fbnwsn"),
    (SYS_recvfrom, b"fbnwbs"), (SYS_sendmsg, b"fsw"), (SYS_sendmsg, b"fvw"), (SYS_recvmsg, b"fsw"),
    (SYS_recvmsg, b"fvw"), (SYS_sendmmsg, b"fscw"), (SYS_recvmmsg, b"fscwt"),
];

/// Calls that only x86-64 has.
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const OLD: &[(i64, &[u8])] = &[
    (SYS_open, b"pow"), (SYS_creat, b"pw"), (SYS_stat, b"pb"), (SYS_lstat, b"pb"), (SYS_dup2, b"ff"),
    (SYS_pipe, b"b"), (SYS_access, b"px"), (SYS_chmod, b"pw"), (SYS_chown, b"p**"), (SYS_utime, b"pt"),
    (SYS_utimes, b"pt"), (SYS_futimesat, b"dpt"), (SYS_mkdir, b"pw"), (SYS_rmdir, b"p"), (SYS_unlink, b"p"),
    (SYS_link, b"pp"), (SYS_symlink, b"pp"), (SYS_readlink, b"pbn"), (SYS_mknod, b"po*"), (SYS_rename, b"pp"),
    (SYS_getdents, b"fbn"), (SYS_fork, b""), (SYS_vfork, b""), (SYS_getpgrp, b""), (SYS_arch_prctl, b"xb"),
    (SYS_arch_prctl, b"*m"), (SYS_alarm, b"c"), (SYS_time, b"b"), (SYS_pause, b""), (SYS_poll, b"scx"),
    (SYS_select, b"xssst"), (SYS_epoll_create, b"c"), (SYS_epoll_wait, b"fbcx"), (SYS_eventfd, b"c"),
    (SYS_signalfd, b"fsn"),
];

#[cfg(not(target_arch = "x86_64"))]
const OLD: &[(i64, &[u8])] = &[];

/// Requests that terminals and pipes know, and what `fcntl` and sockets have beyond small numbers.
const REQUESTS: &[u64] = &[
    0x5401,
    0x5402,
    0x5403,
    0x5404,
    0x5407,
    0x540b,
    0x540e,
    0x540f,
    0x5410,
    0x5411,
    0x5413,
    0x5414,
    0x541b,
    0x5420,
    0x5421,
    0x5422,
    0x5429,
    0x5450,
    0x5451,
    0x5452,
    0x8004_5430,
    0x4004_5431,
    0x8004_5432,
    0x8004_5438,
    0x5441,
];
/// Calls that would end a victim too often.
const RARE: &[i64] = &[
    SYS_exit,
    SYS_exit_group,
    SYS_rt_sigreturn,
    SYS_execve,
    SYS_execveat,
    SYS_kill,
    SYS_tkill,
    SYS_tgkill,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_clone,
    SYS_clone3,
    SYS_setrlimit,
    SYS_prlimit64,
    SYS_rt_sigsuspend,
    SYS_brk,
    SYS_chroot,
    SYS_chdir,
    SYS_pidfd_send_signal,
];

/// The next call.
pub fn choose(values: &mut Values) -> Call {
    if values.below(200) == 0 {
        return unknown(values);
    }
    loop {
        let at = values.below((CALLS.len() + OLD.len()) as u64) as usize;
        let (number, kinds) = CALLS.get(at).copied().unwrap_or_else(|| OLD[at - CALLS.len()]);
        if RARE.contains(&number) && values.below(8) != 0 {
            continue;
        }
        let mut words = [0; 6];
        for (word, &kind) in words.iter_mut().zip(kinds) {
            *word = values.argument(kind);
        }
        adjust(values, number, &mut words);
        return Call { number, words };
    }
}

/// Makes sense of some arguments.
fn adjust(values: &mut Values, number: i64, words: &mut [u64; 6]) {
    match number {
        libc::SYS_ioctl if values.below(8) != 0 => words[1] = values.one(REQUESTS),
        libc::SYS_fcntl if values.below(3) == 0 => words[1] = 1024 + values.below(15),
        libc::SYS_mmap if values.below(4) != 0 => {
            words[2] = values.one(&[0, 1, 3, 5]);
            words[3] = values.one(&[0x01, 0x02, 0x21, 0x22, 0x22, 0x32, 0x31, 0x12, 0x10_0022]);
        }
        libc::SYS_mprotect if values.below(4) != 0 => words[2] = values.one(&[0, 1, 3, 5]),
        // Plain forks, most often, and threads that begin nowhere.
        libc::SYS_clone if values.below(6) != 0 => words[..2].copy_from_slice(&[17, 0]),
        libc::SYS_clone if values.below(2) != 0 => words[0] = 0x5_0f00,
        libc::SYS_rt_sigaction | libc::SYS_rt_sigprocmask if values.below(8) != 0 => words[3] = 8,
        libc::SYS_futex if values.below(2) == 0 => {
            words[1] = values.below(13) | values.below(2) << 7
        }
        libc::SYS_openat if values.below(2) == 0 => {
            words[2] = values.one(&[0, 1, 2, 0x41, 0x42, 0x242, 0x441])
        }
        libc::SYS_socket => words[0] = values.one(&[1, 1, 1, 2, 10, 16]),
        libc::SYS_setpriority if values.root => words[0] = 0,
        _ => {}
    }
}

/// A call with a number that may be none. What ends the machine is not for the superuser.
fn unknown(values: &mut Values) -> Call {
    let number = if values.below(2) == 0 { values.below(600) as i64 } else { values.next() as i64 };
    let words = [(); 6].map(|()| values.argument(b'*'));
    let known = CALLS.iter().chain(OLD).any(|(call, _)| *call == number);
    let harmful = values.root
        && (known || number as u32 as i64 == SYS_reboot || number as i32 == SYS_reboot as i32);
    Call { number: if harmful { SYS_getpid } else { number }, words }
}
