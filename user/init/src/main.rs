//! The first process: starts the program that the command line names and the console's driver, keeps that
//! running, waits for the program's end, and ends the machine with a status that says how it went.
#![no_std]
#![no_main]

mod console;
mod rtc;

use console::Console;
use rt::abi::{
    Arrival, Error, FOREVER, Handle, MachineRights, POWER_FAILURE, POWER_SUCCESS, PRIORITIES,
    PortRights,
};
use rt::files::{Files, Words};
use rt::loader::Child;
use rt::message::Message;
use rt::object::{State, reply};
use rt::{Port, Start, println, time};

/// What serves Linux programs, and what is there if they are.
const LINUX: &str = "posix";
const SHELL: &str = "bin/sh";
/// Messages of programs that may wait.
const QUEUE: u64 = 4;
/// The signals of the ends of the program and of the console's driver.
const PROGRAM: u64 = 1;
const DRIVER: u64 = 2;
/// Bytes that this process keeps beside the program that it starts: for the program's stack, and its own heap.
const KEPT: u64 = 384 << 10;

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

/// Starts a program, and waits for its exit code.
fn run(start: &Start, name: &str) -> Result<u64, Error> {
    let initrd = start.initrd.as_ref().ok_or(Error::NotFound)?;
    let files = Files::new(initrd)?;
    let file = files.program(name).ok_or(Error::NotFound)?;
    let port = Port::create(QUEUE)?;
    let is_linux = name == LINUX;
    let mut console = if is_linux { Console::start(&files, &port, DRIVER)? } else { None };
    let own = rt::process().info()?;
    let left = own.quota - own.used;
    let rights = match is_linux {
        true => MachineRights::LOG | MachineRights::INSPECT,
        // It may be a test of all of it.
        false => MachineRights::all(),
    };
    // What is loaded is this process's own to pay for.
    let kept = (left / 8).max(file.len() as u64 + KEPT);
    let quota = left.checked_sub(kept).ok_or(Error::NoMemory)?;
    let mut child = Child::load(file, quota, PRIORITIES - 1)?
        .with_machine(&rt::machine(), rights)?
        .with_initrd(initrd)?;
    if is_linux {
        let keeper = if console.is_some() { give_keeper(&child, &port)? } else { 0 };
        child = child.with_words([keeper, rtc::read().unwrap_or(0)]);
    }
    child.process.watch(&port, PROGRAM)?;
    child.start()?;
    loop {
        let received = port.receive(FOREVER)?;
        let info = child.process.info()?;
        if info.state == State::Ended {
            return Ok(info.code);
        }
        let Some(console) = &mut console else { continue };
        if received.signals() & DRIVER != 0 {
            console.restart(&port, DRIVER)?;
        }
        if received.arrival == Arrival::Call {
            // A program that is gone needs no answer.
            let _ = reply(&console.connect(&received).unwrap_or(Message::new(0)));
        }
    }
}

/// Lets a program call whoever keeps the console's driver; its handle for that.
fn give_keeper(child: &Child, port: &Port) -> Result<Handle, Error> {
    child.give(port.duplicate(PortRights::SEND | PortRights::TRANSFER)?)
}
