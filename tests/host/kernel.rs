//! The kernel as a value, on a simulated machine: built as boot builds it, then asked what to do
//! about interrupts.

use ochre::arch::{self, Handoff, PhysMem, timer};
use ochre::boot::{BootInfo, CpuInfo, CpuStart, Options, regions};
use ochre::clock::Clock;
use ochre::kernel::{Kernel, Next};
use ochre::mm::MapError;
use ochre::start;
use ochre::units::{Cause, CpuId, Exception, Frame, Nanos, PAGE_SIZE, PhysAddr};

const RAM: u64 = 0x4000_0000;
const MIB: u64 = 1 << 20;

/// A machine with this much RAM, booted as far as a value can be.
fn machine(bytes: u64) -> Result<Kernel, MapError> {
    let mut info = BootInfo::new("a test");
    info.memory.push(PhysAddr(RAM)..PhysAddr(RAM + bytes));
    info.cpus.push(CpuInfo { hardware_id: 0, start: CpuStart::Boot });
    let handoff = Handoff { info, entry_time: 0 };
    let mut info = handoff.info.clone();
    let image = arch::image(&handoff);
    regions::reserve(&mut info.reserved, image.physical(&image.all));
    regions::order_reserved(&mut info.reserved);
    let memory = PhysMem::simulate(Frame(RAM / PAGE_SIZE)..Frame((RAM + bytes) / PAGE_SIZE));
    let (mut kernel, _) = start::build(&handoff, &info, image, Options::default(), memory)?;
    kernel.clock = Clock::new(1_000_000_000);
    Ok(kernel)
}

fn ticking() -> Kernel {
    let mut kernel = machine(8 * MIB).expect("it fits");
    kernel.start_ticking(CpuId::BOOT);
    kernel
}

/// Lets time pass, and the timer interrupt come if it is due.
fn pass(kernel: &mut Kernel, millis: u64) {
    if timer::advance(Nanos(millis * 1_000_000)) {
        assert_eq!(kernel.handle(CpuId::BOOT, Cause::Timer), Next::Resume);
    }
}

#[test]
fn boots_in_little_memory_and_counts_all_of_it() {
    let kernel = machine(4 * MIB).expect("it fits");
    let stats = kernel.ram.frames.stats();
    let image = 192 << 10;
    assert_eq!(stats.total as u64, (4 * MIB - image) / PAGE_SIZE);
    assert!(stats.free > 800 && stats.free < stats.total, "{stats:?}");
}

#[test]
fn too_little_memory_is_an_error() {
    assert!(matches!(machine(2 * MIB), Err(MapError::NoMemory)));
}

#[test]
fn ticks_come_a_hundred_times_a_second() {
    let mut kernel = ticking();
    (0..1001).for_each(|_| pass(&mut kernel, 1));
    assert_eq!(kernel.cpus[0].ticks, 100);
}

/// A tick that is served late is not lost, nor are those that were due behind it, and the next one
/// is due when it would have been.
#[test]
fn late_ticks_are_caught_up_with() {
    let mut kernel = ticking();
    pass(&mut kernel, 57);
    assert_eq!(kernel.cpus[0].ticks, 5);
    pass(&mut kernel, 2);
    assert_eq!(kernel.cpus[0].ticks, 5);
    pass(&mut kernel, 2);
    assert_eq!(kernel.cpus[0].ticks, 6);
}

#[test]
fn a_deadline_comes_between_ticks_and_once() {
    let mut kernel = ticking();
    kernel.set_deadline(CpuId::BOOT, Nanos(13_000_000));
    pass(&mut kernel, 12);
    assert_eq!((kernel.cpus[0].ticks, kernel.cpus[0].deadlines_met), (1, 0));
    pass(&mut kernel, 2);
    assert_eq!((kernel.cpus[0].ticks, kernel.cpus[0].deadlines_met), (1, 1));
    (0..100).for_each(|_| pass(&mut kernel, 1));
    assert_eq!((kernel.cpus[0].ticks, kernel.cpus[0].deadlines_met), (11, 1));
}

#[test]
fn ipis_are_counted_and_exceptions_end_it() {
    let mut kernel = ticking();
    assert_eq!(kernel.handle(CpuId(1), Cause::Ipi), Next::Resume);
    assert_eq!(kernel.cpus[1].ipis, 1);
    assert_eq!(kernel.handle(CpuId(1), Cause::Spurious), Next::Resume);
    let exception = Exception { name: "a test", class: 0, code: 0 };
    assert_eq!(kernel.handle(CpuId(0), Cause::Exception(exception)), Next::Stop);
}

#[test]
fn device_windows_open_until_there_is_no_room() {
    let mut kernel = machine(8 * MIB).expect("it fits");
    let window = kernel.map_device(PhysAddr(0x900_0010), 8).expect("a window");
    assert_eq!(window.0 % PAGE_SIZE, 0x10);
    assert_eq!(kernel.map_device(PhysAddr(u64::MAX - 8), 4096), None);
    assert_eq!(kernel.map_device(PhysAddr(0), 1 << 40), None);
    assert!(kernel.map_device(PhysAddr(0x900_0010), 8).is_some());
}
