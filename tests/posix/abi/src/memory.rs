//! Mapping, protecting, moving and losing memory.

use crate::sys::{close_all, file, in_child, show, unlink, value};
use crate::{check, sys};
use libc::*;

const PAGE: usize = 4096;
const ANONYMOUS: i32 = MAP_PRIVATE | MAP_ANONYMOUS;
const RW: i32 = PROT_READ | PROT_WRITE;

pub fn run() {
    mapping();
    files();
    borrowing();
    protecting();
    moving();
    advising();
    breaking();
    faulting();
}

fn map(length: usize) -> usize {
    sys!(SYS_mmap, 0, length, RW, ANONYMOUS, -1, 0) as usize
}

/// Writes a byte, or ends the process in a fault.
fn poke(address: usize, byte: u8) {
    // SAFETY: the address is of memory that was mapped here, or of a child's end.
    unsafe { (address as *mut u8).write_volatile(byte) };
}

fn peek(address: usize) -> u8 {
    // SAFETY: as above.
    unsafe { (address as *const u8).read_volatile() }
}

/// How a fault ends a process, or what it reads.
fn seen(work: impl FnOnce() -> i32) -> String {
    let status = in_child(work);
    if WIFSIGNALED(status) {
        format!("signal {}", WTERMSIG(status))
    } else {
        WEXITSTATUS(status).to_string()
    }
}

fn mapping() {
    let fits = |what: &str, result: isize| show(what, if result > 0 { 0 } else { result });
    fits("mmap", sys!(SYS_mmap, 0, PAGE, RW, ANONYMOUS, -1, 0));
    fits("mmap of one byte", sys!(SYS_mmap, 0, 1, RW, ANONYMOUS, -1, 0));
    check!("mmap of nothing", SYS_mmap, 0, 0, RW, ANONYMOUS, -1, 0);
    check!("mmap of all", SYS_mmap, 0, usize::MAX, RW, ANONYMOUS, -1, 0);
    check!("mmap neither shared nor private", SYS_mmap, 0, PAGE, RW, MAP_ANONYMOUS, -1, 0);
    check!("mmap of a bad descriptor", SYS_mmap, 0, PAGE, RW, MAP_PRIVATE, 999, 0);
    check!("mmap MAP_FIXED unaligned", SYS_mmap, 4097, PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0);
    check!(
        "mmap MAP_FIXED in the kernel",
        SYS_mmap,
        usize::MAX << 20,
        PAGE,
        RW,
        ANONYMOUS | MAP_FIXED,
        -1,
        0
    );
    let a = map(4 * PAGE);
    let there = sys!(SYS_mmap, a + PAGE, PAGE, RW, ANONYMOUS | MAP_FIXED, -1, 0);
    value("mmap MAP_FIXED is there", there as usize == a + PAGE);
    check!(
        "mmap MAP_FIXED_NOREPLACE",
        SYS_mmap,
        a,
        PAGE,
        RW,
        ANONYMOUS | MAP_FIXED_NOREPLACE,
        -1,
        0
    );
    check!("munmap", SYS_munmap, a, PAGE);
    check!("munmap again", SYS_munmap, a, PAGE);
    check!("munmap unaligned", SYS_munmap, a + 1, PAGE);
    check!("munmap of nothing", SYS_munmap, a, 0);
    value("read of what is unmapped", seen(|| peek(a).into()));
    value("read of what is left", seen(|| peek(a + 2 * PAGE).into()));
    poke(a + 2 * PAGE, 5);
    let shared = sys!(SYS_mmap, 0, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0) as usize;
    value(
        "a child writes",
        seen(|| {
            poke(a + 2 * PAGE, 6);
            poke(shared, 7);
            0
        }),
    );
    value("private and shared after it", (peek(a + 2 * PAGE), peek(shared)));
}

