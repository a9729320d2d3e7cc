//! Calls that one process makes for itself.

use crate::best;
use crate::sys::{close, open, read, write};
use libc::{O_CREAT, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY};
use std::ffi::CStr;

const FILE: &CStr = c"/tmp/abi-bench";

pub fn getppid() -> u64 {
    best(2000, || {
        // SAFETY: it only asks.
        unsafe { libc::getppid() };
    })
}

pub fn read_zero() -> u64 {
    let fd = open(c"/dev/zero", O_RDONLY);
    let figure = best(1000, || {
        read(fd, &mut [0]);
    });
    close(fd);
    figure
}

pub fn write_null() -> u64 {
    let fd = open(c"/dev/null", O_WRONLY);
    let figure = best(1000, || {
        write(fd, b"x");
    });
    close(fd);
    figure
}

pub fn open_close() -> u64 {
    with_file(1, |_| best(500, || close(open(FILE, O_RDONLY))))
}

pub fn stat() -> u64 {
    with_file(1, |_| {
        best(500, || {
            // SAFETY: plain integers, and the path ends with a NUL.
            unsafe {
                let mut info = std::mem::zeroed();
                libc::stat(FILE.as_ptr(), &mut info);
            }
        })
    })
}

pub fn read_4k() -> u64 {
    read_all(4 << 10)
}

pub fn read_64k() -> u64 {
    read_all(64 << 10)
}

fn read_all(length: usize) -> u64 {
    let mut bytes = vec![1; length];
    with_file(length, |fd| {
        best(200, || {
            // SAFETY: the bytes are as many as is said.
            unsafe { libc::pread(fd, bytes.as_mut_ptr().cast(), length, 0) };
        })
    })
}

pub fn create_unlink() -> u64 {
    best(200, || {
        close(open(c"/tmp/abi-bench.new", O_CREAT | O_WRONLY | libc::O_EXCL));
        // SAFETY: the path ends with a NUL.
        unsafe { libc::unlink(c"/tmp/abi-bench.new".as_ptr()) };
    })
}

/// Measures with a file of so many bytes.
fn with_file(length: usize, measure: impl FnOnce(i32) -> u64) -> u64 {
    let fd = open(FILE, O_CREAT | O_RDWR | O_TRUNC);
    write(fd, &vec![b'x'; length]);
    let figure = measure(fd);
    close(fd);
    // SAFETY: the path ends with a NUL.
    unsafe { libc::unlink(FILE.as_ptr()) };
    figure
}
