//! Who pays: memory at another process's expense, quotas that change, and what is mapped where.

use crate::Test;
use crate::check::{call, fails, holds, same, works};
use crate::support::{NO_HANDLE, NOWHERE, QUOTA, World, empty_process, pages};
use rt::abi::{Call, Error, FOREVER, MAP_WRITE, MemoryRights, PAGE, ProcessRights};
use rt::object::State;
use rt::{Memory, Object, Port, Process};

pub const TESTS: &[Test] =
    &[("payer-of-memory", payer), ("process-quota", quota), ("memory-of", memory_of)];

fn payer(_: &World) {
    let (other, own) = (empty_process(), rt::process());
    let before = (used(&other), used(&own));
    let memory = Memory::from_raw(works(call(Call::MemoryCreate, &[8, other.raw()]))[1]);
    memory.write(0, b"x").expect("room");
    let copy = works(call(Call::MemoryClone, &[memory.raw(), 0, 8, other.raw()]))[1];
    holds(used(&other) >= before.0 + 2 * PAGE);
    // The handles are the caller's.
    holds(used(&own) < before.1 + PAGE);
    drop((Memory::from_raw(copy), memory));
    let memory = Memory::create(1).expect("a page");
    let narrow = other.duplicate(ProcessRights::all() & !ProcessRights::MANAGE).expect("a handle");
    let both = |payer| {
        [
            call(Call::MemoryCreate, &[1, payer]),
            call(Call::MemoryClone, &[memory.raw(), 0, 1, payer]),
        ]
    };
    for (payer, error) in [
        (NO_HANDLE, Error::BadHandle),
        (memory.raw(), Error::WrongKind),
        (narrow.raw(), Error::NoRight),
    ] {
        both(payer).into_iter().for_each(|result| fails(result, error));
    }
    end(&other);
    both(other.raw()).into_iter().for_each(|result| fails(result, Error::PeerGone));
}

fn quota(_: &World) {
    let (other, own) = (empty_process(), rt::process());
    let before = used(&own);
    works(call(Call::ProcessQuota, &[other.raw(), QUOTA + PAGE]));
    same(other.info().map(|info| info.quota), Ok(QUOTA + PAGE));
    same(used(&own), before + PAGE);
    let least = used(&other);
    fails(call(Call::ProcessQuota, &[other.raw(), least - 1]), Error::Invalid);
    works(call(Call::ProcessQuota, &[other.raw(), least]));
    same(Memory::create_for(&other, 1).err(), Some(Error::NoMemory));
    fails(call(Call::ProcessQuota, &[other.raw(), 1 << 50]), Error::NoMemory);
    // Nobody changes his own, nor that of one who has ended.
    fails(call(Call::ProcessQuota, &[own.raw(), QUOTA]), Error::Invalid);
    end(&other);
    fails(call(Call::ProcessQuota, &[other.raw(), QUOTA]), Error::Invalid);
}

fn memory_of(_: &World) {
    let other = empty_process();
    let memory = Memory::create(8).expect("pages");
    let at = pages(1).address();
    other.map(&memory, at, 2, 4, MAP_WRITE).expect("a mapping");
    let out = works(call(Call::MemoryOf, &[other.raw(), at + PAGE + 7]));
    same([out[2], out[3]], [3, 3]);
    Memory::from_raw(out[1]).write(3 * PAGE, b"there").expect("room");
    let mut text = [0; 5];
    other.read(at + PAGE, &mut text).expect("what is there");
    same(&text, b"there");
    // It allows no more than what is mapped.
    let readable = memory.duplicate(MemoryRights::READ).expect("a handle");
    other.map(&readable, at + 16 * PAGE, 0, 1, 0).expect("a mapping");
    let found = Memory::from_raw(works(call(Call::MemoryOf, &[other.raw(), at + 16 * PAGE]))[1]);
    same(found.write(0, b"x"), Err(Error::NoRight));
    for nothing in [NOWHERE, at + 4 * PAGE, u64::MAX] {
        fails(call(Call::MemoryOf, &[other.raw(), nothing]), Error::NotFound);
    }
    end(&other);
    fails(call(Call::MemoryOf, &[other.raw(), at]), Error::PeerGone);
}

fn used(process: &Process) -> u64 {
    process.info().expect("how it is").used
}

fn end(process: &Process) {
    let port = Port::create(0).expect("a port");
    process.watch(&port, 1).expect("a watch");
    process.kill(0).expect("its end");
    while process.info().map(|info| info.state) != Ok(State::Ended) {
        let _ = port.receive(FOREVER);
    }
}
