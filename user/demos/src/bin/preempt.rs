//! Two loops that never yield share a CPU all the same; then there is one on each CPU.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use rt::abi::Error;
use rt::thread::{Options, Spawned, spawn};
use rt::time::{MILLISECOND, sleep};
use rt::{Start, print, println};

rt::entry!(main);

/// How long the loops run.
const WHILE: u64 = 200 * MILLISECOND;
/// How long one of them runs before it is the other's turn.
const SLICE: u64 = 5 * MILLISECOND;
/// CPUs that are used at most.
const CPUS: u64 = 4;

fn main(_: Start) -> u64 {
    let done = on_one_cpu().and_then(|()| on_all());
    done.map_or_else(|error| 100 + error as u64, |()| 0)
}

/// A loop that counts.
struct Busy {
    spawned: Spawned,
    count: Arc<AtomicU64>,
    /// How often it noticed that another of the loops had run in between.
    turns: Arc<AtomicU64>,
}

/// The loop that ran last.
static LAST: AtomicU64 = AtomicU64::new(0);
static STOP: AtomicBool = AtomicBool::new(false);

fn busy(me: u64, cpu: u64) -> Result<Busy, Error> {
    let (count, turns) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (counted, taken) = (count.clone(), turns.clone());
    let options =
        Options { priority: 10, slice: Some(SLICE), cpus: 1 << cpu, ..Options::default() };
    let spawned = spawn(options, move || {
        while !STOP.load(Relaxed) {
            counted.fetch_add(1, Relaxed);
            if LAST.swap(me, Relaxed) != me {
                taken.fetch_add(1, Relaxed);
            }
        }
    })?;
    Ok(Busy { spawned, count, turns })
}

fn stop(loops: Vec<Busy>) {
    STOP.store(true, Relaxed);
    loops.into_iter().for_each(|one| one.spawned.join());
    STOP.store(false, Relaxed);
}

/// A and B on the first CPU: about as many turns and half of the time each.
fn on_one_cpu() -> Result<(), Error> {
    let loops = Vec::from([busy(1, 0)?, busy(2, 0)?]);
    sleep(WHILE);
    let (a, b) = (&loops[0], &loops[1]);
    let turns = a.turns.load(Relaxed) + b.turns.load(Relaxed);
    let ran = |one: &Busy| one.spawned.thread.info().map_or(0, |info| info.ran / MILLISECOND);
    let (for_a, for_b) = (ran(a), ran(b));
    println!("A and B share CPU 0, and neither yields:");
    println!("  A ran for {for_a} ms, B ran for {for_b} ms, {turns} turns");
    println!("  both made progress: {}", a.count.load(Relaxed) > 0 && b.count.load(Relaxed) > 0);
    println!("  shared fairly: {}", for_a.abs_diff(for_b) <= (for_a + for_b) / 4);
    stop(loops);
    Ok(())
}

/// One on each CPU: all at the same time.
fn on_all() -> Result<(), Error> {
    let cpus = rt::machine().cpus()?.min(CPUS);
    let loops: Result<Vec<_>, _> = (0..cpus).map(|cpu| busy(cpu + 1, cpu)).collect();
    let loops = loops?;
    sleep(WHILE);
    println!("one on each of {cpus} CPUs:");
    for one in &loops {
        let info = one.spawned.thread.info()?;
        print!("  CPU {}: ran for {} ms", info.cpu, info.ran / MILLISECOND);
        println!(", progress: {}", one.count.load(Relaxed) > 0);
    }
    stop(loops);
    Ok(())
}