fn files() {
    let fd = file(c"f", &[b'x'; PAGE + 10]);
    let length = 3 * PAGE;
    let private = sys!(SYS_mmap, 0, length, RW, MAP_PRIVATE, fd, 0) as usize;
    let shared = sys!(SYS_mmap, 0, length, RW, MAP_SHARED, fd, 0) as usize;
    value(
        "bytes, and behind the end",
        (peek(private), peek(private + PAGE + 9), peek(private + PAGE + 10)),
    );
    value("a page behind the end", seen(|| peek(private + 2 * PAGE).into()));
    poke(private, b'p');
    poke(shared + 1, b's');
    let mut bytes = [0u8; 2];
    check!("pread64", SYS_pread64, fd, &mut bytes, 2, 0);
    value("the file has", String::from_utf8_lossy(&bytes));
    sys!(SYS_pwrite64, fd, b"W".as_slice(), 1, 2);
    value("the mapping has", peek(shared + 2));
    check!("msync MS_SYNC", SYS_msync, shared, PAGE, MS_SYNC);
    check!("msync both", SYS_msync, shared, PAGE, MS_SYNC | MS_ASYNC);
    check!("msync unaligned", SYS_msync, shared + 1, PAGE, MS_SYNC);
    sys!(SYS_ftruncate, fd, 10);
    value("after the file is cut", seen(|| peek(shared + PAGE).into()));
    check!("mmap unaligned offset", SYS_mmap, 0, PAGE, RW, MAP_SHARED, fd, 1);
    let reader = sys!(SYS_openat, AT_FDCWD, c"f", O_RDONLY);
    check!("mmap shared for writing, O_RDONLY", SYS_mmap, 0, PAGE, RW, MAP_SHARED, reader, 0);
    let writer = sys!(SYS_openat, AT_FDCWD, c"f", O_WRONLY);
    check!("mmap O_WRONLY", SYS_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, writer, 0);
    let read_only = sys!(SYS_mmap, 0, PAGE, PROT_READ, MAP_SHARED, reader, 0);
    check!("mprotect of it for writing", SYS_mprotect, read_only, PAGE, RW);
    let folder = sys!(SYS_openat, AT_FDCWD, c".", O_RDONLY);
    check!("mmap of a directory", SYS_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, folder, 0);
    let [end, other] = crate::sys::pipe();
    check!("mmap of a pipe", SYS_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, end, 0);
    close_all(&[fd, reader, writer, folder, end as isize, other as isize]);
    unlink(c"f");
}

/// A private mapping that could not be written at first.
fn borrowing() {
    let fd = file(c"f", b"file");
    let [hidden, seen] = [PROT_NONE, PROT_READ].map(|access| {
        let at = sys!(SYS_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, fd, 0) as usize;
        value("a byte of the file", peek(at));
        check!("mprotect", SYS_mprotect, at, PAGE, access);
        check!("mprotect for writing", SYS_mprotect, at, PAGE, RW);
        poke(at, b'p');
        at
    });
    value("both have", (peek(hidden), peek(seen), peek(seen + 1)));
    let mut bytes = [0u8; 4];
    check!("pread64", SYS_pread64, fd, &mut bytes, 4, 0);
    value("the file has still", String::from_utf8_lossy(&bytes));
    close_all(&[fd]);
    unlink(c"f");
}

fn protecting() {
    let a = map(4 * PAGE);
    check!("mprotect PROT_READ", SYS_mprotect, a, PAGE, PROT_READ);
    value(
        "write after it",
        seen(|| {
            poke(a, 1);
            0
        }),
    );
    check!("mprotect PROT_NONE", SYS_mprotect, a + PAGE, PAGE, PROT_NONE);
    value("read after it", seen(|| peek(a + PAGE).into()));
    check!("mprotect back", SYS_mprotect, a, 2 * PAGE, RW);
    poke(a, 1);
    check!("mprotect unaligned", SYS_mprotect, a + 1, PAGE, RW);
    check!("mprotect of nothing", SYS_mprotect, a, 0, RW);
    check!("mprotect unknown bits", SYS_mprotect, a, PAGE, 0x4000_0000);
    sys!(SYS_munmap, a + 2 * PAGE, PAGE);
    check!("mprotect over a gap", SYS_mprotect, a, 4 * PAGE, PROT_READ);
    let mut number = 0;
    check!("read into what is read-only", SYS_read, -1, a, 1);
    check!("clock_gettime into what is read-only", SYS_clock_gettime, 0, a);
    check!("wait4 without children", SYS_wait4, -1, &mut number, 0, 0);
}

