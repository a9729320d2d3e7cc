//! Handles on their way: back and forth, to who cannot have them, to nobody.

use crate::sim_ipc::served;
use crate::sim_stage::{DONE, MILLI, Stage};
use ochre::abi::{Arrival, Call, Error, Info, Kind, PortRights};
use ochre::object::Named;

/// A handle goes to a server and comes back with the answer, again and again; there is always one.
#[test]
fn a_handle_moves_back_and_forth() {
    let (mut stage, port, handle, server) = served(0);
    let (process, sends) = stage.client(1 << 18, port);
    let client = stage.actor_of(process, 10);
    let (thing, mut word) = stage.sim.port(process, 0);
    let info = Info::new(0).with_handles(1).0;
    for _ in 0..3 {
        stage.call(client, Call::Call, &[sends, info, 1, 2, 3, 4, 5, word]);
        assert!(stage.got(server, Arrival::Call, &[1, 2, 3, 4, 5]));
        let theirs = stage.args(server)[7];
        assert_eq!(stage.sim.kernel.ports[thing].refs, 1);
        stage.call(server, Call::ReplyReceive, &[handle, info, 0, 0, 0, 0, 0, theirs]);
        word = stage.args(client)[7];
        assert_eq!(stage.try_call(client, Call::HandleInfo, &[word]), DONE);
    }
    stage.end();
}

/// Who has no quota for a handle gets the message without it, and the handle is closed.
#[test]
fn a_handle_for_a_poor_receiver_is_closed() {
    let mut stage = Stage::new(1);
    let (thing, word) = stage.port(0);
    let (poor, _) = stage.sim.process(96 << 10, 63);
    let (port, receives) = stage.sim.port(poor, 0);
    let rights = (PortRights::SEND | PortRights::RECEIVE).bits();
    let sends = stage.sim.grant(stage.process, Named::Port(port), rights, 0);
    let server = stage.actor_of(poor, 20);
    stage.call(server, Call::Receive, &[receives]);
    let account = stage.sim.kernel.processes[poor].account;
    let (used, limit) = stage.sim.kernel.vm.usage(account);
    stage.sim.kernel.vm.charge(account, limit - used).expect("all of it");
    let sender = stage.actor(10);
    let info = Info::new(0).with_handles(1).0;
    stage.call(sender, Call::Send, &[sends, info, 0, 0, 0, 0, 0, word]);
    assert!(stage.got(server, Arrival::Message, &[0; 6]));
    stage.pass(MILLI);
    assert!(stage.sim.kernel.ports.get(thing).is_none(), "with its last handle");
    stage.sim.kernel.vm.uncharge(account, limit - used);
    stage.end();
}

/// Messages that nobody takes bring their handles back.
#[test]
fn a_handle_comes_back_from_a_message_that_was_not_taken() {
    let mut stage = Stage::new(1);
    let (_, handle) = stage.port(0);
    let (_, word) = stage.port(0);
    let sender = stage.actor(10);
    let info = Info::new(0).with_handles(1).0;
    let args = [handle, info, 0, 0, 0, 0, 0, word];
    for call in [Call::Send, Call::Call] {
        let deadline = stage.now() + MILLI;
        stage.call_until(sender, call, &args, deadline);
        stage.pass(2 * MILLI);
        assert_eq!(stage.status(sender), Err(Error::TimedOut));
        assert_eq!(stage.args(sender)[7], word);
        assert_eq!(stage.try_call(sender, Call::HandleInfo, &[word]), DONE);
    }
    stage.end();
}

/// Ports whose only receivers are in their own queues would never end: such messages wait.
#[test]
fn no_queue_keeps_its_own_port() {
    let mut stage = Stage::new(1);
    let (port, handle) = stage.port(4);
    let sender = stage.actor(10);
    let name = stage.sim.kernel.handles.count();
    let send = PortRights::SEND.bits();
    let sends = stage.sim.grant(stage.process, Named::Port(port), send, 0);
    let info = Info::new(0).with_handles(1).0;
    stage.call(sender, Call::Send, &[sends, info, 0, 0, 0, 0, 0, handle]);
    assert!(stage.waits(sender) && stage.sim.kernel.handles.count() == name + 1);
    stage.end();
}

/// Whoever manages a process finds each of its handles once, however many others there are.
#[test]
fn all_handles_of_a_process_are_found() {
    let mut stage = Stage::new(1);
    let me = stage.actor(10);
    let (other, _) = stage.sim.process(1 << 20, 63);
    let manage = stage.sim.grant(stage.process, Named::Process(other), u8::MAX, 0);
    let (port, first) = stage.sim.port(other, 0);
    let weak = stage.sim.grant(stage.process, Named::Process(other), !8, 0);
    for _ in 0..2000 {
        stage.sim.grant(stage.process, Named::Machine, 1, 0);
    }
    let last = stage.sim.grant(other, Named::Port(port), 1, 77);
    let (mut found, mut place) = (Vec::new(), 0);
    loop {
        let status = stage.try_call(me, Call::HandleOf, &[manage, place]);
        if status == Err(Error::NotFound) {
            break;
        }
        let [_, handle, kind, rights, badge, object, next, ..] = stage.args(me);
        // After a piece with none of them the call is made again, from where that has come to.
        place = if status == DONE { next } else { handle };
        if status == DONE && kind == Kind::Port as u64 {
            assert_eq!(object, port.to_bits());
            found.push((handle, rights, badge));
        }
    }
    assert_eq!(found, [(first, 0xff, 0), (last, 1, 77)]);
    assert_eq!(stage.try_call(me, Call::HandleOf, &[weak, 0]), Err(Error::NoRight));
    stage.end();
}
