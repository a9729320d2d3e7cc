//! Directories and names: making, listing, linking, renaming, removing.

use crate::sys::{BAD, close, file, unlink, unlink_all, value, works};
use crate::{check, sys};
use libc::*;

const AT: i32 = AT_FDCWD;

pub fn run() {
    making();
    listing();
    linking();
    renaming();
    moving_about();
}

fn making() {
    check!("mkdirat", SYS_mkdirat, AT, c"d", 0o755);
    check!("mkdirat again", SYS_mkdirat, AT, c"d", 0o755);
    check!("mkdirat .", SYS_mkdirat, AT, c".", 0o755);
    check!("mkdirat /", SYS_mkdirat, AT, c"/", 0o755);
    check!("mkdirat empty name", SYS_mkdirat, AT, c"", 0o755);
    check!("mkdirat missing/x", SYS_mkdirat, AT, c"missing/x", 0o755);
    check!("mkdirat with a slash at the end", SYS_mkdirat, AT, c"e/", 0o755);
    close(file(c"d/f", b"x"));
    check!("mkdirat below a file", SYS_mkdirat, AT, c"d/f/x", 0o755);
    check!("mkdirat bad address", SYS_mkdirat, AT, BAD, 0o755);
    check!("unlinkat AT_REMOVEDIR, not empty", SYS_unlinkat, AT, c"d", AT_REMOVEDIR);
    check!("unlinkat of a directory", SYS_unlinkat, AT, c"d", 0);
    check!("unlinkat AT_REMOVEDIR of a file", SYS_unlinkat, AT, c"d/f", AT_REMOVEDIR);
    check!("unlinkat AT_REMOVEDIR .", SYS_unlinkat, AT, c"d/.", AT_REMOVEDIR);
    check!("unlinkat AT_REMOVEDIR ..", SYS_unlinkat, AT, c"d/..", AT_REMOVEDIR);
    check!("unlinkat AT_REMOVEDIR /", SYS_unlinkat, AT, c"/", AT_REMOVEDIR);
    check!("unlinkat missing", SYS_unlinkat, AT, c"missing", 0);
    check!("unlinkat unknown flags", SYS_unlinkat, AT, c"d/f", 1);
    check!("unlinkat with a slash at the end", SYS_unlinkat, AT, c"d/f/", 0);
    check!("unlinkat", SYS_unlinkat, AT, c"d/f", 0);
    check!("unlinkat AT_REMOVEDIR", SYS_unlinkat, AT, c"d", AT_REMOVEDIR);
    check!("unlinkat AT_REMOVEDIR e/", SYS_unlinkat, AT, c"e/", AT_REMOVEDIR);
    check!("mknodat of a file", SYS_mknodat, AT, c"n", S_IFREG | 0o600, 0);
    check!("mknodat again", SYS_mknodat, AT, c"n", S_IFREG | 0o600, 0);
    check!("mknodat of a FIFO", SYS_mknodat, AT, c"p", S_IFIFO | 0o600, 0);
    check!("mknodat of a directory", SYS_mknodat, AT, c"q", S_IFDIR | 0o600, 0);
    check!("mknodat of a socket", SYS_mknodat, AT, c"s", S_IFSOCK | 0o600, 0);
    check!("openat of a socket", SYS_openat, AT, c"s", O_RDONLY);
    check!("openat of a FIFO, O_WRONLY O_NONBLOCK", SYS_openat, AT, c"p", O_WRONLY | O_NONBLOCK);
    unlink_all(&[c"n", c"p", c"s"]);
}

/// Names and types in an open directory, as one call gives them.
fn entries(fd: isize) -> Vec<(String, u8)> {
    let mut bytes = [0u8; 4096];
    let length = sys!(SYS_getdents64, fd, &mut bytes, 4096).max(0) as usize;
    let (mut at, mut names) = (0, Vec::new());
    while at < length {
        let size = u16::from_le_bytes([bytes[at + 16], bytes[at + 17]]) as usize;
        let name = bytes[at + 19..at + size].split(|&byte| byte == 0).next().unwrap_or_default();
        names.push((String::from_utf8_lossy(name).into_owned(), bytes[at + 18]));
        at += size;
    }
    names.sort();
    names
}

