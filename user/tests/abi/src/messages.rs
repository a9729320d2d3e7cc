//! Sending, calling, answering, signals: what is delivered, and what is refused at once.

use crate::Test;
use crate::check::{call, call_until, fails, holds, same, works};
use crate::support::{NO_HANDLE, World, in_background};
use rt::abi::{Arrival, Call, Error, FOREVER, Info, MemoryRights, NOW, PortRights};
use rt::object::{Reply, reply};
use rt::{Memory, Message, Object, Port};

pub const TESTS: &[Test] = &[
    ("port-create", create),
    ("send-receive", send),
    ("send-full", full),
    ("send-invalid", invalid),
    ("handles-in-messages", handles),
    ("signals", signals),
    ("call-reply", call_reply),
    ("reply-with-handle", answer),
    ("reply-receive", reply_receive),
    ("reply-save", reply_save),
];

fn create(_: &World) {
    for capacity in [0, 1, 256] {
        let port = works(call(Call::PortCreate, &[capacity]))[1];
        works(call(Call::Close, &[port]));
    }
    for capacity in [257, u64::MAX] {
        fails(call(Call::PortCreate, &[capacity]), Error::Invalid);
    }
}

fn send(_: &World) {
    let port = Port::create(4).expect("a port");
    let sender = port.badged(PortRights::SEND, 0x1234).expect("a badge");
    for number in 0..4 {
        works(call(Call::Send, &[sender.raw(), 7, number, 11, 12, 13, 14, 15]));
    }
    for number in 0..4 {
        let out = works(call(Call::Receive, &[port.raw()]));
        same(out[0], Arrival::Message as u64);
        same(out[1..9].to_vec(), [7, number, 11, 12, 13, 14, 15, 0x1234].to_vec());
    }
    fails(call(Call::Receive, &[port.raw()]), Error::TimedOut);
}

fn full(_: &World) {
    let port = Port::create(2).expect("a port");
    for _ in 0..2 {
        works(call(Call::Send, &[port.raw(), 1]));
    }
    fails(call(Call::Send, &[port.raw(), 1]), Error::Full);
    works(call(Call::Receive, &[port.raw()]));
    works(call(Call::Send, &[port.raw(), 1]));
    let without_room = Port::create(0).expect("a port");
    fails(call(Call::Send, &[without_room.raw(), 1]), Error::Full);
}

fn invalid(_: &World) {
    let port = Port::create(1).expect("a port");
    let bad = [1 << 41, u64::MAX, 5 << 32, 3 << 36, 2 << 36 | 3 << 32];
    for info in bad {
        fails(call(Call::Send, &[port.raw(), info]), Error::Invalid);
        fails(call_until(Call::Call, &[port.raw(), info], FOREVER), Error::Invalid);
    }
    let handle = |call_: Call, word| {
        let info = Info::new(0).with_handles(1).0;
        call_until(call_, &[port.raw(), info, 0, 0, 0, 0, 0, word], FOREVER)
    };
    let stays = Memory::create(1).and_then(|one| one.duplicate(MemoryRights::READ));
    let stays = stays.expect("a handle");
    for which in [Call::Send, Call::Call] {
        fails(handle(which, NO_HANDLE), Error::BadHandle);
        fails(handle(which, 0), Error::BadHandle);
        fails(handle(which, stays.raw()), Error::NoRight);
    }
    // A handle cannot go twice.
    let memory = Memory::create(1).expect("a page");
    let info = Info::new(0).with_handles(2).0;
    let twice = [port.raw(), info, 0, 0, 0, 0, memory.raw(), memory.raw()];
    fails(call(Call::Send, &twice), Error::BadHandle);
    works(call(Call::HandleInfo, &[memory.raw()]));
}

