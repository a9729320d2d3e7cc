//! What all handles have in common; and for every argument that is a handle, what happens if it is
//! none, is to an object of another kind, lacks the right.

use crate::Test;
use crate::check::{call, fails, holds, same, works};
use crate::support::{NO_HANDLE, World, bury, empty_process, specimen};
use alloc::vec::Vec;
use rt::abi::{Argument, CALLS, Call, Error, Kind, MemoryRights, PortRights, Row};
use rt::{Memory, Object, Port};

pub const TESTS: &[Test] = &[
    ("close", close),
    ("duplicate", duplicate),
    ("handle-info", info),
    ("handle-of", handle_of),
    ("give", give),
    ("bad-handles", bad_handles),
];

const KINDS: [Kind; 8] = [
    Kind::Process,
    Kind::Thread,
    Kind::Port,
    Kind::Memory,
    Kind::Interrupt,
    Kind::Timer,
    Kind::Machine,
    Kind::IoPorts,
];

fn close(_: &World) {
    let port = Port::create(0).expect("a port").into_raw();
    works(call(Call::Close, &[port]));
    for handle in [port, 0, NO_HANDLE, u64::MAX, 1, 1 << 32] {
        fails(call(Call::Close, &[handle]), Error::BadHandle);
    }
    // Another object in the same place does not answer to the old handle.
    let ports: [Port; 8] = core::array::from_fn(|_| Port::create(0).expect("a port"));
    holds(ports.iter().all(|one| one.raw() != port));
    fails(call(Call::Close, &[port]), Error::BadHandle);
}

fn duplicate(_: &World) {
    let memory = Memory::create(1).expect("a page");
    let read = u64::from(MemoryRights::READ.bits());
    let weak = works(call(Call::Duplicate, &[memory.raw(), read, 0]))[1];
    same(works(call(Call::HandleInfo, &[weak]))[2], read);
    // Less cannot become more.
    fails(call(Call::Duplicate, &[weak, u64::MAX, 0]), Error::NoRight);
    let again = u64::from((MemoryRights::READ | MemoryRights::DUPLICATE).bits());
    let second = works(call(Call::Duplicate, &[memory.raw(), again, 0]))[1];
    let third = works(call(Call::Duplicate, &[second, u64::MAX, 0]))[1];
    same(works(call(Call::HandleInfo, &[third]))[2], again);
    for handle in [weak, second, third] {
        works(call(Call::Close, &[handle]));
    }
    works(call(Call::MemoryInfo, &[memory.raw()]));
    for handle in [third, 0, NO_HANDLE] {
        fails(call(Call::Duplicate, &[handle, u64::MAX, 0]), Error::BadHandle);
    }
    badges();
}

/// Who receives chooses the badge; who sends does not.
fn badges() {
    let port = Port::create(1).expect("a port");
    let rights = PortRights::SEND | PortRights::DUPLICATE;
    let badged = port.badged(rights, 77).expect("a badge");
    same(works(call(Call::HandleInfo, &[badged.raw()]))[3], 77);
    let forged = works(call(Call::Duplicate, &[badged.raw(), u64::MAX, 78]))[1];
    same(works(call(Call::HandleInfo, &[forged]))[3], 77);
    works(call(Call::Close, &[forged]));
}

fn info(_: &World) {
    for kind in KINDS {
        if let Some(handle) = specimen(kind) {
            let out = works(call(Call::HandleInfo, &[handle]));
            same(out[1], kind as u64);
            holds(out[2] != 0);
            bury(kind, handle);
            fails(call(Call::HandleInfo, &[handle]), Error::BadHandle);
        }
    }
}

