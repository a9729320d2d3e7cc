//! Three tasks on one CPU that take turns because each of them says so; then one that does not.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use rt::abi::{COOPERATIVE, Error};
use rt::sync::Lock;
use rt::thread::{Options, Spawned, spawn};
use rt::time::{MILLISECOND, now, yield_now};
use rt::{Start, print, println};

rt::entry!(main);

/// All on the first CPU, and none is ever interrupted for another of them.
const COOPERATIVE_TASK: Options =
    Options { priority: 10, slice: Some(COOPERATIVE), cpus: 1, fpu: false, tag: 0 };

fn main(_: Start) -> u64 {
    let done = by_turns().and_then(|()| selfish());
    done.map_or_else(|error| 100 + error as u64, |()| 0)
}

/// Each writes its letter, then lets the others go first.
fn by_turns() -> Result<(), Error> {
    let order = Arc::new(Lock::new(([0u8; 15], 0)));
    let go = Arc::new(AtomicBool::new(false));
    let task = |letter: u8| {
        let (order, go) = (order.clone(), go.clone());
        spawn(COOPERATIVE_TASK, move || {
            while !go.load(Relaxed) {
                yield_now();
            }
            for _ in 0..5 {
                let mut order = order.lock();
                let (letters, count) = &mut *order;
                letters[*count] = letter;
                *count += 1;
                drop(order);
                yield_now();
            }
        })
    };
    let tasks = [task(b'A')?, task(b'B')?, task(b'C')?];
    go.store(true, Relaxed);
    tasks.into_iter().for_each(Spawned::join);
    print!("with yields:    ");
    order.lock().0.iter().for_each(|&letter| print!(" {}", char::from(letter)));
    println!("");
    Ok(())
}

/// One that does not yield keeps the CPU for as long as it likes: the other's count stands still.
fn selfish() -> Result<(), Error> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    static STOP: AtomicBool = AtomicBool::new(false);
    let modest = spawn(COOPERATIVE_TASK, || {
        while !STOP.load(Relaxed) {
            COUNT.fetch_add(1, Relaxed);
            yield_now();
        }
    })?;
    let selfish = spawn(COOPERATIVE_TASK, || {
        let (before, end) = (COUNT.load(Relaxed), now() + 50 * MILLISECOND);
        while now() < end {}
        println!("without a yield: in 50 ms the other did {} rounds", COUNT.load(Relaxed) - before);
        let before = COUNT.load(Relaxed);
        for _ in 0..1000 {
            yield_now();
        }
        println!("with 1000 yields: the other did {} rounds", COUNT.load(Relaxed) - before);
    })?;
    selfish.join();
    STOP.store(true, Relaxed);
    modest.join();
    Ok(())
}
