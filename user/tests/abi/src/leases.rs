//! Windows that a caller lends for as long as its call lasts.

use crate::Test;
use crate::check::{call, call_until, fails, holds, same, works};
use crate::support::{KERNEL, NO_HANDLE, NOWHERE, World, in_background};
use rt::abi::{Call, Error, FOREVER, Info, Lease, PAGE, PortRights};
use rt::{Object, Port};

pub const TESTS: &[Test] = &[
    ("lease", lease),
    ("lease-of-nothing", of_nothing),
    ("lease-bounds", bounds),
    ("lease-large", large),
];

/// Makes a call that lends two windows, the first to read and the second to write; returns what is
/// in them afterwards to `check`.
fn with_leases(server: &Port, first: (u64, u64), second: (u64, u64)) -> rt::thread::Spawned {
    let client = server.duplicate(PortRights::SEND).expect("a handle");
    in_background(move || {
        let info = Info::new(1).with_leases(2).0;
        let (a, b) = (first.1 | Lease::READ, second.1 | Lease::WRITE);
        let arguments = [client.raw(), info, 0, 0, first.0, a, second.0, b];
        works(call_until(Call::Call, &arguments, FOREVER));
    })
}

fn lease(_: &World) {
    let server = Port::create(0).expect("a port");
    let (lent, room) = (b"0123456789", [0u8; 10]);
    let caller = with_leases(&server, (lent.as_ptr() as u64, 10), (room.as_ptr() as u64, 10));
    works(call_until(Call::Receive, &[server.raw()], FOREVER));
    let mut copy = [0u8; 4];
    let at = copy.as_mut_ptr() as u64;
    works(call(Call::LeaseRead, &[0, 0, 3, at, 4]));
    same(&copy, b"3456");
    works(call(Call::LeaseWrite, &[0, 1, 6, at, 4]));
    works(call(Call::LeaseRead, &[0, 0, 10, at, 0]));
    // Each only as it was lent, and neither beyond its end.
    fails(call(Call::LeaseWrite, &[0, 0, 0, at, 1]), Error::NoRight);
    fails(call(Call::LeaseRead, &[0, 1, 0, at, 1]), Error::NoRight);
    for (offset, length) in [(10, 1), (7, 4), (u64::MAX, 1), (1, u64::MAX), (11, 0)] {
        fails(call(Call::LeaseRead, &[0, 0, offset, at, length]), Error::Invalid);
        fails(call(Call::LeaseWrite, &[0, 1, offset, at, length]), Error::Invalid);
    }
    for address in [NOWHERE, KERNEL, u64::MAX - 1] {
        fails(call(Call::LeaseRead, &[0, 0, 0, address, 4]), Error::BadAddress);
        fails(call(Call::LeaseWrite, &[0, 1, 0, address, 4]), Error::BadAddress);
    }
    for index in [2, u64::MAX] {
        fails(call(Call::LeaseRead, &[0, index, 0, at, 1]), Error::NotFound);
        fails(call(Call::LeaseWrite, &[0, index, 0, at, 1]), Error::NotFound);
    }
    // By a saved reply as well.
    let saved = works(call(Call::ReplySave, &[]))[1];
    works(call(Call::LeaseRead, &[saved, 0, 0, at, 4]));
    same(&copy, b"0123");
    works(call(Call::Reply, &[saved, 0]));
    caller.join();
    let at = room.as_ptr();
    // SAFETY: it is there, and nobody writes it any more.
    same(unsafe { at.cast::<[u8; 10]>().read_volatile() }, *b"\0\0\0\0\0\x003456");
    fails(call(Call::LeaseRead, &[saved, 0, 0, copy.as_ptr() as u64, 1]), Error::BadHandle);
}

fn of_nothing(_: &World) {
    let server = Port::create(0).expect("a port");
    for which in [Call::LeaseRead, Call::LeaseWrite] {
        fails(call(which, &[0, 0, 0, NOWHERE, 1]), Error::NotFound);
        fails(call(which, &[NO_HANDLE, 0, 0, NOWHERE, 1]), Error::BadHandle);
        fails(call(which, &[server.raw(), 0, 0, NOWHERE, 1]), Error::WrongKind);
    }
    let client = server.duplicate(PortRights::SEND).expect("a handle");
    let caller = in_background(move || {
        works(call_until(Call::Call, &[client.raw()], FOREVER));
    });
    works(call_until(Call::Receive, &[server.raw()], FOREVER));
    let byte = [0u8];
    fails(call(Call::LeaseRead, &[0, 0, 0, byte.as_ptr() as u64, 1]), Error::NotFound);
    works(call(Call::Reply, &[0]));
    caller.join();
}

/// What was lent need not be there.
fn bounds(_: &World) {
    let server = Port::create(0).expect("a port");
    let byte = [0u8; 16];
    let at = byte.as_ptr() as u64;
    for address in [NOWHERE, KERNEL, u64::MAX - 2] {
        let caller = with_leases(&server, (address, 8), (address, 8));
        works(call_until(Call::Receive, &[server.raw()], FOREVER));
        fails(call(Call::LeaseRead, &[0, 0, 0, at, 8]), Error::BadAddress);
        fails(call(Call::LeaseWrite, &[0, 1, 0, at, 8]), Error::BadAddress);
        works(call(Call::Reply, &[0]));
        caller.join();
    }
}

/// So much that it takes the kernel several pieces.
fn large(_: &World) {
    const PAGES: u64 = 100;
    let server = Port::create(0).expect("a port");
    let (from, to) = (crate::support::pages(PAGES), crate::support::pages(PAGES));
    for page in 0..PAGES {
        // SAFETY: the page is mapped for writing.
        unsafe { from.pointer::<u64>(page * PAGE).write_volatile(page + 1) };
    }
    let length = PAGES * PAGE;
    let caller = with_leases(&server, (from.address(), length), (NOWHERE, 0));
    works(call_until(Call::Receive, &[server.raw()], FOREVER));
    works(call(Call::LeaseRead, &[0, 0, 8, to.address(), length - 8]));
    works(call(Call::Reply, &[0]));
    caller.join();
    for page in 1..PAGES {
        // SAFETY: the page is mapped.
        let word = unsafe { to.pointer::<u64>(page * PAGE - 8).read_volatile() };
        if word != page + 1 {
            holds(false);
        }
    }
}
