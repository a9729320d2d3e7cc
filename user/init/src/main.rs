//! The first process: starts the program that the command line names and the drivers that it speaks
//! to, waits for its end, and ends the machine with a status that says how it went.
#![no_std]
#![no_main]

use rt::abi::{
    ANY_CPU, COOPERATIVE, Error, FOREVER, MachineRights, POWER_FAILURE, POWER_SUCCESS, PRIORITIES,
    PortRights,
};
use rt::files::{Files, Words};
use rt::loader::Child;
use rt::{Port, Start, println, time};

/// What serves Linux programs, and what is there if they are.
const LINUX: &str = "posix";
const SHELL: &str = "bin/sh";
/// Programs that speak to the console's driver: the first of their words is a handle to its port.
const CLIENTS: [&str; 1] = [LINUX];
/// The console's driver: its program, what it may use, and how urgent it is.
const CONSOLE: &str = "console";
const CONSOLE_QUOTA: u64 = 1 << 20;
const CONSOLE_PRIORITY: u8 = 24;
/// Bytes that this process keeps beside the program that it starts: for the program's stack, and its own heap.
const KEPT: u64 = 384 << 10;
/// Messages of clients that may wait for it.
const CONSOLE_QUEUE: u64 = 4;

rt::entry!(main);

fn main(start: Start) -> u64 {
    let words = Words::read();
    let Some(name) = words.get("run").or_else(|| has_linux(&start).then_some(LINUX)) else {
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

/// Whether the initrd has Linux programs.
fn has_linux(start: &Start) -> bool {
    let files = start.initrd.as_ref().and_then(|initrd| Files::new(initrd).ok());
    files.is_some_and(|files| files.find(SHELL).is_some())
}

/// Starts a program with all that this process has, and waits for its exit code.
fn run(start: &Start, name: &str) -> Result<u64, Error> {
    let initrd = start.initrd.as_ref().ok_or(Error::NotFound)?;
    let files = Files::new(initrd)?;
    let file = files.program(name).ok_or(Error::NotFound)?;
    let console = if CLIENTS.contains(&name) { start_console(&files)? } else { None };
    let own = rt::process().info()?;
    let left = own.quota - own.used;
    // What is loaded is this process's own to pay for.
    let kept = (left / 8).max(file.len() as u64 + KEPT);
    let quota = left.checked_sub(kept).ok_or(Error::NoMemory)?;
    let mut child = Child::load(file, quota, PRIORITIES - 1)?
        .with_machine(&rt::machine(), MachineRights::all())?
        .with_initrd(initrd)?;
    if let Some((_, port)) = &console {
        let rights = PortRights::SEND | PortRights::SIGNAL | PortRights::TRANSFER;
        let handle = child.give(port.duplicate(rights)?)?;
        child = child.with_words([handle, 0]);
    }
    child.run(FOREVER)
}

/// Starts the console's driver, if there is one; the port where it is found.
fn start_console(files: &Files) -> Result<Option<(Child, Port)>, Error> {
    let Some(file) = files.program(CONSOLE) else { return Ok(None) };
    let port = Port::create(CONSOLE_QUEUE)?;
    let child = Child::load(file, CONSOLE_QUOTA, CONSOLE_PRIORITY)?
        .with_machine(&rt::machine(), MachineRights::DEVICES | MachineRights::LOG)?;
    let own = port.duplicate(PortRights::all() & !PortRights::DUPLICATE)?;
    let handle = child.give(own)?;
    let child = child.with_words([handle, 0]);
    // It does a bounded piece of work at a time: nobody needs to take turns with it.
    child.thread.schedule(CONSOLE_PRIORITY, COOPERATIVE, ANY_CPU)?;
    child.start()?;
    Ok(Some((child, port)))
}
