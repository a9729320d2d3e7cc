//! Descriptors: as many as one may have, and pipes between many.

use crate::ensure;
use crate::sys::{
    Outcome, child, close, end_all, fork, kill, nap, pipe, read, result, wait, write,
};

/// In a process with room for 64 descriptors, everything that makes one says `EMFILE`.
pub fn limit() -> Outcome {
    const LIMIT: u64 = 64;
    let status = wait(child(|| {
        let limits = libc::rlimit { rlim_cur: LIMIT, rlim_max: LIMIT };
        // SAFETY: the limits are there.
        unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limits) };
        // SAFETY: descriptors are numbers.
        while unsafe { libc::dup(0) } >= 0 {}
        all_refuse()
    })?);
    ensure!(status == 0, "call {} gave another error than EMFILE", status >> 8);
    Ok(())
}

/// The number of the first call that does not say `EMFILE`, from one on.
fn all_refuse() -> i32 {
    let mut ends = [0; 2];
    let null = c"/dev/null".as_ptr();
    // SAFETY: what is pointed to is there.
    let results = unsafe {
        [
            result(libc::open(null, libc::O_RDONLY)),
            result(libc::dup(0)),
            result(libc::fcntl(0, libc::F_DUPFD, 0)),
            result(libc::pipe(ends.as_mut_ptr())),
            result(libc::socket(libc::AF_UNIX, libc::SOCK_STREAM, 0)),
            result(libc::socketpair(libc::AF_UNIX, libc::SOCK_STREAM, 0, ends.as_mut_ptr())),
            result(libc::epoll_create1(0)),
            result(libc::eventfd(0, 0)),
            result(libc::timerfd_create(libc::CLOCK_MONOTONIC, 0)),
            result(libc::memfd_create(c"m".as_ptr(), 0)),
        ]
    };
    let refused = |result: &Result<i64, i32>| *result == Err(libc::EMFILE);
    results.iter().position(|result| !refused(result)).map_or(0, |at| at as i32 + 1)
}

pub fn pipes() -> Outcome {
    ring()?;
    broken()?;
    full()
}

/// A byte goes round a ring of processes.
fn ring() -> Outcome {
    const LENGTH: usize = 50;
    const ROUNDS: u8 = 20;
    let error = |error| format!("pipe: error {error}");
    let pipes = (0..=LENGTH).map(|_| pipe()).collect::<Result<Vec<_>, _>>().map_err(error)?;
    let mut children = Vec::new();
    for pair in pipes.windows(2) {
        let (from, to) = (pair[0][0], pair[1][1]);
        children.push(child(|| {
            let mut byte = [0];
            while read(from, &mut byte) == Ok(1) && write(to, &byte) == Ok(1) {}
            1
        })?);
    }
    let mut outcome = Ok(());
    for round in 0..ROUNDS {
        let mut byte = [0];
        let sent = write(pipes[0][1], &[round]);
        let back = read(pipes[LENGTH][0], &mut byte);
        if (sent, back, byte) != (Ok(1), Ok(1), [round]) {
            outcome = Err(format!("round {round}: {sent:?}, {back:?}, {byte:?}"));
            break;
        }
    }
    end_all(&children);
    pipes.iter().for_each(|ends| close(ends));
    outcome
}

/// Those who write are told when those who read are killed.
fn broken() -> Outcome {
    const PAIRS: usize = 40;
    let mut pairs = Vec::new();
    for _ in 0..PAIRS {
        let ends = pipe().map_err(|error| format!("pipe: error {error}"))?;
        let reader = child(|| {
            close(&ends[1..]);
            let mut bytes = [0; 1000];
            while read(ends[0], &mut bytes).is_ok_and(|count| count > 0) {}
            0
        })?;
        let writer = child(|| {
            close(&ends[..1]);
            // SAFETY: the default action is none of this program's functions.
            unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
            while write(ends[1], &[0; 3000]).is_ok() {}
            0
        })?;
        close(&ends);
        pairs.push((reader, writer));
    }
    nap(5);
    pairs.iter().for_each(|&(reader, _)| kill(reader, libc::SIGKILL));
    for (reader, writer) in pairs {
        let statuses = (wait(reader), wait(writer));
        let expected = (libc::SIGKILL, libc::SIGPIPE);
        ensure!(statuses == expected, "{statuses:?} instead of {expected:?}");
    }
    Ok(())
}

/// A pipe that is full says so, and whoever waits for room is killed while it waits.
fn full() -> Outcome {
    let ends = pipe().map_err(|error| format!("pipe: error {error}"))?;
    // SAFETY: the flag belongs to this test's own pipe.
    unsafe { libc::fcntl(ends[1], libc::F_SETFL, libc::O_NONBLOCK) };
    let mut filled = 0;
    let refused = loop {
        match write(ends[1], &[0; 4096]) {
            Ok(count) => filled += count,
            Err(error) => break error,
        }
    };
    // SAFETY: see above.
    unsafe { libc::fcntl(ends[1], libc::F_SETFL, 0) };
    let writers = (0..20).map(|_| fork(|| write(ends[1], &[0]).map_or(1, |_| 2)));
    let writers: Vec<i32> = writers.filter_map(Result::ok).collect();
    nap(5);
    end_all(&writers);
    close(&ends);
    ensure!((filled, refused) == (65536, libc::EAGAIN), "{filled} bytes, then error {refused}");
    ensure!(writers.len() == 20, "{} writers", writers.len());
    Ok(())
}
