//! Files without names that can be sealed.

use crate::sys::{BAD, close, file, unlink};
use crate::{check, sys};
use libc::*;

pub fn run() {
    arguments();
    sizes();
    writing();
    mappings();
}

fn memory(bytes: &[u8]) -> isize {
    let fd = sys!(SYS_memfd_create, c"m", MFD_ALLOW_SEALING);
    sys!(SYS_write, fd, bytes, bytes.len());
    fd
}

fn arguments() {
    let long = [b'x'; 250];
    let name = std::ffi::CString::new(long).unwrap_or_default();
    check!("memfd_create with a long name", SYS_memfd_create, name.as_c_str(), 0);
    check!("memfd_create with a bad name", SYS_memfd_create, BAD, 0);
    check!("memfd_create with unknown flags", SYS_memfd_create, c"m", 0x100);
    let plain = sys!(SYS_memfd_create, c"m", MFD_CLOEXEC);
    check!("F_GET_SEALS without MFD_ALLOW_SEALING", SYS_fcntl, plain, F_GET_SEALS);
    check!("F_ADD_SEALS there", SYS_fcntl, plain, F_ADD_SEALS, F_SEAL_GROW);
    let named = file(c"f", b"abc");
    check!("F_GET_SEALS of a file", SYS_fcntl, named, F_GET_SEALS);
    check!("F_ADD_SEALS of a file", SYS_fcntl, named, F_ADD_SEALS, F_SEAL_GROW);
    let [reader, _] = crate::sys::pipe();
    check!("F_GET_SEALS of a pipe", SYS_fcntl, reader, F_GET_SEALS);
    check!("F_ADD_SEALS of a pipe", SYS_fcntl, reader, F_ADD_SEALS, F_SEAL_GROW);
    let fd = memory(b"");
    check!("F_GET_SEALS", SYS_fcntl, fd, F_GET_SEALS);
    check!("F_ADD_SEALS unknown", SYS_fcntl, fd, F_ADD_SEALS, 0x1000);
    check!("F_ADD_SEALS of none", SYS_fcntl, fd, F_ADD_SEALS, 0);
    check!("F_ADD_SEALS", SYS_fcntl, fd, F_ADD_SEALS, F_SEAL_SEAL);
    check!("F_ADD_SEALS after F_SEAL_SEAL", SYS_fcntl, fd, F_ADD_SEALS, F_SEAL_GROW);
    check!("F_GET_SEALS", SYS_fcntl, fd, F_GET_SEALS);
    close(fd);
    close(plain);
    close(named);
    unlink(c"f");
}

fn sizes() {
    let fd = memory(b"abcdef");
    check!("F_SEAL_SHRINK", SYS_fcntl, fd, F_ADD_SEALS, F_SEAL_SHRINK);
    check!("ftruncate to less", SYS_ftruncate, fd, 3);
    check!("ftruncate to as much", SYS_ftruncate, fd, 6);
    check!("ftruncate to more", SYS_ftruncate, fd, 9);
    check!("F_SEAL_GROW", SYS_fcntl, fd, F_ADD_SEALS, F_SEAL_GROW);
    check!("ftruncate to more", SYS_ftruncate, fd, 10);
    check!("pwrite64 inside", SYS_pwrite64, fd, b"xy".as_slice(), 2, 7);
    check!("pwrite64 beyond", SYS_pwrite64, fd, b"xyz".as_slice(), 3, 7);
    check!("pwrite64 behind", SYS_pwrite64, fd, b"x".as_slice(), 1, 9);
    check!("fallocate of more", SYS_fallocate, fd, 0, 0, 20);
    check!("fallocate FALLOC_FL_KEEP_SIZE", SYS_fallocate, fd, FALLOC_FL_KEEP_SIZE, 0, 20);
    check!("fallocate of what is there", SYS_fallocate, fd, 0, 0, 9);
    close(fd);
    let fd = memory(&[7; 5000]);
    sys!(SYS_fcntl, fd, F_ADD_SEALS, F_SEAL_GROW);
    check!("pwrite64 beyond, by pages", SYS_pwrite64, fd, &[1u8; 9000], 9000, 10);
    close(fd);
}

fn writing() {
    let punch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    for (name, seal) in
        [("F_SEAL_WRITE", F_SEAL_WRITE), ("F_SEAL_FUTURE_WRITE", F_SEAL_FUTURE_WRITE)]
    {
        let fd = memory(b"abcdef");
        check!(name, SYS_fcntl, fd, F_ADD_SEALS, seal);
        check!("pwrite64", SYS_pwrite64, fd, b"x".as_slice(), 1, 0);
        check!("pwrite64 of nothing", SYS_pwrite64, fd, b"".as_slice(), 0, 0);
        check!("punching a hole", SYS_fallocate, fd, punch, 0, 4096);
        check!("ftruncate", SYS_ftruncate, fd, 10);
        check!("pread64", SYS_pread64, fd, &mut [0u8; 8], 8, 0);
        map(fd, "mmap shared, for writing", PROT_READ | PROT_WRITE, MAP_SHARED);
        map(fd, "mmap shared, for reading", PROT_READ, MAP_SHARED);
        map(fd, "mmap private", PROT_READ | PROT_WRITE, MAP_PRIVATE);
        close(fd);
    }
}

fn map(fd: isize, what: &str, access: i32, how: i32) -> isize {
    let at = crate::sys::works(what, sys!(SYS_mmap, 0, 4096, access, how, fd, 0));
    if at > 0 {
        check!("mprotect", SYS_mprotect, at, 4096, PROT_READ | PROT_WRITE);
    }
    at
}

fn mappings() {
    let fd = memory(b"abcdef");
    let at = map(fd, "mmap shared", PROT_READ | PROT_WRITE, MAP_SHARED);
    check!(
        "F_SEAL_WRITE while it is mapped",
        SYS_fcntl,
        fd,
        F_ADD_SEALS,
        F_SEAL_WRITE | F_SEAL_GROW
    );
    check!("F_GET_SEALS", SYS_fcntl, fd, F_GET_SEALS);
    check!("F_SEAL_FUTURE_WRITE", SYS_fcntl, fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE);
    // SAFETY: the mapping is there, and as long as a page.
    unsafe { std::ptr::write_volatile(at as *mut u8, b'X') };
    let mut bytes = [0u8; 1];
    check!("pread64", SYS_pread64, fd, &mut bytes, 1, 0);
    crate::sys::value("what was written before", bytes);
    check!("munmap", SYS_munmap, at, 4096);
    check!("F_SEAL_WRITE", SYS_fcntl, fd, F_ADD_SEALS, F_SEAL_WRITE);
    check!("F_GET_SEALS", SYS_fcntl, fd, F_GET_SEALS);
    close(fd);
}
