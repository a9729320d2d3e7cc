//! A process that has used up its quota is told so by every call that would take more, and nothing
//! else happens to it.

use crate::Test;
use crate::check::{call, call_until, fails, same, works};
use crate::support::{World, actor, free_line, idle_thread, in_background, pages};
use rt::abi::{Call, Error, FOREVER, Info, Lease, MAP_WRITE, MemoryRights, PAGE, PortRights};
use rt::{Memory, Object, Port, Process, Thread};

pub const TESTS: &[Test] =
    &[("quota-used-up", used_up), ("give-to-the-poor", give), ("memory-of-the-machine", machine)];

pub const ROLE: u64 = 4;
const DONE: u64 = 5;
/// What the second process may use: its program, and some.
const LITTLE: u64 = 1 << 20;

fn used_up(world: &World) {
    let child = actor(world, ROLE, LITTLE).expect("a process");
    same(child.run(FOREVER), Ok(DONE));
}

/// What a process cannot pay for it is not given.
fn give(_: &World) {
    let poor = (1..64).find_map(|pages| Process::create(pages * PAGE, 5).ok());
    let poor = poor.expect("a process");
    let memory = Memory::create(1).expect("a page");
    for _ in 0..1000 {
        let more = memory.duplicate(MemoryRights::all()).expect("a handle");
        if let Err(error) = call(Call::Give, &[poor.raw(), more.raw()]) {
            same(error, Error::NoMemory);
            // It is still here.
            works(call(Call::HandleInfo, &[more.raw()]));
            break;
        }
        core::mem::forget(more);
    }
    poor.kill(0).expect("its end");
}

/// More than the machine has cannot be had, whatever the quota.
fn machine(_: &World) {
    fails(call(Call::ProcessCreate, &[1 << 50, 5]), Error::NoMemory);
}

/// What the second process has ready before it is poor.
struct Means {
    untouched: Memory,
    mapped: rt::space::Mapping,
    port: Port,
    thread: Thread,
    split: rt::space::Mapping,
    empty: Process,
    full: Process,
    line: u64,
}

pub fn act() -> u64 {
    rt::println!("  a process becomes poor");
    touch_stack();
    let port = Port::create(1).expect("a port");
    let client = port.duplicate(PortRights::SEND).expect("a handle");
    let caller = in_background(move || {
        let (window, info) = ([0u8; 16], Info::new(0).with_leases(1).0);
        let (at, length) = (window.as_ptr() as u64, 16 | Lease::READ | Lease::WRITE);
        works(call_until(Call::Call, &[client.raw(), info, 0, 0, 0, 0, at, length], FOREVER));
    });
    works(call_until(Call::Receive, &[port.raw()], FOREVER));
    let full = (1..64).find_map(|pages| Process::create(pages * PAGE, 5).ok());
    let empty = (1..64).find_map(|pages| Process::create(pages * PAGE, 5).ok());
    let means = Means {
        untouched: Memory::create(8).expect("pages"),
        mapped: pages(8),
        port,
        thread: idle_thread(),
        split: pages(5),
        empty: empty.expect("a process"),
        full: full.expect("a process"),
        line: free_line().expect("a line"),
    };
    let pattern = Memory::create(64).expect("pages");
    for page in 0..64 {
        let at = 0x60_0000_0000 + page * 0x20_0000;
        // In the small process each of these takes tables of its own.
        let _ = means.full.map(&pattern, at, 0, 1, MAP_WRITE);
    }
    spend(&means);
    everything_is_refused(&means);
    works(call(Call::Reply, &[0]));
    caller.join();
    DONE
}

/// Has the pages that the stack may still need.
#[inline(never)]
fn touch_stack() {
    let room = [0u8; 40 << 10];
    core::hint::black_box(&room);
}

/// Uses the quota up, down to the smallest thing that it would pay for.
fn spend(means: &Means) {
    let memory = means.untouched.raw();
    let calls: [(Call, [u64; 3]); 5] = [
        (Call::MemoryContiguous, [rt::machine().raw(), 16, 0]),
        (Call::MemoryContiguous, [rt::machine().raw(), 1, 0]),
        (Call::PortCreate, [16, 0, 0]),
        (Call::PortCreate, [0, 0, 0]),
        (Call::Duplicate, [memory, u64::MAX, 0]),
    ];
    for (which, arguments) in calls {
        let refused = (0..100_000).find_map(|_| call(which, &arguments).err());
        same(refused, Some(Error::NoMemory));
    }
    // Regions cost less than handles, perhaps.
    let own = rt::process().raw();
    let refused = (0..100_000).find_map(|page| {
        let at = means.split.address() + (1 << 30) + 2 * page * PAGE;
        call(Call::Map, &[own, memory, at, 0, 1, 0]).err()
    });
    same(refused, Some(Error::NoMemory));
}

fn everything_is_refused(means: &Means) {
    let (own, machine) = (rt::process().raw(), rt::machine().raw());
    let (memory, port) = (means.untouched.raw(), means.port.raw());
    let thread = means.thread.raw();
    let (fresh, split) = (means.mapped.address(), means.split.address());
    let text = "sixteen letters.".as_ptr() as u64;
    let refused: &[(Call, &[u64])] = &[
        (Call::Log, &[machine, fresh, 16]),
        (Call::CommandLine, &[machine, fresh, 16]),
        (Call::LogRead, &[machine, 0, fresh, 16]),
        (Call::Duplicate, &[memory, u64::MAX, 0]),
        (Call::PortCreate, &[1]),
        (Call::ReplySave, &[]),
        (Call::LeaseRead, &[0, 0, 0, fresh, 16]),
        (Call::LeaseWrite, &[0, 0, 0, fresh, 16]),
        (Call::RegistersGet, &[thread, 0, fresh]),
        (Call::RegistersSet, &[thread, 0, fresh]),
        (Call::MemoryCreate, &[1]),
        (Call::MemoryContiguous, &[machine, 1]),
        (Call::MemoryWindow, &[machine, crate::devices::DEVICE, 1, 1]),
        (Call::MemoryClone, &[memory, 0, 1]),
        (Call::MemoryRead, &[memory, 0, fresh, 16]),
        (Call::MemoryWrite, &[memory, 0, text, 16]),
        (Call::Map, &[own, memory, split + (1 << 29), 0, 1, 0]),
        (Call::Unmap, &[own, split + 2 * PAGE, 1]),
        (Call::Protect, &[own, split + 2 * PAGE, 1, 0]),
        (Call::MemoryOf, &[own, fresh]),
        (Call::ProcessCreate, &[PAGE, 5]),
        (Call::SpaceClone, &[means.empty.raw(), own]),
        (Call::ProcessRead, &[own, text, fresh, 16]),
        (Call::ProcessWrite, &[own, fresh, text, 16]),
        (Call::ThreadCreate, &[own, 0x20_0000, 0x30_0000, 0, 0, 5]),
        (Call::InterruptCreate, &[machine, means.line, port, 1]),
        (Call::TimerCreate, &[port, 1]),
        #[cfg(target_arch = "x86_64")]
        (Call::IoCreate, &[machine, 0x80, 1]),
    ];
    for (which, arguments) in refused {
        let result = call(*which, arguments);
        if result.err() != Some(Error::NoMemory) {
            rt::println!("  {which:?} of the poor:");
        }
        fails(result, Error::NoMemory);
    }
    // What costs nothing still works.
    works(call(Call::Null, &[]));
    works(call(Call::HandleInfo, &[memory]));
}