fn listing() {
    sys!(SYS_mkdirat, AT, c"d", 0o755);
    sys!(SYS_mkdirat, AT, c"d/e", 0o755);
    close(file(c"d/f", b"x"));
    sys!(SYS_symlinkat, c"f", AT, c"d/l");
    sys!(SYS_mknodat, AT, c"d/p", S_IFIFO | 0o600, 0);
    let fd = works("openat O_DIRECTORY", sys!(SYS_openat, AT, c"d", O_DIRECTORY));
    value("getdents64", entries(fd));
    value("getdents64 at the end", entries(fd));
    check!("lseek to the start", SYS_lseek, fd, 0, SEEK_SET);
    value("getdents64 again", entries(fd).len());
    let mut small = [0u8; 8];
    sys!(SYS_lseek, fd, 0, SEEK_SET);
    check!("getdents64 without room", SYS_getdents64, fd, &mut small, 8);
    check!("getdents64 at a bad address", SYS_getdents64, fd, BAD, 4096);
    let plain = sys!(SYS_openat, AT, c"d/f", O_RDONLY);
    check!("getdents64 of a file", SYS_getdents64, plain, &mut small, 8);
    check!("getdents64 of a bad descriptor", SYS_getdents64, 999, &mut small, 8);
    close(plain);
    close(fd);
    unlink_all(&[c"d/f", c"d/l", c"d/p"]);
    sys!(SYS_unlinkat, AT, c"d/e", AT_REMOVEDIR);
    let fd = sys!(SYS_openat, AT, c"d", O_DIRECTORY);
    sys!(SYS_unlinkat, AT, c"d", AT_REMOVEDIR);
    check!("getdents64 of a removed directory", SYS_getdents64, fd, &mut [0u8; 512], 512);
    check!("openat in a removed directory", SYS_openat, fd, c"x", O_CREAT | O_RDWR, 0o600);
    check!("openat . of a removed directory", SYS_faccessat, fd, c".", F_OK);
    close(fd);
}

fn linking() {
    close(file(c"f", b"x"));
    sys!(SYS_mkdirat, AT, c"d", 0o755);
    check!("linkat", SYS_linkat, AT, c"f", AT, c"g", 0);
    check!("linkat again", SYS_linkat, AT, c"f", AT, c"g", 0);
    check!("linkat missing", SYS_linkat, AT, c"missing", AT, c"h", 0);
    check!("linkat of a directory", SYS_linkat, AT, c"d", AT, c"h", 0);
    check!("linkat unknown flags", SYS_linkat, AT, c"f", AT, c"h", 1);
    check!("linkat to d/", SYS_linkat, AT, c"f", AT, c"h/", 0);
    check!("symlinkat", SYS_symlinkat, c"f", AT, c"l");
    check!("symlinkat again", SYS_symlinkat, c"f", AT, c"l");
    check!("symlinkat to nothing", SYS_symlinkat, c"", AT, c"m");
    check!("symlinkat empty name", SYS_symlinkat, c"f", AT, c"");
    check!("linkat of a symbolic link", SYS_linkat, AT, c"l", AT, c"ll", 0);
    check!("linkat AT_SYMLINK_FOLLOW", SYS_linkat, AT, c"l", AT, c"lf", AT_SYMLINK_FOLLOW);
    let mut bytes = [0u8; 16];
    check!("readlinkat", SYS_readlinkat, AT, c"l", &mut bytes, 16);
    check!("readlinkat of the linked link", SYS_readlinkat, AT, c"ll", &mut bytes, 16);
    check!("readlinkat of what it followed", SYS_readlinkat, AT, c"lf", &mut bytes, 16);
    check!("readlinkat with room for 0", SYS_readlinkat, AT, c"l", &mut bytes, 0);
    check!("readlinkat with room for -1", SYS_readlinkat, AT, c"l", &mut bytes, -1);
    check!("readlinkat missing", SYS_readlinkat, AT, c"missing", &mut bytes, 16);
    check!("readlinkat bad address", SYS_readlinkat, AT, c"l", BAD, 16);
    sys!(SYS_symlinkat, c"0123456789abcdefXYZ", AT, c"long");
    check!("readlinkat that is cut", SYS_readlinkat, AT, c"long", &mut bytes, 16);
    value("its bytes", String::from_utf8_lossy(&bytes));
    unlink_all(&[c"f", c"g", c"l", c"ll", c"lf", c"long"]);
    sys!(SYS_unlinkat, AT, c"d", AT_REMOVEDIR);
}

