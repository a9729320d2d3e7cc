//! Opening, reading, writing, seeking, cutting files.

use crate::sys::{BAD, close, close_all, file, show, unlink, unlink_all, value, works};
use crate::{check, sys};
use libc::*;

pub fn run() {
    opening();
    reading();
    writing();
    seeking();
    vectors();
    lengths();
    copying();
}

fn opening() {
    let at = AT_FDCWD;
    check!("openat missing", SYS_openat, at, c"missing", O_RDONLY);
    check!("openat empty name", SYS_openat, at, c"", O_RDONLY);
    check!(
        "openat in a missing directory",
        SYS_openat,
        at,
        c"missing/f",
        O_CREAT | O_WRONLY,
        0o644
    );
    let fd = works("openat O_CREAT", sys!(SYS_openat, at, c"f", O_CREAT | O_RDWR | O_EXCL, 0o644));
    check!("openat O_EXCL again", SYS_openat, at, c"f", O_CREAT | O_EXCL | O_RDWR, 0o644);
    check!("openat below a file", SYS_openat, at, c"f/x", O_RDONLY);
    check!("openat f/", SYS_openat, at, c"f/", O_RDONLY);
    check!("openat O_DIRECTORY of a file", SYS_openat, at, c"f", O_DIRECTORY);
    check!("openat . for writing", SYS_openat, at, c".", O_WRONLY);
    check!("openat . O_CREAT", SYS_openat, at, c".", O_CREAT | O_RDWR, 0o644);
    check!("openat bad address", SYS_openat, at, BAD, O_RDONLY);
    check!("openat relative to a bad descriptor", SYS_openat, 999, c"f", O_RDONLY);
    check!("openat relative to a file", SYS_openat, fd, c"f", O_RDONLY);
    close(works(
        "openat absolute, bad descriptor",
        sys!(SYS_openat, 999, c"/etc/passwd", O_RDONLY),
    ));
    let long = [b'n'; 256];
    let name = [&long[..], b"\0"].concat();
    check!("openat name of 256", SYS_openat, at, name.as_slice(), O_CREAT | O_RDWR, 0o644);
    let path = [&b"./".repeat(2048)[..], b"f\0"].concat();
    check!("openat path of 4097", SYS_openat, at, path.as_slice(), O_RDONLY);
    sys!(SYS_symlinkat, c"loop", at, c"loop");
    check!("openat a loop", SYS_openat, at, c"loop", O_RDONLY);
    check!("openat a loop O_NOFOLLOW", SYS_openat, at, c"loop", O_NOFOLLOW);
    let path =
        works("openat O_PATH O_NOFOLLOW", sys!(SYS_openat, at, c"loop", O_PATH | O_NOFOLLOW));
    let mut byte = 0u8;
    check!("read of O_PATH", SYS_read, path, &mut byte, 1);
    close(path);
    sys!(SYS_symlinkat, c"made", at, c"link");
    close(works(
        "openat O_CREAT through a link",
        sys!(SYS_openat, at, c"link", O_CREAT | O_RDWR, 0o600),
    ));
    check!(
        "openat O_EXCL through a link",
        SYS_openat,
        at,
        c"link",
        O_CREAT | O_EXCL | O_RDWR,
        0o600
    );
    let nameless = works("openat O_TMPFILE", sys!(SYS_openat, at, c".", O_TMPFILE | O_RDWR, 0o600));
    check!("write to O_TMPFILE", SYS_write, nameless, b"x".as_slice(), 1);
    close(nameless);
    check!("close", SYS_close, fd);
    check!("close again", SYS_close, fd);
    check!("close -1", SYS_close, -1);
    unlink_all(&[c"f", c"loop", c"made", c"link"]);
}

fn reading() {
    let fd = file(c"f", b"0123456789");
    let mut bytes = [0u8; 16];
    check!("read 4", SYS_read, fd, &mut bytes, 4);
    check!("read 16", SYS_read, fd, &mut bytes, 16);
    check!("read at the end", SYS_read, fd, &mut bytes, 16);
    check!("pread64 at 8", SYS_pread64, fd, &mut bytes, 16, 8);
    check!("pread64 past the end", SYS_pread64, fd, &mut bytes, 16, 100);
    check!("pread64 at -1", SYS_pread64, fd, &mut bytes, 16, -1);
    check!("read 0 at a bad address", SYS_read, fd, BAD, 0);
    sys!(SYS_lseek, fd, 0, SEEK_SET);
    check!("read to a bad address", SYS_read, fd, BAD, 4);
    check!("read of a bad descriptor", SYS_read, 999, &mut bytes, 1);
    let folder = sys!(SYS_openat, AT_FDCWD, c".", O_RDONLY);
    check!("read of a directory", SYS_read, folder, &mut bytes, 1);
    check!("write of a directory", SYS_write, folder, &mut bytes, 1);
    close(folder);
    let writer = sys!(SYS_openat, AT_FDCWD, c"f", O_WRONLY);
    check!("read of O_WRONLY", SYS_read, writer, &mut bytes, 1);
    close(writer);
    close(fd);
    unlink(c"f");
}

