//! Memory objects: making, cloning, resizing, reading and writing them.

use crate::Test;
use crate::check::{call, fails, holds, same, works};
use crate::support::{KERNEL, NOWHERE, World, pages};
use rt::abi::{Call, Error, MemoryRights, PAGE};
use rt::{Memory, Object};

pub const TESTS: &[Test] = &[
    ("memory-create", create),
    ("memory-info", info),
    ("memory-read-write", read_write),
    ("memory-clone", clone),
    ("memory-resize", resize),
    ("memory-contiguous", contiguous),
    ("memory-large-copy", large_copy),
];

fn create(_: &World) {
    let memory = works(call(Call::MemoryCreate, &[1]))[1];
    works(call(Call::Close, &[memory]));
    for pages in [u64::MAX, 1 << 52] {
        fails(call(Call::MemoryCreate, &[pages]), Error::Invalid);
    }
}

fn info(_: &World) {
    let memory = Memory::create(10).expect("pages");
    let out = works(call(Call::MemoryInfo, &[memory.raw()]));
    same(out[1..4].to_vec(), [10, 0, 0].to_vec());
    memory.write(5 * PAGE, b"x").expect("room");
    same(works(call(Call::MemoryInfo, &[memory.raw()]))[2], 1);
}

fn read_write(_: &World) {
    let memory = Memory::create(2).expect("pages");
    let text = *b"across two pages";
    let mut back = [0u8; 16];
    let (out, into) = (text.as_ptr() as u64, back.as_mut_ptr() as u64);
    works(call(Call::MemoryWrite, &[memory.raw(), PAGE - 8, out, 16]));
    works(call(Call::MemoryRead, &[memory.raw(), PAGE - 8, into, 16]));
    same(back, text);
    works(call(Call::MemoryRead, &[memory.raw(), 0, into, 16]));
    same(back, [0; 16]);
    // Room enough for what must not be copied.
    let room = pages(8);
    let into = room.address();
    for which in [Call::MemoryRead, Call::MemoryWrite] {
        works(call(which, &[memory.raw(), 2 * PAGE, into, 0]));
        let ranges = [(2 * PAGE, 1), (2 * PAGE - 8, 16), (u64::MAX, 1), (0, u64::MAX), (8, !7)];
        for (offset, length) in ranges {
            fails(call(which, &[memory.raw(), offset, into, length]), Error::Invalid);
        }
        for address in [NOWHERE, KERNEL, u64::MAX - 7] {
            fails(call(which, &[memory.raw(), 0, address, 16]), Error::BadAddress);
        }
    }
    // What may only be read is not written into.
    let fixed = b"0123456789abcdef".as_ptr() as u64;
    fails(call(Call::MemoryRead, &[memory.raw(), 0, fixed, 16]), Error::BadAddress);
    let readable = memory.duplicate(MemoryRights::READ).expect("a handle");
    works(call(Call::MemoryRead, &[readable.raw(), 0, into, 16]));
    fails(call(Call::MemoryWrite, &[readable.raw(), 0, into, 16]), Error::NoRight);
}

fn clone(_: &World) {
    let memory = Memory::create(4).expect("pages");
    memory.write(PAGE, b"shared").expect("room");
    let copy = Memory::from_raw(works(call(Call::MemoryClone, &[memory.raw(), 1, 3]))[1]);
    let mut text = [0; 6];
    copy.read(0, &mut text).expect("what is there");
    same(&text, b"shared");
    same(copy.info().map(|info| info.pages), Ok(3));
    // Neither side sees what the other writes from now on.
    memory.write(PAGE, b"SHARED").expect("room");
    copy.write(PAGE, b"copied").expect("room");
    copy.read(0, &mut text).expect("what is there");
    same(&text, b"shared");
    memory.read(2 * PAGE, &mut text).expect("what is there");
    same(text, [0; 6]);
    for (first, pages) in [(0, 5), (4, 1), (u64::MAX, 1), (1, u64::MAX)] {
        fails(call(Call::MemoryClone, &[memory.raw(), first, pages]), Error::Invalid);
    }
    let window = Memory::contiguous(&rt::machine(), 1).expect("a page").0;
    fails(call(Call::MemoryClone, &[window.raw(), 0, 1]), Error::Unsupported);
}

fn resize(_: &World) {
    let memory = Memory::create(2).expect("pages");
    memory.write(PAGE, b"old").expect("room");
    works(call(Call::MemoryResize, &[memory.raw(), 300]));
    memory.write(299 * PAGE, b"end").expect("room");
    works(call(Call::MemoryResize, &[memory.raw(), 1]));
    let mut text = [0; 3];
    same(memory.read(PAGE, &mut text), Err(Error::Invalid));
    works(call(Call::MemoryResize, &[memory.raw(), 2]));
    memory.read(PAGE, &mut text).expect("what is there");
    same(text, [0; 3]);
    fails(call(Call::MemoryResize, &[memory.raw(), u64::MAX]), Error::Invalid);
    let window = Memory::contiguous(&rt::machine(), 1).expect("a page").0;
    fails(call(Call::MemoryResize, &[window.raw(), 2]), Error::Unsupported);
}

fn contiguous(_: &World) {
    let machine = rt::machine().raw();
    let out = works(call(Call::MemoryContiguous, &[machine, 4]));
    holds(out[2] != 0 && out[2].is_multiple_of(PAGE));
    let memory = Memory::from_raw(out[1]);
    same(memory.info().map(|info| (info.pages, info.physical)), Ok((4, out[2])));
    let mut word = [1; 8];
    memory.read(3 * PAGE, &mut word).expect("what is there");
    same(word, [0; 8]);
    // 2 MiB begin at a multiple of that.
    let large = works(call(Call::MemoryContiguous, &[machine, 512]));
    same(large[2] % (2 << 20), 0);
    works(call(Call::Close, &[large[1]]));
    for pages in [0, 1 << 24, u64::MAX] {
        fails(call(Call::MemoryContiguous, &[machine, pages]), Error::Invalid);
    }
}

/// So much that it takes the kernel several pieces, at odd addresses.
fn large_copy(_: &World) {
    const BYTES: u64 = 64 * PAGE;
    let memory = Memory::create(65).expect("pages");
    let (from, to) = (pages(65), pages(65));
    for at in (0..BYTES).step_by(512) {
        // SAFETY: it is mapped for writing.
        unsafe { from.pointer::<u64>(at).write_volatile(at ^ 0x5555) };
    }
    works(call(Call::MemoryWrite, &[memory.raw(), 24, from.address(), BYTES]));
    works(call(Call::MemoryRead, &[memory.raw(), 24, to.address() + 40, BYTES]));
    let differs = (0..BYTES).step_by(512).find(|&at| {
        // SAFETY: it is mapped.
        unsafe { to.pointer::<u64>(at + 40).read_volatile() != at ^ 0x5555 }
    });
    same(differs, None);
}
