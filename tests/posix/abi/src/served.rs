//! A file system that another process serves. Linux has none of those: there it is one in memory, and the
//! lines are the same.

use crate::sys::{close, file, in_child, show, text, unlink, value, works};
use crate::{check, sys};
use libc::*;
use std::ffi::CStr;
use std::process::Command;

/// The program that serves one, where there is such a thing.
const SERVER: &CStr = c"/ochre/memfs";

pub fn run() {
    sys!(SYS_mkdirat, AT_FDCWD, c"m", 0o755);
    let served = sys!(SYS_faccessat, AT_FDCWD, SERVER, F_OK) == 0;
    let mounted = match served {
        true => sys!(SYS_mount, SERVER, c"m", c"ochre", 0, 0),
        false => sys!(SYS_mount, c"none", c"m", c"tmpfs", 0, c"size=1m,mode=755"),
    };
    show("mount", mounted);
    files();
    names();
    attributes();
    sizes();
    programs();
    tools();
    end();
}

fn status(path: &CStr) -> Result<stat, isize> {
    // SAFETY: plain integers.
    let mut found: stat = unsafe { std::mem::zeroed() };
    match sys!(SYS_newfstatat, AT_FDCWD, path, &mut found, AT_SYMLINK_NOFOLLOW) {
        0 => Ok(found),
        error => Err(error),
    }
}

fn tell(path: &CStr) {
    match status(path) {
        Ok(it) => println!(
            "{path:?}: mode {:o}, links {}, size {}",
            it.st_mode,
            it.st_nlink,
            match it.st_mode & S_IFMT {
                S_IFDIR => 0,
                _ => it.st_size,
            }
        ),
        Err(error) => println!("{path:?}: {}", text(error)),
    }
}

fn read(path: &CStr) -> String {
    let fd = sys!(SYS_openat, AT_FDCWD, path, O_RDONLY);
    let mut bytes = [0u8; 64];
    let count = sys!(SYS_read, fd, &mut bytes, 64);
    close(fd);
    if count < 0 { text(count) } else { bytes[..count as usize].escape_ascii().to_string() }
}

fn files() {
    check!("open of nothing", SYS_openat, AT_FDCWD, c"m/f", O_RDWR);
    let fd = works("openat", sys!(SYS_openat, AT_FDCWD, c"m/f", O_RDWR | O_CREAT | O_EXCL, 0o640));
    check!("openat again", SYS_openat, AT_FDCWD, c"m/f", O_RDWR | O_CREAT | O_EXCL, 0o640);
    check!("write", SYS_write, fd, b"hello, world".as_slice(), 12);
    check!("lseek", SYS_lseek, fd, 0, SEEK_CUR);
    check!("pwrite64", SYS_pwrite64, fd, b"W".as_slice(), 1, 7);
    let parts = [b"one ".as_slice(), b"two".as_slice()]
        .map(|part| iovec { iov_base: part.as_ptr() as *mut _, iov_len: part.len() });
    check!("writev", SYS_writev, fd, &parts, 2);
    check!("lseek", SYS_lseek, fd, 0, SEEK_CUR);
    println!("{}", read(c"m/f"));
    check!("ftruncate", SYS_ftruncate, fd, 5);
    check!("ftruncate to more", SYS_ftruncate, fd, 8);
    println!("{}", read(c"m/f"));
    let end = sys!(SYS_openat, AT_FDCWD, c"m/f", O_WRONLY | O_APPEND);
    check!("append", SYS_write, end, b"!".as_slice(), 1);
    println!("{}", read(c"m/f"));
    check!("fsync", SYS_fsync, fd);
    check!("sync", SYS_sync);
    check!("O_TRUNC", SYS_close, sys!(SYS_openat, AT_FDCWD, c"m/f", O_WRONLY | O_TRUNC));
    tell(c"m/f");
    check!("unlink", SYS_unlinkat, AT_FDCWD, c"m/f", 0);
    check!("write without a name", SYS_pwrite64, fd, b"kept".as_slice(), 4, 0);
    let mut bytes = [0u8; 8];
    check!("read without a name", SYS_pread64, fd, &mut bytes, 8, 0);
    value("it", bytes.escape_ascii().to_string());
    tell(c"m/f");
    close(fd);
    close(end);
}

