//! The first process: starts the program that the command line names, waits for its end, and ends
//! the machine with a status that says how it went.
#![no_std]
#![no_main]

use rt::abi::{Error, FOREVER, MachineRights, POWER_FAILURE, POWER_SUCCESS, PRIORITIES};
use rt::files::{Files, Words};
use rt::loader::Child;
use rt::{Start, println, time};

rt::entry!(main);

fn main(start: Start) -> u64 {
    let words = Words::read();
    let Some(name) = words.get("run") else {
        println!("init: nothing to do; the word run=NAME starts ochre/NAME");
        time::sleep_for_ever();
    };
    let how = match run(&start, name) {
        Ok(0) => POWER_SUCCESS,
        Ok(code) => {
            println!("init: {name} ended with code {code} ({code:#x})");
            POWER_FAILURE
        }
        Err(error) => {
            println!("init: {name} cannot be run: {error:?}");
            POWER_FAILURE
        }
    };
    let refused = rt::machine().power(how);
    println!("init: the machine does not switch off: {refused:?}");
    time::sleep_for_ever();
}

/// Starts a program with all that this process has, and waits for its exit code.
fn run(start: &Start, name: &str) -> Result<u64, Error> {
    let initrd = start.initrd.as_ref().ok_or(Error::NotFound)?;
    let files = Files::new(initrd)?;
    let file = files.program(name).ok_or(Error::NotFound)?;
    let own = rt::process().info()?;
    let left = own.quota - own.used;
    Child::load(file, left - left / 8, PRIORITIES - 1)?
        .with_machine(&rt::machine(), MachineRights::all())?
        .with_initrd(initrd)?
        .run(FOREVER)
}
