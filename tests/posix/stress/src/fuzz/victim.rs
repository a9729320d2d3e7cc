//! A process that makes random calls: what it is, and what it has.

use super::NOBODY;
use super::calls::{self, Call};
use super::values::Values;
use crate::sys::{fork, sleep_for_ever};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// Milliseconds after which a call that waits is interrupted.
const ALARM: i64 = 2;
/// Descriptors that it may have.
const DESCRIPTORS: u64 = 80;

/// Makes so many calls.
pub fn live(seed: u64, place: &str, calls: u64, counter: &'static AtomicU64) -> i32 {
    let root = seed.is_multiple_of(2);
    if begin(place, root).is_none() {
        return 1;
    }
    let other = fork(|| sleep_for_ever()).unwrap_or(0);
    if seed % 4 > 1 {
        // Another thread of the same process.
        let _ = std::thread::Builder::new().stack_size(64 << 10).spawn(move || {
            make_calls(seed ^ 1 << 40, root, other, calls, counter);
        });
    }
    make_calls(seed, root, other, calls, counter);
    0
}

fn make_calls(seed: u64, root: bool, other: i32, calls: u64, counter: &AtomicU64) {
    let Some(mut values) = Values::new(seed, root, other) else { return };
    // SAFETY: it is a call without pointers.
    let me = unsafe { libc::getpid() };
    for _ in 0..calls {
        let Call { number, words } = calls::choose(&mut values);
        let [a, b, c, d, e, f] = words;
        // SAFETY: it is a process of its own, which may come to any harm.
        unsafe { libc::syscall(number, a, b, c, d, e, f) };
        counter.fetch_add(1, SeqCst);
        // SAFETY: they are calls without pointers.
        unsafe {
            // One that was cloned does not go on.
            if libc::syscall(libc::SYS_getpid) != i64::from(me) {
                libc::syscall(libc::SYS_exit_group, 0);
            }
        }
    }
}

/// Becomes what victims are, and opens what they have.
fn begin(place: &str, root: bool) -> Option<()> {
    extern "C" fn ignore(_: i32) {}
    let place = std::ffi::CString::new(place).ok()?;
    let limits = libc::rlimit { rlim_cur: DESCRIPTORS, rlim_max: DESCRIPTORS };
    let alarm = libc::timeval { tv_sec: 0, tv_usec: ALARM * 1000 };
    let alarms = libc::itimerval { it_interval: alarm, it_value: alarm };
    let mut pair = [0; 2];
    // SAFETY: what is pointed to is there, and the descriptors are this process's own.
    unsafe {
        libc::setsid();
        if libc::chdir(place.as_ptr()) != 0 {
            return None;
        }
        let null = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR);
        for fd in 0..3 {
            libc::dup2(null, fd);
        }
        libc::syscall(libc::SYS_close_range, 3, u32::MAX, 0);
        libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limits);
        if !root {
            libc::syscall(libc::SYS_setgroups, 0, 0);
            libc::syscall(libc::SYS_setresgid, NOBODY, NOBODY, NOBODY);
            libc::syscall(libc::SYS_setresuid, NOBODY, NOBODY, NOBODY);
        }
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = ignore as *const () as usize;
        for signal in [libc::SIGALRM, libc::SIGPIPE, libc::SIGIO, libc::SIGHUP, libc::SIGUSR1] {
            libc::sigaction(signal, &raw const action, std::ptr::null_mut());
        }
        libc::setitimer(libc::ITIMER_REAL, &raw const alarms, std::ptr::null_mut());
        for name in [c"f", c"f2", c".", c"d", c"/proc/self/maps", c"/dev/zero", c"/dev/ptmx"] {
            let access = if name == c"f" || name == c"f2" { libc::O_RDWR } else { libc::O_RDONLY };
            libc::open(name.as_ptr(), access);
        }
        libc::pipe(pair.as_mut_ptr());
        libc::pipe2(pair.as_mut_ptr(), libc::O_NONBLOCK);
        libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM, 0, pair.as_mut_ptr());
        libc::socketpair(libc::AF_UNIX, libc::SOCK_DGRAM, 0, pair.as_mut_ptr());
        libc::socket(libc::AF_UNIX, libc::SOCK_SEQPACKET, 0);
        let epoll = libc::epoll_create1(0);
        let mut wish = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 1 };
        libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, pair[0], &raw mut wish);
        libc::eventfd(1, 0);
        libc::timerfd_create(libc::CLOCK_MONOTONIC, 0);
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut all);
        libc::signalfd(-1, &raw const all, 0);
        let memory = libc::memfd_create(c"m".as_ptr(), 0);
        libc::ftruncate(memory, 20_000);
        libc::syscall(libc::SYS_pidfd_open, libc::getpid(), 0);
    }
    Some(())
}
