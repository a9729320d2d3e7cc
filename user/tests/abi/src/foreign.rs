//! Calls meant for another system, which the handler of a process answers.

use crate::Test;
use crate::check::{call, fails, same, works};
use crate::support::{QUOTA, World, actor};
use rt::abi::{
    Arrival, Call, EXIT_FAULT, Error, FOREVER, REPLY_AS_IS, REPLY_LATER, THREAD_COPY, THREAD_START,
    ThreadRights,
};
use rt::arch::{RESULT, foreign_syscall};
use rt::object::{Halted, reply};
use rt::{Message, Object, Port, Reply};

pub const TESTS: &[Test] = &[
    ("foreign-calls", foreign),
    ("foreign-answered-later", answered_later),
    ("foreign-without-handler", without_handler),
];

pub const ROLE: u64 = 3;
const ROUNDS: u64 = 20;
/// The tag of the thread that takes over.
const TAG: u64 = 0x7a6;

/// What the second process does: calls of both kinds by turns.
pub fn act() -> u64 {
    for round in 0..ROUNDS {
        // SAFETY: the handler touches no memory.
        let result = unsafe { foreign_syscall(round, [1, 2, 3, 4, 5, round]) };
        if result != round * 3 {
            return 100 + round;
        }
        works(call(Call::Null, &[]));
    }
    0
}

fn foreign(world: &World) {
    let child = actor(world, ROLE, QUOTA).expect("a process");
    let port = Port::create(0).expect("a port");
    child.process.set_handler(Some(&port)).expect("a handler");
    child.start().expect("a start");
    let mut first = None;
    for round in 0..ROUNDS {
        let soon = rt::time::now() + 5 * rt::time::SECOND;
        let got = port.receive(soon).expect("a foreign call");
        same((got.arrival, u64::from(got.label())), (Arrival::Foreign, round));
        same(got.words, [1, 2, 3, 4, 5, round]);
        if round == 0 {
            // Another thread goes on in its place, on its stack.
            let flags = THREAD_COPY | THREAD_START | 5;
            works(call(Call::ThreadCreate, &[child.process.raw(), 0, 0, 0, TAG, flags]));
            first = Some(Reply::save().expect("room for a reply"));
            continue;
        }
        same(got.tag, TAG);
        // Every second result is put there by hand.
        if round % 2 == 0 {
            reply(&Message::new(0).words(&[round * 3])).expect("an answer");
            continue;
        }
        let mut all = Halted::Last.general().expect("its registers");
        all[RESULT] = round * 3;
        Halted::Last.write(&all).expect("room for registers");
        reply(&Message::new(REPLY_AS_IS).words(&[99])).expect("an answer");
    }
    same(child.wait(FOREVER), Ok(0));
    drop(first);
}

/// A handler answers later, by the handle that it has to the thread.
fn answered_later(world: &World) {
    let child = actor(world, ROLE, QUOTA).expect("a process");
    let port = Port::create(0).expect("a port");
    child.process.set_handler(Some(&port)).expect("a handler");
    child.start().expect("a start");
    let thread = &child.thread;
    let weak = thread.duplicate(ThreadRights::CONTROL).expect("a handle");
    for round in 0..ROUNDS {
        let soon = rt::time::now() + 5 * rt::time::SECOND;
        let got = port.receive(soon).expect("a foreign call");
        same(u64::from(got.label()), round);
        // Whoever answers later owes nothing any more.
        reply(&Message::new(REPLY_LATER)).expect("no answer yet");
        fails(call(Call::Reply, &[0, 0, 0]), Error::NotFound);
        fails(call(Call::Reply, &[weak.raw(), 0, 0]), Error::NoRight);
        for which in [Call::CallerRegistersGet, Call::CallerRegistersSet] {
            fails(call(which, &[weak.raw(), 0, 0]), Error::NoRight);
        }
        fails(call(Call::LeaseRead, &[thread.raw(), 0, 0, 0, 0]), Error::NotFound);
        let all = Halted::Calling(thread).general().expect("its registers");
        Halted::Calling(thread).write(&all).expect("room for registers");
        thread.answer(0, round * 3).expect("an answer");
        fails(call(Call::Reply, &[thread.raw(), REPLY_LATER.into(), 0]), Error::NotFound);
    }
    same(child.wait(FOREVER), Ok(0));
}

fn without_handler(world: &World) {
    let child = actor(world, ROLE, QUOTA).expect("a process");
    same(child.run(FOREVER), Ok(EXIT_FAULT));
}
