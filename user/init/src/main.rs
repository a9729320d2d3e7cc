//! # init: the first process
//!
//! It has everything there is to hand out, and hands it out: with the word `run=NAME` to one program, whose end it
//! waits for; otherwise to the services of a manifest, which it supervises from then on. It ends the machine with a
//! status that says how it went.
//!
//! * [`alone`]: one program that is given everything.
//! * [`device`]: what there is to drive.
//! * [`service`]: one service, and what it has. [`given`]: what it is given, when it starts.
//! * [`supervisor`]: all of them: what happens to them, and what comes of it.
//! * [`record`]: what is left of a life that went wrong. [`backtrace`]: the names of functions.
//! * [`guard`]: what happens should the supervisor itself end.
//! * [`control`]: what clients ask for. [`tables`]: the texts that they are told. [`mounts`]: services that are
//!   started because somebody asked. [`errand`]: questions to services, which may take their time. [`hurt`]: harm, for tests.
#![no_std]
#![no_main]

extern crate alloc;

mod alone;
mod backtrace;
mod control;
mod device;
mod errand;
mod given;
mod guard;
mod hurt;
mod mounts;
mod record;
mod service;
mod supervisor;
mod tables;

use alloc::boxed::Box;
use rt::abi::{POWER_FAILURE, POWER_SUCCESS};
use rt::files::{Files, Words};
use rt::{Error, Start, println, time};
use supervisor::Supervisor;

/// What serves Linux programs, and what is there if they are.
const LINUX: &str = "posix";
const SHELL: &str = "bin/sh";
/// The manifest.
const MANIFEST: &str = "services";

rt::entry!(main);

fn main(start: Start) -> u64 {
    let how = match begin(start) {
        Ok(how) => how,
        Err(error) => {
            println!("init: cannot begin: {error:?}");
            POWER_FAILURE
        }
    };
    let refused = rt::machine().power(how);
    println!("init: the machine does not switch off: {refused:?}");
    time::sleep_for_ever();
}

/// Does what the command line says, to the end; how the machine is to end.
fn begin(start: Start) -> Result<u64, Error> {
    let words = Words::read();
    let initrd = start.initrd.ok_or(Error::NotFound)?;
    let files: &'static Files = Box::leak(Box::new(Files::new(&initrd)?));
    if let Some(name) = words.get("run").filter(|&name| name != LINUX) {
        return Ok(alone::run(&initrd, &start.firmware, files, name));
    }
    let has_linux = words.get("run").is_some() || files.find(SHELL).is_some();
    let Some(manifest) = words.get(MANIFEST).or(has_linux.then_some(MANIFEST)) else {
        println!("init: nothing to do; the word run=NAME starts ochre/NAME");
        time::sleep_for_ever();
    };
    let Some(text) = files.program(manifest).and_then(|text| str::from_utf8(text).ok()) else {
        println!("init: there is no file ochre/{manifest}");
        return Ok(POWER_FAILURE);
    };
    match services::manifest::Manifest::parse(text) {
        Ok(manifest) => {
            let firmware = start.firmware;
            guard::begin(files)?;
            Ok(Supervisor::new(manifest, files, initrd, firmware, &words)?.run())
        }
        Err(wrong) => {
            println!("init: ochre/{manifest}, line {}: {}", wrong.line, wrong.why);
            Ok(POWER_FAILURE)
        }
    }
}

/// How the machine is to end when what it was started for has ended with an exit code.
fn status(name: &str, code: u64) -> u64 {
    if code == 0 {
        return POWER_SUCCESS;
    }
    println!("init: {name} ended with code {code} ({code:#x})");
    POWER_FAILURE
}
