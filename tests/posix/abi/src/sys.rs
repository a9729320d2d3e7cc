//! The kernel's calls as they are, without a C library in between, and how their results are printed.

use std::arch::asm;
use std::ffi::CStr;

/// What a call takes in one register.
pub trait Word {
    fn word(self) -> usize;
}

macro_rules! integers {
    ($($kind:ty)*) => { $(impl Word for $kind {
        fn word(self) -> usize {
            self as usize
        }
    })* };
}
integers!(i32 u32 i64 u64 usize isize u8);

impl Word for &CStr {
    fn word(self) -> usize {
        self.as_ptr() as usize
    }
}

impl<T> Word for *const T {
    fn word(self) -> usize {
        self as usize
    }
}

impl<T> Word for *mut T {
    fn word(self) -> usize {
        self as usize
    }
}

impl<T> Word for &mut T {
    fn word(self) -> usize {
        &raw mut *self as usize
    }
}

impl<T> Word for &T {
    fn word(self) -> usize {
        &raw const *self as usize
    }
}

impl<T> Word for &[T] {
    fn word(self) -> usize {
        self.as_ptr() as usize
    }
}

/// An address at which nothing is.
pub const BAD: usize = 8;

/// A call of the kernel: what it gives, or minus its error.
pub fn call(number: i64, words: [usize; 6]) -> isize {
    let [a, b, c, d, e, f] = words;
    let result: isize;
    #[cfg(target_arch = "aarch64")]
    // SAFETY: what the kernel changes is memory that the caller means it to.
    unsafe {
        asm!("svc #0", in("x8") number, inlateout("x0") a as isize => result, in("x1") b, in("x2") c,
            in("x3") d, in("x4") e, in("x5") f, options(nostack));
    }
    #[cfg(target_arch = "x86_64")]
    // SAFETY: what the kernel changes is memory that the caller means it to.
    unsafe {
        asm!("syscall", inlateout("rax") number as isize => result, in("rdi") a, in("rsi") b, in("rdx") c,
            in("r10") d, in("r8") e, in("r9") f, lateout("rcx") _, lateout("r11") _, options(nostack));
    }
    result
}

/// The words of a call, of which there are six.
pub fn six<const N: usize>(words: [usize; N]) -> [usize; 6] {
    let mut all = [0; 6];
    all[..N].copy_from_slice(&words);
    all
}

/// `sys!(SYS_openat, folder, path, flags)`: a call.
#[macro_export]
macro_rules! sys {
    // One expression, so that what is borrowed for the call lives as long as the call.
    ($number:expr $(, $word:expr)*) => {
        $crate::sys::call($number, $crate::sys::six([$($crate::sys::Word::word($word)),*]))
    };
}

/// `check!("what", SYS_openat, folder, path, flags)`: makes the call, prints a line, gives the result.
#[macro_export]
macro_rules! check {
    ($what:expr, $($call:expr),+) => { $crate::sys::show($what, $crate::sys!($($call),+)) };
}

/// Prints what came of something.
pub fn show(what: &str, result: isize) -> isize {
    println!("{what} = {}", text(result));
    result
}

/// Prints a value that is no result of a call.
pub fn value(what: &str, value: impl std::fmt::Debug) {
    println!("{what}: {value:?}");
}

/// Whether something worked, where the number that it gives is any number.
pub fn works(what: &str, result: isize) -> isize {
    println!("{what} = {}", if result < 0 { text(result) } else { "fine".into() });
    result
}

/// A result as it is printed.
pub fn text(result: isize) -> String {
    match result {
        -4095..0 => ERRORS
            .iter()
            .find(|(number, _)| *number as isize == -result)
            .map_or_else(|| format!("error {}", -result), |(_, name)| (*name).into()),
        _ => result.to_string(),
    }
}

/// Runs something in a child and gives what `wait4` says of its end.
pub fn in_child(work: impl FnOnce() -> i32) -> i32 {
    let child = fork();
    if child == 0 {
        exit(work());
    }
    wait(child)
}

/// A copy of this process: its id, or 0 in the copy.
pub fn fork() -> i32 {
    sys!(libc::SYS_clone, libc::SIGCHLD) as i32
}

pub fn exit(status: i32) -> ! {
    sys!(libc::SYS_exit_group, status);
    unreachable!()
}

/// Waits for a child's end, and gives its status as the kernel has it.
pub fn wait(child: i32) -> i32 {
    let mut status = 0;
    sys!(libc::SYS_wait4, child, &mut status, 0, 0);
    status
}

pub fn close(fd: isize) {
    sys!(libc::SYS_close, fd);
}

/// A new file with these bytes, open for reading and writing.
pub fn file(name: &CStr, bytes: &[u8]) -> isize {
    let flags = libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC;
    let fd = sys!(libc::SYS_openat, libc::AT_FDCWD, name, flags, 0o644);
    sys!(libc::SYS_write, fd, bytes, bytes.len());
    sys!(libc::SYS_lseek, fd, 0, libc::SEEK_SET);
    fd
}

pub fn unlink(name: &CStr) {
    sys!(libc::SYS_unlinkat, libc::AT_FDCWD, name, 0);
}

pub fn close_all(fds: &[isize]) {
    for fd in fds {
        close(*fd);
    }
}

pub fn unlink_all(names: &[&CStr]) {
    for name in names {
        unlink(name);
    }
}

/// Both ends of a new pipe: reading, writing.
pub fn pipe() -> [i32; 2] {
    let mut ends = [0; 2];
    sys!(libc::SYS_pipe2, &mut ends, 0);
    ends
}

/// Sleeps for so many milliseconds.
pub fn nap(milliseconds: i64) {
    let time = libc::timespec { tv_sec: 0, tv_nsec: milliseconds * 1_000_000 };
    sys!(libc::SYS_nanosleep, &time, 0);
}

macro_rules! errors {
    ($($name:ident)*) => { &[$((libc::$name, stringify!($name))),*] };
}

const ERRORS: &[(i32, &str)] = errors!(
    EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY
    EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK
    EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP ENODATA ETIME EOVERFLOW EILSEQ
    ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP
    EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH ECONNABORTED ECONNRESET ENOBUFS
    EISCONN ENOTCONN ETIMEDOUT ECONNREFUSED EALREADY EINPROGRESS ESTALE ECANCELED
);
