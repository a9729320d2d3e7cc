//! Every call with every error, by a program that knows only the interface.
//!
//! Each test makes calls through [`check::call`], which takes down how they end. The last test holds
//! that against the table of calls: what it says that may happen and did not is a failure.
#![no_std]
#![no_main]

extern crate alloc;

mod check;
mod coverage;
mod devices;
mod faults;
mod foreign;
mod gone;
mod handles;
mod leases;
mod machine;
mod memory;
mod messages;
mod payers;
#[cfg(target_arch = "x86_64")]
mod pci;
mod poor;
mod processes;
mod registers;
mod spaces;
mod support;
mod threads;
mod waits;

use rt::files::{Files, Words};
use rt::{Memory, Object, Start, println};
use support::World;

rt::entry!(main);

type Test = (&'static str, fn(&World));

const TESTS: &[&[Test]] = &[
    machine::TESTS,
    handles::TESTS,
    messages::TESTS,
    waits::TESTS,
    leases::TESTS,
    memory::TESTS,
    spaces::TESTS,
    processes::TESTS,
    payers::TESTS,
    threads::TESTS,
    registers::TESTS,
    faults::TESTS,
    foreign::TESTS,
    gone::TESTS,
    devices::TESTS,
    #[cfg(target_arch = "x86_64")]
    pci::TESTS,
    poor::TESTS,
    coverage::TESTS,
];

fn main(start: Start) -> u64 {
    let [role, page] = start.words;
    if role != 0 {
        check::share(&Memory::from_raw(page));
        return act(role);
    }
    let page = Memory::create(1).expect("a page");
    check::share(&page);
    // In the place of `init` it is nobody's child.
    if let Some(firmware) = start.firmware.filter(|_| Words::read().get("init").is_some()) {
        return machine::first_process(&firmware);
    }
    let initrd = start.initrd.as_ref().expect("an initrd");
    let files = Files::new(initrd).expect("its files");
    let world = World { files: &files, page: &page };
    for (name, test) in TESTS.iter().copied().flatten() {
        let before = check::failures();
        test(&world);
        println!("test {name}: {}", if check::failures() == before { "ok" } else { "FAILED" });
    }
    u64::from(check::failures() != 0)
}

/// What a second process of this program does.
fn act(role: u64) -> u64 {
    match role {
        faults::ROLE => faults::act(),
        foreign::ROLE => foreign::act(),
        poor::ROLE => poor::act(),
        processes::ROLE => processes::act(),
        _ => 2,
    }
}
