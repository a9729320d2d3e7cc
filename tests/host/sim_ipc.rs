//! Messages step by step: order, room, deadlines, cancellation, the end of either side.

use crate::sim_stage::{DONE, MILLI, Stage};
use ochre::abi::{Arrival, Call, EXIT_ABANDONED, Error, Info, NOW};
use ochre::mm::Id;
use ochre::object::{Handler, Life, Named, Port, State, Thread};
use ochre::units::{Cause, CpuId};

/// A machine with a port, and a server that waits at it.
pub fn served(capacity: u64) -> (Stage, Id<Port>, u64, Id<Thread>) {
    let mut stage = Stage::new(1);
    let (port, handle) = stage.port(capacity);
    let server = stage.actor(20);
    stage.call(server, Call::Receive, &[handle]);
    (stage, port, handle, server)
}

#[test]
fn signals_are_there_until_they_are_received() {
    let (mut stage, port, handle, server) = served(0);
    let other = stage.actor(10);
    stage.call(other, Call::Signal, &[handle, 0b0001]);
    assert!(stage.got(server, Arrival::Signals, &[0b0001]) && stage.on(0) == Some(server));
    stage.call_until(server, Call::Receive, &[0], MILLI);
    for bits in [0b0010, 0b1000, 0b0010] {
        stage.call(other, Call::Signal, &[handle, bits]);
    }
    assert_eq!(stage.sim.kernel.ports[port].signals, 0b1010);
    stage.pass(2 * MILLI);
    stage.call(server, Call::Receive, &[handle]);
    assert!(stage.got(server, Arrival::Signals, &[0b1010]));
    let refused = {
        stage.call_until(server, Call::Receive, &[handle], NOW);
        stage.status(server)
    };
    assert_eq!(refused, Err(Error::TimedOut), "they come once");
    stage.end();
}

/// What is queued comes first, then those who wait, in their order; nobody overtakes.
#[test]
fn a_full_queue_holds_senders_back_in_order() {
    let mut stage = Stage::new(1);
    let (_, handle) = stage.port(2);
    let server = stage.actor(5);
    let senders = [0; 4].map(|_| stage.actor(10));
    for (word, sender) in senders.into_iter().enumerate() {
        stage.call(sender, Call::Send, &[handle, 0, word as u64]);
        assert_eq!(stage.waits(sender), word >= 2);
        if word < 2 {
            assert_eq!(stage.status(sender), DONE);
            stage.call(sender, Call::Receive, &[0]);
        }
    }
    let late = stage.actor(10);
    stage.call_until(late, Call::Send, &[handle, 0, 9], NOW);
    assert_eq!(stage.status(late), Err(Error::Full));
    stage.call(late, Call::Send, &[handle, 0, 4]);
    for word in 0..5 {
        assert_eq!(stage.on(0), Some(server));
        stage.call(server, Call::Receive, &[handle]);
        assert!(stage.got(server, Arrival::Message, &[word]), "{:?}", stage.args(server));
        for sender in senders.into_iter().chain([late]) {
            if stage.on(0) == Some(sender) {
                assert_eq!(stage.status(sender), DONE);
                stage.call(sender, Call::Receive, &[0]);
            }
        }
    }
    stage.end();
}

#[test]
fn a_port_without_room_hands_messages_over() {
    let mut stage = Stage::new(1);
    let (port, handle) = stage.port(0);
    let [server, sender] = [5, 10].map(|priority| stage.actor(priority));
    stage.call(sender, Call::Send, &[handle, 3, 77]);
    assert!(stage.waits(sender) && stage.sim.kernel.ports[port].messages == 0);
    stage.call(server, Call::Receive, &[handle]);
    assert!(stage.got(server, Arrival::Message, &[77]));
    assert_eq!((stage.on(0), stage.status(sender)), (Some(sender), DONE));
    stage.call_until(sender, Call::Send, &[handle, 0], NOW);
    assert_eq!(stage.status(sender), Err(Error::Full), "nobody waits for it");
    stage.end();
}

