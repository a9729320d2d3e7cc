//! Descriptors: copies, flags, limits, locks, terminals that are none.

use crate::sys::{BAD, close, close_all, file, in_child, unlink, value};
use crate::{check, sys};
use libc::*;

pub fn run() {
    copies();
    flags();
    limits();
    locks();
    controls();
}

fn copies() {
    let fd = file(c"f", b"0123456789");
    check!("dup3 to 50", SYS_dup3, fd, 50, O_CLOEXEC);
    check!("its flags", SYS_fcntl, 50, F_GETFD);
    check!("dup3 to itself", SYS_dup3, fd, fd, 0);
    check!("dup3 unknown flags", SYS_dup3, fd, 51, 0x1);
    check!("dup3 of a bad descriptor", SYS_dup3, 999, 51, 0);
    check!("dup3 to -1", SYS_dup3, fd, -1, 0);
    check!("dup of a bad descriptor", SYS_dup, 999);
    check!("fcntl F_DUPFD from 60", SYS_fcntl, fd, F_DUPFD, 60);
    check!("fcntl F_DUPFD from 60 again", SYS_fcntl, fd, F_DUPFD_CLOEXEC, 60);
    check!("its flags", SYS_fcntl, 61, F_GETFD);
    check!("fcntl F_DUPFD from -1", SYS_fcntl, fd, F_DUPFD, -1);
    check!("fcntl F_DUPFD from too many", SYS_fcntl, fd, F_DUPFD, 1 << 30);
    check!("lseek of one", SYS_lseek, 50, 7, SEEK_SET);
    check!("the offset of the other", SYS_lseek, fd, 0, SEEK_CUR);
    let again = sys!(SYS_openat, AT_FDCWD, c"f", O_RDONLY);
    check!("the offset of one that is opened", SYS_lseek, again, 0, SEEK_CUR);
    check!("close_range", SYS_close_range, 50, 61, 0);
    check!("close after it", SYS_close, 60);
    check!("close_range wrong way", SYS_close_range, 61, 50, 0);
    check!("close_range unknown flags", SYS_close_range, 50, 61, 64);
    close(again);
    close(fd);
    unlink(c"f");
}

fn flags() {
    let fd = file(c"f", b"x");
    check!("fcntl F_SETFD", SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);
    check!("fcntl F_GETFD", SYS_fcntl, fd, F_GETFD);
    let flags = check!("fcntl F_SETFL", SYS_fcntl, fd, F_SETFL, O_APPEND | O_NONBLOCK | O_RDONLY);
    let now = sys!(SYS_fcntl, fd, F_GETFL) as i32;
    value("fcntl F_GETFL", (flags, now & O_ACCMODE, now & O_APPEND != 0, now & O_NONBLOCK != 0));
    check!("fcntl unknown", SYS_fcntl, fd, 9999, 0);
    check!("fcntl of a bad descriptor", SYS_fcntl, 999, F_GETFD);
    close(fd);
    unlink(c"f");
}

fn limits() {
    let mut old = rlimit { rlim_cur: 0, rlim_max: 0 };
    check!("prlimit64 RLIMIT_NOFILE", SYS_prlimit64, 0, RLIMIT_NOFILE, 0, &mut old);
    let status = in_child(|| {
        let new = rlimit { rlim_cur: 5, rlim_max: 5 };
        check!("prlimit64 to 5", SYS_prlimit64, 0, RLIMIT_NOFILE, &new, 0);
        check!("dup", SYS_dup, 1);
        check!("dup", SYS_dup, 1);
        check!("dup too many", SYS_dup, 1);
        check!("openat too many", SYS_openat, AT_FDCWD, c"/dev/null", O_RDONLY);
        let mut ends = [0; 2];
        check!("pipe2 too many", SYS_pipe2, &mut ends, 0);
        check!("dup3 over the limit", SYS_dup3, 1, 5, 0);
        check!("fcntl F_DUPFD over the limit", SYS_fcntl, 1, F_DUPFD, 5);
        0
    });
    value("the child", status);
    let wrong = rlimit { rlim_cur: 10, rlim_max: 5 };
    check!("prlimit64 soft over hard", SYS_prlimit64, 0, RLIMIT_NOFILE, &wrong, 0);
    check!("prlimit64 unknown", SYS_prlimit64, 0, 99, 0, &mut old);
    check!("prlimit64 bad address", SYS_prlimit64, 0, RLIMIT_NOFILE, BAD, 0);
    check!("prlimit64 of nobody", SYS_prlimit64, 999_999, RLIMIT_NOFILE, 0, &mut old);
}

