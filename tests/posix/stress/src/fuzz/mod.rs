//! Random calls with random arguments, many of which make sense: whatever they do to those who make
//! them, nobody else must notice.
//!
//! Each process makes a few hundred calls that follow from its seed, and is replaced by the next. SEED= is
//! the first seed, CALLS= how many calls there are in all; a failure names the seeds that were alive.

mod calls;
mod values;
mod victim;

use crate::ensure;
use crate::kills::end_orphans;
use crate::sys::{Outcome, child, kill, nap, now, shared};
use std::fs;
use std::os::unix::fs::chown;
use std::sync::atomic::Ordering::SeqCst;

/// Processes at the same time.
const TOGETHER: usize = 4;
/// Calls that each makes.
const EACH: u64 = 500;
/// Nanoseconds without a call after which one is killed.
const PATIENCE: u64 = 15_000_000;
/// Where their files are.
const PLACE: &str = "/tmp/fuzz";
/// A user without any rights.
pub const NOBODY: u32 = 65534;

struct Victim {
    pid: i32,
    seed: u64,
    calls: u64,
    /// When it made a call last.
    seen: u64,
}

fn variable(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

pub fn run() -> Outcome {
    let (mut seed, calls) = (variable("SEED", 1), variable("CALLS", 100_000));
    let counters = shared::<TOGETHER>();
    let mut victims: [Option<Victim>; TOGETHER] = Default::default();
    let mut made = 0;
    let _ = fs::remove_dir_all(PLACE);
    fs::create_dir(PLACE).map_err(|error| format!("making {PLACE}: {error}"))?;
    while made < calls || victims.iter().any(Option::is_some) {
        for (slot, victim) in victims.iter_mut().enumerate() {
            if let Some(Victim { pid, calls, seen, .. }) = victim {
                let count = counters[slot].load(SeqCst);
                if count > *calls {
                    (*calls, *seen) = (count, now());
                } else if now() > *seen + PATIENCE {
                    kill(*pid, libc::SIGKILL);
                }
                // SAFETY: there is no pointer.
                if unsafe { libc::waitpid(*pid, std::ptr::null_mut(), libc::WNOHANG) } == *pid {
                    made += *calls;
                    *victim = None;
                }
            } else if made < calls {
                let place = place(slot)?;
                counters[slot].store(0, SeqCst);
                let pid = child(|| victim::live(seed, &place, EACH.min(calls), &counters[slot]))?;
                *victim = Some(Victim { pid, seed, calls: 0, seen: now() });
                seed += 1;
                if seed.is_multiple_of(32) {
                    let alive = victims_of(&victims);
                    println!("fuzz: {made} calls, seeds {alive:?}");
                    end_strays(&victims);
                }
                break;
            }
        }
        nap(1);
    }
    end_orphans();
    unmount_all();
    remove(PLACE);
    ensure!(fs::metadata(PLACE).is_err(), "{PLACE} cannot be removed");
    println!("fuzz: {made} calls, seeds up to {}", seed - 1);
    Ok(())
}

fn victims_of(victims: &[Option<Victim>]) -> Vec<u64> {
    victims.iter().flatten().map(|victim| victim.seed).collect()
}

/// Kills what victims have left.
fn end_strays(victims: &[Option<Victim>]) {
    // SAFETY: it is a call without pointers.
    let children = crate::machine::children_of(unsafe { libc::getpid() });
    let known = |pid: &i32| victims.iter().flatten().any(|victim| victim.pid == *pid);
    for stray in children.into_iter().filter(|pid| !known(pid)) {
        kill(stray, libc::SIGKILL);
        crate::sys::wait(stray);
    }
}

/// A directory with a file of each kind.
fn place(slot: usize) -> Result<String, String> {
    let place = format!("{PLACE}/{slot}");
    unmount_below(&place);
    remove(&place);
    let make = || -> std::io::Result<()> {
        fs::create_dir(&place)?;
        fs::create_dir(format!("{place}/d"))?;
        for (name, length) in [("f", 100), ("f2", 10_000), ("d/g", 0)] {
            fs::write(format!("{place}/{name}"), vec![b'a'; length])?;
            chown(format!("{place}/{name}"), Some(NOBODY), Some(NOBODY))?;
        }
        std::os::unix::fs::symlink("f", format!("{place}/link"))?;
        std::os::unix::fs::symlink("loop", format!("{place}/loop"))?;
        chown(format!("{place}/d"), Some(NOBODY), Some(NOBODY))?;
        chown(&place, Some(NOBODY), Some(NOBODY))
    };
    make().map_err(|error| format!("making {place}: {error}"))?;
    Ok(place)
}

fn remove(place: &str) {
    // What is being removed may be somebody's who is just being killed.
    for _ in 0..20 {
        if fs::remove_dir_all(place).is_ok() || fs::metadata(place).is_err() {
            return;
        }
        nap(1);
    }
}

fn unmount_all() {
    unmount_below(PLACE);
}

/// Takes away what victims have mounted.
fn unmount_below(place: &str) {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let places = mounts.lines().filter_map(|line| line.split(' ').nth(1));
    for mount in places.filter(|mount| mount.starts_with(place)) {
        let Ok(name) = std::ffi::CString::new(mount) else { continue };
        // SAFETY: the name is there.
        unsafe { libc::umount2(name.as_ptr(), libc::MNT_DETACH) };
    }
}
