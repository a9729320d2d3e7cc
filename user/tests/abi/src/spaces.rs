//! What is mapped where: map, unmap, protect, clones of whole address spaces, and other processes'
//! memory.

use crate::Test;
use crate::check::{call, fails, same, works};
use crate::support::{KERNEL, LAST_PAGE, NOWHERE, QUOTA, World, empty_process, pages};
use rt::abi::{Call, Error, MAP_EXECUTE, MAP_SHARED, MAP_WRITE, MemoryRights, PAGE, USER_END};
use rt::{Memory, Object, Process};

pub const TESTS: &[Test] = &[
    ("map", map),
    ("unmap", unmap),
    ("protect", protect),
    ("space-clone", space_clone),
    ("space-clone-that-fails", failed_clone),
    ("process-read-write", read_write),
];

/// Where nothing of this program's is.
const AT: u64 = 0x30_0000_0000;

fn map(_: &World) {
    let (process, memory) = (empty_process(), Memory::create(4).expect("pages"));
    let attempt = |at, first, pages, access| {
        call(Call::Map, &[process.raw(), memory.raw(), at, first, pages, access])
    };
    works(attempt(AT, 1, 3, MAP_WRITE));
    process.write(AT, b"hello").expect("it is mapped");
    let mut text = [0; 5];
    memory.read(PAGE, &mut text).expect("what is there");
    same(&text, b"hello");
    // Over any part of it nothing is mapped.
    for at in [AT, AT + 2 * PAGE, AT - PAGE] {
        fails(attempt(at, 0, 2, 0), Error::Occupied);
    }
    works(attempt(AT + 3 * PAGE, 0, 1, MAP_EXECUTE));
    works(attempt(AT - 2 * PAGE, 0, 2, MAP_SHARED));
    works(attempt(LAST_PAGE, 0, 1, 0));
    for at in [1, AT + 0x100_0800, USER_END, KERNEL, u64::MAX - PAGE + 1, u64::MAX] {
        fails(attempt(at, 0, 1, 0), Error::Invalid);
    }
    let far = AT + 0x1000_0000;
    for (at, pages) in [(far, 0), (far, 1 << 40), (far, u64::MAX), (LAST_PAGE - PAGE, 3)] {
        fails(attempt(at, 0, pages, 0), Error::Invalid);
    }
    for (first, pages) in [(0, 5), (4, 1), (u64::MAX, 2)] {
        fails(attempt(far, first, pages, 0), Error::Invalid);
    }
    for access in [MAP_WRITE | MAP_EXECUTE, 8, u64::MAX] {
        fails(attempt(far, 0, 1, access), Error::Invalid);
    }
    let only = |rights, access| {
        let weak = memory.duplicate(rights).expect("a handle");
        call(Call::Map, &[process.raw(), weak.raw(), far, 0, 1, access])
    };
    fails(only(MemoryRights::READ, MAP_WRITE), Error::NoRight);
    fails(only(MemoryRights::READ, MAP_EXECUTE), Error::NoRight);
    fails(only(MemoryRights::WRITE, MAP_WRITE), Error::NoRight);
    works(only(MemoryRights::READ, 0));
    process.kill(0).expect("its end");
}

fn unmap(_: &World) {
    let (process, memory) = (empty_process(), Memory::create(8).expect("pages"));
    let there = |page: u64| process.read(AT + page * PAGE, &mut [0]);
    process.map(&memory, AT, 0, 8, MAP_WRITE).expect("room");
    (0..8).for_each(|page| process.write(AT + page * PAGE, b"x").expect("it is mapped"));
    // From its middle, then across what is left and the holes.
    works(call(Call::Unmap, &[process.raw(), AT + 2 * PAGE, 3]));
    let found: [bool; 8] = core::array::from_fn(|page| there(page as u64).is_ok());
    same(found, [true, true, false, false, false, true, true, true]);
    works(call(Call::Unmap, &[process.raw(), AT + PAGE, 5]));
    works(call(Call::Unmap, &[process.raw(), AT, 1000]));
    same(there(0), Err(Error::BadAddress));
    same(there(7), Err(Error::BadAddress));
    works(call(Call::Unmap, &[process.raw(), AT, 1]));
    let bad = [(AT + 1, 1), (AT, 0), (LAST_PAGE, 2), (KERNEL, 1), (AT, u64::MAX)];
    for (at, pages) in bad {
        fails(call(Call::Unmap, &[process.raw(), at, pages]), Error::Invalid);
    }
    process.kill(0).expect("its end");
}