fn names() {
    check!("mkdirat", SYS_mkdirat, AT_FDCWD, c"m/d", 0o755);
    check!("mkdirat again", SYS_mkdirat, AT_FDCWD, c"m/d", 0o755);
    check!("mkdirat in it", SYS_mkdirat, AT_FDCWD, c"m/d/e", 0o700);
    tell(c"m/d");
    close(file(c"m/d/f", b"abc"));
    check!("a file is no directory", SYS_openat, AT_FDCWD, c"m/d/f/g", O_RDONLY);
    check!("linkat", SYS_linkat, AT_FDCWD, c"m/d/f", AT_FDCWD, c"m/g", 0);
    check!("linkat to elsewhere", SYS_linkat, AT_FDCWD, c"m/d/f", AT_FDCWD, c"g", 0);
    tell(c"m/g");
    check!("symlinkat", SYS_symlinkat, c"d/f", AT_FDCWD, c"m/l");
    tell(c"m/l");
    println!("{}", read(c"m/l"));
    let mut bytes = [0u8; 16];
    check!("readlinkat", SYS_readlinkat, AT_FDCWD, c"m/l", &mut bytes, 16);
    check!("renameat2", SYS_renameat2, AT_FDCWD, c"m/g", AT_FDCWD, c"m/d/h", 0);
    check!("over another", SYS_renameat2, AT_FDCWD, c"m/d/h", AT_FDCWD, c"m/d/f", 0);
    check!("a directory", SYS_renameat2, AT_FDCWD, c"m/d/e", AT_FDCWD, c"m/e", 0);
    check!("into itself", SYS_renameat2, AT_FDCWD, c"m/d", AT_FDCWD, c"m/d/x", 0);
    check!("elsewhere", SYS_renameat2, AT_FDCWD, c"m/l", AT_FDCWD, c"l", 0);
    check!("over one with names", SYS_renameat2, AT_FDCWD, c"m/e", AT_FDCWD, c"m/d", 0);
    tell(c"m/d");
    tell(c"m/e");
    tell(c"m");
    check!("rmdir of one with names", SYS_unlinkat, AT_FDCWD, c"m/d", AT_REMOVEDIR);
    check!("unlink of a directory", SYS_unlinkat, AT_FDCWD, c"m/e", 0);
    check!("rmdir", SYS_unlinkat, AT_FDCWD, c"m/e", AT_REMOVEDIR);
    check!("rmdir again", SYS_unlinkat, AT_FDCWD, c"m/e", AT_REMOVEDIR);
    check!("chdir", SYS_chdir, c"m/d");
    let mut path = [0u8; 64];
    works("getcwd", sys!(SYS_getcwd, &mut path, 64));
    value("it ends", path.windows(4).any(|piece| piece == b"/m/d"));
    check!("up again", SYS_chdir, c"../..");
    tell(c"m/d/f");
    let long = std::ffi::CString::new(format!("m/{}", "n".repeat(256))).unwrap_or_default();
    check!("a long name", SYS_openat, AT_FDCWD, long.as_c_str(), O_RDWR | O_CREAT, 0o600);
    for name in ["a", "b", "c"] {
        let name = std::ffi::CString::new(format!("m/d/{name}")).unwrap_or_default();
        close(file(name.as_c_str(), b""));
    }
    let mut names: Vec<_> =
        std::fs::read_dir("m/d").into_iter().flatten().flatten().map(|it| it.file_name()).collect();
    names.sort();
    value("names", names);
}

