//! What a system keeps for programs is its own memory: pipes, sockets, descriptors, timers, names.
//! Nobody may use up so much of it that it cannot go on.

use crate::ensure;
use crate::memory::hold_all;
use crate::sys::{Outcome, PAGE, end_all, fork, leave, nap, pipe, result, shared, sleep_for_ever};
use crate::sys::{within, write};
use std::ffi::CString;
use std::sync::atomic::Ordering::SeqCst;

/// The word with which this program does nothing at all.
pub const SLEEP: &str = "--sleep";

type Taking = fn(usize) -> Result<i64, i32>;

/// What it is called, how often it takes a little at most, and how.
type Hog = (&'static str, usize, Taking);

/// What takes a little each time.
pub const HOGS: &[Hog] = &[
    ("pipes", 3_000, full_pipe),
    ("sockets", 1_000, full_socket),
    ("descriptors", 20_000, |_| open(c"/dev/null")),
    ("events", 5_000, |_| result(eventfd())),
    ("mappings", 4_000, alternate),
    ("timers", 3_000, |_| timer()),
    ("signals", 3_000, |_| signal()),
    ("locks", 2_000, lock),
    ("directories", 1_000, deeper),
    ("links", 5_000, link),
    ("processes", 1_000, |_| fork(|| sleep_for_ever()).map(i64::from)),
    ("threads", 1_000, |_| thread()),
    ("groups", 200, |_| fork(|| groups()).map(i64::from)),
    ("arguments", 20, |_| fork(|| arguments()).map(i64::from)),
    ("mounts", 300, mount),
    ("memories", 2_000, memory),
];

/// Errors with which a system may refuse more.
const REFUSALS: [i32; 8] = [
    libc::ENOMEM,
    libc::ENFILE,
    libc::EMFILE,
    libc::ENOSPC,
    libc::ENOBUFS,
    libc::EAGAIN,
    libc::ENOLCK,
    libc::ENAMETOOLONG,
];

/// One hog, for as long as it is given more.
pub fn alone(hog: &Hog) -> Outcome {
    in_place(|| with_hogs(std::slice::from_ref(hog), false))
}

/// All hogs at the same time, and one of memory.
pub fn together() -> Outcome {
    in_place(|| with_hogs(HOGS, true))
}

fn in_place(test: impl FnOnce() -> Outcome) -> Outcome {
    let _ = std::fs::remove_dir_all("/tmp/hogs");
    std::fs::create_dir("/tmp/hogs").map_err(|error| format!("making a directory: {error}"))?;
    test()?;
    std::fs::remove_dir_all("/tmp/hogs").map_err(|error| format!("removing: {error}"))
}

/// Runs hogs at the same time, each until it is refused more; perhaps beside one of memory.
fn with_hogs(hogs: &[Hog], full: bool) -> Outcome {
    let [done, errors @ ..] = shared::<20>();
    let memory = if full { Some(hold_all()?) } else { None };
    let mut children = Vec::new();
    for ((name, most, take), error) in hogs.iter().zip(errors) {
        match fork(|| {
            prepare();
            let refused = (0..*most).find_map(|nth| take(nth).err());
            error.store(refused.unwrap_or(0) as u64, SeqCst);
            done.fetch_add(1, SeqCst);
            sleep_for_ever()
        }) {
            Ok(child) => children.push(child),
            Err(_) if full => {
                done.fetch_add(1, SeqCst);
            }
            Err(error) => return Err(format!("{name}: fork had error {error}")),
        }
    }
    let ended = within(if full { 5000 } else { 60_000 }, || done.load(SeqCst) == hogs.len() as u64);
    end_all(&children);
    memory.inspect(|&memory| end_all(&[memory]));
    crate::kills::end_orphans();
    unmount();
    clean();
    ensure!(ended || full, "{} goes on and on", hogs[0].0);
    for ((name, ..), error) in hogs.iter().zip(errors) {
        let error = error.load(SeqCst) as i32;
        ensure!(error == 0 || REFUSALS.contains(&error), "{name} ended with error {error}");
    }
    Ok(())
}

/// As many descriptors as there may be, and no signal but one.
fn prepare() {
    let limits = libc::rlimit { rlim_cur: 1 << 20, rlim_max: 1 << 20 };
    // SAFETY: what is pointed to is there.
    unsafe {
        libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limits);
        libc::setrlimit(libc::RLIMIT_SIGPENDING, &raw const limits);
        let mut all: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::sigprocmask(libc::SIG_BLOCK, &raw const all, std::ptr::null_mut());
        libc::chdir(c"/tmp/hogs".as_ptr());
    }
}

fn unmount() {
    // SAFETY: the name is there.
    while unsafe { libc::umount2(c"/tmp/hogs".as_ptr(), libc::MNT_DETACH) } == 0 {}
}

/// Removes what is in the directory, which may be deep.
fn clean() {
    let top = c"/tmp/hogs";
    // SAFETY: the names are there.
    unsafe {
        libc::chdir(top.as_ptr());
        while libc::chdir(c"d".as_ptr()) == 0 {}
        while libc::chdir(c"..".as_ptr()) == 0 && libc::rmdir(c"d".as_ptr()) == 0 {}
        libc::chdir(c"/".as_ptr());
    }
    for entry in std::fs::read_dir("/tmp/hogs").into_iter().flatten().flatten() {
        let _ = std::fs::remove_file(entry.path());
    }
}

