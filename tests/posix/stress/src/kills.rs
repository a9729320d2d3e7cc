//! `SIGKILL` for processes in the middle of everything.

use crate::ensure;
use crate::processes::reap;
use crate::sys::{
    Outcome, PAGE, close, fork, kill, leave, map, nap, pipe, read, shared, sleep_for_ever,
};
use crate::sys::{touch, wait, write};

/// The word with which this program does nothing but run itself again.
pub const AGAIN: &str = "--again";
const ROUNDS: u64 = 6;

type Work = fn() -> i32;

/// What processes are in the middle of.
const WORK: &[(&str, Work)] = &[
    ("read", read_nothing),
    ("write", write_too_much),
    ("futex", wait_for_futex),
    ("poll", wait_in_poll),
    ("wait", wait_for_child),
    ("suspend", suspend),
    ("sleep", || sleep_for_ever()),
    ("exec", || exec_again()),
    ("fork", fork_again),
    ("page-fault", fault_again),
    ("copy-on-write", copy_again),
    ("threads", threads_again),
    ("files", files_again),
    ("copies", copies_again),
    ("lock", wait_for_lock),
    ("busy", || {
        loop {
            std::hint::spin_loop()
        }
    }),
];

pub fn everywhere() -> Outcome {
    for round in 0..ROUNDS {
        let mut children = Vec::new();
        for (name, work) in WORK {
            let started = fork(work).map_err(|error| format!("{name}: fork had error {error}"))?;
            children.push((*name, started));
        }
        nap(round * round);
        for &(_, child) in &children {
            kill(child, libc::SIGKILL);
        }
        for (name, child) in children {
            let status = wait(child);
            ensure!(status == libc::SIGKILL, "{name} of round {round} ended with {status:#x}");
        }
        end_orphans();
    }
    let _ = std::fs::remove_file("/tmp/kills");
    Ok(())
}

/// Kills the children of those that were killed, and theirs.
pub fn end_orphans() {
    // SAFETY: it is a call without pointers.
    let me = unsafe { libc::getpid() };
    for _ in 0..200 {
        let orphans = crate::machine::children_of(me);
        if orphans.is_empty() {
            return;
        }
        orphans.iter().for_each(|&orphan| kill(orphan, libc::SIGKILL));
        reap(orphans.len(), 100);
    }
}

fn read_nothing() -> i32 {
    let ends = pipe().unwrap_or_default();
    read(ends[0], &mut [0]).map_or(1, |_| 2)
}

fn write_too_much() -> i32 {
    let ends = pipe().unwrap_or_default();
    write(ends[1], &[0; 100_000]).map_or(1, |_| 2)
}

fn wait_for_futex() -> i32 {
    let [word] = shared();
    // SAFETY: the word stays.
    unsafe { libc::syscall(libc::SYS_futex, word, libc::FUTEX_WAIT, 0, 0) };
    1
}

fn wait_in_poll() -> i32 {
    let ends = pipe().unwrap_or_default();
    let mut wishes = [libc::pollfd { fd: ends[0], events: libc::POLLIN, revents: 0 }; 50];
    // SAFETY: there are as many.
    unsafe { libc::poll(wishes.as_mut_ptr(), wishes.len() as libc::nfds_t, -1) };
    1
}

fn wait_for_child() -> i32 {
    fork(|| sleep_for_ever()).map_or(1, wait)
}

fn suspend() -> i32 {
    // SAFETY: it is a call without pointers.
    unsafe { libc::pause() }
}

/// Runs this program again, which does the same.
pub fn exec_again() -> ! {
    let program = c"/proc/self/exe".as_ptr();
    let words = [program, c"--again".as_ptr(), std::ptr::null()];
    // SAFETY: the list ends with a null pointer.
    unsafe { libc::execv(program, words.as_ptr()) };
    leave(1)
}

fn fork_again() -> i32 {
    loop {
        let _ = fork(|| 0).map(wait);
    }
}

/// Bytes that are touched at a time.
const PIECE: usize = 16 * PAGE;

fn fault_again() -> i32 {
    loop {
        let Ok(at) = map(PIECE, libc::MAP_PRIVATE) else { return 1 };
        touch(at, PIECE);
        // SAFETY: it was mapped just now.
        unsafe { libc::munmap(at as *mut _, PIECE) };
    }
}

fn copy_again() -> i32 {
    let Ok(at) = map(PIECE, libc::MAP_PRIVATE) else { return 1 };
    touch(at, PIECE);
    loop {
        let copier = || {
            touch(at, PIECE);
            0
        };
        let _ = fork(copier).map(wait);
    }
}

fn threads_again() -> i32 {
    loop {
        let threads =
            [(); 4].map(|()| std::thread::Builder::new().stack_size(32 << 10).spawn(|| nap(1)));
        threads.into_iter().flatten().for_each(|thread| drop(thread.join()));
    }
}

fn files_again() -> i32 {
    loop {
        if std::fs::write("/tmp/kills", [1; 10_000]).is_err() {
            return 1;
        }
    }
}

fn copies_again() -> i32 {
    let mut bytes = vec![0; 1 << 20];
    let ends = pipe().unwrap_or_default();
    let _ = fork(|| {
        close(&ends[1..]);
        let mut bytes = vec![0; 1 << 20];
        while read(ends[0], &mut bytes).is_ok() {}
        0
    });
    while write(ends[1], &bytes).is_ok() {
        bytes[0] += 1;
    }
    1
}

fn wait_for_lock() -> i32 {
    let file = c"/tmp/kills".as_ptr();
    // SAFETY: the name is there, and descriptors are numbers.
    unsafe {
        let open = libc::open(file, libc::O_RDWR | libc::O_CREAT, 0o600);
        libc::flock(open, libc::LOCK_EX);
        let again = libc::open(file, libc::O_RDWR);
        libc::flock(again, libc::LOCK_EX)
    }
}