fn protect(_: &World) {
    let (process, memory) = (empty_process(), Memory::create(8).expect("pages"));
    let attempt = |at, pages, access| call(Call::Protect, &[process.raw(), at, pages, access]);
    let write = |page: u64| process.write(AT + page * PAGE, b"x").is_ok();
    process.map(&memory, AT, 0, 8, MAP_WRITE).expect("room");
    (0..8).for_each(|page| process.write(AT + page * PAGE, b"x").expect("it is mapped"));
    works(attempt(AT + 2 * PAGE, 2, 0));
    let writable: [bool; 8] = core::array::from_fn(|page| write(page as u64));
    same(writable, [true, true, false, false, true, true, true, true]);
    works(attempt(AT, 8, MAP_WRITE));
    same(write(2), true);
    works(attempt(AT, 8, MAP_EXECUTE));
    same(write(0), false);
    fails(attempt(AT, 9, 0), Error::NotFound);
    fails(attempt(AT - PAGE, 1, 0), Error::NotFound);
    for access in [MAP_WRITE | MAP_EXECUTE, 16, u64::MAX] {
        fails(attempt(AT, 1, access), Error::Invalid);
    }
    for (at, pages) in [(AT + 8, 1), (AT, 0), (KERNEL, 1), (AT, u64::MAX), (USER_END, 1)] {
        fails(attempt(at, pages, 0), Error::Invalid);
    }
    // Not more than the handle allowed when it was mapped.
    let readable = memory.duplicate(MemoryRights::READ).expect("a handle");
    process.map(&readable, AT + 100 * PAGE, 0, 1, 0).expect("room");
    fails(attempt(AT + 100 * PAGE, 1, MAP_WRITE), Error::NoRight);
    fails(attempt(AT + 100 * PAGE, 1, MAP_EXECUTE), Error::NoRight);
    process.kill(0).expect("its end");
}

fn space_clone(_: &World) {
    let (from, memory) = (empty_process(), Memory::create(4).expect("pages"));
    from.map(&memory, AT, 0, 2, MAP_WRITE).expect("room");
    from.map(&memory, AT + 8 * PAGE, 2, 1, MAP_WRITE | MAP_SHARED).expect("room");
    for page in [0, 1, 8] {
        from.write(AT + page * PAGE, b"before").expect("it is mapped");
    }
    let to = empty_process();
    works(call(Call::SpaceClone, &[to.raw(), from.raw()]));
    let text = |process: &Process, page: u64| {
        let mut text = [0; 6];
        process.read(AT + page * PAGE, &mut text).map(|()| text)
    };
    for page in [0, 1, 8] {
        same(text(&to, page), Ok(*b"before"));
        to.write(AT + page * PAGE, b"after!").expect("it is mapped");
    }
    same(text(&from, 0), Ok(*b"before"));
    same(text(&from, 8), Ok(*b"after!"));
    from.write(AT + PAGE, b"mine!!").expect("it is mapped");
    same(text(&to, 1), Ok(*b"after!"));
    fails(call(Call::SpaceClone, &[to.raw(), from.raw()]), Error::Occupied);
    fails(call(Call::SpaceClone, &[from.raw(), from.raw()]), Error::Occupied);
    to.kill(0).expect("its end");
    same(text(&from, 0), Ok(*b"before"));
    from.kill(0).expect("its end");
}

fn failed_clone(_: &World) {
    let (from, to, memory) = (empty_process(), empty_process(), Memory::create(1).expect("a page"));
    for nth in 0..64 {
        from.map(&memory, AT + 2 * nth * PAGE, 0, 1, MAP_WRITE).expect("room");
    }
    // Enough for some pieces of it.
    let used = to.info().expect("how it is").used;
    works(call(Call::ProcessQuota, &[to.raw(), used + PAGE]));
    fails(call(Call::SpaceClone, &[to.raw(), from.raw()]), Error::NoMemory);
    fails(call(Call::SpaceClone, &[to.raw(), from.raw()]), Error::Occupied);
    works(call(Call::Unmap, &[to.raw(), AT, 128]));
    works(call(Call::ProcessQuota, &[to.raw(), QUOTA]));
    works(call(Call::SpaceClone, &[to.raw(), from.raw()]));
    to.kill(0).expect("its end");
    from.kill(0).expect("its end");
}

fn read_write(_: &World) {
    let (process, memory) = (empty_process(), Memory::create(40).expect("pages"));
    process.map(&memory, AT, 0, 40, MAP_WRITE).expect("room");
    let (from, to) = (pages(40), pages(40));
    let length = 39 * PAGE;
    for at in (0..length).step_by(256) {
        // SAFETY: it is mapped for writing.
        unsafe { from.pointer::<u64>(at).write_volatile(!at) };
    }
    works(call(Call::ProcessWrite, &[process.raw(), AT + 8, from.address(), length]));
    works(call(Call::ProcessRead, &[process.raw(), AT + 8, to.address() + 16, length]));
    let differs = (0..length).step_by(256).find(|&at| {
        // SAFETY: it is mapped.
        unsafe { to.pointer::<u64>(at + 16).read_volatile() != !at }
    });
    same(differs, None);
    let here = to.address();
    for which in [Call::ProcessRead, Call::ProcessWrite] {
        works(call(which, &[process.raw(), AT, here, 0]));
        for there in [NOWHERE, AT + 40 * PAGE - 4, KERNEL, USER_END - 4, u64::MAX - 3] {
            fails(call(which, &[process.raw(), there, here, 8]), Error::BadAddress);
        }
        for address in [NOWHERE, KERNEL, USER_END - 4, u64::MAX - 3] {
            fails(call(which, &[process.raw(), AT, address, 8]), Error::BadAddress);
        }
        fails(call(which, &[process.raw(), AT, here, u64::MAX]), Error::BadAddress);
    }
    // What the process may only read, nobody writes there.
    process.protect(AT, 1, 0).expect("it is mapped");
    fails(call(Call::ProcessWrite, &[process.raw(), AT, here, 8]), Error::BadAddress);
    works(call(Call::ProcessRead, &[process.raw(), AT, here, 8]));
    process.kill(0).expect("its end");
}