fn open(name: &std::ffi::CStr) -> Result<i64, i32> {
    // SAFETY: the name is there.
    result(unsafe { libc::open(name.as_ptr(), libc::O_RDWR) })
}

fn eventfd() -> i32 {
    // SAFETY: there are no pointers.
    unsafe { libc::eventfd(0, 0) }
}

fn full_pipe(_: usize) -> Result<i64, i32> {
    let ends = pipe()?;
    // SAFETY: there are no pointers.
    unsafe { libc::fcntl(ends[1], libc::F_SETFL, libc::O_NONBLOCK) };
    match write(ends[1], &[1; 65536]) {
        Err(libc::EAGAIN) => Ok(0),
        done => done,
    }
}

fn full_socket(_: usize) -> Result<i64, i32> {
    let mut ends = [0; 2];
    let kind = libc::SOCK_DGRAM | libc::SOCK_NONBLOCK;
    // SAFETY: there is room for two.
    result(unsafe { libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()) })?;
    loop {
        match write(ends[0], &[1; 30_000]) {
            Ok(_) => {}
            Err(libc::EAGAIN) => return Ok(0),
            error => return error,
        }
    }
}

/// Pages that differ from their neighbours, so that each is a mapping of its own.
fn alternate(nth: usize) -> Result<i64, i32> {
    let access = if nth.is_multiple_of(2) { libc::PROT_READ } else { libc::PROT_NONE };
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: nothing is replaced.
    result(unsafe { libc::mmap(std::ptr::null_mut(), PAGE, access, flags, -1, 0) } as i64)
}

fn timer() -> Result<i64, i32> {
    let mut number: libc::timer_t = std::ptr::null_mut();
    // SAFETY: the number is this function's own.
    result(unsafe {
        libc::timer_create(libc::CLOCK_MONOTONIC, std::ptr::null_mut(), &raw mut number)
    })
}

fn signal() -> Result<i64, i32> {
    let value = libc::sigval { sival_ptr: std::ptr::null_mut() };
    // SAFETY: the process is this one.
    result(unsafe { libc::sigqueue(libc::getpid(), libc::SIGRTMIN() + 1, value) })
}

/// A lock on every other byte.
fn lock(nth: usize) -> Result<i64, i32> {
    // SAFETY: all zeroes is such a structure.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = libc::F_WRLCK as libc::c_short;
    (lock.l_start, lock.l_len) = (2 * nth as i64, 1);
    // SAFETY: the name and the structure are there.
    unsafe {
        if nth == 0 {
            let file = libc::open(c"locked".as_ptr(), libc::O_RDWR | libc::O_CREAT, 0o600);
            libc::dup2(file, 9);
        }
        result(libc::fcntl(9, libc::F_SETLK, &raw const lock))
    }
}

/// A directory in a directory.
fn deeper(_: usize) -> Result<i64, i32> {
    // SAFETY: the names are there.
    unsafe {
        result(libc::mkdir(c"d".as_ptr(), 0o700))?;
        result(libc::chdir(c"d".as_ptr()))
    }
}

/// A link with a long target.
fn link(nth: usize) -> Result<i64, i32> {
    let name = CString::new(format!("link-{nth}")).unwrap_or_default();
    let target = CString::new([b'x'; 4000]).unwrap_or_default();
    // SAFETY: the names are there.
    result(unsafe { libc::symlink(target.as_ptr(), name.as_ptr()) })
}

fn thread() -> Result<i64, i32> {
    let thread = std::thread::Builder::new().stack_size(16 << 10).spawn(|| sleep_for_ever());
    thread.map(|_| 0).map_err(|error| error.raw_os_error().unwrap_or(-1))
}

/// A process with as many groups as there may be.
fn groups() -> ! {
    let groups: Vec<libc::gid_t> = (0..65536).collect();
    // SAFETY: there are as many.
    unsafe { libc::setgroups(groups.len(), groups.as_ptr()) };
    sleep_for_ever()
}

/// A process that runs a program with as many arguments as there may be, again and again.
fn arguments() -> ! {
    let long = CString::new(vec![b'x'; 100_000]).unwrap_or_default();
    let missing = c"/tmp/hogs/missing";
    let mut words = vec![long.as_ptr(); 19];
    words.push(std::ptr::null());
    for program in [missing, missing, c"/proc/self/exe"] {
        let mut words = words.clone();
        words.insert(0, program.as_ptr());
        words[1] = c"--sleep".as_ptr();
        // SAFETY: the list ends with a null pointer.
        unsafe { libc::execv(program.as_ptr(), words.as_ptr()) };
        nap(1);
    }
    leave(1)
}

fn mount(_: usize) -> Result<i64, i32> {
    let (tmpfs, place) = (c"tmpfs".as_ptr(), c"/tmp/hogs".as_ptr());
    // SAFETY: the names are there.
    result(unsafe { libc::mount(tmpfs, place, tmpfs, 0, std::ptr::null()) })
}

/// A memory with a page in it, of which only the descriptor stays.
fn memory(_: usize) -> Result<i64, i32> {
    // SAFETY: the name is there.
    let file = result(unsafe { libc::memfd_create(c"memory".as_ptr(), 0) })? as i32;
    write(file, &[1; PAGE])
}
