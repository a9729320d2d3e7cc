//! Which call is served by what. The list of what is implemented is made from this.

use crate::errno::Result;
#[cfg(target_arch = "x86_64")]
use crate::file::old;
use crate::file::{
    attributes, copy, directory, epoll, eventfd, extended, inotify, io, ioctl, lock, mounts, names,
    open, poll, rename, signalfd, size, special, stat, timerfd,
};
use crate::process::{
    barrier, exec, exit, fork, ids, info, limits, mapping, pidfd, prctl, schedule,
};
use crate::server::Call;
use crate::signal::{action, frame, mask, send, stack};
use crate::socket::{calls, message, options};
use crate::time::timer;
use crate::wait::Outcome;
use crate::{futex, time};
use linux_raw_sys::general as linux;

/// What serves a call.
#[derive(Clone, Copy)]
pub enum Handler {
    /// It never waits.
    Now(fn(&Call) -> Result),
    /// It may.
    May(fn(&Call) -> Outcome),
}

impl Handler {
    /// Serves a call.
    pub fn serve(self, call: &Call) -> Outcome {
        match self {
            Now(handler) => Outcome::Done(handler(call)),
            May(handler) => handler(call),
        }
    }
}

use Handler::{May, Now};

/// A call.
pub struct Row {
    /// Its number.
    pub number: u32,
    /// Its name.
    pub name: &'static str,
    /// What serves it.
    pub handler: Handler,
    /// What of it is not served, or differs.
    pub lacks: &'static str,
}

/// A row for each call.
macro_rules! rows {
    ($($number:ident $handler:expr $(, $lacks:literal)?;)+) => {
        &[$(Row {
            number: linux::$number,
            name: stringify!($number),
            handler: $handler,
            lacks: concat!("" $(, $lacks)?),
        }),+]
    };
}

