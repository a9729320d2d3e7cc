//! Everything at once, on all CPUs, and nothing left over.
//!
//! A child does it: many threads that make and end threads and processes, let them fault, call each
//! other, pass handles around, map and unmap. When it has ended, or was ended in the middle of it, the
//! machine's figures are what they were before. `count=` says how much each thread does, `seed=` what.
#![no_std]
#![no_main]

extern crate alloc;

mod acts;
mod random;
mod stage;

use rt::abi::{ANY_CPU, Error, FOREVER, MachineRights};
use rt::files::{Files, Words};
use rt::loader::Child;
use rt::object::Figures;
use rt::time::{MILLISECOND, SECOND, now, sleep};
use rt::{Start, println};

rt::entry!(main);

/// Acts of each thread, where the command line does not say how many.
const COUNT: u64 = 150;
/// What the child may use.
const QUOTA: u64 = 64 << 20;
/// Runs that are held against each other, after one that warms up.
const RUNS: u64 = 3;

fn main(start: Start) -> u64 {
    let [count, seed] = start.words;
    if count != 0 {
        return stage::act(count, seed);
    }
    let words = Words::read();
    let count = words.number("count").unwrap_or(COUNT).max(1);
    let seed = words.number("seed").unwrap_or(1);
    match torture(&start, count, seed) {
        Ok(true) => 0,
        Ok(false) => 1,
        Err(error) => {
            println!("torture: {error:?}");
            1
        }
    }
}

fn torture(start: &Start, count: u64, seed: u64) -> Result<bool, Error> {
    let initrd = start.initrd.as_ref().ok_or(Error::NotFound)?;
    let files = Files::new(initrd)?;
    let file = files.program("torture").ok_or(Error::NotFound)?;
    run(file, count, seed, None)?;
    run(file, count, seed, Some(20 * MILLISECOND))?;
    let before = settled()?;
    let mut fine = true;
    for number in 0..RUNS {
        // The first is left alone, the others are ended in the middle of what they do.
        let limit = (number > 0).then_some(number * 30 * MILLISECOND);
        let code = run(file, count, seed + number, limit)?;
        let after = settled()?;
        let same = total(&after) == total(&before);
        let wanted = if number == 0 { code == 0 } else { code == 0 || code == stage::ENDED };
        fine &= same && wanted;
        println!("test torture-{number}: {}", if same && wanted { "ok" } else { "FAILED" });
        if !(same && wanted) {
            println!("  code {code:#x}; before {before:?}, after {after:?}");
        }
    }
    Ok(fine)
}

/// What has to be the same: frames that kernel objects once took stay with the kernel.
fn total(figures: &Figures) -> (u64, u64, [u64; 4], [u64; 4]) {
    let Figures { free, object_frames, handles, actors, resources, .. } = *figures;
    (free + object_frames, handles, actors, resources)
}

/// Runs the child, to its end or for so long; its exit code.
fn run(file: &[u8], count: u64, seed: u64, limit: Option<u64>) -> Result<u64, Error> {
    let rights = MachineRights::LOG | MachineRights::INSPECT;
    let child = Child::load(file, QUOTA, 40)?.with_machine(&rt::machine(), rights)?;
    child.thread.schedule(30, rt::thread::SLICE, ANY_CPU)?;
    let child = child.with_words([count, seed]);
    child.start()?;
    if let Some(limit) = limit {
        sleep(limit);
        child.process.kill(stage::ENDED)?;
    }
    child.wait(FOREVER)
}

/// The figures, when what is being taken apart is gone: when they have not changed for a while.
fn settled() -> Result<Figures, Error> {
    let end = now() + 10 * SECOND;
    let mut last = rt::machine().figures()?;
    loop {
        sleep(300 * MILLISECOND);
        let figures = rt::machine().figures()?;
        if figures == last || now() > end {
            return Ok(figures);
        }
        last = figures;
    }
}
