//! Calls of the C library that must not fail, and what they need.

use std::ffi::CStr;

/// What a call gives, unless it fails, which ends the program.
pub fn must(what: &str, result: i64) -> i64 {
    if result < 0 {
        eprintln!("abi-bench: {what}: {}", std::io::Error::last_os_error());
        std::process::exit(1);
    }
    result
}

pub fn open(path: &CStr, flags: i32) -> i32 {
    // SAFETY: the path ends with a NUL.
    must("open", i64::from(unsafe { libc::open(path.as_ptr(), flags, 0o600) })) as i32
}

pub fn close(fd: i32) {
    // SAFETY: the descriptor is one that this program has opened.
    unsafe { libc::close(fd) };
}

pub fn read(fd: i32, bytes: &mut [u8]) -> usize {
    // SAFETY: the bytes are as many as is said.
    must("read", unsafe { libc::read(fd, bytes.as_mut_ptr().cast(), bytes.len()) } as i64) as usize
}

pub fn write(fd: i32, bytes: &[u8]) -> usize {
    // SAFETY: the bytes are as many as is said.
    must("write", unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) } as i64) as usize
}

/// Both ends of a new pipe: reading, writing.
pub fn pipe() -> [i32; 2] {
    let mut ends = [0; 2];
    // SAFETY: there is room for two.
    must("pipe", i64::from(unsafe { libc::pipe(ends.as_mut_ptr()) }));
    ends
}

/// Runs something in a child that then ends, and gives its id.
pub fn spawn(work: impl FnOnce()) -> i32 {
    // SAFETY: this program has one thread where it forks.
    let child = must("fork", i64::from(unsafe { libc::fork() })) as i32;
    if child == 0 {
        work();
        // SAFETY: it ends the process.
        unsafe { libc::_exit(0) };
    }
    child
}

pub fn wait(child: i32) {
    // SAFETY: no status is wanted.
    must("wait", i64::from(unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) }));
}

/// Fresh memory of so many bytes, and where it ends.
pub fn map(length: usize) -> *mut u8 {
    let (protection, flags) =
        (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    // SAFETY: the memory is new.
    let place = unsafe { libc::mmap(std::ptr::null_mut(), length, protection, flags, -1, 0) };
    must("mmap", place as i64);
    place.cast()
}