/// Begins each kind of wait, and tells who waits.
fn each_wait(then: impl Fn(&mut Stage, Id<Thread>, State)) {
    for kind in 0..5 {
        let mut stage = Stage::new(1);
        let (_, handle) = stage.port(0);
        let (waiter, server) = (stage.actor(20), stage.actor(10));
        let deadline = stage.now() + 10 * MILLI;
        let (call, args) = match kind {
            0 => (Call::Receive, [0, 0]),
            1 => (Call::Receive, [handle, 0]),
            2 => (Call::Send, [handle, 0]),
            _ => (Call::Call, [handle, 0]),
        };
        stage.call_until(waiter, call, &args, deadline);
        if kind == 4 {
            stage.call(server, Call::Receive, &[handle]);
            assert!(matches!(stage.state(waiter), State::Awaiting(_)));
        }
        assert!(stage.waits(waiter) && stage.on(0) == Some(server));
        let state = stage.state(waiter);
        then(&mut stage, waiter, state);
        stage.end();
    }
}

/// A server has what was lent to it until it answers, even if nobody waits for that any more; it yields.
fn let_pass(stage: &mut Stage, server: Id<Thread>) {
    if stage.on(0) == Some(server) {
        stage.call(server, Call::Yield, &[]);
    }
}

#[test]
fn every_wait_ends_at_its_deadline() {
    each_wait(|stage, waiter, _| {
        stage.pass(9 * MILLI);
        assert!(stage.waits(waiter));
        stage.pass(2 * MILLI);
        assert_eq!((stage.on(0), stage.status(waiter)), (Some(waiter), Err(Error::TimedOut)));
        stage.pass(20 * MILLI);
    });
}

#[test]
fn every_wait_can_be_cancelled() {
    each_wait(|stage, waiter, _| {
        let server = stage.on(0).expect("it runs");
        let name = stage.name(waiter);
        stage.call(server, Call::ThreadCancel, &[name]);
        let_pass(stage, server);
        assert_eq!((stage.on(0), stage.status(waiter)), (Some(waiter), Err(Error::Cancelled)));
        stage.call(waiter, Call::Receive, &[0]);
        stage.pass(20 * MILLI);
        assert!(stage.waits(waiter), "the deadline was that of another wait");
    });
}

#[test]
fn who_does_not_wait_cannot_be_cancelled() {
    let mut stage = Stage::new(1);
    let [low, high] = [10, 20].map(|priority| stage.actor(priority));
    let name = stage.name(low);
    assert_eq!(stage.try_call(high, Call::ThreadCancel, &[name]), Err(Error::NotFound));
    stage.end();
}

/// A thread that is suspended does not run, whatever it did; what it waits for comes all the same, and
/// is there when it is resumed.
#[test]
fn every_wait_can_be_suspended() {
    each_wait(|stage, waiter, state| {
        let server = stage.on(0).expect("it runs");
        let name = stage.name(waiter);
        assert_eq!(stage.try_call(server, Call::ThreadSuspend, &[name]), DONE);
        assert_eq!(stage.state(waiter), state, "the wait goes on");
        stage.pass(20 * MILLI);
        assert_eq!((stage.on(0), stage.state(waiter)), (Some(server), State::Stopped));
        stage.call(server, Call::ThreadResume, &[name]);
        let_pass(stage, server);
        assert_eq!((stage.on(0), stage.status(waiter)), (Some(waiter), Err(Error::TimedOut)));
    });
}