fn writing() {
    let fd = file(c"f", b"0123456789");
    let mut bytes = [0u8; 32];
    check!("write 3", SYS_write, fd, b"abc".as_slice(), 3);
    check!("pwrite64 past the end", SYS_pwrite64, fd, b"xyz".as_slice(), 3, 15);
    check!("pwrite64 at -1", SYS_pwrite64, fd, b"xyz".as_slice(), 3, -1);
    check!("write from a bad address", SYS_write, fd, BAD, 4);
    check!("write 0 from a bad address", SYS_write, fd, BAD, 0);
    check!("the length now", SYS_pread64, fd, &mut bytes, 32, 0);
    value("the bytes now", String::from_utf8_lossy(&bytes[..18]));
    let more = sys!(SYS_openat, AT_FDCWD, c"f", O_WRONLY | O_APPEND);
    check!("write with O_APPEND", SYS_write, more, b"end".as_slice(), 3);
    check!("its offset", SYS_lseek, more, 0, SEEK_CUR);
    check!("pwrite64 with O_APPEND at 0", SYS_pwrite64, more, b"!".as_slice(), 1, 0);
    check!("the length after it", SYS_lseek, more, 0, SEEK_END);
    close(more);
    let reader = sys!(SYS_openat, AT_FDCWD, c"f", O_RDONLY);
    check!("write of O_RDONLY", SYS_write, reader, b"x".as_slice(), 1);
    check!("ftruncate of O_RDONLY", SYS_ftruncate, reader, 0);
    close(reader);
    let full = sys!(SYS_openat, AT_FDCWD, c"/dev/full", O_WRONLY);
    check!("write to /dev/full", SYS_write, full, b"x".as_slice(), 1);
    close(full);
    close(fd);
    unlink(c"f");
}

fn seeking() {
    let fd = file(c"f", b"0123456789");
    for (what, offset, whence) in [
        ("lseek SEEK_SET 4", 4, SEEK_SET),
        ("lseek SEEK_CUR 3", 3, SEEK_CUR),
        ("lseek SEEK_END -1", -1, SEEK_END),
        ("lseek SEEK_END 100", 100, SEEK_END),
        ("lseek SEEK_SET -1", -1, SEEK_SET),
        ("lseek SEEK_CUR -1000", -1000, SEEK_CUR),
        ("lseek whence 9", 0, 9),
        ("lseek SEEK_DATA 0", 0, SEEK_DATA),
        ("lseek SEEK_HOLE 0", 0, SEEK_HOLE),
        ("lseek SEEK_DATA past the end", 10, SEEK_DATA),
        ("lseek SEEK_SET largest", i64::MAX, SEEK_SET),
        ("lseek SEEK_CUR over the largest", i64::MAX, SEEK_CUR),
    ] {
        check!(what, SYS_lseek, fd, offset, whence);
    }
    check!("lseek of a bad descriptor", SYS_lseek, 999, 0, SEEK_SET);
    let [reader, writer] = crate::sys::pipe();
    check!("lseek of a pipe", SYS_lseek, reader, 0, SEEK_SET);
    check!("pread64 of a pipe", SYS_pread64, reader, BAD, 1, 0);
    close(reader as isize);
    close(writer as isize);
    close(fd);
    unlink(c"f");
}

