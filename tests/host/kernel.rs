//! The kernel as a value, on a simulated machine: built as boot builds it, then asked what to do
//! about interrupts.

use crate::support::{MIB, machine};
use ochre::abi::FaultKind;
use ochre::arch::timer;
use ochre::kernel::{Kernel, Next};
use ochre::mm::page_table::MapError;
use ochre::mm::{Id, Ram};
use ochre::object::{Notice, Port, Target, Timer};
use ochre::units::{Cause, CpuId, Exception, Nanos, PAGE_SIZE, PhysAddr};

/// A machine with a port, and with timers that set its signals, the `n`th the `n`th bit.
fn timers<const N: usize>() -> (Kernel, Id<Port>, [Id<Timer>; N]) {
    let mut kernel = machine(8 * MIB, 1).expect("it fits");
    let account = kernel.vm.account_root(MIB).expect("an account");
    let port = kernel.create_port(account, 0).expect("a port");
    let timers = std::array::from_fn(|n| {
        kernel.create_timer(account, Target::Port(Notice { port, bits: 1 << n })).expect("a timer")
    });
    (kernel, port, timers)
}

/// Lets time pass, and the timer interrupt come if it is due; tells the signals that are set.
fn pass(kernel: &mut Kernel, port: Id<Port>, millis: u64) -> u64 {
    if timer::advance(Nanos(millis * 1_000_000)) {
        assert_eq!(kernel.handle(CpuId::BOOT, Cause::Timer), Next::Resume);
    }
    kernel.ports[port].signals
}

#[test]
fn boots_in_little_memory_and_counts_all_of_it() {
    let kernel = machine(4 * MIB, 1).expect("it fits");
    let stats = kernel.vm.ram.frames.stats();
    let image = 192 << 10;
    assert!((stats.total as u64) < (4 * MIB - image) / PAGE_SIZE);
    assert!(stats.free > 800 && stats.free <= stats.total, "{stats:?}");
}

#[test]
fn too_little_memory_is_an_error() {
    assert!(matches!(machine(2 * MIB, 1), Err(MapError::NoMemory)));
}

#[test]
fn nothing_to_do_is_no_interrupt() {
    let (mut kernel, port, _) = timers::<1>();
    assert_eq!(pass(&mut kernel, port, 1_000_000), 0);
    assert_eq!(kernel.cpus[0].rings, 0);
    assert_eq!(timer::deadline(CpuId::BOOT), None);
}

#[test]
fn timers_ring_when_they_are_due_and_once() {
    let (mut kernel, port, [late, early]) = timers();
    kernel.set_timer(CpuId::BOOT, late, Nanos(13_000_000));
    kernel.set_timer(CpuId::BOOT, early, Nanos(5_000_000));
    assert_eq!(pass(&mut kernel, port, 4), 0b00);
    assert_eq!(pass(&mut kernel, port, 2), 0b10);
    assert_eq!(pass(&mut kernel, port, 6), 0b10);
    assert_eq!(pass(&mut kernel, port, 2), 0b11);
    kernel.ports[port].signals = 0;
    assert_eq!(pass(&mut kernel, port, 100), 0);
    assert_eq!(kernel.cpus[0].rings, 2);
}

/// One that is set again or taken back does not ring for what it was set to before; the hardware may.
#[test]
fn a_timer_that_is_set_again_forgets_the_past() {
    let (mut kernel, port, [first, second]) = timers();
    kernel.set_timer(CpuId::BOOT, first, Nanos(5_000_000));
    kernel.set_timer(CpuId::BOOT, first, Nanos(20_000_000));
    kernel.set_timer(CpuId::BOOT, second, Nanos(6_000_000));
    kernel.set_timer(CpuId::BOOT, second, Nanos(u64::MAX));
    assert_eq!(pass(&mut kernel, port, 10), 0);
    assert_eq!(pass(&mut kernel, port, 11), 1);
    assert_eq!(timer::deadline(CpuId::BOOT), None);
}

/// Many that are due together are served in several interrupts, none of which takes long.
#[test]
fn many_timers_ring_in_batches() {
    let (mut kernel, port, all) = timers::<40>();
    all.iter().for_each(|timer| kernel.set_timer(CpuId::BOOT, *timer, Nanos(1_000_000)));
    let mut counts = Vec::new();
    while counts.last() != Some(&40) {
        counts.push(pass(&mut kernel, port, 2).count_ones());
    }
    assert_eq!(counts, [16, 32, 40]);
}

#[test]
fn ipis_are_counted_and_exceptions_end_it() {
    let mut kernel = machine(8 * MIB, 2).expect("it fits");
    assert_eq!(kernel.handle(CpuId(1), Cause::Ipi), Next::Resume);
    assert_eq!(kernel.cpus[1].ipis, 1);
    assert_eq!(kernel.handle(CpuId(1), Cause::Spurious), Next::Resume);
    let exception = Exception { name: "a test", kind: FaultKind::Other, code: 0 };
    assert_eq!(kernel.handle(CpuId(0), Cause::Exception(exception)), Next::Stop);
}

#[test]
fn device_windows_open_until_there_is_no_room() {
    let mut kernel = machine(8 * MIB, 1).expect("it fits");
    let Ram { space, memory, frames, .. } = &mut kernel.vm.ram;
    let mut open = |at, size| space.open_window(PhysAddr(at), size, memory, frames);
    assert!(open(0x900_0010, 8).is_some());
    assert!(open(u64::MAX - 8, 4096).is_none());
    assert!(open(0, 1 << 40).is_none());
    assert!(open(0x900_0010, 8).is_some());
}
