//! inotify: what is told of files and directories, in which order, and what is refused.

use crate::sys::{BAD, close, file, unlink, value};
use crate::{check, sys};
use libc::*;
use std::ffi::CStr;

pub fn run() {
    refusals();
    of_a_file();
    of_a_directory();
    of_moves();
    queue();
}

const ALL: u32 = IN_ALL_EVENTS;

fn watch(instance: isize, path: &CStr, mask: u32) -> isize {
    sys!(SYS_inotify_add_watch, instance, path, mask)
}

fn new() -> isize {
    sys!(SYS_inotify_init1, IN_NONBLOCK)
}

fn name_of(what: u32) -> String {
    const NAMES: [(u32, &str); 15] = [
        (IN_ACCESS, "access"),
        (IN_MODIFY, "modify"),
        (IN_ATTRIB, "attrib"),
        (IN_CLOSE_WRITE, "close-write"),
        (IN_CLOSE_NOWRITE, "close-nowrite"),
        (IN_OPEN, "open"),
        (IN_MOVED_FROM, "moved-from"),
        (IN_MOVED_TO, "moved-to"),
        (IN_CREATE, "create"),
        (IN_DELETE, "delete"),
        (IN_DELETE_SELF, "delete-self"),
        (IN_MOVE_SELF, "move-self"),
        (IN_IGNORED, "ignored"),
        (IN_Q_OVERFLOW, "overflow"),
        (IN_ISDIR, "directory"),
    ];
    let names: Vec<_> = NAMES.iter().filter(|(bit, _)| what & bit != 0).map(|(_, n)| *n).collect();
    names.join("+")
}

/// Prints all that happened; cookies only as whether there is one.
fn show(what: &str, instance: isize) {
    let mut bytes = [0u8; 4096];
    let length = sys!(SYS_read, instance, &mut bytes, bytes.len());
    value(what, if length < 0 { crate::sys::text(length) } else { "events".into() });
    let mut rest = &bytes[..length.max(0) as usize];
    while let Some((head, after)) = rest.split_first_chunk::<16>() {
        let word =
            |at: usize| u32::from_ne_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (name, after) = after.split_at(word(12) as usize);
        let end = name.iter().position(|&byte| byte == 0).unwrap_or(0);
        let text = String::from_utf8_lossy(&name[..end]);
        println!(
            "  {} {} {} {} {text}",
            word(0) as i32,
            name_of(word(4)),
            word(8) != 0,
            name.len()
        );
        rest = after;
    }
}

fn refusals() {
    check!("inotify_init1 unknown flags", SYS_inotify_init1, 1);
    let instance = new();
    check!("add_watch of nothing", SYS_inotify_add_watch, instance, c".", 0);
    check!("add_watch unknown bit", SYS_inotify_add_watch, instance, c".", 0x1000);
    check!("add_watch missing file", SYS_inotify_add_watch, instance, c"none", ALL);
    check!("add_watch bad address", SYS_inotify_add_watch, instance, BAD, ALL);
    check!("add_watch bad descriptor", SYS_inotify_add_watch, 999, c".", ALL);
    let regular = file(c"f", b"x");
    check!("add_watch of no instance", SYS_inotify_add_watch, regular, c".", ALL);
    check!("add_watch ONLYDIR of a file", SYS_inotify_add_watch, instance, c"f", ALL | IN_ONLYDIR);
    let both = ALL | IN_MASK_ADD | IN_MASK_CREATE;
    check!("add_watch ADD and CREATE", SYS_inotify_add_watch, instance, c"f", both);
    check!("add_watch", SYS_inotify_add_watch, instance, c"f", IN_OPEN);
    check!("add_watch again", SYS_inotify_add_watch, instance, c"f", IN_ATTRIB | IN_MASK_ADD);
    check!("add_watch CREATE", SYS_inotify_add_watch, instance, c"f", ALL | IN_MASK_CREATE);
    check!("add_watch of another", SYS_inotify_add_watch, instance, c".", IN_CREATE);
    check!("rm_watch unknown", SYS_inotify_rm_watch, instance, 7);
    check!("rm_watch of no instance", SYS_inotify_rm_watch, regular, 1);
    check!("rm_watch", SYS_inotify_rm_watch, instance, 2);
    show("after rm_watch", instance);
    show("no events", instance);
    check!("write", SYS_write, instance, b"x".as_slice(), 1);
    close(regular);
    unlink(c"f");
    close(instance);
}

