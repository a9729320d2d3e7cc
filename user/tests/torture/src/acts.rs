//! What a thread does, by turns. Whatever is refused is refused: what counts is what is left at the end.

use crate::random::Random;
use crate::stage::{DROP, lend};
use rt::abi::{
    ANY_CPU, Error, FOREVER, MAP_SHARED, MAP_WRITE, MemoryRights, NOW, PAGE, PortRights,
    ProcessRights, THREAD_START,
};
use rt::object::{State, close};
use rt::space::Mapping;
use rt::thread::{Options, SLICE, spawn};
use rt::time::{MILLISECOND, nap, now, sleep, yield_now};
use rt::{Memory, Message, Port, Process, Thread, Timer};

/// How long to wait for what may never come.
const SOON: u64 = 2 * MILLISECOND;
/// How long a copy stays that nobody kills.
const LINGER: u64 = 50 * MILLISECOND;
/// Priorities of what never ends by itself: below those of whoever is to end it.
const LOW: u64 = 10;

type Act = fn(&mut Random, &[Port; 2]) -> Result<(), Error>;

const ACTS: &[Act] = &[
    thread_that_ends,
    thread_that_is_killed,
    thread_that_moves,
    process_that_faults,
    process_that_is_killed,
    process_that_exits,
    calls,
    call_that_gives_up,
    call_that_is_dropped,
    messages,
    handles_on_the_way,
    pages,
    clones,
    timers,
];

/// Does one of the acts.
pub fn one(random: &mut Random, servers: &[Port; 2]) {
    let act = ACTS[random.below(ACTS.len() as u64) as usize];
    // Out of memory, or out of time: both may be.
    let _ = act(random, servers);
}

fn thread_that_ends(random: &mut Random, _: &[Port; 2]) -> Result<(), Error> {
    let yields = random.below(5);
    let run = move || (0..yields).for_each(|_| yield_now());
    spawn(Options { priority: 9, fpu: random.below(2) == 0, ..Options::default() }, run)?.join();
    Ok(())
}

extern "C" fn spin() -> ! {
    loop {
        core::hint::spin_loop();
    }
}

extern "C" fn wait() -> ! {
    rt::time::sleep_for_ever()
}

/// A thread that will never end by itself, on a stack of its own.
fn endless(random: &mut Random) -> Result<(Thread, Mapping), Error> {
    let stack = Mapping::fresh(2, MAP_WRITE)?;
    let entry = if random.below(2) == 0 { spin } else { wait } as extern "C" fn() -> !;
    let flags = THREAD_START | random.below(LOW);
    let entry = entry as usize as u64;
    Ok((Thread::create(&rt::process(), entry, stack.end() - 8, 0, 0, flags)?, stack))
}

fn thread_that_is_killed(random: &mut Random, _: &[Port; 2]) -> Result<(), Error> {
    let (thread, stack) = endless(random)?;
    for _ in 0..random.below(4) {
        match random.below(4) {
            0 => thread.suspend()?,
            1 => thread.resume()?,
            2 => drop(thread.cancel()),
            _ => yield_now(),
        }
    }
    thread.kill()?;
    // Its stack may go before it has: then it faults, and nobody is to notice.
    while thread.info().is_ok_and(|info| info.state != rt::object::ThreadState::Ended) {
        nap();
    }
    drop(stack);
    Ok(())
}

fn thread_that_moves(random: &mut Random, _: &[Port; 2]) -> Result<(), Error> {
    let (thread, stack) = endless(random)?;
    for _ in 0..random.below(8) {
        // A CPU that is not there is refused.
        let _ = thread.schedule(random.below(LOW) as u8, SLICE, 1 << random.below(8));
        let _ = thread.schedule(random.below(LOW) as u8, MILLISECOND, ANY_CPU);
    }
    thread.kill()?;
    while thread.info().is_ok_and(|info| info.state != rt::object::ThreadState::Ended) {
        nap();
    }
    drop(stack);
    Ok(())
}

/// Where a copy of this process has its stack.
const STACK: u64 = 0x6000_0000;

/// A copy of this process, with a thread that begins somewhere.
fn copy(entry: u64, argument: u64, random: &mut Random) -> Result<Process, Error> {
    let process = Process::create(8 << 20, 9)?;
    let started = process.clone_space(&rt::process()).and_then(|()| {
        process.map(&Memory::create(2)?, STACK, 0, 2, MAP_WRITE | MAP_SHARED)?;
        let flags = THREAD_START | random.below(LOW);
        Thread::create(&process, entry, STACK + 2 * PAGE - 8, argument, 0, flags)
    });
    if started.is_err() {
        process.kill(0)?;
    }
    started.map(|_| process)
}

fn await_end(process: &Process) -> Result<u64, Error> {
    let port = Port::create(0)?;
    process.watch(&port, 1)?;
    while process.info()?.state != State::Ended {
        port.receive(FOREVER)?;
    }
    Ok(process.info()?.code)
}

fn process_that_faults(random: &mut Random, _: &[Port; 2]) -> Result<(), Error> {
    let entry = [0, PAGE, STACK][random.below(3) as usize];
    let process = copy(entry, 0, random)?;
    await_end(&process).map(|_| ())
}

/// What a copy does until it is killed: not for ever, for whoever was to kill it may be killed first.
extern "C" fn spin_on() -> ! {
    let end = now() + LINGER;
    while now() < end {}
    rt::exit(0)
}

extern "C" fn wait_on() -> ! {
    sleep(LINGER);
    rt::exit(0)
}

