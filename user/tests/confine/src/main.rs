//! A hostile program, which must hurt only itself.
//!
//! This process is the parent: it starts children that do their worst, with no more authority than
//! any program has, and then looks whether all is as it was. `count=` on the command line says how
//! many random calls are made, `seed=` which.
#![no_std]
#![no_main]

extern crate alloc;

mod bombs;
mod calls;
mod crimes;
mod random;

use rt::abi::{Error, FOREVER, MachineRights};
use rt::files::{Files, Words};
use rt::loader::Child;
use rt::{Start, println};

rt::entry!(main);

/// Random calls, where the command line does not say how many.
const COUNT: u64 = 1_000_000;
const SEED: u64 = 1;

/// What a child may use.
const QUOTA: u64 = 4 << 20;

/// What the tests need.
pub struct World<'a> {
    file: &'a [u8],
    count: u64,
    seed: u64,
}

/// A test: its name, and why it failed if it did.
type Test = (&'static str, fn(&World) -> Result<(), Error>);

const TESTS: &[&[Test]] = &[crimes::TESTS, bombs::TESTS, calls::TESTS];

fn main(start: Start) -> u64 {
    let [role, word] = start.words;
    match role {
        0 => {}
        calls::ROLE => return calls::act(),
        bombs::ROLE.. => return bombs::act(role, word),
        crime => return crimes::act(crime),
    }
    let words = Words::read();
    let initrd = start.initrd.expect("an initrd");
    let files = Files::new(&initrd).expect("its files");
    let world = World {
        file: files.program("confine").expect("this program"),
        count: words.number("count").unwrap_or(COUNT),
        seed: words.number("seed").unwrap_or(SEED),
    };
    let mut failed = 0;
    for (name, test) in TESTS.iter().copied().flatten() {
        match test(&world) {
            Ok(()) => println!("test {name}: ok"),
            Err(error) => {
                println!("test {name}: FAILED, {error:?}");
                failed += 1;
            }
        }
    }
    failed
}

impl World<'_> {
    /// A child that may read figures of the machine and nothing else.
    fn child(&self, role: u64) -> Result<Child, Error> {
        let rights = MachineRights::INSPECT;
        let child = Child::load(self.file, QUOTA, 20)?.with_machine(&rt::machine(), rights)?;
        Ok(child.with_words([role, 0]))
    }

    /// Runs a child, and says whether it ended with this code.
    fn ends_with(&self, role: u64, code: u64) -> Result<(), Error> {
        expect("the child's exit code", self.child(role)?.run(FOREVER)?, code)
    }
}

/// Fails, and says why, where a value is not what it should be.
fn expect(what: &str, got: u64, wanted: u64) -> Result<(), Error> {
    if got == wanted {
        return Ok(());
    }
    println!("  {what} is {got:#x} and not {wanted:#x}");
    Err(Error::Invalid)
}
