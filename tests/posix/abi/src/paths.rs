//! `openat2`: ways of resolving a path that are not gone.

use crate::sys::{BAD, close, file, text, unlink_all};
use crate::{check, sys};
use libc::*;
use std::ffi::CStr;

/// `struct open_how`, and something behind it.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct How {
    flags: u64,
    mode: u64,
    resolve: u64,
    more: u64,
}

const SIZE: usize = 24;
const WAYS: [(&str, u64); 5] =
    [("NO_XDEV", 1), ("NO_MAGICLINKS", 2), ("NO_SYMLINKS", 4), ("BENEATH", 8), ("IN_ROOT", 16)];

pub fn run() {
    arguments();
    let here = sys!(SYS_openat, AT_FDCWD, c".", O_PATH | O_DIRECTORY);
    sys!(SYS_mkdirat, AT_FDCWD, c"d", 0o755);
    sys!(SYS_mkdirat, AT_FDCWD, c"d/e", 0o755);
    close(file(c"f", b"above"));
    close(file(c"d/f", b"below"));
    for (target, name) in [
        (c"f", c"d/near"),
        (c"../f", c"d/above"),
        (c"e/../f", c"d/round"),
        (c"/f", c"d/absolute"),
        (c"/proc/self/cwd", c"d/magic"),
        (c"loop", c"d/loop"),
    ] {
        sys!(SYS_symlinkat, target, AT_FDCWD, name);
    }
    let d = sys!(SYS_openat, AT_FDCWD, c"d", O_PATH | O_DIRECTORY);
    for (name, resolve) in [&[("none", 0)], WAYS.as_slice()].concat() {
        println!("{name}:");
        for path in [
            c"f",
            c"e/../f",
            c"near",
            c"above",
            c"round",
            c"absolute",
            c"/f",
            c"../f",
            c"e/../../f",
            c"magic",
            c"magic/f",
            c"loop",
            c"/proc/self/cwd",
            c"/",
            c"..",
            c".",
            c"missing",
            c"/dev/null",
            c"/etc/passwd",
        ] {
            one(d, path, O_RDONLY, resolve);
        }
        one(d, c"near", O_PATH | O_NOFOLLOW, resolve);
        one(d, c"new", O_RDWR | O_CREAT, resolve);
        one(d, c"../new", O_RDWR | O_CREAT, resolve);
        one(d, c"/d/e/new", O_RDWR | O_CREAT, resolve);
        unlink_all(&[c"new", c"d/new", c"d/e/new"]);
    }
    one(sys!(SYS_openat, d, c"f", O_RDONLY), c"f", O_RDONLY, 16);
    println!("all but IN_ROOT:");
    one(d, c"f", O_RDONLY, 47);
    close(here);
    close(d);
    unlink_all(&[
        c"f",
        c"d/f",
        c"d/near",
        c"d/above",
        c"d/round",
        c"d/absolute",
        c"d/magic",
        c"d/loop",
    ]);
    sys!(SYS_unlinkat, AT_FDCWD, c"d/e", AT_REMOVEDIR);
    sys!(SYS_unlinkat, AT_FDCWD, c"d", AT_REMOVEDIR);
}

/// Opens a path, and says what was found: the number of a descriptor is none of anybody's business.
fn one(at: isize, path: &CStr, flags: i32, resolve: u64) {
    let mode = if flags & O_CREAT != 0 { 0o600 } else { 0 };
    let how = How { flags: flags as u64, mode, resolve, more: 0 };
    let fd = sys!(SYS_openat2, at, path, &how, SIZE);
    let found = match fd {
        0.. if flags & (O_PATH | O_CREAT) == 0 => {
            let mut bytes = [0u8; 5];
            match sys!(SYS_read, fd, &mut bytes, 5) {
                5 if path != c"/etc/passwd" => bytes.escape_ascii().to_string(),
                5 => "something".into(),
                other => text(other),
            }
        }
        0.. => "fine".into(),
        error => text(error),
    };
    println!("  {} {found}", path.to_string_lossy());
    close(fd);
}

fn arguments() {
    let how = How::default();
    check!("a bad address", SYS_openat2, AT_FDCWD, c".", BAD, SIZE);
    check!("too short", SYS_openat2, AT_FDCWD, c".", &how, 23);
    check!("too long", SYS_openat2, AT_FDCWD, c".", &how, 5000);
    check!("more, which is zero", SYS_openat2, 999, c".", &how, 32);
    check!("more", SYS_openat2, AT_FDCWD, c".", &How { more: 1, ..how }, 32);
    let wrong = |what: &str, flags: i32, mode: u64, resolve: u64| {
        let how = How { flags: flags as u64, mode, resolve, more: 0 };
        check!(what, SYS_openat2, AT_FDCWD, c"missing", &how, SIZE);
    };
    wrong("an unknown flag", 1 << 30, 0, 0);
    wrong("a mode without O_CREAT", 0, 0o600, 0);
    wrong("an unknown mode", O_CREAT, 0o10600, 0);
    wrong("an unknown way", 0, 0, 64);
    wrong("two roots", 0, 0, 24);
    wrong("O_PATH and more", O_PATH | O_RDWR, 0, 0);
    wrong("O_PATH and O_CREAT", O_PATH | O_CREAT, 0, 0);
    wrong("CACHED with O_CREAT", O_CREAT, 0o600, 32);
    wrong("CACHED with O_TRUNC", O_TRUNC | O_RDWR, 0, 32);
}