fn vectors() {
    let fd = file(c"f", b"0123456789");
    let (mut a, mut b) = ([0u8; 3], [0u8; 20]);
    let parts = [
        iovec { iov_base: a.as_mut_ptr().cast(), iov_len: 3 },
        iovec { iov_base: b.as_mut_ptr().cast(), iov_len: 20 },
    ];
    check!("readv 3 + 20", SYS_readv, fd, parts.as_slice(), 2);
    value("its parts", (String::from_utf8_lossy(&a), String::from_utf8_lossy(&b[..7])));
    check!("readv of no parts", SYS_readv, fd, parts.as_slice(), 0);
    check!("readv of 1025 parts", SYS_readv, fd, parts.as_slice(), 1025);
    check!("readv of -1 parts", SYS_readv, fd, parts.as_slice(), -1);
    check!("readv of parts at a bad address", SYS_readv, fd, BAD, 2);
    check!("writev", SYS_writev, fd, parts.as_slice(), 2);
    check!("preadv at 5", SYS_preadv, fd, parts.as_slice(), 2, 5, 0);
    check!("pwritev at 100", SYS_pwritev, fd, parts.as_slice(), 1, 100, 0);
    let huge = [iovec { iov_base: a.as_mut_ptr().cast(), iov_len: usize::MAX }];
    check!("readv of a negative length", SYS_readv, fd, huge.as_slice(), 1);
    check!("the length after it", SYS_lseek, fd, 0, SEEK_END);
    close(fd);
    unlink(c"f");
}

fn lengths() {
    let fd = file(c"f", b"0123456789");
    check!("ftruncate 4", SYS_ftruncate, fd, 4);
    check!("ftruncate 8", SYS_ftruncate, fd, 8);
    check!("ftruncate -1", SYS_ftruncate, fd, -1);
    let mut bytes = [1u8; 8];
    check!("read after it", SYS_read, fd, &mut bytes, 8);
    value("the bytes", bytes);
    check!("truncate 2", SYS_truncate, c"f", 2);
    check!("truncate missing", SYS_truncate, c"missing", 2);
    check!("truncate a directory", SYS_truncate, c".", 2);
    check!("fallocate", SYS_fallocate, fd, 0, 0, 100);
    check!("fallocate of nothing", SYS_fallocate, fd, 0, 0, 0);
    check!("fallocate FALLOC_FL_KEEP_SIZE", SYS_fallocate, fd, FALLOC_FL_KEEP_SIZE, 0, 5000);
    check!("its length", SYS_lseek, fd, 0, SEEK_END);
    check!("fsync", SYS_fsync, fd);
    check!("fdatasync", SYS_fdatasync, fd);
    check!("fsync of a bad descriptor", SYS_fsync, 999);
    check!("fadvise64", SYS_fadvise64, fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    check!("fadvise64 unknown advice", SYS_fadvise64, fd, 0, 0, 99);
    close(fd);
    unlink(c"f");
    let [reader, writer] = crate::sys::pipe();
    check!("ftruncate of a pipe", SYS_ftruncate, writer, 0);
    check!("fsync of a pipe", SYS_fsync, writer);
    check!("fadvise64 of a pipe", SYS_fadvise64, reader, 0, 0, 0);
    check!("fallocate of a pipe", SYS_fallocate, writer, 0, 0, 1);
    close(reader as isize);
    close(writer as isize);
}

fn copying() {
    let (from, to) = (file(c"from", b"0123456789"), file(c"to", b""));
    check!("sendfile", SYS_sendfile, to, from, 0, 100);
    check!("sendfile at the end", SYS_sendfile, to, from, 0, 100);
    let mut offset = 5i64;
    check!("sendfile from an offset", SYS_sendfile, to, from, &mut offset, 3);
    value("the offset after it", offset);
    check!("sendfile to a bad descriptor", SYS_sendfile, 999, from, 0, 1);
    let (mut a, mut b) = (0i64, 2i64);
    check!("copy_file_range", SYS_copy_file_range, from, &mut a, to, &mut b, 4, 0);
    value("the offsets after it", (a, b));
    check!("copy_file_range flags", SYS_copy_file_range, from, &mut a, to, &mut b, 4, 1);
    let [reader, writer] = crate::sys::pipe();
    a = 0;
    check!("splice file to pipe", SYS_splice, from, &mut a, writer, 0, 6, 0);
    check!("splice pipe to file", SYS_splice, reader, 0, to, 0, 100, 0);
    check!("splice file to file", SYS_splice, from, &mut a, to, 0, 6, 0);
    check!("splice with an offset of a pipe", SYS_splice, reader, &mut a, to, 0, 1, 0);
    show("the length now", sys!(SYS_lseek, to, 0, SEEK_END));
    close_all(&[reader as isize, writer as isize, from, to]);
    unlink(c"from");
    unlink(c"to");
}