fn handles(_: &World) {
    let port = Port::create(4).expect("a port");
    let objects: [u64; 4] = core::array::from_fn(|_| Memory::create(1).expect("a page").into_raw());
    let info = Info::new(5).with_handles(4);
    let [a, b, c, d] = objects;
    works(call(Call::Send, &[port.raw(), info.0, 1, 2, a, b, c, d]));
    for handle in objects {
        fails(call(Call::HandleInfo, &[handle]), Error::BadHandle);
    }
    let out = works(call(Call::Receive, &[port.raw()]));
    same(out[2..4].to_vec(), [1, 2].to_vec());
    for &handle in &out[4..8] {
        works(call(Call::MemoryInfo, &[handle]));
    }
    // Copies leave the sender's.
    let kept = out[4];
    let copy = Info::new(5).with_handles(1).copied();
    works(call(Call::Send, &[port.raw(), copy.0, 0, 0, 0, 0, 0, kept]));
    works(call(Call::MemoryInfo, &[kept]));
    let got = works(call(Call::Receive, &[port.raw()]))[7];
    holds(got != kept);
    works(call(Call::MemoryInfo, &[got]));
    // To copy it takes the right to duplicate.
    let only_moves = Memory::from_raw(got).duplicate(MemoryRights::TRANSFER).expect("a handle");
    let one = [port.raw(), copy.0, 0, 0, 0, 0, 0, only_moves.raw()];
    fails(call(Call::Send, &one), Error::NoRight);
    // A message that cannot be sent leaves its handles with their sender.
    let none = Port::create(0).expect("a port");
    let moved = Info::new(5).with_handles(1);
    fails(call(Call::Send, &[none.raw(), moved.0, 0, 0, 0, 0, 0, kept]), Error::Full);
    for &handle in &out[4..8] {
        same(rt::object::close(handle), Ok(()));
    }
}

fn signals(_: &World) {
    let port = Port::create(0).expect("a port");
    works(call(Call::Signal, &[port.raw(), 0b101]));
    works(call(Call::Signal, &[port.raw(), 0b110]));
    let out = works(call(Call::Receive, &[port.raw()]));
    same((out[0], out[2]), (Arrival::Signals as u64, 0b111));
    fails(call(Call::Receive, &[port.raw()]), Error::TimedOut);
    works(call(Call::Signal, &[port.raw(), 0]));
    fails(call(Call::Receive, &[port.raw()]), Error::TimedOut);
    let signaller = port.duplicate(PortRights::SIGNAL).expect("a handle");
    drop(port);
    crate::support::until(|| signaller.signal(1) == Err(Error::PeerGone));
    fails(call(Call::Signal, &[signaller.raw(), 1]), Error::PeerGone);
}

fn call_reply(_: &World) {
    let port = Port::create(0).expect("a port");
    fails(call_until(Call::Call, &[port.raw(), 1], NOW), Error::TimedOut);
    let badge = 99;
    let client = port.badged(PortRights::SEND, badge).expect("a badge");
    let caller = in_background(move || {
        let arguments = [client.raw(), 3, 1, 2, 3, 4, 5, 6];
        let out = works(call_until(Call::Call, &arguments, FOREVER));
        same(out[1..8].to_vec(), [4, 6, 5, 4, 3, 2, 1].to_vec());
    });
    let out = works(call_until(Call::Receive, &[port.raw()], FOREVER));
    same(out[0], Arrival::Call as u64);
    same(out[1..9].to_vec(), [3, 1, 2, 3, 4, 5, 6, badge].to_vec());
    for info in [1 << 41, u64::MAX, Info::new(0).with_leases(1).0] {
        fails(call(Call::Reply, &[0, info]), Error::Invalid);
    }
    let info = Info::new(0).with_handles(1).0;
    fails(call(Call::Reply, &[0, info, 0, 0, 0, 0, 0, NO_HANDLE]), Error::BadHandle);
    works(call(Call::Reply, &[0, 4, 6, 5, 4, 3, 2, 1]));
    fails(call(Call::Reply, &[0, 4]), Error::NotFound);
    caller.join();
    fails(call(Call::Reply, &[NO_HANDLE, 4]), Error::BadHandle);
    fails(call(Call::Reply, &[port.raw(), 4]), Error::WrongKind);
}

