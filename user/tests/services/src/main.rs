//! Services that come to harm, and whoever looks what comes of it: the tests of the supervisor.
//!
//! The manifest beside this package has all of them, and says by a number which is which. It is run with
//! `services=services.test chaos`; with `end=wild` or `end=panic` the supervisor itself comes to harm.
#![no_std]
#![no_main]

extern crate alloc;

mod harm;
mod requests;
mod victim;

use rt::files::Words;
use rt::service::Grants;
use rt::{Start, println};
use services::Control;
use services::control::Operation;
use victim::Victim;

rt::entry!(main);

/// Why a test failed.
type Result = core::result::Result<(), &'static str>;
/// A test.
type Test = (&'static str, fn(&World) -> Result);

/// The log is quiet in the second half: nobody panics there.
const TESTS: [&[Test]; 2] = [harm::TESTS, requests::TESTS];

/// What the tests need.
pub struct World {
    grants: Grants,
    control: Control<'static>,
    victim: Victim,
    files: rt::files::Files,
}

/// Fails, and says why, unless something holds.
#[macro_export]
macro_rules! want {
    ($what:expr) => {
        if !$what {
            return Err(stringify!($what));
        }
    };
}

fn main(start: Start) -> u64 {
    let grants = Grants::read(&start);
    match grants.find_word("role") {
        Some(victim::HOPELESS) => panic!("there is no hope"),
        Some(_) => victim::serve(&grants),
        None => match Words::read().get("end") {
            Some(how) => end(&Control(grants.client("supervisor")), how),
            None => test(start, grants),
        },
    }
}

/// Ends the supervisor itself, and with that the machine; or says that it may not.
fn end(control: &Control<'_>, how: &str) -> u64 {
    println!("nothing has ended: {:?}", control.ask(Operation::Hurt, &["init", how]));
    0
}

/// Runs all tests; how many failed.
fn test(start: Start, grants: Grants) -> u64 {
    let initrd = start.initrd.expect("an initrd");
    let world = World {
        grants,
        control: Control(grants.client("supervisor")),
        victim: Victim(grants.client("victim")),
        files: rt::files::Files::new(&initrd).expect("its files"),
    };
    let mut failed = 0;
    for (name, test) in TESTS.iter().copied().flatten() {
        match test(&world) {
            Ok(()) => println!("test {name}: ok"),
            Err(why) => {
                println!("test {name}: FAILED, {why}");
                failed += 1;
            }
        }
    }
    failed
}
