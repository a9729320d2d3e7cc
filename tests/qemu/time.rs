//! The clock and deadlines. These are run with `-icount`, where the guest's time is
//! its instructions: however busy the host is, they see the same.

use crate::table::Test;
use ochre::arch;
use ochre::kernel;
use ochre::mm::Id;
use ochre::object::{Notice, Port, Target};
use ochre::units::{CpuId, Nanos};

pub const TESTS: &[Test] = &[
    Test::pass("perf", "clock-is-monotonic", monotonic),
    Test::pass("perf", "deadline-comes-once", deadline),
    Test::pass("perf", "deadline-in-the-past", deadline_in_the_past),
    Test::pass("perf", "many-deadlines", many_deadlines),
    Test::pass("perf", "idle-sleeps", idle_sleeps),
];

fn now() -> Nanos {
    kernel::lock().now()
}

fn monotonic() {
    let mut last = now();
    for _ in 0..20_000 {
        let next = now();
        assert!(last <= next, "{last:?} and then {next:?}");
        last = next;
    }
    assert!(last > Nanos(0));
}

/// A port with a timer that signals it: what tells user code of a moment.
fn ringing_at(moment: Nanos) -> Id<Port> {
    let kernel = &mut *kernel::lock();
    let account = kernel.vm.account_root(1 << 20).expect("memory for a test");
    let port = kernel.create_port(account, 0).expect("memory for a test");
    let target = Target::Port(Notice { port, bits: 1 });
    let timer = kernel.create_timer(account, target).expect("memory for a test");
    kernel.set_timer(CpuId::BOOT, timer, moment);
    port
}

fn rung(port: Id<Port>) -> bool {
    kernel::lock().ports[port].signals == 1
}

fn rings() -> u64 {
    kernel::lock().cpus[CpuId::BOOT.index()].rings
}

fn deadline() {
    let moment = Nanos(now().0 + 3_333_333);
    let port = ringing_at(moment);
    while !rung(port) {
        assert!(now() < Nanos(moment.0 + 1_000_000_000), "the deadline never came");
        arch::cpu::wait();
    }
    assert!(now() >= moment, "it came early");
    assert!(now().0 < moment.0 + 1_000_000, "it came late");
}

fn deadline_in_the_past() {
    let port = ringing_at(Nanos(0));
    arch::cpu::wait();
    assert!(rung(port));
}

/// A thousand deadlines in one tree, set in a mixed order, all come.
fn many_deadlines() {
    let start = now().0 + 1_000_000;
    let mixed = |nth: u64| Nanos(start + nth * 7919 % 1000 * 1000);
    let ports: [_; 1000] = core::array::from_fn(|nth| ringing_at(mixed(nth as u64)));
    while !ports.iter().all(|&port| rung(port)) {
        assert!(now().0 < start + 1_000_000_000, "a deadline never came");
        arch::cpu::wait();
    }
}

/// While nothing is due a CPU sleeps: no tick wakes it. Five slices are enough to see one, and a Pi whose
/// other CPUs spin in its firmware pays for every one.
fn idle_sleeps() {
    let port = ringing_at(Nanos(now().0 + 50_000_000));
    let before = rings();
    let mut woken = 0;
    while !rung(port) {
        arch::cpu::wait();
        woken += 1;
    }
    assert!(woken <= 3, "woken {woken} times in five slices in which nothing was due");
    assert_eq!(rings(), before + 1);
}
