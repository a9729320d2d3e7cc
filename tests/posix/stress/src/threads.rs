//! Many threads, and their end.

use crate::ensure;
use crate::sys::{Outcome, child, kill, nap, sleep_for_ever, wait};
use std::io;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{Builder, JoinHandle};

/// Bytes of a thread's stack.
const STACK: usize = 32 << 10;

fn spawn(work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    Builder::new().stack_size(STACK).spawn(work)
}

pub fn many() -> Outcome {
    for how in [end_by_exit, end_by_kill, end_by_exec] {
        how()?;
    }
    let status = wait(child(baton)?);
    ensure!(status == 0, "the baton was lost: {status:#x}");
    until_refused()
}

/// A process with threads that sleep, which then does something.
fn sleepers(count: usize, then: impl FnOnce() -> i32) -> Result<i32, String> {
    child(|| {
        for _ in 0..count {
            if spawn(|| sleep_for_ever()).is_err() {
                return 3;
            }
        }
        then()
    })
}

fn end_by_exit() -> Outcome {
    let status = wait(sleepers(100, || 5)?);
    ensure!(status == 5 << 8, "100 threads and exit: {status:#x}");
    Ok(())
}

fn end_by_kill() -> Outcome {
    let process = sleepers(100, || sleep_for_ever())?;
    nap(20);
    kill(process, libc::SIGKILL);
    let status = wait(process);
    ensure!(status == libc::SIGKILL, "100 threads and SIGKILL: {status:#x}");
    Ok(())
}

fn end_by_exec() -> Outcome {
    let status = wait(sleepers(100, || {
        let program = c"/bin/true";
        // SAFETY: the list ends with a null pointer.
        unsafe { libc::execv(program.as_ptr(), [program.as_ptr(), std::ptr::null()].as_ptr()) };
        4
    })?);
    ensure!(status == 0, "100 threads and exec: {status:#x}");
    Ok(())
}

/// Threads hand a number on to one another.
fn baton() -> i32 {
    const RUNNERS: usize = 16;
    const ROUNDS: usize = 50;
    let state = Arc::new((Mutex::new(0), Condvar::new()));
    let runners: Vec<_> = (0..RUNNERS)
        .map(|me| {
            let state = state.clone();
            spawn(move || {
                let (number, changed) = &*state;
                for round in 0..ROUNDS {
                    let turn = round * RUNNERS + me;
                    let locked = number.lock().expect("nobody panics");
                    let mut mine =
                        changed.wait_while(locked, |now| *now != turn).expect("nobody panics");
                    *mine += 1;
                    changed.notify_all();
                }
            })
        })
        .collect();
    let ends_well =
        |runner: io::Result<JoinHandle<()>>| runner.is_ok_and(|runner| runner.join().is_ok());
    i32::from(!runners.into_iter().all(ends_well))
}

/// As many threads as there can be: then there is an error, and the process goes on.
fn until_refused() -> Outcome {
    const MOST: i32 = 2000;
    let status = wait(child(|| {
        for _ in 0..MOST {
            match spawn(|| sleep_for_ever()) {
                Ok(_) => {}
                Err(error) if error.raw_os_error() == Some(libc::EAGAIN) => return 0,
                Err(_) => return 1,
            }
        }
        0
    })?);
    ensure!(status == 0, "threads until there are too many: {status:#x}");
    Ok(())
}
