//! Too much of everything: processes, threads, objects, pages, messages. A child gets as much as its
//! quota says, then `NoMemory`, and all of it is back when it has ended.

use crate::{Test, World, expect};
use rt::abi::{Error, FOREVER, MAP_WRITE, NOW, PAGE, PortRights, ProcessRights, THREAD_START};
use rt::loader::Child;
use rt::object::State;
use rt::space::Mapping;
use rt::time::{MILLISECOND, sleep};
use rt::{Memory, Message, Object, Port, Process, Thread};

pub const TESTS: &[Test] = &[
    ("fork-bomb", |world| bomb(world, FORK)),
    ("thread-bomb", |world| bomb(world, THREADS)),
    ("object-bomb", |world| bomb(world, OBJECTS)),
    ("page-bomb", |world| bomb(world, PAGES)),
    ("queue-flood", flood),
    ("call-and-die", call_and_die),
];

/// Roles, above those of all others.
pub const ROLE: u64 = 1000;
const FORK: u64 = ROLE;
const THREADS: u64 = ROLE + 1;
const OBJECTS: u64 = ROLE + 2;
const PAGES: u64 = ROLE + 3;
const FLOOD: u64 = ROLE + 4;
const CALLER: u64 = ROLE + 5;

/// The exit code of a bomb that was told that there is no more.
const ENOUGH: u64 = 0x600d;
/// Copies that the first process makes of itself at most, and each of the copies.
const COPIES: u64 = 1000;
const MORE_COPIES: u64 = 2;
/// Messages that the flooded port has room for.
const ROOM: u64 = 16;
/// Attempts to put more into it.
const ATTEMPTS: u64 = 10_000;

pub fn act(role: u64, word: u64) -> u64 {
    let ended = match role {
        FORK => fork(),
        THREADS => threads(),
        OBJECTS => objects(),
        PAGES => pages(),
        FLOOD => return pour(&Port::from_raw(word)),
        CALLER => return call_for_ever(Port::from_raw(word)),
        _ => return 1,
    };
    match ended {
        Error::NoMemory => ENOUGH,
        other => other as u64,
    }
}

fn bomb(world: &World, role: u64) -> Result<(), Error> {
    // What the kernel keeps for later it has after the first time.
    world.ends_with(role, ENOUGH)?;
    let before = settled()?;
    world.ends_with(role, ENOUGH)?;
    world.ends_with(role, ENOUGH)?;
    expect("what is used afterwards", settled()?, before)
}

/// Bytes that this process uses, when what has ended is gone: when they have not changed for a while.
fn settled() -> Result<u64, Error> {
    let (mut last, mut same) = (0, 0);
    while same < 10 {
        sleep(10 * MILLISECOND);
        let used = rt::process().info()?.used;
        same = if used == last { same + 1 } else { 0 };
        last = used;
    }
    Ok(last)
}

/// Copies of this process make copies of themselves: each gives half of what it has left, until
/// nothing is.
fn fork() -> Error {
    let Ok(stack) = Mapping::fresh(4, MAP_WRITE) else { return Error::Invalid };
    fork_from(&rt::process(), stack.end(), COPIES)
}

fn fork_from(own: &Process, stack: u64, copies: u64) -> Error {
    extern "C" fn entry(own: u64, _: u64, _: u64, _: u64) -> ! {
        let own = Process::from_raw(own);
        // The stack that this runs on, a copy of which serves the next as well.
        let here = core::hint::black_box(&own) as *const Process as u64;
        let _ = fork_from(&own, here.next_multiple_of(PAGE), MORE_COPIES);
        rt::exit(0)
    }
    let entry = entry as extern "C" fn(u64, u64, u64, u64) -> ! as usize as u64;
    let copy = || {
        let info = own.info()?;
        let process = Process::create((info.quota - info.used) / 2, 5)?;
        let copied = process.clone_space(own).and_then(|()| {
            let there = process.give(process.duplicate(ProcessRights::all())?)?;
            Thread::create(&process, entry, stack - 8, there, 0, THREAD_START | 5)
        });
        copied.inspect_err(|_| _ = process.kill(0)).map(|_| ())
    };
    // Copies that have ended make room for others: so not for ever.
    (0..copies).find_map(|_| copy().err()).unwrap_or(Error::Invalid)
}

