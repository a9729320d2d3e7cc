//! Calls, answers and signals between two address spaces.

use crate::meter::{ROUNDS, Real, Way, Without, figure, registers, time};
use crate::partner::{BOUNCE, Bench, ECHO, READ, SIGNAL, end};
use rt::abi::{Call, FOREVER, Info, Lease, PortRights};
use rt::{Memory, Message, Object, Port};

const HANDLE: u64 = Info::new(1).with_handles(1).0;
const LEASE: u64 = Info::new(1).with_leases(1).0;
/// Bytes that are lent.
const LENT: usize = 64;

pub fn figures(bench: &Bench) {
    with_server(bench, ECHO, |port| {
        figure("call-reply", ROUNDS, || {
            time(|| call::<Real>(port)) - time(|| call::<Without>(port)) - echo_itself(port)
        });
        figure("call-reply-4w", ROUNDS, || {
            let itself = time(|| call_with_words::<Without>(port)) + echo_itself(port);
            time(|| call_with_words::<Real>(port)) - itself
        });
    });
    let memory = Memory::create(1).expect("a page");
    let mut handle = memory.into_raw();
    with_server(bench, BOUNCE, |port| {
        figure("call-reply-handle", ROUNDS, || {
            let itself = time(|| _ = call_with_handle::<Without>(port, 0))
                + time(|| bounce::<Without>(port, ROUNDS));
            time(|| handle = call_with_handle::<Real>(port, handle)) - itself
        });
    });
    with_server(bench, READ, |port| {
        figure("call-reply-lease64", ROUNDS, || {
            let itself =
                time(|| call_with_lease::<Without>(port)) + time(|| read::<Without>(port, ROUNDS));
            time(|| call_with_lease::<Real>(port)) - itself
        });
    });
    signals(bench);
}

fn with_server(bench: &Bench, role: u64, run: impl FnOnce(u64)) {
    let port = Port::create(0).expect("a port");
    let client = port.duplicate(PortRights::SEND).expect("a handle");
    let server = bench.partner(role, port);
    run(client.raw());
    end(server);
}

fn echo_itself(port: u64) -> u64 {
    time(|| echo::<Without>(port, ROUNDS))
}

#[inline(never)]
fn call<W: Way>(port: u64) {
    for _ in 0..ROUNDS {
        W::call(Call::Call, &mut registers([port, 1]));
    }
}

#[inline(never)]
fn call_with_words<W: Way>(port: u64) {
    let mut words = [1, 2, 3, 4];
    for _ in 0..ROUNDS {
        let [a, b, c, d] = words;
        let mut all = registers([port, 1, a, b, c, d]);
        W::call(Call::Call, &mut all);
        words = [all[2], all[3], all[4], all[5]];
    }
    assert_eq!(words, [1, 2, 3, 4]);
}

#[inline(never)]
fn call_with_handle<W: Way>(port: u64, mut handle: u64) -> u64 {
    for _ in 0..ROUNDS {
        let mut all = registers([port, HANDLE, 0, 0, 0, 0, 0, handle]);
        W::call(Call::Call, &mut all);
        handle = all[7];
    }
    handle
}

#[inline(never)]
fn call_with_lease<W: Way>(port: u64) {
    let bytes = [0x5a; LENT];
    let (address, length) = (bytes.as_ptr() as u64, LENT as u64 | Lease::READ);
    for _ in 0..ROUNDS {
        W::call(Call::Call, &mut registers([port, LEASE, 0, 0, 0, 0, address, length]));
    }
}

/// Answers calls with their own words.
#[inline(never)]
pub fn echo<W: Way>(port: u64, rounds: u64) {
    let mut all = registers([port]);
    W::call(Call::Receive, &mut all);
    for _ in 0..rounds {
        all = registers([port, 0, all[2], all[3], all[4], all[5]]);
        W::call(Call::ReplyReceive, &mut all);
    }
}

/// Answers calls with the handle that came with them.
#[inline(never)]
pub fn bounce<W: Way>(port: u64, rounds: u64) {
    let mut all = registers([port]);
    W::call(Call::Receive, &mut all);
    for _ in 0..rounds {
        all = registers([port, HANDLE, 0, 0, 0, 0, 0, all[7]]);
        W::call(Call::ReplyReceive, &mut all);
    }
}

/// Reads what is lent before it answers.
#[inline(never)]
pub fn read<W: Way>(port: u64, rounds: u64) {
    let mut room = [0u8; LENT];
    W::call(Call::Receive, &mut registers([port]));
    for _ in 0..rounds {
        let address = room.as_mut_ptr() as u64;
        W::call(Call::LeaseRead, &mut registers([0, 0, 0, address, LENT as u64]));
        W::call(Call::ReplyReceive, &mut registers([port, 0]));
    }
    core::hint::black_box(&room);
}

fn signals(bench: &Bench) {
    let (here, there) = (Port::create(0), Port::create(1));
    let (here, there) = (here.expect("a port"), there.expect("a port"));
    let signal = there.duplicate(PortRights::all()).expect("a handle");
    let partner = bench.partner(SIGNAL, there);
    let back = here.duplicate(PortRights::SIGNAL | PortRights::TRANSFER).expect("a handle");
    signal.send(&Message::new(0).handle(back.into_raw()), FOREVER).expect("room");
    // Signals overtake messages: so wait until that one has arrived.
    here.receive(FOREVER).expect("a signal");
    let ports = (signal.raw(), here.raw());
    figure("signal-pingpong", ROUNDS, || {
        let itself = time(|| signal_and_wait::<Without>(ports))
            + time(|| wait_and_signal::<Without>(ports, ROUNDS));
        time(|| signal_and_wait::<Real>(ports)) - itself
    });
    end(partner);
}

#[inline(never)]
fn signal_and_wait<W: Way>((there, here): (u64, u64)) {
    for _ in 0..ROUNDS {
        W::call(Call::Signal, &mut registers([there, 1]));
        W::call(Call::Receive, &mut registers([here]));
    }
}

/// The other side: learns first where to answer.
pub fn answer_signals(here: u64) {
    let port = Port::from_raw(here);
    let message = port.receive(FOREVER).expect("a message");
    let there = message.handles()[0];
    Real::call(Call::Signal, &mut registers([there, 1]));
    wait_and_signal::<Real>((there, here), u64::MAX);
    drop(port);
}

#[inline(never)]
fn wait_and_signal<W: Way>((there, here): (u64, u64), rounds: u64) {
    for _ in 0..rounds {
        W::call(Call::Receive, &mut registers([here]));
        W::call(Call::Signal, &mut registers([there, 1]));
    }
}