fn lock(kind: i32, start: i64, length: i64) -> flock {
    flock { l_type: kind as _, l_whence: SEEK_SET as _, l_start: start, l_len: length, l_pid: 0 }
}

fn locks() {
    let fd = file(c"f", b"0123456789");
    check!("fcntl F_SETLK write 0..5", SYS_fcntl, fd, F_SETLK, &lock(F_WRLCK, 0, 5));
    value(
        "the child",
        in_child(|| {
            check!("fcntl F_SETLK read 4..6", SYS_fcntl, fd, F_SETLK, &lock(F_RDLCK, 4, 2));
            check!("fcntl F_SETLK read 5..6", SYS_fcntl, fd, F_SETLK, &lock(F_RDLCK, 5, 1));
            let mut seen = lock(F_WRLCK, 0, 0);
            check!("fcntl F_GETLK", SYS_fcntl, fd, F_GETLK, &mut seen);
            value("what it sees", (seen.l_type, seen.l_start, seen.l_len));
            0
        }),
    );
    check!("fcntl F_SETLK unlock", SYS_fcntl, fd, F_SETLK, &lock(F_UNLCK, 0, 0));
    check!("fcntl F_SETLK unknown", SYS_fcntl, fd, F_SETLK, &lock(9, 0, 0));
    let reader = sys!(SYS_openat, AT_FDCWD, c"f", O_RDONLY);
    check!("fcntl F_SETLK write, O_RDONLY", SYS_fcntl, reader, F_SETLK, &lock(F_WRLCK, 0, 0));
    check!("flock LOCK_EX", SYS_flock, fd, LOCK_EX);
    check!("flock LOCK_SH of another", SYS_flock, reader, LOCK_SH | LOCK_NB);
    check!("flock LOCK_UN", SYS_flock, fd, LOCK_UN);
    check!("flock LOCK_SH of another", SYS_flock, reader, LOCK_SH | LOCK_NB);
    check!("flock unknown", SYS_flock, fd, 64);
    close(reader);
    close(fd);
    unlink(c"f");
}

fn controls() {
    let fd = file(c"f", b"0123456789");
    let mut number = 0i32;
    check!("ioctl TCGETS of a file", SYS_ioctl, fd, TCGETS, BAD);
    check!("ioctl TIOCGWINSZ of a file", SYS_ioctl, fd, TIOCGWINSZ, BAD);
    check!("ioctl FIONREAD of a file", SYS_ioctl, fd, FIONREAD, &mut number);
    value("its answer", number);
    check!("ioctl unknown", SYS_ioctl, fd, 0x1234, 0);
    check!("ioctl of a bad descriptor", SYS_ioctl, 999, TCGETS, BAD);
    check!("ioctl FIOCLEX", SYS_ioctl, fd, FIOCLEX, 0);
    check!("fcntl F_GETFD after it", SYS_fcntl, fd, F_GETFD);
    let [reader, writer] = crate::sys::pipe();
    sys!(SYS_write, writer, b"abc".as_slice(), 3);
    check!("ioctl FIONREAD of a pipe", SYS_ioctl, reader, FIONREAD, &mut number);
    value("its answer", number);
    check!("ioctl TCGETS of a pipe", SYS_ioctl, reader, TCGETS, BAD);
    let null = sys!(SYS_openat, AT_FDCWD, c"/dev/null", O_RDWR);
    check!("ioctl TCGETS of /dev/null", SYS_ioctl, null, TCGETS, BAD);
    close_all(&[reader as isize, writer as isize, null, fd]);
    unlink(c"f");
}