fn threads() -> Error {
    // They share a stack, so none of them does anything with it. It is there for as long as they are.
    extern "C" fn spin() -> ! {
        loop {
            core::hint::spin_loop();
        }
    }
    let Ok(stack) = Mapping::fresh(4, MAP_WRITE) else { return Error::Invalid };
    let stack = core::mem::ManuallyDrop::new(stack);
    // The page that beginning to run may write to is there before the quota is used up.
    // SAFETY: the mapping is this function's own.
    unsafe { ((stack.end() - 8) as *mut u64).write_volatile(0) };
    let entry = spin as extern "C" fn() -> ! as usize as u64;
    loop {
        match Thread::create(&rt::process(), entry, stack.end() - 8, 0, 0, THREAD_START | 5) {
            Ok(thread) => _ = thread.into_raw(),
            Err(error) => return error,
        }
    }
}

fn objects() -> Error {
    loop {
        let made = Port::create(3).map(Port::into_raw).and_then(|port| {
            let port = core::mem::ManuallyDrop::new(Port::from_raw(port));
            rt::Timer::create(&port, 1).map(rt::Timer::into_raw)?;
            Memory::create(1).map(Memory::into_raw)?;
            port.duplicate(PortRights::all()).map(Port::into_raw)
        });
        if let Err(error) = made {
            return error;
        }
    }
}

fn pages() -> Error {
    let Ok(memory) = Memory::create(1 << 20) else { return Error::Invalid };
    let mut page = 0;
    loop {
        if let Err(error) = memory.write(page * PAGE, &[1]) {
            return error;
        }
        page += 1;
    }
}

/// A port is full when it is full, and what was in it is still there when its sender is gone.
fn flood(world: &World) -> Result<(), Error> {
    let port = Port::create(ROOM)?;
    let (child, _) = with_port(world, FLOOD, &port)?;
    expect("the messages it could send", child.run(FOREVER)?, ROOM)?;
    for number in 0..ROOM {
        expect("a message", port.receive(NOW)?.words[0], number)?;
    }
    expect("the rest", u64::from(port.receive(NOW) == Err(Error::TimedOut)), 1)
}

fn with_port(world: &World, role: u64, port: &Port) -> Result<(Child, u64), Error> {
    let child = world.child(role)?;
    let there = child.give(port.duplicate(PortRights::SEND | PortRights::TRANSFER)?)?;
    Ok((child.with_words([role, there]), there))
}

fn pour(port: &Port) -> u64 {
    let mut sent = 0;
    for _ in 0..ATTEMPTS {
        match port.send(&Message::new(1).words(&[sent]), NOW) {
            Ok(()) => sent += 1,
            Err(Error::Full) => {}
            Err(other) => return 1000 + other as u64,
        }
    }
    sent
}

/// A caller that is killed while it waits leaves nothing behind, and its server goes on.
fn call_and_die(world: &World) -> Result<(), Error> {
    let port = Port::create(0)?;
    for taken in [false, true] {
        let (child, _) = with_port(world, CALLER, &port)?;
        child.start()?;
        if taken {
            port.receive(FOREVER)?;
        } else {
            sleep(5 * MILLISECOND);
        }
        child.process.kill(9)?;
        expect("its exit code", child.wait(FOREVER)?, 9)?;
        let answer = rt::object::reply(&Message::new(0));
        expect("the answer", u64::from(answer == Err(Error::NotFound)), 1)?;
        let info = child.process.info()?;
        expect("its state", info.state as u64, State::Ended as u64)?;
    }
    Ok(())
}

fn call_for_ever(port: Port) -> u64 {
    loop {
        let _ = port.call(&Message::new(1), FOREVER);
    }
}