/// Calls that both architectures have.
static BOTH: &[Row] = rows! {
    // Reading and writing.
    __NR_read May(io::read);
    __NR_write May(io::write);
    __NR_readv May(io::readv);
    __NR_writev May(io::writev);
    __NR_pread64 May(io::pread64);
    __NR_pwrite64 May(io::pwrite64);
    __NR_preadv May(io::preadv);
    __NR_pwritev May(io::pwritev);
    __NR_preadv2 May(io::preadv2);
    __NR_pwritev2 May(io::pwritev2);
    __NR_lseek Now(io::lseek);
    // Files by descriptor.
    __NR_openat May(open::openat);
    __NR_close Now(open::close);
    __NR_close_range Now(open::close_range);
    __NR_dup Now(open::dup);
    __NR_dup3 Now(open::dup3);
    __NR_fcntl May(open::fcntl);
    __NR_pipe2 Now(open::pipe2);
    __NR_openat2 May(special::openat2);
    __NR_memfd_create Now(special::memfd_create), "huge pages";
    __NR_name_to_handle_at Now(special::name_to_handle_at), "handles: no file system has any";
    __NR_ioctl May(ioctl::ioctl);
    __NR_flock May(lock::flock);
    __NR_truncate Now(size::truncate);
    __NR_ftruncate Now(size::ftruncate);
    __NR_fallocate Now(size::fallocate), "memory for what is mapped already; only what tmpfs has";
    __NR_fadvise64 Now(size::fadvise64);
    __NR_readahead Now(size::readahead);
    __NR_fsync Now(size::fsync);
    __NR_fdatasync Now(size::fsync);
    __NR_sync_file_range Now(size::sync_file_range);
    __NR_sendfile May(copy::sendfile);
    __NR_copy_file_range Now(copy::copy_file_range);
    __NR_splice May(copy::splice), "other files than regular ones and pipes: EINVAL";
    __NR_tee May(copy::tee);
    // Files by name.
    __NR_fstat Now(stat::fstat);
    __NR_newfstatat May(stat::newfstatat);
    __NR_statx Now(stat::statx);
    __NR_getdents64 Now(directory::getdents64);
    __NR_getcwd Now(directory::getcwd);
    __NR_chdir Now(directory::chdir);
    __NR_fchdir Now(directory::fchdir);
    __NR_chroot Now(directory::chroot);
    __NR_mkdirat Now(names::mkdirat);
    __NR_mknodat Now(names::mknodat);
    __NR_symlinkat Now(names::symlinkat);
    __NR_linkat Now(names::linkat);
    __NR_unlinkat Now(names::unlinkat);
    __NR_readlinkat Now(names::readlinkat);
    __NR_renameat2 Now(rename::renameat2), "RENAME_WHITEOUT";
    __NR_renameat Now(rename::renameat);
    __NR_faccessat Now(attributes::faccessat);
    __NR_faccessat2 Now(attributes::faccessat2);
    __NR_umask Now(attributes::umask);
    __NR_fchmod Now(attributes::fchmod);
    __NR_fchmodat Now(attributes::fchmodat);
    __NR_fchmodat2 Now(attributes::fchmodat2);
    __NR_fchown Now(attributes::fchown);
    __NR_fchownat Now(attributes::fchownat);
    __NR_utimensat Now(attributes::utimensat);
    __NR_getxattr Now(extended::getxattr), "attributes: no file has any";
    __NR_lgetxattr Now(extended::lgetxattr), "attributes: no file has any";
    __NR_fgetxattr Now(extended::fgetxattr), "attributes: no file has any";
    __NR_listxattr Now(extended::listxattr), "attributes: no file has any";
    __NR_llistxattr Now(extended::llistxattr), "attributes: no file has any";
    __NR_flistxattr Now(extended::flistxattr), "attributes: no file has any";
    __NR_setxattr Now(extended::setxattr), "attributes: no file has any";
    __NR_lsetxattr Now(extended::lsetxattr), "attributes: no file has any";
    __NR_fsetxattr Now(extended::fsetxattr), "attributes: no file has any";
    __NR_removexattr Now(extended::removexattr), "attributes: no file has any";
    __NR_lremovexattr Now(extended::lremovexattr), "attributes: no file has any";
    __NR_fremovexattr Now(extended::fremovexattr), "attributes: no file has any";
    // File systems.
    __NR_statfs Now(mounts::statfs);
    __NR_fstatfs Now(mounts::fstatfs);
    __NR_mount Now(mounts::mount), "other kinds than tmpfs, proc, devtmpfs, ochre, an empty sysfs; bind mounts; propagation; MS_SYNCHRONOUS";
    __NR_umount2 Now(mounts::umount2), "MNT_EXPIRE";
    __NR_sync Now(size::sync);
    __NR_syncfs Now(size::syncfs);
    // Waiting for several files.
    __NR_ppoll May(poll::ppoll);
    __NR_pselect6 May(poll::pselect6);
    __NR_epoll_create1 Now(epoll::epoll_create1);
    __NR_epoll_ctl Now(epoll::epoll_ctl);
    __NR_epoll_pwait May(epoll::epoll_pwait);
    __NR_epoll_pwait2 May(epoll::epoll_pwait2);
    __NR_eventfd2 Now(eventfd::eventfd2);
    __NR_timerfd_create Now(timerfd::timerfd_create);
    __NR_timerfd_settime Now(timerfd::timerfd_settime), "TFD_TIMER_CANCEL_ON_SET";
    __NR_timerfd_gettime Now(timerfd::timerfd_gettime);
    __NR_inotify_init1 Now(inotify::inotify_init1);
    __NR_inotify_add_watch Now(inotify::inotify_add_watch), "a directory is not told of what changes a file by its path but of names; FIFOs tell nothing";
    __NR_inotify_rm_watch Now(inotify::inotify_rm_watch);
    __NR_signalfd4 Now(signalfd::signalfd4), "a child reads its own signals, but waits for its parent's";
    // Memory.
    __NR_mmap Now(mapping::mmap);
    __NR_munmap Now(mapping::munmap);
    __NR_mprotect Now(mapping::mprotect);
    __NR_mremap Now(mapping::mremap);
    __NR_madvise Now(mapping::madvise);
    __NR_msync Now(mapping::msync);
    __NR_brk Now(mapping::brk);
    __NR_mlock Now(mapping::mlock);
    __NR_mlock2 Now(mapping::mlock2);
    __NR_munlock Now(mapping::mlock);
    __NR_mlockall Now(mapping::mlockall);
    __NR_munlockall Now(mapping::munlockall);
    __NR_mincore Now(mapping::mincore);
    // Processes.
    __NR_clone May(fork::clone), "memory, descriptors, directories and handlers are shared by threads only";
    __NR_clone3 May(fork::clone3), "see clone; no chosen numbers, no control groups, no CLONE_CLEAR_SIGHAND";
    __NR_execve May(exec::execve);
    __NR_execveat May(exec::execveat);
    __NR_exit May(exit::exit);
    __NR_exit_group May(exit::exit_group);
    __NR_wait4 May(exit::wait4);
    __NR_waitid May(exit::waitid);
    // Who a process is.
    __NR_getpid Now(ids::getpid);
    __NR_gettid Now(ids::gettid);
    __NR_set_tid_address Now(ids::set_tid_address);
    __NR_getppid Now(ids::getppid);
    __NR_getuid Now(ids::getuid);
    __NR_geteuid Now(ids::geteuid);
    __NR_getgid Now(ids::getgid);
    __NR_getegid Now(ids::getegid);
    __NR_getpgid Now(ids::getpgid);
    __NR_setpgid Now(ids::setpgid);
    __NR_getsid Now(ids::getsid);
    __NR_setsid Now(ids::setsid);
    // Signals.
    __NR_rt_sigaction Now(action::rt_sigaction);
    __NR_rt_sigprocmask Now(mask::rt_sigprocmask);
    __NR_rt_sigpending Now(mask::rt_sigpending);
    __NR_rt_sigsuspend May(mask::rt_sigsuspend);
    __NR_rt_sigtimedwait May(mask::rt_sigtimedwait);
    __NR_rt_sigreturn May(frame::rt_sigreturn);
    __NR_sigaltstack Now(stack::sigaltstack);
    __NR_kill Now(send::kill);
    __NR_tkill Now(send::tkill);
    __NR_tgkill Now(send::tgkill);
    __NR_rt_sigqueueinfo Now(send::rt_sigqueueinfo);
    __NR_rt_tgsigqueueinfo Now(send::rt_tgsigqueueinfo);
    __NR_setuid Now(ids::setuid);
    __NR_setgid Now(ids::setgid);
    __NR_setreuid Now(ids::setreuid);
    __NR_setregid Now(ids::setregid);
    __NR_setresuid Now(ids::setresuid);
    __NR_setresgid Now(ids::setresgid);
    __NR_getresuid Now(ids::getresuid);
    __NR_getresgid Now(ids::getresgid);
    __NR_setfsuid Now(ids::setfsuid);
    __NR_setfsgid Now(ids::setfsgid);
    __NR_getgroups Now(ids::getgroups);
    __NR_setgroups Now(ids::setgroups);
    __NR_capget Now(ids::capget), "root has all capabilities, others have none";
    __NR_capset Now(ids::capset), "nobody gives a capability up but by becoming another user";
    __NR_personality Now(ids::personality), "no other than that of Linux";
    __NR_prctl Now(prctl::prctl), "most of it; privileges and timer slack are kept without effect";
    // The system and its limits.
    __NR_uname Now(info::uname);
    __NR_sethostname Now(info::sethostname);
    __NR_setdomainname Now(info::setdomainname);
    __NR_reboot Now(info::reboot), "commands but those to switch off and to begin again";
    __NR_sysinfo Now(info::sysinfo), "loads are zero";
    __NR_getrandom Now(info::getrandom);
    __NR_times Now(info::times), "all time is the program's own, none the system's";
    __NR_getrusage Now(info::getrusage), "nothing but the time, all of it the program's own";
    __NR_prlimit64 Now(limits::prlimit64), "limits are kept; only those of descriptors and of waiting signals hold";
    __NR_getrlimit Now(limits::getrlimit);
    __NR_setrlimit Now(limits::setrlimit), "see prlimit64";
    // Turns on the CPUs.
    __NR_sched_yield Now(schedule::sched_yield);
    __NR_sched_getaffinity Now(schedule::sched_getaffinity);
    __NR_sched_setaffinity Now(schedule::sched_setaffinity);
    __NR_getcpu Now(schedule::getcpu);
    __NR_sched_getscheduler Now(schedule::sched_getscheduler);
    __NR_sched_setscheduler Now(schedule::sched_setscheduler), "policies are kept, and all share alike";
    __NR_sched_getparam Now(schedule::sched_getparam);
    __NR_sched_setparam Now(schedule::sched_setparam), "see sched_setscheduler";
    __NR_sched_get_priority_max Now(schedule::sched_get_priority_max);
    __NR_sched_get_priority_min Now(schedule::sched_get_priority_min);
    __NR_sched_rr_get_interval Now(schedule::sched_rr_get_interval);
    __NR_getpriority Now(schedule::getpriority);
    __NR_setpriority Now(schedule::setpriority), "niceness is kept, and all share alike";
    // Processes by descriptor.
    __NR_pidfd_open Now(pidfd::pidfd_open);
    __NR_pidfd_send_signal Now(pidfd::pidfd_send_signal);
    // Threads.
    __NR_futex May(futex::futex),
        "no priority inheritance; FUTEX_WAKE_OP is atomic only towards other calls";
    __NR_membarrier May(barrier::membarrier), "restartable sequences";
    __NR_set_robust_list Now(futex::set_robust_list);
    __NR_get_robust_list Now(futex::get_robust_list);
    // Time.
    __NR_clock_gettime Now(time::clock_gettime);
    __NR_clock_getres Now(time::clock_getres);
    __NR_clock_settime Now(time::clock_settime);
    __NR_gettimeofday Now(time::gettimeofday);
    __NR_settimeofday Now(time::settimeofday), "time zones";
    __NR_nanosleep May(time::nanosleep);
    __NR_clock_nanosleep May(time::clock_nanosleep), "clocks of CPU time go on as if the CPU were busy";
    __NR_getitimer Now(timer::getitimer);
    __NR_setitimer Now(timer::setitimer), "ITIMER_VIRTUAL counts time in the system as well";
    __NR_timer_create Now(timer::timer_create);
    __NR_timer_settime Now(timer::timer_settime);
    __NR_timer_gettime Now(timer::timer_gettime);
    __NR_timer_getoverrun Now(timer::timer_getoverrun);
    __NR_timer_delete Now(timer::timer_delete);
    // Sockets.
    __NR_socket Now(calls::socket), "all but AF_UNIX";
    __NR_socketpair Now(calls::socketpair);
    __NR_bind Now(calls::bind);
    __NR_listen Now(calls::listen);
    __NR_accept May(calls::accept);
    __NR_accept4 May(calls::accept4);
    __NR_connect May(calls::connect);
    __NR_shutdown Now(calls::shutdown);
    __NR_getsockname Now(calls::getsockname);
    __NR_getpeername Now(calls::getpeername);
    __NR_getsockopt Now(options::getsockopt);
    __NR_setsockopt Now(options::setsockopt), "sizes of buffers, which do nothing";
    __NR_sendto May(message::sendto);
    __NR_recvfrom May(message::recvfrom);
    __NR_sendmsg May(message::sendmsg);
    __NR_recvmsg May(message::recvmsg);
    __NR_sendmmsg May(message::sendmmsg);
    __NR_recvmmsg May(message::recvmmsg), "the timeout, while a message is waited for";
    // Everything else.
};

