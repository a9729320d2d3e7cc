//! What the kernel costs: instructions inside of it, for what programs do most.
//!
//! To be run on one CPU, with one instruction counted as one nanosecond. Every figure is a line
//! `bench NAME VALUE`.
#![no_std]
#![no_main]

mod ipc;
mod memory;
mod meter;
mod partner;
mod threads;
mod traps;

use meter::{ROUNDS, Real, Way, Without, figure, registers, time};
use partner::Bench;
use rt::abi::Call;
use rt::files::Files;
use rt::thread::{Options, spawn};
use rt::{Start, println};

rt::entry!(main);

/// The priority of all that is measured; what is above it runs at once.
const PRIORITY: u8 = 10;

fn main(start: Start) -> u64 {
    let [role, word] = start.words;
    if role != 0 {
        partner::act(role, word);
    }
    let initrd = start.initrd.expect("an initrd");
    let files = Files::new(&initrd).expect("its files");
    let options = Options { priority: PRIORITY, ..Options::default() };
    let meter = spawn(options, move || {
        if rt::machine().cpus() != Ok(1) {
            println!("the figures mean nothing with more than one CPU");
        }
        all(&Bench { file: files.program("bench").expect("this program") });
    });
    meter.expect("a thread").join();
    0
}

fn all(bench: &Bench) {
    figure("null-call", ROUNDS, || time(null::<Real>) - time(null::<Without>));
    ipc::figures(bench);
    traps::figures(bench);
    memory::figures();
    threads::figures();
}

#[inline(never)]
fn null<W: Way>() {
    for _ in 0..ROUNDS {
        W::call(Call::Null, &mut registers([]));
    }
}
