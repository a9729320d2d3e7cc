//! What operations of the system cost a program: a line `NAME NANOSECONDS` for each, the smallest of a
//! few rounds. In QEMU with `-icount shift=0,sleep=off` and one CPU a nanosecond is an instruction, and
//! the figures are the same on each run.
//!
//! usage: abi-bench [NAME...], or: abi-bench volume vfat|ext4 [read]

mod calls;
mod disk;
mod processes;
mod sys;

use std::thread::sleep;
use std::time::{Duration, Instant};

type Figure = (&'static str, fn() -> u64);

const FIGURES: &[Figure] = &[
    ("getppid", calls::getppid),
    ("read-1-byte-of-zero", calls::read_zero),
    ("write-1-byte-to-null", calls::write_null),
    ("open-close", calls::open_close),
    ("stat", calls::stat),
    ("read-4-KiB", calls::read_4k),
    ("read-64-KiB", calls::read_64k),
    ("create-unlink", calls::create_unlink),
    ("pipe-round-trip", processes::pipe_round_trip),
    ("pipe-per-KiB", processes::pipe_bandwidth),
    ("fork-exit-wait", processes::fork_exit),
    ("fork-exec-wait", processes::fork_exec),
    ("page-fault", processes::page_fault),
    ("copy-on-write", processes::copy_on_write),
    ("signal-to-self", processes::signal),
    ("futex-round-trip", processes::futex_round_trip),
    ("thread-create-join", processes::thread),
    ("cached-4-KiB-of-FAT", disk::cached_fat),
    ("cached-4-KiB-of-ext4", disk::cached_ext4),
];

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    // What fork-exec-wait starts.
    if wanted.first().is_some_and(|word| word == processes::NOTHING) {
        return;
    }
    if wanted.first().is_some_and(|word| word == disk::VOLUME) {
        return disk::use_volume(&wanted);
    }
    for (name, measure) in FIGURES {
        if wanted.is_empty() || wanted.iter().any(|word| word == name) {
            println!("{name} {}", measure());
        }
    }
}

/// Until what has been begun is done: whoever started this program goes on, and files are read ahead.
const REST: Duration = Duration::from_millis(50);

/// The nanoseconds of one of `count` operations, in the best of five rounds, when all else rests.
fn best(count: u32, mut operation: impl FnMut()) -> u64 {
    operation();
    sleep(REST);
    let round = |_| {
        let start = Instant::now();
        for _ in 0..count {
            operation();
        }
        start.elapsed().as_nanos() as u64 / u64::from(count)
    };
    (0..5).map(round).min().unwrap_or(0)
}
