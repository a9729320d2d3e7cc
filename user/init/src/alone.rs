//! One program that is given everything, such as a test of all of it.

use crate::status;
use rt::abi::{Error, FOREVER, MachineRights, POWER_FAILURE, PRIORITIES};
use rt::files::Files;
use rt::loader::Child;
use rt::{Memory, println};

/// Bytes that this process keeps beside the program that it starts: for the program's stack, and its own heap.
const KEPT: u64 = 384 << 10;

/// Starts a program, and waits for its end; how the machine is to end.
pub fn run(
    initrd: &(Memory, u64),
    firmware: &Option<(Memory, u64)>,
    files: &Files,
    name: &str,
) -> u64 {
    match wait(initrd, firmware, files, name) {
        Ok(code) => status(name, code),
        Err(error) => {
            println!("init: {name} cannot be run: {error:?}");
            POWER_FAILURE
        }
    }
}

fn wait(
    initrd: &(Memory, u64),
    firmware: &Option<(Memory, u64)>,
    files: &Files,
    name: &str,
) -> Result<u64, Error> {
    let program = files.program(name).ok_or(Error::NotFound)?;
    let child = Child::load(program, rest(program.len())?, PRIORITIES - 1)?
        .with_machine(&rt::machine(), MachineRights::all())?
        .with_initrd(initrd)?;
    let child = match firmware {
        Some(firmware) => child.with_firmware(firmware)?,
        None => child,
    };
    child.run(FOREVER)
}

/// The quota of what gets all that is left, and whose file is so long: what is loaded is this process's own to
/// pay for, and so is what it keeps for others.
pub fn rest(length: usize) -> Result<u64, Error> {
    let own = rt::process().info()?;
    let left = own.quota - own.used;
    let kept = (left / 8).max(length as u64 + KEPT);
    left.checked_sub(kept).ok_or(Error::NoMemory)
}
