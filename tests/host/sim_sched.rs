//! Who runs when: turns, priorities, what callers lend, where threads may run.

use crate::sim_stage::{DONE, MILLI, Stage};
use ochre::abi::{ANY_CPU, Call, FOREVER};
use ochre::arch::timer;
use ochre::mm::Id;
use ochre::object::{State, Thread};
use ochre::units::{Cause, CpuId};

/// Nanoseconds that each thread ran on the first CPU, when so much time passes in steps.
fn shares<const N: usize>(stage: &mut Stage, all: [Id<Thread>; N], millis: u64) -> [u64; N] {
    let before = all.map(|thread| stage.sim.kernel.thread_time(thread));
    (0..millis * 4).for_each(|_| stage.pass(MILLI / 4));
    let after = all.map(|thread| stage.sim.kernel.thread_time(thread));
    std::array::from_fn(|n| after[n] - before[n])
}

#[test]
fn equals_get_equal_time() {
    let mut stage = Stage::new(1);
    let all = [0; 3].map(|_| stage.actor(10));
    for share in shares(&mut stage, all, 600) {
        assert!((180 * MILLI..220 * MILLI).contains(&share), "{share}");
    }
    stage.end();
}

/// Whoever is interrupted by somebody more urgent goes on with the slice it had, so that those behind
/// it have their turn.
#[test]
fn interruptions_do_not_make_slices_longer() {
    let mut stage = Stage::new(1);
    let all = [0; 2].map(|_| stage.actor(10));
    let urgent = stage.actor(20);
    let mut before = all.map(|thread| stage.sim.kernel.thread_time(thread));
    for _ in 0..100 {
        let deadline = stage.now() + 3 * MILLI;
        stage.call_until(urgent, Call::Receive, &[0], deadline);
        (0..13).for_each(|_| stage.pass(MILLI / 4));
        assert_eq!(stage.on(0), Some(urgent));
    }
    for (thread, before) in all.into_iter().zip(&mut before) {
        *before = stage.sim.kernel.thread_time(thread) - *before;
    }
    let [one, other] = before;
    assert!(one.abs_diff(other) < 25 * MILLI, "{one} and {other}");
    stage.end();
}

#[test]
fn a_thread_starves_only_while_more_urgent_ones_run() {
    let mut stage = Stage::new(1);
    let [low, high] = [10, 20].map(|priority| stage.actor(priority));
    assert_eq!(shares(&mut stage, [low, high], 100), [0, 100 * MILLI]);
    let wakes = stage.now() + 40 * MILLI;
    stage.call_until(high, Call::Receive, &[0], wakes);
    let [first, second] = shares(&mut stage, [low, high], 100);
    assert!((39 * MILLI..41 * MILLI).contains(&first), "{first}");
    assert_eq!(first + second, 100 * MILLI);
    stage.end();
}

#[test]
fn a_cooperative_thread_runs_until_it_yields() {
    let mut stage = Stage::new(1);
    let one = stage.actor(10);
    let name = stage.name(one);
    assert_eq!(stage.try_call(one, Call::ThreadSchedule, &[name, 10, 0, ANY_CPU]), DONE);
    let other = stage.actor(10);
    assert_eq!(timer::deadline(CpuId::BOOT), None, "nothing ends its turn");
    assert_eq!(shares(&mut stage, [one, other], 100), [100 * MILLI, 0]);
    stage.call(one, Call::Yield, &[]);
    assert_eq!(stage.on(0), Some(other));
    stage.pass(10 * MILLI + 1);
    assert_eq!(stage.on(0), Some(one), "the other's turn does end");
    stage.end();
}

#[test]
fn a_yield_to_nobody_goes_on() {
    let mut stage = Stage::new(1);
    let [low, high] = [10, 20].map(|priority| stage.actor(priority));
    stage.call(high, Call::Yield, &[]);
    assert_eq!((stage.on(0), stage.state(low)), (Some(high), State::Ready));
    stage.end();
}