fn process_that_is_killed(random: &mut Random, _: &[Port; 2]) -> Result<(), Error> {
    let entry = if random.below(2) == 0 { spin_on } else { wait_on } as extern "C" fn() -> !;
    let process = copy(entry as usize as u64, 0, random)?;
    sleep(random.below(MILLISECOND));
    process.kill(random.next())?;
    if random.below(2) == 0 {
        await_end(&process)?;
    }
    Ok(())
}

fn process_that_exits(random: &mut Random, _: &[Port; 2]) -> Result<(), Error> {
    extern "C" fn leave(code: u64) -> ! {
        rt::exit(code)
    }
    let entry = leave as extern "C" fn(u64) -> ! as usize as u64;
    let process = copy(entry, 42, random)?;
    let code = await_end(&process)?;
    assert_eq!(code, 42, "the exit code of a copy");
    Ok(())
}

fn calls(random: &mut Random, servers: &[Port; 2]) -> Result<(), Error> {
    for _ in 0..random.below(20) {
        let answer = servers[random.below(2) as usize].call(&Message::new(1), FOREVER)?;
        assert_eq!(answer.info.label(), 2, "the answer to a call");
    }
    Ok(())
}

fn call_that_gives_up(random: &mut Random, servers: &[Port; 2]) -> Result<(), Error> {
    let deadline = now() + random.below(MILLISECOND / 5);
    let memory = lend(Memory::create(1)?);
    match servers[random.below(2) as usize].call(&Message::new(1).handle(memory), deadline) {
        Ok(answer) => answer.handles().iter().for_each(|&handle| _ = close(handle)),
        // Whether it has gone or not: it is not kept.
        Err(_) => drop(close(memory)),
    }
    Ok(())
}

fn call_that_is_dropped(_: &mut Random, servers: &[Port; 2]) -> Result<(), Error> {
    let memory = lend(Memory::create(1)?);
    let dropped = servers[0].call(&Message::new(DROP).handle(memory), FOREVER);
    assert_eq!(dropped.err(), Some(Error::PeerGone), "the call that was dropped");
    Ok(())
}

fn messages(random: &mut Random, servers: &[Port; 2]) -> Result<(), Error> {
    for _ in 0..random.below(10) {
        let deadline = if random.below(2) == 0 { NOW } else { now() + SOON };
        let memory = lend(Memory::create(1)?);
        let server = &servers[random.below(2) as usize];
        if server.send(&Message::new(1).handle(memory), deadline).is_err() {
            close(memory)?;
        }
    }
    Ok(())
}

/// Handles of all kinds in a queue.
fn handles_on_the_way(random: &mut Random, _: &[Port; 2]) -> Result<(), Error> {
    let port = Port::create(8)?;
    let selves = random.below(2) == 0;
    for _ in 0..random.below(9) {
        let message = match random.below(3) {
            0 => Message::new(0).handle(lend(Memory::create(3)?)),
            1 if selves => Message::new(0).handle(lend(port.duplicate(PortRights::all())?)),
            _ => {
                let process = rt::process().duplicate(ProcessRights::all())?;
                Message::new(0).handle(lend(process)).handle(lend(Port::create(1)?))
            }
        };
        port.send(&message, NOW)?;
    }
    // With luck the port goes with some of them in it. A handle to the port itself would keep it for
    // as long as this process lives, so those are taken out.
    let all = selves || random.below(2) == 0;
    while let Some(received) = port.receive(NOW).ok().filter(|_| all) {
        received.handles().iter().for_each(|&handle| _ = close(handle));
    }
    Ok(())
}

fn pages(random: &mut Random, _: &[Port; 2]) -> Result<(), Error> {
    let count = 1 + random.below(40);
    let memory = Memory::create(count)?;
    let first = Mapping::new(&memory, 0, count, MAP_WRITE)?;
    let second = Mapping::new(&memory, 0, count, MAP_WRITE)?;
    for page in 0..count {
        // SAFETY: both are mapped for writing, and nobody else uses them.
        unsafe { first.pointer::<u64>(page * PAGE).write_volatile(page) };
        // SAFETY: as above.
        let seen = unsafe { second.pointer::<u64>(page * PAGE).read_volatile() };
        assert_eq!(seen, page, "one page at two addresses");
    }
    rt::process().protect(first.address(), 1 + random.below(count), 0)?;
    rt::process().unmap(first.address() + random.below(count) * PAGE, 1)?;
    memory.resize(1 + random.below(count))
}

fn clones(random: &mut Random, _: &[Port; 2]) -> Result<(), Error> {
    let memory = Memory::create(8)?;
    memory.write(random.below(8) * PAGE, b"original")?;
    let copy = memory.try_clone(0, 8)?;
    let grandchild = copy.try_clone(2, 4)?;
    let mapping = Mapping::new(&copy, 0, 8, MAP_WRITE)?;
    for page in 0..8 {
        // SAFETY: it is mapped for writing, and nobody else uses it.
        unsafe { mapping.pointer::<u64>(page * PAGE).write_volatile(!0) };
    }
    let mut word = [0; 8];
    grandchild.read(random.below(4) * PAGE, &mut word)?;
    assert!(word == [0; 8] || &word == b"original", "what a clone sees");
    drop(memory.duplicate(MemoryRights::READ)?);
    Ok(())
}

fn timers(random: &mut Random, _: &[Port; 2]) -> Result<(), Error> {
    let port = Port::create(0)?;
    let timer = Timer::create(&port, 1)?;
    timer.set(now() + random.below(MILLISECOND))?;
    if random.below(3) > 0 {
        port.receive(FOREVER)?;
    }
    Ok(())
}
