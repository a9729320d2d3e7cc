//! What is known of a file: kind, modes, owners, times, access.

use crate::sys::{BAD, close, file, in_child, unlink, unlink_all, value};
use crate::{check, sys};
use libc::*;
use std::ffi::CStr;

const AT: i32 = AT_FDCWD;

pub fn run() {
    status();
    modes();
    owners();
    times();
    access();
    attributes();
    systems();
}

fn stat_of(name: &CStr) -> stat {
    // SAFETY: plain integers.
    let mut info: stat = unsafe { std::mem::zeroed() };
    sys!(SYS_newfstatat, AT, name, &mut info, AT_SYMLINK_NOFOLLOW);
    info
}

fn status() {
    let fd = file(c"f", b"0123456789");
    sys!(SYS_symlinkat, c"f", AT, c"l");
    // SAFETY: plain integers.
    let mut info: stat = unsafe { std::mem::zeroed() };
    for (what, name) in
        [("a file", c"f"), ("a link", c"l"), ("/dev/null", c"/dev/null"), ("/tmp", c"/tmp")]
    {
        let info = stat_of(name);
        value(what, (format!("{:o}", info.st_mode), info.st_uid, info.st_gid));
    }
    let link = stat_of(c"l");
    value("of a link", (link.st_size, link.st_nlink));
    let null = stat_of(c"/dev/null").st_rdev;
    value("of /dev/null", (major(null), minor(null)));
    check!("fstat", SYS_fstat, fd, &mut info);
    value("its figures", (info.st_size, info.st_nlink, info.st_blksize, info.st_blocks));
    check!("newfstatat AT_EMPTY_PATH", SYS_newfstatat, fd, c"", &mut info, AT_EMPTY_PATH);
    check!("newfstatat empty name", SYS_newfstatat, fd, c"", &mut info, 0);
    check!("newfstatat missing", SYS_newfstatat, AT, c"missing", &mut info, 0);
    check!("newfstatat unknown flags", SYS_newfstatat, AT, c"f", &mut info, 1);
    check!("newfstatat bad address", SYS_newfstatat, AT, c"f", BAD, 0);
    check!("newfstatat f/", SYS_newfstatat, AT, c"f/", &mut info, 0);
    check!("fstat of a bad descriptor", SYS_fstat, 999, &mut info);
    // SAFETY: plain integers.
    let mut more: statx = unsafe { std::mem::zeroed() };
    check!("statx", SYS_statx, AT, c"l", 0, STATX_BASIC_STATS, &mut more);
    value("its figures", (format!("{:o}", more.stx_mode), more.stx_size, more.stx_nlink));
    check!(
        "statx AT_SYMLINK_NOFOLLOW",
        SYS_statx,
        AT,
        c"l",
        AT_SYMLINK_NOFOLLOW,
        STATX_MODE,
        &mut more
    );
    value("its mode", format!("{:o}", more.stx_mode));
    check!("statx reserved mask", SYS_statx, AT, c"f", 0, 0x8000_0000u32, &mut more);
    check!("statx unknown flags", SYS_statx, AT, c"f", 1, STATX_MODE, &mut more);
    check!("statx missing", SYS_statx, AT, c"missing", 0, STATX_MODE, &mut more);
    close(fd);
    unlink_all(&[c"f", c"l"]);
}

