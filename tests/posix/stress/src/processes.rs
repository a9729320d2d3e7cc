//! More processes than anybody needs.

use crate::ensure;
use crate::sys::{
    Outcome, child, close, end_all, errno, fork, nap, pipe, read, sleep_for_ever, wait,
};
use crate::sys::{within, write};

/// Processes that must be able to live at the same time.
const MANY: usize = 500;
/// Processes that are tried at most, to see how it ends.
const MOST: usize = 900;

pub fn forks() -> Outcome {
    live_together()?;
    until_refused()?;
    let root = child(|| tree(6))?;
    let status = wait(root);
    ensure!(status == 0, "a tree of processes ended with {status:#x}");
    Ok(())
}

/// Many at once, half of which end by themselves, and half are killed.
fn live_together() -> Outcome {
    let ends = pipe().map_err(|error| format!("pipe: error {error}"))?;
    let mut children = Vec::new();
    while children.len() < MANY {
        match fork(|| read(ends[0], &mut [0]).map_or(1, |_| 0)) {
            Ok(child) => children.push(child),
            Err(error) => {
                end_all(&children);
                close(&ends);
                return Err(format!("{} processes, then error {error}", children.len()));
            }
        }
    }
    let half = [0; MANY / 2];
    let written = write(ends[1], &half);
    let ended = within(5000, || has_ended(&children) == half.len());
    let left = has_ended(&children);
    end_all(&children);
    close(&ends);
    ensure!(written == Ok(half.len() as i64), "writing gave {written:?}");
    ensure!(ended, "{left} of {} have ended", half.len());
    Ok(())
}

/// How many have ended, and wait to be waited for.
fn has_ended(children: &[i32]) -> usize {
    let has = |&&child: &&i32| {
        // SAFETY: all zeroes is such a structure.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
        // SAFETY: the structure is this function's own.
        let found = unsafe { libc::waitid(libc::P_PID, child as u32, &raw mut info, options) };
        // SAFETY: `waitid` has filled it.
        found == 0 && unsafe { info.si_pid() } == child
    };
    children.iter().filter(has).count()
}

/// As many as there can be.
fn until_refused() -> Outcome {
    let mut children = Vec::new();
    let mut refused = 0;
    while children.len() < MOST && refused == 0 {
        match fork(|| sleep_for_ever()) {
            Ok(child) => children.push(child),
            Err(error) => refused = error,
        }
    }
    end_all(&children);
    let expected = [0, libc::EAGAIN, libc::ENOMEM].contains(&refused);
    ensure!(expected, "{} processes, then error {refused}", children.len());
    Ok(())
}

/// A process with two children, each of which has two.
fn tree(depth: u32) -> i32 {
    if depth == 0 {
        return 0;
    }
    let children = [fork(|| tree(depth - 1)), fork(|| tree(depth - 1))];
    let ends_well = |child: &Result<i32, i32>| child.is_ok_and(|child| wait(child) == 0);
    if children.iter().filter(|child| ends_well(child)).count() == 2 { 0 } else { 1 }
}

/// Processes whose parents have ended come to whoever takes orphans.
pub fn orphans() -> Outcome {
    const EACH: usize = 20;
    for _ in 0..5 {
        let parent = child(|| {
            for _ in 0..EACH {
                let _ = fork(|| {
                    nap(5);
                    0
                });
            }
            0
        })?;
        let status = wait(parent);
        ensure!(status == 0, "the parent ended with {status:#x}");
        let reaped = reap(EACH, 5000);
        ensure!(reaped == EACH, "{reaped} of {EACH} orphans");
    }
    Ok(())
}

/// Waits for orphans, at most so long; how many there were.
pub fn reap(most: usize, milliseconds: u64) -> usize {
    let count = std::cell::Cell::new(0);
    within(milliseconds, || {
        // SAFETY: there is no pointer.
        let any = || unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) } > 0;
        while count.get() < most && any() {
            count.set(count.get() + 1);
        }
        count.get() == most || errno() == libc::ECHILD
    });
    count.get()
}