fn attributes() {
    let fd = file(c"m/a", b"abc");
    check!("fchmod", SYS_fchmod, fd, 0o4711);
    check!("fchownat", SYS_fchownat, AT_FDCWD, c"m/a", 3, 4, 0);
    let times = [timespec { tv_sec: 1000, tv_nsec: 5 }, timespec { tv_sec: 2000, tv_nsec: 0 }];
    check!("utimensat", SYS_utimensat, AT_FDCWD, c"m/a", &times, 0);
    close(fd);
    tell(c"m/a");
    if let Ok(it) = status(c"m/a") {
        value(
            "owner and times",
            (it.st_uid, it.st_gid, it.st_atime, it.st_atime_nsec, it.st_mtime),
        );
    }
    value(
        "another may not read it",
        in_child(|| {
            sys!(SYS_setresuid, 5, 5, 5);
            check!("openat", SYS_openat, AT_FDCWD, c"m/a", O_RDONLY);
            check!("unlinkat", SYS_unlinkat, AT_FDCWD, c"m/a", 0);
            0
        }),
    );
}

fn sizes() {
    let fd = file(c"m/big", b"");
    let many: Vec<u8> = (0..200_000u32).map(|at| (at * 7 / 3) as u8).collect();
    check!("write of much", SYS_write, fd, many.as_slice(), many.len());
    let mut back = vec![0u8; 200_000];
    check!("pread64 of all", SYS_pread64, fd, back.as_mut_ptr(), back.len(), 0);
    value("the same", back == many);
    let at = works("mmap", sys!(SYS_mmap, 0, 200_000, PROT_READ, MAP_PRIVATE, fd, 0));
    // SAFETY: as long as what was mapped.
    value("mapped", unsafe { std::slice::from_raw_parts(at as *const u8, many.len()) == many });
    sys!(SYS_munmap, at, 200_000);
    check!("pwrite64 behind", SYS_pwrite64, fd, b"x".as_slice(), 1, 300_000);
    check!("pread64 of the gap", SYS_pread64, fd, back.as_mut_ptr(), 10, 250_000);
    value("zeroes", back[..10] == [0; 10]);
    tell(c"m/big");
    close(fd);
    unlink(c"m/big");
    let mut words = [0u64; 15];
    check!("statfs", SYS_statfs, c"m", &mut words);
    value("bytes, and those of a name", (words[1] * words[2], words[8]));
}

fn programs() {
    let script = file(c"m/script", b"#!/bin/sh\necho run $0 $1\n");
    check!("fchmod", SYS_fchmod, script, 0o755);
    close(script);
    value(
        "status",
        in_child(|| {
            sys!(
                SYS_execve,
                c"m/script",
                &[c"m/script".as_ptr(), c"with".as_ptr(), std::ptr::null()],
                &[0usize; 1]
            );
            1
        }),
    );
    let copied = std::fs::copy("/proc/self/exe", "m/program");
    value("copied", copied.is_ok());
    let done = Command::new("m/program").arg("nothing").output().map(|done| done.status.code());
    value("a program", done.map_err(|error| error.kind()));
    unlink(c"m/program");
}

fn tools() {
    let script = "mkdir t; cd t; seq 100 >n; sort -r n | head -n 2; cp n o; cmp n o; mv o p; ls; wc -c p; \
        ln -s p q; cat q | tail -n 1; find . | sort; rm -r ../t; cd ..; ls; touch new; rm new; du -a d | wc -l";
    let _ = std::io::Write::flush(&mut std::io::stdout());
    let error = Command::new("/bin/sh").args(["-c", script]).current_dir("m").status();
    value("the tools", error.map(|status| status.code()).map_err(|error| error.kind()));
}

fn end() {
    let fd = sys!(SYS_openat, AT_FDCWD, c"m/a", O_RDONLY);
    check!("umount2 while a file is open", SYS_umount2, c"m", 0);
    close(fd);
    check!("umount2", SYS_umount2, c"m", 0);
    tell(c"m/a");
    check!("umount2 again", SYS_umount2, c"m", 0);
    check!("mount of what serves nothing", SYS_mount, c"/etc/passwd", c"m", c"what", 0, 0);
    sys!(SYS_unlinkat, AT_FDCWD, c"m", AT_REMOVEDIR);
}