/// Three servers, each of which calls the next, work at the priority of the first caller; a thread in
/// between does not get in the way.
#[test]
fn priority_is_lent_along_a_chain_of_calls() {
    let mut stage = Stage::new(1);
    let ports = [0; 3].map(|_| stage.port(0).1);
    let servers = [3, 2, 1].map(|priority| stage.actor(priority));
    for (server, port) in servers.into_iter().zip(ports) {
        stage.call(server, Call::Receive, &[port]);
    }
    let client = stage.actor(50);
    let middle = stage.actor(30);
    stage.call(client, Call::Call, &[ports[0], 0]);
    assert_eq!(stage.on(0), Some(servers[0]));
    stage.call(servers[0], Call::Call, &[ports[1], 0]);
    stage.call(servers[1], Call::Call, &[ports[2], 0]);
    assert_eq!(stage.on(0), Some(servers[2]));
    assert!(servers.iter().all(|server| stage.priority(*server) == 50));
    for at in [2, 1, 0] {
        stage.call(servers[at], Call::ReplyReceive, &[ports[at], 0]);
        assert_eq!(u64::from(stage.priority(servers[at])), 3 - at as u64);
    }
    assert_eq!((stage.on(0), stage.status(client)), (Some(client), DONE));
    stage.call_until(client, Call::Receive, &[0], FOREVER);
    assert_eq!(stage.on(0), Some(middle));
    stage.end();
}

/// A high caller that has to wait for a busy server lends it its priority at once, through a whole chain.
#[test]
fn a_busy_server_inherits_from_who_queues_behind() {
    let mut stage = Stage::new(1);
    let [front, back] = [0; 2].map(|_| stage.port(0).1);
    let [server, helper] = [5, 4].map(|priority| stage.actor(priority));
    stage.call(server, Call::Receive, &[front]);
    stage.call(helper, Call::Receive, &[back]);
    let client = stage.actor(6);
    stage.call(client, Call::Call, &[front, 0]);
    stage.call(server, Call::Call, &[back, 0]);
    assert_eq!([server, helper].map(|thread| stage.priority(thread)), [6, 6]);
    let middle = stage.actor(20);
    assert_eq!(stage.on(0), Some(middle), "low work waits");
    let high = stage.actor(40);
    stage.call(high, Call::Call, &[front, 0]);
    assert_eq!([server, helper].map(|thread| stage.priority(thread)), [40, 40]);
    assert_eq!(stage.on(0), Some(helper), "it is urgent now");
    stage.call(helper, Call::ReplyReceive, &[back, 0]);
    stage.call(server, Call::ReplyReceive, &[front, 0]);
    assert_eq!(stage.priority(server), 40, "the next call is the high one's");
    stage.call(server, Call::ReplyReceive, &[front, 0]);
    assert_eq!((stage.on(0), stage.status(high)), (Some(high), DONE));
    assert_eq!(stage.priority(server), 5);
    stage.end();
}

/// Whoever is answered shares the CPU with its equals, however it got there.
#[test]
fn an_answer_does_not_keep_equals_from_their_turn() {
    let mut stage = Stage::new(1);
    let port = stage.port(0).1;
    let server = stage.actor(20);
    stage.call(server, Call::Receive, &[port]);
    let client = stage.actor(10);
    stage.call(client, Call::Call, &[port, 0]);
    let equal = stage.actor(10);
    stage.call(server, Call::ReplyReceive, &[port, 0]);
    for share in shares(&mut stage, [client, equal], 400) {
        assert!((180 * MILLI..220 * MILLI).contains(&share), "{share}");
    }
    stage.end();
}

/// Changing the priority of a server or of its caller changes nothing of what is lent.
#[test]
fn what_was_lent_stays_when_priorities_are_set() {
    let mut stage = Stage::new(1);
    let port = stage.port(0).1;
    let [server, client] = [5, 30].map(|priority| stage.actor(priority));
    let boss = stage.actor(60);
    let names = [server, client].map(|thread| stage.name(thread));
    let later = stage.now() + MILLI;
    stage.call_until(boss, Call::Receive, &[0], later);
    stage.call_until(client, Call::Receive, &[0], later);
    stage.call(server, Call::Receive, &[port]);
    stage.pass(2 * MILLI);
    stage.call_until(boss, Call::Receive, &[0], later + 2 * MILLI);
    stage.call(client, Call::Call, &[port, 0]);
    stage.pass(2 * MILLI);
    let set = |stage: &mut Stage, who: usize, priority| {
        let args = [names[who], priority, 0, ANY_CPU];
        assert_eq!(stage.try_call(boss, Call::ThreadSchedule, &args), DONE);
    };
    set(&mut stage, 0, 3);
    assert_eq!(stage.priority(server), 30);
    set(&mut stage, 1, 44);
    assert_eq!(stage.priority(server), 44, "its caller became more urgent");
    stage.call(boss, Call::Receive, &[0]);
    stage.call(server, Call::Reply, &[0, 0]);
    assert_eq!(stage.priority(server), 3);
    stage.end();
}

