//! The table of calls, held against what was seen.

use crate::Test;
use crate::check::{failures, same, unseen};
use crate::support::World;
use rt::abi::{Call, Error};

pub const TESTS: &[Test] = &[("every-call-with-every-error", coverage)];

/// What no program can bring about by itself, each with its reason.
const EXCEPT: &[(Call, Option<Error>)] = &[
    // Nobody is left to see it.
    (Call::Power, None),
    // Handles in messages are paid for by who receives them; only a machine without memory refuses.
    (Call::Send, Some(Error::NoMemory)),
    (Call::Call, Some(Error::NoMemory)),
    (Call::Reply, Some(Error::NoMemory)),
    (Call::ReplyReceive, Some(Error::NoMemory)),
    // Seen of `RegistersGet` and `RegistersSet`, and it takes a poor program to handle another.
    (Call::CallerRegistersGet, Some(Error::NoMemory)),
    (Call::CallerRegistersSet, Some(Error::NoMemory)),
    // Only between two pieces of a clone that another thread makes; the simulation sees it.
    (Call::Map, Some(Error::Busy)),
    (Call::Unmap, Some(Error::Busy)),
    (Call::Protect, Some(Error::Busy)),
    // Pages are paid for when they are touched.
    (Call::MemoryResize, Some(Error::NoMemory)),
];

/// What this architecture has not.
#[cfg(target_arch = "aarch64")]
const NOT_HERE: &[(Call, Option<Error>)] = &[
    (Call::TlsSet, Some(Error::Invalid)),
    (Call::IoCreate, None),
    (Call::IoCreate, Some(Error::Invalid)),
    (Call::IoCreate, Some(Error::NoMemory)),
    (Call::IoRead, None),
    (Call::IoRead, Some(Error::NoRight)),
    (Call::IoRead, Some(Error::Invalid)),
    (Call::IoWrite, None),
    (Call::IoWrite, Some(Error::NoRight)),
    (Call::IoWrite, Some(Error::Invalid)),
];
#[cfg(target_arch = "x86_64")]
const NOT_HERE: &[(Call, Option<Error>)] = &[(Call::IoCreate, Some(Error::Unsupported))];

fn coverage(_: &World) {
    let excepted = |end: &(Call, Option<Error>)| EXCEPT.contains(end) || NOT_HERE.contains(end);
    let missing = unseen().filter(|end| !excepted(end));
    let count = missing.inspect(|end| rt::println!("  not seen: {end:?}")).count();
    // Where something else has failed already, what is missing is a consequence.
    if failures() == 0 {
        same(count, 0);
    }
}
