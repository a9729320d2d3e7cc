//! A child in a process group of its own, with a limit to its time. Nothing of the group outlives it.
//!
//! What needs this must itself need little of the system that is tested: fork, exec, wait and sleep.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often a child is looked at.
const PAUSE: Duration = Duration::from_millis(1);

/// How a command ends, or nothing if it is killed at its limit.
pub fn run(command: &mut Command, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let mut child = command.process_group(0).spawn()?;
    let ended = wait(&mut child, limit)?;
    // SAFETY: the group is the child's own, whose id nobody else has while it is waited for here.
    unsafe { libc::kill(-(child.id() as libc::pid_t), libc::SIGKILL) };
    if ended.is_none() {
        child.wait()?;
    }
    Ok(ended)
}

/// What the child ended with, or nothing if the limit comes first.
fn wait(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let start = Instant::now();
    while start.elapsed() < limit {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        sleep(PAUSE);
    }
    Ok(None)
}

/// A file in which all that is written comes after what is there.
pub fn empty(path: &str) -> io::Result<File> {
    let _ = std::fs::remove_file(path);
    OpenOptions::new().append(true).create_new(true).open(path)
}