fn handle_of(_: &World) {
    let process = empty_process();
    fails(call(Call::HandleOf, &[process.raw(), 0]), Error::NotFound);
    let port = Port::create(1).expect("a port");
    let badged =
        port.badged(PortRights::SEND | PortRights::TRANSFER, 77).expect("a badge").into_raw();
    let rights = MemoryRights::READ | MemoryRights::TRANSFER;
    let memory = Memory::create(1).and_then(|it| it.duplicate(rights)).expect("memory").into_raw();
    let given = [badged, memory].map(|handle| works(call(Call::Give, &[process.raw(), handle]))[1]);
    works(call(Call::HandleOf, &[process.raw(), 0]));
    let mut found: Vec<_> = process.handles().collect();
    found.sort_by_key(|held| held.kind);
    same(found.iter().map(|held| held.handle).collect::<Vec<_>>(), given.to_vec());
    let seen = found.iter().map(|held| (held.kind, held.rights, held.badge));
    let port_rights = (PortRights::SEND | PortRights::TRANSFER).bits();
    let expected = [(Kind::Port as u64, port_rights, 77), (Kind::Memory as u64, rights.bits(), 0)];
    same(seen.collect::<Vec<_>>(), expected.to_vec());
    // The same object, whoever has a handle to it; and no other.
    let own: Vec<_> = rt::process().handles().collect();
    let mine = own.iter().find(|held| held.handle == port.raw()).map(|held| held.object);
    same(mine, Some(found[0].object));
    same(own.iter().filter(|held| held.kind == 3 && Some(held.object) == mine).count(), 1);
    for place in [1 << 20, 1 << 32, u64::MAX] {
        fails(call(Call::HandleOf, &[process.raw(), place]), Error::NotFound);
    }
    process.kill(0).expect("its end");
    fails(call(Call::HandleOf, &[process.raw(), 0]), Error::NotFound);
}

fn give(_: &World) {
    let process = empty_process();
    let memory = Memory::create(1).expect("a page");
    let stays = memory.duplicate(MemoryRights::READ).expect("a handle");
    fails(call(Call::Give, &[process.raw(), stays.raw()]), Error::NoRight);
    for handle in [0, NO_HANDLE] {
        fails(call(Call::Give, &[process.raw(), handle]), Error::BadHandle);
    }
    let moves = memory.duplicate(MemoryRights::all()).expect("a handle").into_raw();
    let there = works(call(Call::Give, &[process.raw(), moves]))[1];
    holds(there != 0);
    fails(call(Call::HandleInfo, &[moves]), Error::BadHandle);
    fails(call(Call::HandleInfo, &[there]), Error::BadHandle);
    process.kill(0).expect("its end");
}

/// Every argument of every call that is a handle, by the table.
fn bad_handles(_: &World) {
    for row in CALLS {
        for (place, argument) in row.arguments.iter().enumerate() {
            if let Argument::Object(kind, _) = *argument {
                bad_handle(row, place, kind);
            }
        }
    }
}

fn bad_handle(row: &Row, place: usize, kind: Kind) {
    // All other handles are good ones, so that only this can be what is wrong.
    let mut arguments = [0; 8];
    for (at, argument) in row.arguments.iter().enumerate() {
        if let Argument::Object(kind, _) = *argument
            && at != place
        {
            let Some(handle) = specimen(kind) else { return };
            arguments[at] = handle;
        }
    }
    let mut attempt = |handle, wanted| {
        arguments[place] = handle;
        let result = call(row.call, &arguments);
        if result.err() != Some(wanted) {
            rt::println!("  {} with a bad argument {place}:", row.name);
        }
        fails(result, wanted);
    };
    attempt(NO_HANDLE, Error::BadHandle);
    let other = if kind == Kind::Memory { Kind::Timer } else { Kind::Memory };
    if let Some(handle) = specimen(other) {
        attempt(handle, Error::WrongKind);
        bury(other, handle);
        attempt(handle, Error::BadHandle);
    }
    if let Some(handle) = specimen(kind) {
        let powerless = works(call(Call::Duplicate, &[handle, 0xc0, 0]))[1];
        attempt(powerless, Error::NoRight);
        works(call(Call::Close, &[powerless]));
        bury(kind, handle);
    }
    for (at, argument) in row.arguments.iter().enumerate() {
        if let Argument::Object(kind, _) = *argument
            && at != place
        {
            bury(kind, arguments[at]);
        }
    }
}