#[test]
fn a_call_to_a_suspended_server_arrives_when_it_is_resumed() {
    let (mut stage, _, handle, server) = served(0);
    let [client, boss] = [10, 5].map(|priority| stage.actor(priority));
    let name = stage.name(server);
    assert_eq!(stage.try_call(client, Call::ThreadSuspend, &[name]), DONE);
    stage.call(client, Call::Call, &[handle, 0, 42]);
    assert_eq!((stage.on(0), stage.state(server)), (Some(boss), State::Stopped));
    stage.call(boss, Call::ThreadResume, &[name]);
    assert!(stage.on(0) == Some(server) && stage.got(server, Arrival::Call, &[42]));
    stage.end();
}

/// The thread that another CPU runs stops when that CPU is told; a call that it was about to make is
/// made when it is resumed.
#[test]
fn a_thread_of_another_cpu_is_suspended() {
    let mut stage = Stage::new(2);
    let [one, other] = [0; 2].map(|_| stage.actor(10));
    stage.spread();
    let name = stage.name(other);
    stage.sim.call(one, Call::ThreadSuspend, &[name], NOW);
    assert_eq!(stage.on(1), Some(other), "the IPI has not come");
    stage.sim.call(other, Call::PortCreate, &[0], NOW);
    assert_eq!((stage.on(1), stage.state(other)), (None, State::Stopped));
    assert_eq!(stage.sim.kernel.ports.count(), 0, "and nothing happened");
    stage.sim.settle();
    stage.call(one, Call::ThreadResume, &[name]);
    stage.spread();
    let restarts = stage.sim.kernel.threads[other].context.frame.restarts;
    assert_eq!((stage.on(1), restarts), (Some(other), 1));
    stage.end();
}

/// How a client hears that its server is gone: while it waits for it, and while it is served.
#[test]
fn clients_are_told_that_a_server_is_gone() {
    for (kind, served) in [(0, false), (1, false), (1, true), (2, true), (3, true)] {
        let mut stage = Stage::new(1);
        let (port, handle) = stage.port(0);
        let (process, sends) = stage.client(1 << 18, port);
        let client = stage.actor_of(process, 20);
        let call = if kind == 0 { Call::Send } else { Call::Call };
        stage.call(client, call, &[sends, 0]);
        let server = stage.actor(10);
        let other = stage.actor(5);
        if served {
            stage.call(server, Call::Receive, &[handle]);
        }
        assert!(stage.waits(client));
        match kind {
            0 | 1 if !served => stage.call(server, Call::Close, &[handle]),
            1 => stage.call(server, Call::ThreadExit, &[]),
            2 => {
                let saved = stage.try_call(server, Call::ReplySave, &[]);
                assert_eq!(saved, DONE);
                let reply = stage.args(server)[1];
                stage.call(server, Call::Close, &[reply]);
            }
            _ => stage.call(server, Call::Exit, &[0]),
        }
        assert_eq!(stage.status(client), Err(Error::PeerGone), "kind {kind}");
        assert_eq!(stage.on(0), Some(client));
        if !served {
            let again = stage.try_call(client, call, &[sends, 0]);
            assert_eq!(again, Err(Error::PeerGone));
        }
        let _ = other;
        stage.end();
    }
}

#[test]
fn a_receiver_is_told_that_its_port_is_gone() {
    let (mut stage, _, handle, server) = served(0);
    let other = stage.actor(10);
    stage.call(other, Call::Close, &[handle]);
    assert_eq!((stage.on(0), stage.status(server)), (Some(server), Err(Error::PeerGone)));
    assert_eq!(stage.sim.kernel.ports.count(), 0);
    stage.end();
}

#[test]
fn an_answer_to_who_is_gone_finds_nobody() {
    let (mut stage, port, _, server) = served(0);
    let (process, sends) = stage.client(1 << 18, port);
    let client = stage.actor_of(process, 10);
    stage.call(client, Call::Call, &[sends, 0]);
    stage.sim.kernel.end_process(process, 0);
    stage.sim.nudge(CpuId::BOOT);
    assert_eq!(stage.try_call(server, Call::Reply, &[0, 0]), Err(Error::NotFound));
    stage.end();
}

