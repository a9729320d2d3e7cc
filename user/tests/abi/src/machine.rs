//! Calls about nothing, time, and the machine.

use crate::Test;
use crate::check::{self, call, fails, holds, same, works};
use crate::support::{KERNEL, LAST_PAGE, NOWHERE, World};
use rt::abi::{CALLS, Call, Error, MemoryRights, PAGE, USER_END};
use rt::arch::syscall;
use rt::{Memory, Object, println};

pub const TESTS: &[Test] = &[
    ("null-yield-clock", nothing),
    ("no-such-call", no_such_call),
    ("log", log),
    ("log-read", log_read),
    ("machine-info", info),
    ("command-line", command_line),
    ("power", power),
    ("translation", translation),
];

/// What only the first process has: the device tree, to be read and passed on.
pub fn first_process((memory, at): &(Memory, u64)) -> u64 {
    let before = check::failures();
    let mut magic = [0; 4];
    same(memory.read(*at, &mut magic), Ok(()));
    same(magic, [0xd0, 0x0d, 0xfe, 0xed]);
    fails(call(Call::MemoryWrite, &[memory.raw(), 0, magic.as_ptr() as u64, 4]), Error::NoRight);
    let rights = MemoryRights::READ | MemoryRights::DUPLICATE | MemoryRights::TRANSFER;
    same(works(call(Call::HandleInfo, &[memory.raw()]))[2], rights.bits().into());
    println!("test firmware: {}", if check::failures() == before { "ok" } else { "FAILED" });
    0
}

fn nothing(_: &World) {
    works(call(Call::Null, &[]));
    works(call(Call::Yield, &[]));
    let first = works(call(Call::Clock, &[]))[1];
    let second = works(call(Call::Clock, &[]))[1];
    holds(first > 0 && second >= first);
    // What is no result keeps its value.
    let out = works(call(Call::Null, &[1, 2, 3, 4, 5, 6, 7, 8]));
    same(out[1..8].to_vec(), [2, 3, 4, 5, 6, 7, 8].to_vec());
}

fn no_such_call(_: &World) {
    for number in [CALLS.len() as u64, 1000, rt::abi::NATIVE - 1] {
        let mut registers = [0; 10];
        // SAFETY: there is no such call, so it does nothing.
        unsafe { syscall(number, &mut registers) };
        same(Error::check(registers[0]), Err(Error::NoSuchCall));
    }
}

fn log(_: &World) {
    let machine = rt::machine().raw();
    let text = "a line of the test's own";
    let at = text.as_ptr() as u64;
    works(call(Call::Log, &[machine, at, text.len() as u64]));
    works(call(Call::Log, &[machine, at, 0]));
    fails(call(Call::Log, &[machine, at, 241]), Error::Invalid);
    fails(call(Call::Log, &[machine, at, u64::MAX]), Error::Invalid);
    for address in [NOWHERE, KERNEL, u64::MAX - 3, USER_END - 4] {
        fails(call(Call::Log, &[machine, address, 8]), Error::BadAddress);
    }
}

fn log_read(_: &World) {
    let machine = rt::machine().raw();
    let read = |from, at, length| works(call(Call::LogRead, &[machine, from, at, length]));
    let mut piece = [0; 300];
    let at = piece.as_mut_ptr() as u64;
    // Its end, and the line that is written there.
    let [_, count, end, ..] = read(u64::MAX, at, 300);
    same(count, 0);
    let line = "a line to be read again";
    works(call(Call::Log, &[machine, line.as_ptr() as u64, line.len() as u64]));
    let [_, count, from, ..] = read(end, at, 300);
    same(from, end);
    let text = str::from_utf8(&piece[..count as usize]).unwrap_or("");
    holds(text.contains(line) && text.ends_with('\n'));
    // The oldest that is kept, as much as goes at once.
    let [_, count, from, ..] = read(0, at, 300);
    holds(count == 240 && from < end);
    same(read(from + 7, at, 3)[1..3].to_vec(), [3, from + 7].to_vec());
    same(read(0, NOWHERE, 0)[1], 0);
    for address in [NOWHERE, KERNEL, u64::MAX - 1] {
        fails(call(Call::LogRead, &[machine, 0, address, 16]), Error::BadAddress);
    }
}

fn info(_: &World) {
    let machine = rt::machine().raw();
    let [_, total, free, ..] = works(call(Call::MachineInfo, &[machine, 0]));
    holds(free > 0 && free < total);
    let [_, cpus, ..] = works(call(Call::MachineInfo, &[machine, 1]));
    holds((1..=8).contains(&cpus));
    for which in [1000, u64::MAX] {
        fails(call(Call::MachineInfo, &[machine, which]), Error::Invalid);
    }
}

fn command_line(_: &World) {
    let machine = rt::machine().raw();
    let mut line = [0; 512];
    let at = line.as_mut_ptr() as u64;
    let length = works(call(Call::CommandLine, &[machine, at, 512]))[1] as usize;
    let whole = str::from_utf8(&line[..length.min(512)]).unwrap_or("");
    holds(whole.contains("run=abitest"));
    line[3] = b'#';
    same(works(call(Call::CommandLine, &[machine, at, 3]))[1], 3);
    same(line[3], b'#');
    for address in [NOWHERE, KERNEL, u64::MAX - 1] {
        fails(call(Call::CommandLine, &[machine, address, 512]), Error::BadAddress);
    }
}

fn power(_: &World) {
    for how in [5, u64::MAX] {
        fails(call(Call::Power, &[rt::machine().raw(), how]), Error::Invalid);
    }
}

fn translation(_: &World) {
    let (machine, process) = (rt::machine().raw(), rt::process().raw());
    let here = call as fn(Call, &[u64]) -> _ as usize as u64;
    let out = works(call(Call::Translation, &[machine, process, here]));
    holds(out[1] != 0 && out[4] != 0);
    let out = works(call(Call::Translation, &[machine, process, LAST_PAGE - PAGE]));
    same(out[4], 0);
    for address in [USER_END, KERNEL, u64::MAX] {
        fails(call(Call::Translation, &[machine, process, address]), Error::BadAddress);
    }
}
