//! The clock, the tick and one-shot deadlines. These are run with `-icount`, where the guest's time is
//! its instructions: however busy the host is, they see the same.

use crate::table::Test;
use ochre::arch;
use ochre::kernel;
use ochre::units::{CpuId, Nanos};

pub const TESTS: &[Test] = &[
    Test::pass("perf", "clock-is-monotonic", monotonic),
    Test::pass("perf", "tick-rate", tick_rate),
    Test::pass("perf", "deadline-comes-once", deadline),
    Test::pass("perf", "deadline-in-the-past", deadline_in_the_past),
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

/// Over a tenth of a second, after what was due before has been served, every CPU has as many ticks as that has, give or take the one at
/// either end.
fn tick_rate() {
    let ticks = || kernel::lock().cpus.map(|cpu| cpu.ticks);
    // Those that were due while this CPU started the others, with interrupts off, come now.
    arch::cpu::wait();
    let (start, before) = (now(), ticks());
    while now().0 < start.0 + 100_000_000 {
        arch::cpu::wait();
    }
    let (end, after) = (now(), ticks());
    let kernel = kernel::lock();
    let expected = (end.0 - start.0) / (1_000_000_000 / kernel.options.hz);
    for (index, cpu) in kernel.cpus.iter().enumerate().filter(|(_, cpu)| cpu.online) {
        let had = after[index] - before[index];
        assert!(had.abs_diff(expected) <= 1, "CPU {index}: {had} ticks of {expected}, {cpu:?}");
    }
}

fn met() -> u64 {
    kernel::lock().cpus[CpuId::BOOT.index()].deadlines_met
}

fn deadline() {
    let moment = Nanos(now().0 + 3_333_333);
    kernel::lock().set_deadline(CpuId::BOOT, moment);
    while met() == 0 {
        assert!(now() < Nanos(moment.0 + 1_000_000_000), "the deadline never came");
        arch::cpu::wait();
    }
    assert!(now() >= moment, "it came early");
    let end = now().0 + 50_000_000;
    while now().0 < end {
        arch::cpu::wait();
    }
    assert_eq!(met(), 1);
}

fn deadline_in_the_past() {
    kernel::lock().set_deadline(CpuId::BOOT, Nanos(0));
    arch::cpu::wait();
    assert_eq!(met(), 1);
}

/// A CPU that waits wakes for a tick and not before: between two, it runs hardly anything.
fn idle_sleeps() {
    let start = now();
    let mut woken = 0;
    while now().0 < start.0 + 100_000_000 {
        arch::cpu::wait();
        woken += 1;
    }
    assert!(woken <= 30, "woken {woken} times in a tenth of a second");
}
