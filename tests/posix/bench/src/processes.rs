//! What takes two: processes, threads, the kernel and a page, a signal and its handler.

use crate::best;
use crate::sys::{close, map, pipe, read, spawn, wait, write};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

/// The word with which this program does nothing.
pub const NOTHING: &str = "nothing";

const PAGE: usize = 4096;

pub fn pipe_round_trip() -> u64 {
    let ([there, ours], [back, theirs]) = (pipe(), pipe());
    let child = spawn(|| {
        close(ours);
        while read(there, &mut [0]) == 1 {
            write(theirs, b"x");
        }
    });
    let figure = best(500, || {
        write(ours, b"x");
        read(back, &mut [0]);
    });
    close(ours);
    wait(child);
    [there, back, theirs].into_iter().for_each(close);
    figure
}

/// For a KiB, of which 64 are written at a time and read at the other end.
pub fn pipe_bandwidth() -> u64 {
    const LENGTH: usize = 64 << 10;
    let [reader, writer] = pipe();
    let child = spawn(|| {
        close(writer);
        let mut bytes = vec![0; LENGTH];
        while read(reader, &mut bytes) > 0 {}
    });
    let bytes = vec![1; LENGTH];
    let figure = best(50, || {
        write(writer, &bytes);
    });
    close(writer);
    wait(child);
    close(reader);
    figure / (LENGTH as u64 >> 10)
}

pub fn fork_exit() -> u64 {
    best(50, || wait(spawn(|| ())))
}

pub fn fork_exec() -> u64 {
    let words = [c"abi-bench".as_ptr(), c"nothing".as_ptr(), std::ptr::null()];
    best(20, || {
        wait(spawn(|| {
            // SAFETY: the lists end with null.
            unsafe { libc::execv(c"/proc/self/exe".as_ptr(), words.as_ptr()) };
        }));
    })
}

/// Writes to each of so many pages, and gives the nanoseconds of one.
fn touch(place: *mut u8, pages: usize) -> u64 {
    let start = Instant::now();
    for page in 0..pages {
        // SAFETY: the memory is that long.
        unsafe { place.add(page * PAGE).write_volatile(1) };
    }
    start.elapsed().as_nanos() as u64 / pages as u64
}

pub fn page_fault() -> u64 {
    const PAGES: usize = 256;
    let round = |_| {
        let place = map(PAGES * PAGE);
        let figure = touch(place, PAGES);
        // SAFETY: nothing is left there.
        unsafe { libc::munmap(place.cast(), PAGES * PAGE) };
        figure
    };
    (0..5).map(round).min().unwrap_or(0)
}

/// Pages that parent and child share until the parent writes.
pub fn copy_on_write() -> u64 {
    const PAGES: usize = 256;
    let place = map(PAGES * PAGE);
    touch(place, PAGES);
    let round = |_| {
        let [reader, writer] = pipe();
        let child = spawn(|| {
            close(writer);
            read(reader, &mut [0]);
        });
        let figure = touch(place, PAGES);
        close(writer);
        wait(child);
        close(reader);
        figure
    };
    (0..5).map(round).min().unwrap_or(0)
}

pub fn signal() -> u64 {
    extern "C" fn nothing(_: i32) {}
    // SAFETY: the handler does nothing.
    unsafe { libc::signal(libc::SIGUSR1, nothing as *const () as libc::sighandler_t) };
    // SAFETY: it only asks.
    let me = unsafe { libc::getpid() };
    best(500, || {
        // SAFETY: there is a handler.
        unsafe { libc::kill(me, libc::SIGUSR1) };
    })
}

fn futex(word: &AtomicU32, operation: i32, value: u32) {
    let operation = operation | libc::FUTEX_PRIVATE_FLAG;
    // SAFETY: the word lives as long as the call.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), operation, value, 0) };
}

/// Waits until it is one's turn, and gives the turn to the other.
fn take_turn(word: &AtomicU32, mine: u32) {
    while word.load(Ordering::Acquire) != mine {
        futex(word, libc::FUTEX_WAIT, 1 - mine);
    }
    word.store(1 - mine, Ordering::Release);
    futex(word, libc::FUTEX_WAKE, 1);
}

pub fn futex_round_trip() -> u64 {
    const ROUNDS: u32 = 300;
    let word = AtomicU32::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| (0..5 * ROUNDS).for_each(|_| take_turn(&word, 1)));
        best(ROUNDS, || take_turn(&word, 0))
    })
}

pub fn thread() -> u64 {
    best(50, || {
        let _ = std::thread::spawn(|| ()).join();
    })
}