fn modes() {
    close(file(c"f", b""));
    sys!(SYS_symlinkat, c"f", AT, c"l");
    check!("fchmodat", SYS_fchmodat, AT, c"f", 0o4751);
    value("the mode", format!("{:o}", stat_of(c"f").st_mode));
    check!("fchmodat through a link", SYS_fchmodat, AT, c"l", 0o600);
    value("the modes", format!("{:o} {:o}", stat_of(c"f").st_mode, stat_of(c"l").st_mode));
    check!("fchmodat missing", SYS_fchmodat, AT, c"missing", 0o600);
    check!("fchmodat with more bits", SYS_fchmodat, AT, c"f", 0o177_777);
    value("the mode", format!("{:o}", stat_of(c"f").st_mode));
    check!("fchmod of a bad descriptor", SYS_fchmod, 999, 0o600);
    check!("umask", SYS_umask, 0o27);
    close(sys!(SYS_openat, AT, c"g", O_CREAT | O_RDWR, 0o7777));
    sys!(SYS_mkdirat, AT, c"d", 0o777);
    value("the modes", format!("{:o} {:o}", stat_of(c"g").st_mode, stat_of(c"d").st_mode));
    check!("umask back", SYS_umask, 0o22);
    sys!(SYS_unlinkat, AT, c"d", AT_REMOVEDIR);
    unlink_all(&[c"f", c"g", c"l"]);
}

fn owners() {
    close(file(c"f", b""));
    sys!(SYS_symlinkat, c"f", AT, c"l");
    let owner = |name| (stat_of(name).st_uid, stat_of(name).st_gid);
    check!("fchmodat", SYS_fchmodat, AT, c"f", 0o6755);
    check!("fchownat", SYS_fchownat, AT, c"f", 7, 8, 0);
    value("owner and mode", (owner(c"f"), format!("{:o}", stat_of(c"f").st_mode)));
    check!("fchownat of one", SYS_fchownat, AT, c"f", -1, 9, 0);
    check!("fchownat AT_SYMLINK_NOFOLLOW", SYS_fchownat, AT, c"l", 5, 5, AT_SYMLINK_NOFOLLOW);
    value("owners", (owner(c"f"), owner(c"l")));
    check!("fchownat missing", SYS_fchownat, AT, c"missing", 1, 1, 0);
    check!("fchownat unknown flags", SYS_fchownat, AT, c"f", 1, 1, 1);
    value(
        "a plain user",
        in_child(|| {
            sys!(SYS_setuid, 1000);
            check!("fchownat of another's", SYS_fchownat, AT, c"f", 1000, 1000, 0);
            check!("fchmodat of another's", SYS_fchmodat, AT, c"f", 0o777);
            check!("openat of another's", SYS_openat, AT, c"f", O_WRONLY);
            check!("utimensat of another's", SYS_utimensat, AT, c"f", 0, 0);
            check!("truncate of another's", SYS_truncate, c"f", 0);
            0
        }),
    );
    unlink_all(&[c"f", c"l"]);
}

fn times() {
    close(file(c"f", b""));
    sys!(SYS_symlinkat, c"f", AT, c"l");
    let at = |a, b| [timespec { tv_sec: a, tv_nsec: 5 }, timespec { tv_sec: b, tv_nsec: 6 }];
    let times = |name| {
        let info = stat_of(name);
        (info.st_atime, info.st_atime_nsec, info.st_mtime, info.st_mtime_nsec)
    };
    check!("utimensat", SYS_utimensat, AT, c"f", at(1000, 2000).as_slice(), 0);
    value("the times", times(c"f"));
    let mut some = at(1, 1);
    some[0].tv_nsec = UTIME_OMIT;
    check!("utimensat UTIME_OMIT", SYS_utimensat, AT, c"f", some.as_slice(), 0);
    value("the times", times(c"f"));
    some[1].tv_nsec = 1_000_000_000;
    check!("utimensat too many nanoseconds", SYS_utimensat, AT, c"f", some.as_slice(), 0);
    check!("utimensat missing", SYS_utimensat, AT, c"missing", 0, 0);
    check!("utimensat unknown flags", SYS_utimensat, AT, c"f", 0, 1);
    let link = at(3, 4);
    check!(
        "utimensat AT_SYMLINK_NOFOLLOW",
        SYS_utimensat,
        AT,
        c"l",
        link.as_slice(),
        AT_SYMLINK_NOFOLLOW
    );
    value("the times", (times(c"f"), times(c"l")));
    unlink_all(&[c"f", c"l"]);
}

