//! All memory, in every way that it can be asked for.

use crate::ensure;
use crate::sys::{
    Outcome, PAGE, child, end_all, errno, fork, leave, map, nap, result, shared, sleep_for_ever,
};
use crate::sys::{touch, wait, within};
use std::sync::atomic::Ordering::SeqCst;

/// Bytes that a hog takes at a time.
const PIECE: usize = 1 << 20;

/// Takes memory until there is none, and ends by a signal or a refusal.
pub fn take_all() -> i32 {
    while let Ok(at) = map(PIECE, libc::MAP_PRIVATE) {
        touch(at, PIECE);
    }
    0
}

/// Takes all memory but what is needed to go on, and keeps it until it is killed.
pub fn hold_all() -> Result<i32, String> {
    /// Bytes that it may leave.
    const MOST: usize = 16 * PAGE;
    let [taken] = shared();
    let hog = child(|| {
        // A child finds out whether there is so much, for it is ended when there is not.
        let probe = |step| {
            fork(|| match map(step, libc::MAP_PRIVATE) {
                Ok(at) => {
                    touch(at, step);
                    0
                }
                Err(_) => 1,
            })
        };
        let mut step = 64 * MOST;
        while step >= MOST {
            match (probe(step).map_or(1, wait), map(step, libc::MAP_PRIVATE)) {
                (0, Ok(at)) => touch(at, step),
                _ => step /= 2,
            }
        }
        taken.store(1, SeqCst);
        sleep_for_ever()
    })?;
    within(20_000, || taken.load(SeqCst) != 0);
    Ok(hog)
}

/// A hog, several at once, and forks of one that are to copy too much.
pub fn all_of_it() -> Outcome {
    for hogs in [1, 6] {
        // The first of them may have taken what the next would need.
        let hogs: Vec<_> = (0..hogs).filter_map(|_| fork(take_all).ok()).collect();
        ensure!(!hogs.is_empty(), "nobody could be made who takes all memory");
        for hog in hogs {
            let status = wait(hog);
            let expected = [0, libc::SIGKILL].contains(&status);
            ensure!(expected, "a process that took all memory ended with {status:#x}");
        }
        nap(1);
    }
    let status = wait(child(fork_too_much)?);
    let expected = [0, libc::SIGKILL].contains(&status);
    ensure!(expected, "a large process that forks ended with {status:#x}");
    Ok(())
}

/// A process with much memory forks until that is refused.
fn fork_too_much() -> i32 {
    const MUCH: usize = 48 << 20;
    let Ok(at) = map(MUCH, libc::MAP_PRIVATE) else { return 0 };
    touch(at, MUCH);
    let mut children = Vec::new();
    let refused = loop {
        match fork(|| sleep_for_ever()) {
            Ok(child) => children.push(child),
            Err(error) => break error,
        }
        if children.len() > 100 {
            break libc::ENOMEM;
        }
    };
    end_all(&children);
    if [libc::ENOMEM, libc::EAGAIN].contains(&refused) { 0 } else { 1 }
}

/// Mappings of every size, most of them too large.
pub fn big_mappings() -> Outcome {
    let status = wait(child(|| {
        for power in 12..64 {
            for length in [1usize << power, (1 << power) - 1, (1 << power) + 1] {
                let Ok(at) = map(length, libc::MAP_PRIVATE) else {
                    if errno() != libc::ENOMEM {
                        return errno();
                    }
                    continue;
                };
                touch(at, PAGE);
                touch(at + (length - 1) / PAGE * PAGE, 1);
                // SAFETY: it was mapped just now, and nobody else knows of it.
                unsafe {
                    let moved =
                        libc::mremap(at as *mut _, length, length * 2, libc::MREMAP_MAYMOVE);
                    let (at, length) = if moved == libc::MAP_FAILED {
                        (at as *mut _, length)
                    } else {
                        (moved, length * 2)
                    };
                    libc::mprotect(at, length, libc::PROT_NONE);
                    libc::mprotect(at, length, libc::PROT_READ);
                    libc::madvise(at, length, libc::MADV_DONTNEED);
                    if libc::munmap(at, length) != 0 {
                        return 200;
                    }
                }
            }
        }
        heap_to_the_end()
    })?);
    ensure!(status == 0, "mapping ended with {status:#x}");
    Ok(())
}

/// The heap grows until there is no more, and goes back.
fn heap_to_the_end() -> i32 {
    // SAFETY: what is between is used by nobody.
    unsafe {
        let start = libc::syscall(libc::SYS_brk, 0);
        let mut step = 1i64 << 44;
        while step > 4096 {
            let now = libc::syscall(libc::SYS_brk, 0);
            if libc::syscall(libc::SYS_brk, now + step) == now {
                step /= 2;
            } else {
                touch(now as usize, PAGE);
            }
        }
        i32::from(libc::syscall(libc::SYS_brk, start) != start)
    }
}

/// What is shared stays with those who share it, though whoever mapped it has ended.
pub fn inherited() -> Outcome {
    const LENGTH: usize = 1 << 20;
    let [status] = shared();
    let maker = child(|| {
        let Ok(at) = map(LENGTH, libc::MAP_SHARED) else { return 1 };
        let heirs = [(); 2].map(|()| {
            fork(|| {
                nap(30);
                touch(at, LENGTH);
                status.fetch_add(1, SeqCst);
                0
            })
        });
        i32::from(heirs.iter().any(Result::is_err))
    })?;
    let ended = wait(maker);
    ensure!(ended == 0, "the maker ended with {ended:#x}");
    let heirs = crate::processes::reap(2, 5000);
    let touched = status.load(SeqCst);
    ensure!((heirs, touched) == (2, 2), "{heirs} heirs have ended, {touched} have touched all");
    Ok(())
}

/// Recursion without end is a signal, which can be had on another stack; a megabyte of it is none.
pub fn stack() -> Outcome {
    let ends = [
        (libc::SIGSEGV, wait(child(|| deeper(1 << 40))?)),
        (7 << 8, wait(child(handled)?)),
        (0, wait(child(|| deeper(1 << 12) & 1)?)),
    ];
    for (expected, status) in ends {
        ensure!(status == expected, "recursion ended with {status:#x} instead of {expected:#x}");
    }
    Ok(())
}

#[inline(never)]
fn deeper(depth: u64) -> i32 {
    let frame = std::hint::black_box([depth as u8; 1000]);
    if depth == 0 {
        0
    } else {
        (deeper(depth - 1) + i32::from(frame[10]) - i32::from(frame[20])) & !1
    }
}

fn handled() -> i32 {
    extern "C" fn handler(_: i32) {
        leave(7);
    }
    const LENGTH: usize = 64 << 10;
    let Ok(at) = map(LENGTH, libc::MAP_PRIVATE) else { return 1 };
    let stack = libc::stack_t { ss_sp: at as *mut _, ss_flags: 0, ss_size: LENGTH };
    // SAFETY: all zeroes is such a structure.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as *const () as usize;
    action.sa_flags = libc::SA_ONSTACK;
    // SAFETY: both structures are there, and the stack is nobody else's.
    let set = unsafe {
        result(libc::sigaltstack(&raw const stack, std::ptr::null_mut()))
            .and(result(libc::sigaction(libc::SIGSEGV, &raw const action, std::ptr::null_mut())))
    };
    if set.is_err() { 1 } else { deeper(1 << 40) }
}