/// Those that only x86-64 has.
#[cfg(target_arch = "x86_64")]
static OLD: &[Row] = rows! {
    __NR_open May(old::open);
    __NR_creat May(old::creat);
    __NR_stat May(old::stat);
    __NR_lstat May(old::lstat);
    __NR_dup2 Now(old::dup2);
    __NR_pipe Now(old::pipe);
    __NR_access Now(old::access);
    __NR_chmod Now(old::chmod);
    __NR_chown Now(old::chown);
    __NR_lchown Now(old::lchown);
    __NR_utime Now(old::utime);
    __NR_utimes Now(old::utimes);
    __NR_futimesat Now(old::futimesat);
    __NR_mkdir Now(old::mkdir);
    __NR_rmdir Now(old::rmdir);
    __NR_unlink Now(old::unlink);
    __NR_link Now(old::link);
    __NR_symlink Now(old::symlink);
    __NR_readlink Now(old::readlink);
    __NR_mknod Now(old::mknod);
    __NR_rename Now(old::rename);
    __NR_getdents Now(old::getdents);
    __NR_fork May(fork::fork);
    __NR_vfork May(fork::vfork);
    __NR_getpgrp Now(ids::getpgrp);
    __NR_arch_prctl Now(prctl::arch_prctl), "ARCH_CET_*, ARCH_GET_CPUID and ARCH_SET_CPUID";
    __NR_alarm Now(timer::alarm);
    __NR_time Now(time::time);
    __NR_pause May(mask::pause);
    __NR_poll May(old::poll);
    __NR_select May(old::select);
    __NR_epoll_create Now(old::epoll_create);
    __NR_epoll_wait May(old::epoll_wait);
    __NR_eventfd Now(old::eventfd);
    __NR_inotify_init Now(old::inotify_init);
    __NR_signalfd Now(old::signalfd);
};

/// Those that only x86-64 has.
#[cfg(not(target_arch = "x86_64"))]
static OLD: &[Row] = &[];

/// Numbers of calls are below this.
const NUMBERS: usize = 512;

/// The place of each call in the tables, and one; zero where there is none.
static PLACES: [u16; NUMBERS] = {
    let mut places = [0; NUMBERS];
    let mut at = 0;
    while at < BOTH.len() {
        places[BOTH[at].number as usize] = at as u16 + 1;
        at += 1;
    }
    at = 0;
    while at < OLD.len() {
        places[OLD[at].number as usize] = (BOTH.len() + at) as u16 + 1;
        at += 1;
    }
    places
};

/// What serves the call of a number.
pub fn find(number: u32) -> Option<Handler> {
    let place = usize::from(*PLACES.get(number as usize)?).checked_sub(1)?;
    let row = BOTH.get(place).or_else(|| OLD.get(place - BOTH.len()))?;
    Some(row.handler)
}

/// All calls that are served.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    BOTH.iter().chain(OLD)
}