fn of_a_file() {
    let regular = file(c"f", b"abc");
    let instance = new();
    watch(instance, c"f", ALL);
    let other = sys!(SYS_openat, AT_FDCWD, c"f", O_RDWR, 0);
    let mut byte = 0u8;
    sys!(SYS_read, other, &mut byte, 1);
    sys!(SYS_write, other, b"x".as_slice(), 1);
    sys!(SYS_write, other, b"y".as_slice(), 1);
    show("open, read, written", instance);
    sys!(SYS_ftruncate, other, 1);
    sys!(SYS_fchmod, other, 0o600);
    sys!(SYS_linkat, AT_FDCWD, c"f", AT_FDCWD, c"g", 0);
    close(other);
    show("truncated, chmod, linked, closed", instance);
    close(sys!(SYS_openat, AT_FDCWD, c"f", O_WRONLY | O_TRUNC, 0));
    close(sys!(SYS_openat, AT_FDCWD, c"f", O_RDONLY, 0));
    sys!(SYS_truncate, c"f", 5);
    show("opened to truncate, opened to read, truncated by path", instance);
    let times = [[1i64, 0], [0, UTIME_OMIT]];
    sys!(SYS_utimensat, AT_FDCWD, c"f", &times, 0);
    sys!(SYS_utimensat, AT_FDCWD, c"f", &[times[1], times[0]], 0);
    sys!(SYS_utimensat, AT_FDCWD, c"f", &[times[0], times[0]], 0);
    show("times", instance);
    unlink(c"g");
    unlink(c"f");
    show("unlinked while open", instance);
    close(regular);
    show("closed", instance);
    check!("rm_watch of what is gone", SYS_inotify_rm_watch, instance, 1);
    close(instance);
}

fn of_a_directory() {
    sys!(SYS_mkdirat, AT_FDCWD, c"d", 0o755);
    let instance = new();
    watch(instance, c"d", ALL & !IN_CLOSE_NOWRITE & !IN_OPEN);
    let regular = file(c"d/file", b"x");
    sys!(SYS_ftruncate, regular, 0);
    close(regular);
    show("a file", instance);
    sys!(SYS_mkdirat, AT_FDCWD, c"d/directory", 0o755);
    sys!(SYS_symlinkat, c"target", AT_FDCWD, c"d/link");
    sys!(SYS_mknodat, AT_FDCWD, c"d/fifo", S_IFIFO | 0o600, 0);
    sys!(SYS_linkat, AT_FDCWD, c"d/file", AT_FDCWD, c"d/a-name-of-sixteen", 0);
    show("made", instance);
    for name in [c"d/file", c"d/a-name-of-sixteen", c"d/link", c"d/fifo"] {
        unlink(name);
    }
    sys!(SYS_unlinkat, AT_FDCWD, c"d/directory", AT_REMOVEDIR);
    show("removed", instance);
    sys!(SYS_unlinkat, AT_FDCWD, c"d", AT_REMOVEDIR);
    show("itself removed", instance);
    close(instance);
}

fn of_moves() {
    for name in [c"d", c"e", c"d/sub"] {
        sys!(SYS_mkdirat, AT_FDCWD, name, 0o755);
    }
    close(file(c"d/a", b"x"));
    close(file(c"e/b", b"x"));
    let instance = new();
    let moves = IN_MOVE | IN_MOVE_SELF | IN_DELETE | IN_DELETE_SELF | IN_ATTRIB;
    for name in [c"d", c"e", c"d/a", c"e/b", c"d/sub"] {
        watch(instance, name, moves);
    }
    sys!(SYS_renameat2, AT_FDCWD, c"d/a", AT_FDCWD, c"d/c", 0);
    show("renamed", instance);
    sys!(SYS_renameat2, AT_FDCWD, c"d/c", AT_FDCWD, c"e/b", RENAME_EXCHANGE);
    show("exchanged", instance);
    sys!(SYS_renameat2, AT_FDCWD, c"d/c", AT_FDCWD, c"e/b", 0);
    show("moved over another", instance);
    sys!(SYS_renameat2, AT_FDCWD, c"d/sub", AT_FDCWD, c"e/sub", 0);
    show("a directory", instance);
    unlink(c"e/b");
    for name in [c"e/sub", c"d", c"e"] {
        sys!(SYS_unlinkat, AT_FDCWD, name, AT_REMOVEDIR);
    }
    show("removed", instance);
    close(instance);
}

fn queue() {
    let instance = new();
    watch(instance, c".", IN_CREATE | IN_ONESHOT);
    let mut poll = pollfd { fd: instance as i32, events: POLLIN, revents: 0 };
    let now = timespec { tv_sec: 0, tv_nsec: 0 };
    check!("poll of none", SYS_ppoll, &mut poll, 1, &now, 0, 8);
    close(file(c"name", b"x"));
    close(file(c"other", b"x"));
    check!("poll", SYS_ppoll, &mut poll, 1, &now, 0, 8);
    let mut bytes = 0i32;
    check!("FIONREAD", SYS_ioctl, instance, FIONREAD, &mut bytes);
    value("bytes", bytes);
    let mut small = [0u8; 16];
    check!("read of too little", SYS_read, instance, &mut small, 16);
    let mut one = [0u8; 40];
    check!("read of one", SYS_read, instance, &mut one, 40);
    show("the rest", instance);
    unlink(c"name");
    unlink(c"other");
    close(instance);
}
