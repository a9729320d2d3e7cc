//! Random native calls: garbage, guessed handles, handles that are gone, addresses of the kernel's,
//! ranges that wrap, lengths near 2^64, pointers that are odd.
//!
//! The child counts in memory that it shares with its parent, and goes on from there when it is
//! started again: for it may well end itself, or wait for ever. It has no handle to that memory.

use crate::random::Random;
use crate::{Test, World, expect};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use rt::abi::{CALLS, Call, EXIT_FAULT, Error, MAP_WRITE, NOW, PAGE, USER_END};
use rt::arch::{DEADLINE, syscall};
use rt::object::State;
use rt::space::Mapping;
use rt::time::{MILLISECOND, SECOND, now, sleep};
use rt::{Memory, Object, Port, println};

pub const TESTS: &[Test] = &[("random-calls", random_calls)];

pub const ROLE: u64 = 999;

/// The exit code of a child that has made all its calls.
const DONE: u64 = 0xd0e;
/// A child that makes no call for so long is stuck, and is ended.
const STUCK: u64 = SECOND / 2;
/// Where the child finds what it shares with its parent.
const SHARED: u64 = 0x1234_5678_9000;
/// How often a child may end before its time.
const LIVES: u64 = 20_000;

/// What parent and child share.
struct Shared {
    count: AtomicU64,
    made: AtomicU64,
    seed: AtomicU64,
    refused: AtomicU64,
}

fn random_calls(world: &World) -> Result<(), Error> {
    let memory = Memory::create(1)?;
    let mapping = Mapping::new(&memory, 0, 1, MAP_WRITE)?;
    // SAFETY: it is mapped, zeroes are a value of it, and all in there is atomic.
    let shared = unsafe { &*mapping.pointer::<Shared>(0) };
    shared.count.store(world.count, Relaxed);
    shared.seed.store(world.seed, Relaxed);
    let (mut lives, mut stuck) = (0, 0);
    while shared.made.load(Relaxed) < world.count && lives < LIVES {
        lives += 1;
        let child = world.child(ROLE)?;
        child.process.map(&memory, SHARED, 0, 1, MAP_WRITE)?;
        child.start()?;
        stuck += u64::from(watch(&child, shared)?);
        let info = child.process.info()?;
        if info.code == DONE && info.state == State::Ended {
            break;
        }
    }
    let (made, refused) = (shared.made.load(Relaxed), shared.refused.load(Relaxed));
    println!("  {made} calls, {refused} refused; {lives} lives, {stuck} of them stuck");
    // If hardly any call were refused, or all were, they would not be what they should.
    expect("whether calls were refused", u64::from(refused > made / 2 && refused < made), 1)?;
    expect("the number of calls", made, world.count)
}

/// Waits for the end of a child, which is brought about if nothing else happens. Whether it was.
fn watch(child: &rt::loader::Child, shared: &Shared) -> Result<bool, Error> {
    let port = Port::create(0)?;
    child.process.watch(&port, 1)?;
    let (mut last, mut stuck) = (u64::MAX, false);
    while child.process.info()?.state != State::Ended {
        if port.receive(now() + STUCK) == Err(Error::TimedOut) {
            let made = shared.made.load(Relaxed);
            if made == last {
                child.process.kill(EXIT_FAULT)?;
                stuck = true;
                sleep(MILLISECOND);
            }
            last = made;
        }
    }
    Ok(stuck)
}

/// What the child does.
pub fn act() -> u64 {
    // SAFETY: the parent has mapped it there.
    let shared = unsafe { &*(SHARED as *const Shared) };
    let Ok(arena) = Mapping::fresh(16, MAP_WRITE) else { return 1 };
    let mut hostile = Hostile::new(shared, &arena);
    while shared.made.fetch_add(1, Relaxed) < shared.count.load(Relaxed) {
        hostile.call();
    }
    shared.made.fetch_sub(1, Relaxed);
    DONE
}

