//! How waits end when nothing comes: the deadline, a peer that goes away, another thread.

use crate::Test;
use crate::check::{call, call_until, fails, holds, works};
use crate::support::{World, in_background, until};
use rt::abi::{Call, Error, FOREVER, PortRights};
use rt::time::{MILLISECOND, now};
use rt::{Object, Port};

pub const TESTS: &[Test] = &[
    ("wait-times-out", times_out),
    ("wait-is-cancelled", cancelled),
    ("cancel-nothing", nothing_to_cancel),
    ("peer-is-gone", peer_is_gone),
    ("peer-goes", peer_goes),
];

/// How long to wait for nothing.
const WHILE: u64 = 5 * MILLISECOND;

/// The calls that wait, for a port where nobody is at the other side.
fn waits(port: u64) -> [(Call, [u64; 1]); 5] {
    [
        (Call::Send, [port]),
        (Call::Call, [port]),
        (Call::Receive, [port]),
        (Call::ReplyReceive, [port]),
        (Call::Receive, [0]),
    ]
}

fn times_out(_: &World) {
    let port = Port::create(0).expect("a port");
    for (which, arguments) in waits(port.raw()) {
        let deadline = now() + WHILE;
        fails(call_until(which, &arguments, deadline), Error::TimedOut);
        holds(now() >= deadline);
        // One that has passed does not wait at all.
        let result = call_until(which, &arguments, deadline);
        fails(result, Error::TimedOut);
    }
}

fn cancelled(_: &World) {
    for index in 0..waits(0).len() {
        let port = Port::create(0).expect("a port");
        let raw = port.raw();
        let waiter = in_background(move || {
            let (which, arguments) = waits(raw)[index];
            fails(call_until(which, &arguments, FOREVER), Error::Cancelled);
        });
        works(call(Call::ThreadCancel, &[waiter.thread.raw()]));
        waiter.join();
    }
    // A call whose answer is awaited is cancelled as well, and its server finds nobody.
    let port = Port::create(0).expect("a port");
    let client = port.duplicate(PortRights::SEND).expect("a handle");
    let caller = in_background(move || {
        fails(call_until(Call::Call, &[client.raw()], FOREVER), Error::Cancelled);
    });
    works(call_until(Call::Receive, &[port.raw()], FOREVER));
    works(call(Call::ThreadCancel, &[caller.thread.raw()]));
    caller.join();
    fails(call(Call::Reply, &[0]), Error::NotFound);
}

fn nothing_to_cancel(_: &World) {
    let thread = crate::support::idle_thread();
    fails(call(Call::ThreadCancel, &[thread.raw()]), Error::NotFound);
    thread.kill().expect("its end");
}

/// The last handle that receives is closed before anybody waits.
fn peer_is_gone(_: &World) {
    let port = Port::create(1).expect("a port");
    let client = port.duplicate(PortRights::SEND).expect("a handle");
    drop(port);
    until(|| client.send(&rt::Message::new(0), 0) == Err(Error::PeerGone));
    fails(call(Call::Send, &[client.raw()]), Error::PeerGone);
    fails(call_until(Call::Call, &[client.raw()], FOREVER), Error::PeerGone);
}

/// It is closed while they wait.
fn peer_goes(_: &World) {
    for (index, (which, _)) in waits(0).into_iter().enumerate().take(4) {
        let port = Port::create(0).expect("a port");
        let rights = match which {
            Call::Send | Call::Call => PortRights::SEND,
            // Whoever waits with the last such handle has it closed by another thread.
            _ => PortRights::all(),
        };
        let other = port.duplicate(rights).expect("a handle");
        let raw = other.raw();
        let waiter = in_background(move || {
            let (which, arguments) = waits(raw)[index];
            fails(call_until(which, &arguments, FOREVER), Error::PeerGone);
        });
        drop(port);
        if rights == PortRights::all() {
            drop(other);
            waiter.join();
        } else {
            waiter.join();
            drop(other);
        }
    }
    // The call was taken, and its server drops it.
    let port = Port::create(0).expect("a port");
    for ends in [0, 1, 2] {
        let client = port.duplicate(PortRights::SEND).expect("a handle");
        let caller = in_background(move || {
            fails(call_until(Call::Call, &[client.raw()], FOREVER), Error::PeerGone);
        });
        works(call_until(Call::Receive, &[port.raw()], FOREVER));
        match ends {
            0 => drop(rt::Reply::save()),
            1 => fails(call(Call::Receive, &[port.raw()]), Error::TimedOut),
            _ => {
                let saved = works(call(Call::ReplySave, &[]))[1];
                works(call(Call::Close, &[saved]));
            }
        }
        caller.join();
    }
}
