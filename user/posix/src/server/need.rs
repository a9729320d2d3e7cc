//! Which calls are refused while this server is short of memory: those that make something that stays.
//! All others go on, for whoever ends something, or waits, may be the one who gives memory back.

use linux_raw_sys::general as linux;

/// Calls that make something.
const MAKING: &[u32] = &[
    linux::__NR_openat,
    linux::__NR_openat2,
    linux::__NR_dup,
    linux::__NR_dup3,
    linux::__NR_fcntl,
    linux::__NR_flock,
    linux::__NR_pipe2,
    linux::__NR_memfd_create,
    linux::__NR_mkdirat,
    linux::__NR_mknodat,
    linux::__NR_symlinkat,
    linux::__NR_linkat,
    linux::__NR_renameat,
    linux::__NR_renameat2,
    linux::__NR_mount,
    linux::__NR_epoll_create1,
    linux::__NR_epoll_ctl,
    linux::__NR_eventfd2,
    linux::__NR_timerfd_create,
    linux::__NR_signalfd4,
    linux::__NR_mmap,
    linux::__NR_mprotect,
    linux::__NR_mremap,
    linux::__NR_madvise,
    linux::__NR_clone,
    linux::__NR_clone3,
    linux::__NR_execve,
    linux::__NR_execveat,
    linux::__NR_rt_sigqueueinfo,
    linux::__NR_rt_tgsigqueueinfo,
    linux::__NR_setgroups,
    linux::__NR_pidfd_open,
    linux::__NR_timer_create,
    linux::__NR_socket,
    linux::__NR_socketpair,
    linux::__NR_bind,
    linux::__NR_connect,
    linux::__NR_accept,
    linux::__NR_accept4,
    linux::__NR_sendmsg,
    linux::__NR_sendmmsg,
    linux::__NR_sendto,
];

/// Those that only x86-64 has.
#[cfg(target_arch = "x86_64")]
const OLD: &[u32] = &[
    linux::__NR_open,
    linux::__NR_creat,
    linux::__NR_dup2,
    linux::__NR_pipe,
    linux::__NR_mkdir,
    linux::__NR_mknod,
    linux::__NR_symlink,
    linux::__NR_link,
    linux::__NR_rename,
    linux::__NR_epoll_create,
    linux::__NR_eventfd,
    linux::__NR_signalfd,
    linux::__NR_fork,
    linux::__NR_vfork,
];

/// Those that only x86-64 has.
#[cfg(not(target_arch = "x86_64"))]
const OLD: &[u32] = &[];

/// Whether a call is refused then.
pub fn is_refused(number: u32) -> bool {
    MAKING.contains(&number) || OLD.contains(&number)
}