/// A program that has only bad ideas.
struct Hostile<'a> {
    shared: &'a Shared,
    random: Random,
    arena: (u64, u64),
    /// Handles it has, had, or was given as results.
    handles: [u64; 32],
}

impl Hostile<'_> {
    fn new<'a>(shared: &'a Shared, arena: &Mapping) -> Hostile<'a> {
        let mut random = Random(shared.seed.load(Relaxed) ^ shared.made.load(Relaxed) << 32);
        let mut handles = core::array::from_fn(|_| random.next());
        let first = [
            rt::process().raw(),
            rt::machine().raw(),
            Port::create(4).map_or(0, Port::into_raw),
            Port::create(0).map_or(0, Port::into_raw),
            Memory::create(4).map_or(0, Memory::into_raw),
        ];
        handles[..first.len()].copy_from_slice(&first);
        Hostile { shared, random, arena: (arena.address(), arena.end()), handles }
    }

    /// Makes a call, and keeps what comes out of it for the next.
    fn call(&mut self) {
        let number = self.number();
        let mut registers = core::array::from_fn(|_| self.argument());
        // Most calls are about a handle; and only a few waits are long.
        if self.random.below(4) > 0 {
            registers[0] = self.handle();
        }
        registers[DEADLINE] = if self.random.below(8) > 0 { NOW } else { self.deadline() };
        // SAFETY: none. It may destroy this process, and must destroy nothing else.
        unsafe { syscall(number, &mut registers) };
        match Error::check(registers[0]) {
            Err(_) => _ = self.shared.refused.fetch_add(1, Relaxed),
            Ok(_) => {
                let place = 6 + self.random.below(26) as usize;
                self.handles[place] = registers[1];
            }
        }
    }

    /// Which call: most often one that there is, and none that only ends this program.
    fn number(&mut self) -> u64 {
        // On x86-64 what is larger is a foreign call, which nobody handles: the end.
        const LAST: u64 = if cfg!(target_arch = "x86_64") { rt::abi::NATIVE - 1 } else { u64::MAX };
        loop {
            let number = match self.random.below(50) {
                0 => self.random.next() & LAST,
                1 => LAST - self.random.below(4),
                _ => self.random.below(CALLS.len() as u64),
            };
            let ends = [Call::Exit, Call::ThreadExit].map(|call| call as u64);
            if !ends.contains(&number) {
                return number;
            }
        }
    }

    fn handle(&mut self) -> u64 {
        let known = self.handles;
        match self.random.below(8) {
            0 => self.random.next(),
            1 => self.random.below(64) | self.random.below(8) << 32,
            // A little beside one that there is or was.
            2 => self.random.choose(&known) ^ 1 << self.random.below(64),
            _ => self.random.choose(&known),
        }
    }

    fn argument(&mut self) -> u64 {
        const EDGES: [u64; 16] = [
            0,
            1,
            2,
            PAGE - 1,
            PAGE,
            PAGE + 1,
            0x20_0000,
            USER_END - 1,
            USER_END,
            0x8000_0000_0000,
            0xffff_8000_0000_0000,
            0xffff_ffff_8000_0000,
            u64::MAX - PAGE,
            u64::MAX - 7,
            u64::MAX,
            1 << 63,
        ];
        let (start, end) = self.arena;
        match self.random.below(10) {
            0 => self.random.next(),
            1 | 2 => self.random.choose(&EDGES),
            3 => self.handle(),
            4 => self.random.below(256),
            5 => self.random.below(64) * PAGE,
            6 => self.random.next() >> self.random.below(64),
            7 => 1 << self.random.below(64),
            8 => start + self.random.below(end - start),
            _ => start + self.random.below(16) * PAGE,
        }
    }

    fn deadline(&mut self) -> u64 {
        match self.random.below(200) {
            0 => self.random.next(),
            _ => now() + self.random.below(MILLISECOND / 10),
        }
    }
}