fn renaming() {
    close(file(c"f", b"x"));
    close(file(c"g", b"yy"));
    for name in [c"d", c"e", c"d/in"] {
        sys!(SYS_mkdirat, AT, name, 0o755);
    }
    let rename = |what: &str, old, new, flags: u32| {
        check!(what, SYS_renameat2, AT, old, AT, new, flags);
    };
    rename("renameat2 onto itself", c"f", c"f", 0);
    rename("renameat2 missing", c"missing", c"x", 0);
    rename("renameat2 a file onto a directory", c"f", c"d", 0);
    rename("renameat2 a directory onto a file", c"d", c"f", 0);
    rename("renameat2 onto a directory that is not empty", c"e", c"d", 0);
    rename("renameat2 into itself", c"d", c"d/in/x", 0);
    rename("renameat2 to missing/x", c"f", c"missing/x", 0);
    rename("renameat2 .", c".", c"x", 0);
    rename("renameat2 to ..", c"d", c"..", 0);
    rename("renameat2 f/", c"f/", c"x", 0);
    rename("renameat2 to x/", c"f", c"x/", 0);
    rename("renameat2 RENAME_NOREPLACE", c"f", c"g", RENAME_NOREPLACE);
    rename("renameat2 RENAME_EXCHANGE", c"f", c"g", RENAME_EXCHANGE);
    rename("renameat2 RENAME_EXCHANGE with a directory", c"f", c"e", RENAME_EXCHANGE);
    rename("renameat2 both flags", c"f", c"g", RENAME_EXCHANGE | RENAME_NOREPLACE);
    rename("renameat2 unknown flags", c"f", c"g", 64);
    rename("renameat2 back", c"f", c"g", RENAME_EXCHANGE);
    rename("renameat2 onto a file", c"e", c"g", 0);
    rename("renameat2 onto an empty directory", c"f", c"d/in", 0);
    check!("renameat", SYS_renameat, AT, c"g", AT, c"h");
    let found = std::fs::read_dir(".").into_iter().flatten().flatten();
    let mut names: Vec<_> = found.map(|entry| entry.file_name()).collect();
    names.sort();
    value("what is left", &names);
    for name in names {
        let path = std::path::Path::new(&name);
        let _ =
            if path.is_dir() { std::fs::remove_dir_all(path) } else { std::fs::remove_file(path) };
    }
}

fn moving_about() {
    let mut bytes = [0u8; 256];
    sys!(SYS_mkdirat, AT, c"d", 0o755);
    close(file(c"f", b""));
    check!("chdir missing", SYS_chdir, c"missing");
    check!("chdir to a file", SYS_chdir, c"f");
    check!("getcwd without room", SYS_getcwd, &mut bytes, 2);
    check!("getcwd with room for 0", SYS_getcwd, &mut bytes, 0);
    check!("getcwd", SYS_getcwd, &mut bytes, 256);
    check!("getcwd at a bad address", SYS_getcwd, BAD, 256);
    let here = sys!(SYS_openat, AT, c".", O_RDONLY);
    check!("chdir", SYS_chdir, c"d");
    check!("unlinkat of where one is", SYS_unlinkat, AT, c"../d", AT_REMOVEDIR);
    check!("getcwd where nothing is", SYS_getcwd, &mut bytes, 256);
    check!("openat where nothing is", SYS_openat, AT, c"x", O_CREAT | O_RDWR, 0o600);
    check!("chdir .. from there", SYS_chdir, c"..");
    check!("fchdir", SYS_fchdir, here);
    check!("fchdir of a bad descriptor", SYS_fchdir, 999);
    let plain = sys!(SYS_openat, AT, c"f", O_RDONLY);
    check!("fchdir to a file", SYS_fchdir, plain);
    close(plain);
    close(here);
    check!("chroot missing", SYS_chroot, c"missing");
    check!("chroot to a file", SYS_chroot, c"f");
    unlink(c"f");
}