/// A process whose foreign calls nobody answers any more ends: before the call is taken, and after.
#[test]
fn a_process_ends_with_its_handler() {
    for taken in [false, true] {
        let mut stage = Stage::new(1);
        let (port, handle) = stage.port(0);
        let (process, _) = stage.client(1 << 18, port);
        stage.sim.kernel.processes[process].handler = Some(Handler { port, badge: 77 });
        let keeper = stage.sim.grant(stage.process, Named::Process(process), u8::MAX, 0);
        let client = stage.actor_of(process, 20);
        let server = stage.actor(10);
        stage.sim.trap(CpuId::BOOT, Cause::Foreign);
        assert!(stage.waits(client));
        if taken {
            stage.call(server, Call::Receive, &[handle]);
            assert!(stage.got(server, Arrival::Foreign, &[]));
            assert_eq!(stage.sim.kernel.threads[server].context.frame.extra, [77, 7]);
            let other = stage.actor(5);
            stage.call(server, Call::ThreadExit, &[]);
            let _ = other;
        } else {
            stage.call(server, Call::Close, &[handle]);
        }
        stage.pass(MILLI);
        let over = &stage.sim.kernel.processes[process];
        assert_eq!((over.life, over.code), (Life::Ended, EXIT_ABANDONED));
        let runs = stage.on(0).expect("somebody is left");
        assert_eq!(stage.try_call(runs, Call::ProcessInfo, &[keeper]), DONE);
        assert_eq!(stage.args(runs)[1..5], [2, EXIT_ABANDONED, 0, 0], "even by then");
        stage.end();
    }
}

/// A saved duty to answer can be given away; whoever has it answers, once.
#[test]
fn a_saved_reply_is_answered_by_who_has_it() {
    let (mut stage, port, handle, server) = served(0);
    let (process, sends) = stage.client(1 << 18, port);
    let client = stage.actor_of(process, 30);
    stage.call(client, Call::Call, &[sends, 0]);
    assert_eq!(stage.priority(server), 30);
    assert_eq!(stage.try_call(server, Call::ReplySave, &[]), DONE);
    assert_eq!(stage.priority(server), 20, "it works for nobody now");
    let (saved, helper_process) = (stage.args(server)[1], stage.sim.process(1 << 18, 63).0);
    let to = stage.sim.grant(stage.process, Named::Process(helper_process), u8::MAX, 0);
    assert_eq!(stage.try_call(server, Call::Give, &[to, saved]), DONE);
    let theirs = stage.args(server)[1];
    assert_eq!(stage.try_call(server, Call::Reply, &[saved, 0]), Err(Error::BadHandle));
    stage.call(server, Call::Receive, &[handle]);
    let helper = stage.actor_of(helper_process, 10);
    stage.call(helper, Call::Reply, &[theirs, 5, 123]);
    assert_eq!(stage.args(client)[..3], [0, 5, 123]);
    assert_eq!(stage.on(0), Some(client));
    stage.call(client, Call::Receive, &[0]);
    assert_eq!(stage.try_call(helper, Call::Reply, &[theirs, 0]), Err(Error::BadHandle));
    stage.end();
}

#[test]
fn an_answer_cannot_carry_the_duty_to_give_it() {
    let (mut stage, port, _, server) = served(0);
    let (process, sends) = stage.client(1 << 18, port);
    let client = stage.actor_of(process, 10);
    stage.call(client, Call::Call, &[sends, 0]);
    assert_eq!(stage.try_call(server, Call::ReplySave, &[]), DONE);
    let saved = stage.args(server)[1];
    let args = [saved, Info::new(0).with_handles(1).0, 0, 0, 0, 0, 0, saved];
    assert_eq!(stage.try_call(server, Call::Reply, &args), Err(Error::BadHandle));
    assert!(stage.waits(client));
    assert_eq!(stage.try_call(server, Call::Reply, &[saved, 0]), DONE);
    stage.end();
}
