//! File systems with an end, and holes that give back what was there.

use crate::sys::{call, close, file, six, unlink, unlink_all, value};
use crate::{check, sys};
use libc::*;
use std::ffi::CStr;

pub fn run() {
    sys!(SYS_mkdirat, AT_FDCWD, c"m", 0o755);
    options();
    pages();
    files();
    remount();
    holes();
    sys!(SYS_unlinkat, AT_FDCWD, c"m", AT_REMOVEDIR);
}

fn mount(flags: u64, data: &CStr) -> isize {
    sys!(SYS_mount, c"none", c"m", c"tmpfs", flags, data)
}

fn unmount() {
    sys!(SYS_umount2, c"m", 0);
}

fn options() {
    for data in [
        c"size=1m",
        c"size=1M,mode=700",
        c"size=64k,nr_inodes=10",
        c"nr_blocks=16",
        c"size=1%",
        c"size=0",
        c"size",
        c"size=",
        c"size=x",
        c"size=1x",
        c"size=-1",
        c"unknown",
        c"unknown=1",
        c"nr_inodes=x",
        c"mode=9",
        c"uid=x",
    ] {
        let mounted = mount(0, data);
        println!("{} = {}", data.to_string_lossy(), crate::sys::text(mounted));
        if mounted == 0 {
            unmount();
        }
    }
}

/// What `statfs` says of blocks, and of files.
fn room(what: &str) {
    let mut words = [0u64; 15];
    check!("statfs", SYS_statfs, c"m", &mut words);
    println!(
        "{what}: blocks {}, free {}, files {}, free {}",
        words[2], words[3], words[5], words[6]
    );
}

fn blocks(fd: isize) -> i64 {
    // SAFETY: plain integers.
    let mut found: stat = unsafe { std::mem::zeroed() };
    sys!(SYS_fstat, fd, &mut found);
    found.st_blocks
}

fn pages() {
    mount(0, c"size=64k,nr_inodes=20");
    room("nothing there");
    let fd = file(c"m/f", b"abc");
    room("a short file");
    let many = vec![7u8; 100_000];
    check!("write of too much", SYS_write, fd, many.as_slice(), many.len());
    check!("write of more", SYS_pwrite64, fd, many.as_slice(), many.len(), 65536);
    check!("write over what is there", SYS_pwrite64, fd, many.as_slice(), 5000, 10);
    let other = sys!(SYS_openat, AT_FDCWD, c"m/g", O_RDWR | O_CREAT, 0o600);
    check!("write to another", SYS_write, other, b"x".as_slice(), 1);
    room("full");
    check!("fallocate", SYS_fallocate, other, 0, 0, 4096);
    check!("ftruncate to less", SYS_ftruncate, fd, 10_000);
    room("after it");
    check!("ftruncate to more", SYS_ftruncate, fd, 1_000_000);
    room("with a hole");
    check!("write into the hole", SYS_pwrite64, fd, many.as_slice(), 4096, 500_000);
    room("less of a hole");
    check!("unlink", SYS_unlinkat, AT_FDCWD, c"m/f", 0);
    room("unlinked but open");
    close(fd);
    room("closed");
    close(other);
    unmount();
}

fn files() {
    mount(0, c"nr_inodes=4");
    for name in [c"m/a", c"m/b", c"m/c", c"m/d"] {
        let fd = check!("openat", SYS_openat, AT_FDCWD, name, O_RDWR | O_CREAT | O_CLOEXEC, 0o600);
        close(fd);
    }
    check!("mkdirat", SYS_mkdirat, AT_FDCWD, c"m/e", 0o700);
    check!("linkat", SYS_linkat, AT_FDCWD, c"m/a", AT_FDCWD, c"m/e", 0);
    check!("unlinkat", SYS_unlinkat, AT_FDCWD, c"m/b", 0);
    check!("mkdirat", SYS_mkdirat, AT_FDCWD, c"m/f", 0o700);
    unmount();
}

fn remount() {
    mount(0, c"size=64k");
    let fd = file(c"m/f", &[1; 40_000]);
    let again = |what: &CStr| {
        println!(
            "remount {} = {}",
            what.to_string_lossy(),
            crate::sys::text(mount(MS_REMOUNT, what))
        );
    };
    again(c"size=1m");
    again(c"size=4k");
    again(c"size=40k");
    let mut words = [0u64; 15];
    sys!(SYS_statfs, c"m", &mut words);
    value("blocks", words[2]);
    close(fd);
    unmount();
    let _ = call(SYS_umount2, six([c"m".as_ptr() as usize, 0]));
}

fn holes() {
    let page = 4096;
    let fd = file(c"f", &[1; 40 * 4096]);
    let punch = |at: usize, length: usize| {
        check!("hole", SYS_fallocate, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, length);
        let data = sys!(SYS_lseek, fd, 0, SEEK_DATA);
        let hole = sys!(SYS_lseek, fd, 0, SEEK_HOLE);
        println!("{at} {length}: blocks {}, data at {data}, hole at {hole}", blocks(fd));
    };
    value("blocks", blocks(fd));
    punch(page, page);
    punch(3 * page + 1, page);
    punch(5 * page, 30 * page);
    punch(0, page);
    punch(36 * page, 100 * page);
    let mut bytes = vec![9u8; 40 * page];
    check!("pread64", SYS_pread64, fd, bytes.as_mut_ptr(), bytes.len(), 0);
    let sums: Vec<usize> =
        bytes.chunks(page).map(|page| page.iter().map(|&byte| byte as usize).sum()).collect();
    value("what is left", sums);
    check!("pwrite64", SYS_pwrite64, fd, [5u8; 3].as_slice(), 3, 10 * page + 1);
    check!("pread64", SYS_pread64, fd, bytes.as_mut_ptr(), page, 10 * page);
    value("around it", (&bytes[..6], blocks(fd)));
    check!(
        "FALLOC_FL_ZERO_RANGE",
        SYS_fallocate,
        fd,
        FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
        2 * page,
        10
    );
    close(fd);
    unlink_all(&[c"f"]);
    unlink(c"g");
}