/// An answer brings only what may travel; it can be given again without.
fn answer(_: &World) {
    let server = Port::create(0).expect("a port");
    let client = server.duplicate(PortRights::SEND).expect("a handle");
    let caller = in_background(move || {
        works(call_until(Call::Call, &[client.raw()], FOREVER));
    });
    works(call_until(Call::Receive, &[server.raw()], FOREVER));
    let memory = Memory::create(1).expect("a page");
    let stays = memory.duplicate(MemoryRights::READ).expect("a handle");
    let info = Info::new(0).with_handles(1).0;
    fails(call(Call::Reply, &[0, info, 0, 0, 0, 0, 0, stays.raw()]), Error::NoRight);
    works(call(Call::Reply, &[0, 0]));
    caller.join();
}

fn reply_receive(_: &World) {
    let port = Port::create(0).expect("a port");
    // With nobody to answer it only receives.
    fails(call(Call::ReplyReceive, &[port.raw(), 0]), Error::TimedOut);
    let client = port.duplicate(PortRights::SEND).expect("a handle");
    let caller = in_background(move || {
        for round in 0..3 {
            let out = works(call_until(Call::Call, &[client.raw(), 1, round], FOREVER));
            same(out[2], round + 100);
        }
    });
    let mut out = works(call_until(Call::Receive, &[port.raw()], FOREVER));
    for round in 0..2 {
        same((out[0], out[2]), (Arrival::Call as u64, round));
        let answer = [port.raw(), 0, round + 100];
        out = works(call_until(Call::ReplyReceive, &answer, FOREVER));
    }
    for info in [1 << 41, u64::MAX] {
        fails(call(Call::ReplyReceive, &[port.raw(), info]), Error::Invalid);
    }
    let info = Info::new(0).with_handles(1).0;
    let bad = [port.raw(), info, 0, 0, 0, 0, 0, NO_HANDLE];
    fails(call(Call::ReplyReceive, &bad), Error::BadHandle);
    same(out[2], 2);
    fails(call(Call::ReplyReceive, &[port.raw(), 0, 102]), Error::TimedOut);
    caller.join();
}

fn reply_save(_: &World) {
    let port = Port::create(0).expect("a port");
    fails(call(Call::ReplySave, &[]), Error::NotFound);
    let callers: [_; 2] = core::array::from_fn(|index| {
        let client = port.duplicate(PortRights::SEND).expect("a handle");
        in_background(move || {
            let arguments = [client.raw(), 1, index as u64];
            let out = works(call_until(Call::Call, &arguments, FOREVER));
            same(out[2], index as u64 + 10);
        })
    });
    // Both calls are taken before either is answered, and the later one is answered first.
    let saved: [(u64, u64); 2] = core::array::from_fn(|_| {
        let who = works(call_until(Call::Receive, &[port.raw()], FOREVER))[2];
        (who, works(call(Call::ReplySave, &[]))[1])
    });
    fails(call(Call::ReplySave, &[]), Error::NotFound);
    fails(call(Call::Duplicate, &[saved[0].1, u64::MAX, 0]), Error::NoRight);
    for (who, handle) in saved.into_iter().rev() {
        works(call(Call::Reply, &[handle, 0, who + 10]));
        fails(call(Call::Reply, &[handle, 0]), Error::BadHandle);
    }
    callers.into_iter().for_each(|caller| caller.join());
    // Whoever was answered, or has given up, is not found.
    let late = loop {
        let client = port.duplicate(PortRights::SEND).expect("a handle");
        let impatient = in_background(move || {
            let soon = rt::time::now() + 20 * rt::time::MILLISECOND;
            fails(call_until(Call::Call, &[client.raw(), 1], soon), Error::TimedOut);
        });
        // It may give up before its call is taken: then the next one is tried.
        let taken = call(Call::Receive, &[port.raw()]).is_ok();
        let saved = Reply::save();
        impatient.join();
        if let (true, Ok(late)) = (taken, saved) {
            break late;
        }
    };
    same(late.answer(&Message::new(0)), Err(Error::NotFound));
    same(reply(&Message::new(0)), Err(Error::NotFound));
}
