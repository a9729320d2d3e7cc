//! Children, shared memory and results of calls, as the tests want them.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};

/// Bytes of a page.
pub const PAGE: usize = 4096;

/// How a test goes, or what went wrong.
pub type Outcome = Result<(), String>;

/// Says what went wrong unless something holds.
#[macro_export]
macro_rules! ensure {
    ($holds:expr, $($why:tt)+) => {
        if !$holds {
            return Err(format!($($why)+));
        }
    };
}

/// The error of the last call.
pub fn errno() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(0)
}

/// What a call gives, or its error.
pub fn result(value: impl Into<i64>) -> Result<i64, i32> {
    match value.into() {
        -1 => Err(errno()),
        value => Ok(value),
    }
}

/// A child that does something and ends with what that gives; an error is `fork`'s.
pub fn fork(work: impl FnOnce() -> i32) -> Result<i32, i32> {
    // SAFETY: the child runs nothing but its work, which ends it.
    match unsafe { libc::fork() } {
        -1 => Err(errno()),
        0 => leave(work()),
        child => Ok(child),
    }
}

/// A child that must be there.
pub fn child(work: impl FnOnce() -> i32) -> Result<i32, String> {
    fork(work).map_err(|error| format!("fork: error {error}"))
}

/// Ends this process at once.
pub fn leave(status: i32) -> ! {
    // SAFETY: it does not come back.
    unsafe { libc::_exit(status) }
}

/// Waits for a child; its status as `wait` has it, and -1 for none.
pub fn wait(child: i32) -> i32 {
    let mut status = 0;
    loop {
        // SAFETY: the status is this function's own.
        if unsafe { libc::waitpid(child, &raw mut status, 0) } == child {
            return status;
        }
        if errno() != libc::EINTR {
            return -1;
        }
    }
}

/// Sends a signal.
pub fn kill(pid: i32, signal: i32) {
    // SAFETY: the tests send signals to their own children only.
    unsafe { libc::kill(pid, signal) };
}

/// Kills children and waits for them.
pub fn end_all(children: &[i32]) {
    children.iter().for_each(|&child| kill(child, libc::SIGKILL));
    for &child in children {
        wait(child);
    }
}

/// Sleeps.
pub fn nap(milliseconds: u64) {
    std::thread::sleep(std::time::Duration::from_millis(milliseconds));
}

/// Sleeps for ever.
pub fn sleep_for_ever() -> ! {
    loop {
        nap(1_000_000);
    }
}

/// Nanoseconds of the monotonic clock.
pub fn now() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the time is this function's own.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Whether something comes true within so many milliseconds.
pub fn within(milliseconds: u64, holds: impl Fn() -> bool) -> bool {
    let end = now() + milliseconds * 1_000_000;
    loop {
        if holds() {
            return true;
        }
        if now() > end {
            return false;
        }
        nap(2);
    }
}

/// Maps memory of no file.
pub fn map(length: usize, flags: i32) -> Result<usize, i32> {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let flags = flags | libc::MAP_ANONYMOUS;
    // SAFETY: nothing is replaced.
    let at = unsafe { libc::mmap(std::ptr::null_mut(), length, access, flags, -1, 0) };
    if at == libc::MAP_FAILED { Err(errno()) } else { Ok(at as usize) }
}

/// Writes a byte to each page of what is mapped.
pub fn touch(at: usize, length: usize) {
    for page in (at..at + length).step_by(PAGE) {
        // SAFETY: the caller has mapped it.
        unsafe { (page as *mut u8).write_volatile(1) };
    }
}

/// Words of memory that are shared with children.
const WORDS: usize = 512;

static SHARED: AtomicUsize = AtomicUsize::new(0);
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// Words of zero that are shared with children, until the end of the test.
pub fn shared<const N: usize>() -> &'static [AtomicU64; N] {
    if SHARED.load(SeqCst) == 0 {
        SHARED.store(map(WORDS * 8, libc::MAP_SHARED).expect("a page"), SeqCst);
    }
    let first = NEXT.fetch_add(N, SeqCst);
    assert!(first + N <= WORDS, "a test has so many shared words");
    // SAFETY: it is mapped, there are so many words, and any bits are a number.
    unsafe { &*((SHARED.load(SeqCst) + first * 8) as *const [AtomicU64; N]) }
}

/// Gives up what was shared.
pub fn unshare() {
    let at = SHARED.swap(0, SeqCst);
    if at != 0 {
        // SAFETY: the test that had the words is over.
        unsafe { libc::munmap(at as *mut _, WORDS * 8) };
    }
    NEXT.store(0, SeqCst);
}

/// Both ends of a new pipe: reading, writing.
pub fn pipe() -> Result<[i32; 2], i32> {
    let mut ends = [0; 2];
    // SAFETY: there is room for two.
    result(unsafe { libc::pipe(ends.as_mut_ptr()) })?;
    Ok(ends)
}

/// Closes descriptors.
pub fn close(descriptors: &[i32]) {
    for &descriptor in descriptors {
        // SAFETY: whoever has it does not use it again.
        unsafe { libc::close(descriptor) };
    }
}

/// Writes bytes to a descriptor.
pub fn write(descriptor: i32, bytes: &[u8]) -> Result<i64, i32> {
    // SAFETY: the bytes are there.
    result(unsafe { libc::write(descriptor, bytes.as_ptr().cast(), bytes.len()) } as i64)
}

/// Reads bytes from a descriptor.
pub fn read(descriptor: i32, bytes: &mut [u8]) -> Result<i64, i32> {
    // SAFETY: there is room for the bytes.
    result(unsafe { libc::read(descriptor, bytes.as_mut_ptr().cast(), bytes.len()) } as i64)
}