#[test]
fn threads_run_only_where_they_may() {
    let mut stage = Stage::new(2);
    let [one, two] = [0; 2].map(|_| stage.actor(10));
    assert_eq!([stage.on(0), stage.on(1)], [Some(one), None], "it waits where it was woken");
    stage.spread();
    assert_eq!([stage.on(0), stage.on(1)], [Some(one), Some(two)], "but not for long");
    let [first, second] = [one, two].map(|thread| stage.name(thread));
    // From the other side: it is moved, and waits there.
    assert_eq!(stage.try_call(one, Call::ThreadSchedule, &[second, 10, 0, 1]), DONE);
    assert_eq!([stage.on(0), stage.on(1)], [Some(one), None]);
    assert_eq!((stage.state(two), stage.sim.kernel.threads[two].cpu), (State::Ready, CpuId(0)));
    // Itself.
    assert_eq!(stage.try_call(one, Call::ThreadSchedule, &[first, 10, 0, 2]), DONE);
    assert_eq!([stage.on(0), stage.on(1)], [Some(two), Some(one)]);
    let args = [first, 10, 0, 1 << 5];
    let refused = stage.try_call(one, Call::ThreadSchedule, &args);
    assert_eq!(refused, Err(ochre::abi::Error::Invalid), "no such CPU is there");
    stage.end();
}

#[test]
fn an_idle_cpu_takes_over_what_waits_elsewhere() {
    let mut stage = Stage::new(2);
    let all = [0; 3].map(|_| stage.actor(10));
    stage.spread();
    let waits = all.into_iter().find(|thread| stage.state(*thread) == State::Ready);
    let waits = waits.expect("there are three for two CPUs");
    let home = stage.sim.kernel.threads[waits].cpu;
    let other = stage.on(1 - home.index()).expect("it runs one");
    stage.call(other, Call::Receive, &[0]);
    assert_eq!(stage.on(1 - home.index()), Some(waits));
    stage.end();
}

/// Nor does one wait there for good behind others that may run nowhere else.
#[test]
fn an_idle_cpu_looks_behind_the_first_that_waits() {
    let mut stage = Stage::new(2);
    let all = [10, 10, 10, 10, 9].map(|priority| stage.actor(priority));
    let (last, others) = (all[4], &all[..4]);
    stage.spread();
    for thread in others {
        let home = stage.sim.kernel.threads[*thread].cpu;
        stage.sim.kernel.threads[*thread].affinity = 1 << home.0;
    }
    let other = 1 - stage.sim.kernel.threads[last].cpu.index();
    while let Some(thread) = stage.on(other).filter(|thread| others.contains(thread)) {
        assert_eq!(stage.state(last), State::Ready);
        stage.call(thread, Call::Receive, &[0]);
    }
    assert_eq!(stage.on(other), Some(last));
    stage.end();
}

/// Time that is given to a thread by one CPU is not lost when another one wakes it.
#[test]
fn a_more_urgent_thread_interrupts_another_cpu() {
    let mut stage = Stage::new(2);
    let port = stage.port(0).1;
    let high = stage.actor(30);
    stage.sim.kernel.threads[high].affinity = 1;
    stage.call(high, Call::Receive, &[port]);
    let lows = [0; 2].map(|_| stage.actor(10));
    stage.spread();
    let [_, other] = [stage.on(0), stage.on(1)];
    let sender = other.expect("both CPUs are used");
    assert!(lows.contains(&sender));
    stage.call(sender, Call::Signal, &[port, 1]);
    assert_eq!((stage.state(high), stage.on(0)), (State::Running, Some(high)));
    stage.sim.trap(CpuId(0), Cause::Spurious);
    stage.end();
}