fn access() {
    close(file(c"f", b""));
    sys!(SYS_fchmodat, AT, c"f", 0o640);
    check!("faccessat F_OK", SYS_faccessat, AT, c"f", F_OK);
    check!("faccessat R_OK W_OK", SYS_faccessat, AT, c"f", R_OK | W_OK);
    check!("faccessat X_OK", SYS_faccessat, AT, c"f", X_OK);
    check!("faccessat missing", SYS_faccessat, AT, c"missing", F_OK);
    check!("faccessat unknown mode", SYS_faccessat, AT, c"f", 8);
    check!("faccessat2 unknown flags", SYS_faccessat2, AT, c"f", F_OK, 1);
    check!("faccessat2 AT_EACCESS", SYS_faccessat2, AT, c"f", R_OK, AT_EACCESS);
    sys!(SYS_mkdirat, AT, c"d", 0o700);
    close(file(c"d/f", b""));
    let status = in_child(|| {
        sys!(SYS_setgid, 1000);
        sys!(SYS_setuid, 1000);
        check!("a user's faccessat R_OK", SYS_faccessat, AT, c"f", R_OK);
        check!("a user's faccessat F_OK", SYS_faccessat, AT, c"f", F_OK);
        check!("a user's faccessat in a closed directory", SYS_faccessat, AT, c"d/f", F_OK);
        check!("a user's openat in a closed directory", SYS_openat, AT, c"d/f", O_RDONLY);
        check!("a user's openat of a closed directory", SYS_openat, AT, c"d", O_RDONLY);
        check!("a user's unlinkat", SYS_unlinkat, AT, c"f", 0);
        check!("a user's mkdirat", SYS_mkdirat, AT, c"e", 0o755);
        check!("a user's chdir", SYS_chdir, c"d");
        check!("a user's mknodat", SYS_mknodat, AT, c"/tmp/node", S_IFCHR | 0o600, makedev(1, 3));
        check!("a user's chroot", SYS_chroot, c"/");
        check!("a user's unlinkat in a sticky directory", SYS_unlinkat, AT, c"/tmp/case.out", 0);
        0
    });
    value("a plain user", status);
    unlink_all(&[c"d/f", c"f"]);
    sys!(SYS_unlinkat, AT, c"d", AT_REMOVEDIR);
}

fn attributes() {
    close(file(c"f", b""));
    let mut bytes = [0u8; 64];
    check!("llistxattr", SYS_llistxattr, c"f", &mut bytes, 64);
    check!("listxattr missing", SYS_listxattr, c"missing", &mut bytes, 64);
    check!("getxattr that is not there", SYS_getxattr, c"f", c"security.none", &mut bytes, 64);
    check!("getxattr of no kind", SYS_getxattr, c"f", c"none", &mut bytes, 64);
    check!("removexattr that is not there", SYS_removexattr, c"f", c"trusted.none");
    unlink(c"f");
}

fn systems() {
    // SAFETY: plain integers.
    let mut info: statfs = unsafe { std::mem::zeroed() };
    check!("statfs", SYS_statfs, c".", &mut info);
    value("its kind and sizes", (info.f_type, info.f_bsize, info.f_namelen));
    check!("statfs missing", SYS_statfs, c"missing", &mut info);
    check!("statfs bad address", SYS_statfs, c".", BAD);
    check!("fstatfs of a bad descriptor", SYS_fstatfs, 999, &mut info);
    check!("statfs of /proc", SYS_statfs, c"/proc", &mut info);
    value("its kind", info.f_type);
    check!("mount nothing", SYS_mount, c"none", c"missing", c"tmpfs", 0, 0);
    check!("mount an unknown kind", SYS_mount, c"none", c".", c"nosuchfs", 0, 0);
    check!("umount2 of no mount", SYS_umount2, c".", 0);
    check!("umount2 missing", SYS_umount2, c"missing", 0);
    check!("sync", SYS_sync);
}