fn moving() {
    let a = map(4 * PAGE);
    poke(a, 9);
    let same = sys!(SYS_mremap, a, 4 * PAGE, 2 * PAGE, 0);
    value("mremap smaller", same as usize == a);
    value("behind it", seen(|| peek(a + 2 * PAGE).into()));
    let b = sys!(SYS_mremap, a, 2 * PAGE, 64 * PAGE, MREMAP_MAYMOVE) as usize;
    value("mremap larger", (b as isize > 0, peek(b), peek(b + 63 * PAGE)));
    let c = map(8 * PAGE);
    let moved = sys!(SYS_mremap, b, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, c);
    value("mremap MREMAP_FIXED", (moved as usize == c, peek(c)));
    check!("mremap of nothing to nothing", SYS_mremap, c, PAGE, 0, 0);
    check!("mremap unaligned", SYS_mremap, c + 1, PAGE, PAGE, 0);
    check!("mremap unknown flags", SYS_mremap, c, PAGE, PAGE, 64);
    check!("mremap MREMAP_FIXED alone", SYS_mremap, c, PAGE, PAGE, MREMAP_FIXED, b);
    sys!(SYS_munmap, c, 8 * PAGE);
    check!("mremap of what is unmapped", SYS_mremap, c, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
}

fn advising() {
    let a = map(2 * PAGE);
    poke(a, 3);
    check!("madvise MADV_DONTNEED", SYS_madvise, a, PAGE, MADV_DONTNEED);
    value("the byte after it", peek(a));
    check!("madvise MADV_WILLNEED", SYS_madvise, a, PAGE, MADV_WILLNEED);
    check!("madvise unknown", SYS_madvise, a, PAGE, 9999);
    check!("madvise unaligned", SYS_madvise, a + 1, PAGE, MADV_NORMAL);
    check!("madvise of nothing", SYS_madvise, a, 0, MADV_NORMAL);
    sys!(SYS_munmap, a + PAGE, PAGE);
    check!("madvise over a gap", SYS_madvise, a, 2 * PAGE, MADV_DONTNEED);
    check!("mlock", SYS_mlock, a, PAGE);
    check!("munlock", SYS_munlock, a, PAGE);
    check!("mlock of nothing mapped", SYS_mlock, a + PAGE, PAGE);
    let mut pages = [0u8; 2];
    check!("mincore", SYS_mincore, a, PAGE, &mut pages);
    check!("mincore of nothing mapped", SYS_mincore, a + PAGE, PAGE, &mut pages);
}

fn breaking() {
    let start = sys!(SYS_brk, 0);
    value("brk up", sys!(SYS_brk, start + 3 * PAGE as isize) == start + 3 * PAGE as isize);
    poke(start as usize + 2 * PAGE, 4);
    value("brk down", sys!(SYS_brk, start) == start);
    value("brk below its start", sys!(SYS_brk, 4096) == start);
    value("behind it", seen(|| peek(start as usize + 2 * PAGE).into()));
}

fn faulting() {
    value(
        "write to 0",
        seen(|| {
            poke(0, 1);
            0
        }),
    );
    value("read of the kernel", seen(|| peek(usize::MAX << 12).into()));
    value(
        "call of what is no code",
        seen(|| {
            let a = map(PAGE);
            // SAFETY: it ends this process.
            let function: extern "C" fn() = unsafe { std::mem::transmute(a) };
            function();
            0
        }),
    );
    value(
        "a stack that overflows",
        seen(|| {
            fn deeper(depth: usize) -> usize {
                let here = std::hint::black_box([depth; 1000]);
                if depth == 0 { 0 } else { deeper(depth - 1) + here[depth % 1000] }
            }
            deeper(10_000_000) as i32
        }),
    );
}
