//! W^X and guard pages: each is proved by the fault that it must raise.

use crate::cpus::{SPARE, map_as, unmap};
use crate::table::Test;
use ochre::arch::{self, Access};
use ochre::info;
use ochre::kernel;
use ochre::layout::{self, PHYS_MAP};
use ochre::mm::Ram;
use ochre::units::{self, CpuId, Fault, FaultReason, PAGE_SIZE, PhysAddr, VirtAddr};

pub const TESTS: &[Test] = &[
    Test::pass("memory", "text-is-read-execute", text),
    Test::pass("memory", "rodata-is-read-only", rodata),
    Test::pass("memory", "data-is-not-executable", data),
    Test::pass("memory", "stack-is-not-executable", stack),
    Test::pass("memory", "physical-map-is-not-executable", physical_map),
    Test::pass("memory", "physical-map-protects-the-image", image_alias),
    Test::pass("memory", "guard-pages", guards),
    Test::pass("memory", "lower-half-is-empty", lower_half),
    Test::pass("memory", "user-pages-are-out-of-reach", user_pages),
];

static CONSTANT: [u64; 2] = [1, 2];
static DATA: spin::Mutex<[u64; 2]> = spin::Mutex::new([3, 4]);

extern "C" fn nothing() {}

fn refused(result: Result<(), Fault>, at: VirtAddr, access: units::Access) {
    let fault = result.expect_err("it was allowed");
    assert_eq!(fault, Fault { address: at, access, reason: FaultReason::Permission });
}

/// A write that must be refused.
fn write(at: VirtAddr) {
    // SAFETY: if the write is not refused the test fails, and the kernel ends.
    refused(unsafe { arch::probe::write(at, 0xcc) }, at, units::Access::Write);
}

/// An execution that must be refused.
fn execute(at: VirtAddr) {
    // SAFETY: if it is not refused the test fails, or crashes.
    refused(unsafe { arch::probe::execute(at) }, at, units::Access::Execute);
}

fn address<T>(of: &T) -> VirtAddr {
    VirtAddr(core::ptr::from_ref(of) as u64)
}

fn code() -> VirtAddr {
    VirtAddr(nothing as *const () as u64)
}

fn text() {
    write(code());
    // SAFETY: `nothing` does nothing.
    assert_eq!(unsafe { arch::probe::execute(code()) }, Ok(()));
}

fn rodata() {
    assert_eq!(arch::probe::read(address(&CONSTANT)), Ok(1));
    write(address(&CONSTANT));
    execute(address(&CONSTANT));
}

fn data() {
    execute(address(&DATA));
}

fn stack() {
    let word = 0u64;
    execute(address(&word));
}

fn physical_map() {
    let frame = kernel::lock().vm.ram.frames.alloc().expect("there is memory");
    let at = VirtAddr(PHYS_MAP + frame.start().0);
    // SAFETY: the frame is ours.
    assert_eq!(unsafe { arch::probe::write(at, 1) }, Ok(()));
    execute(at);
}

/// The image can be reached through the physical map as well: there its code is neither writable
/// nor executable, and its constants are not writable.
fn image_alias() {
    let alias = |at: VirtAddr| {
        let kernel = kernel::lock();
        let page = kernel
            .vm
            .ram
            .space
            .table
            .query(at, &kernel.vm.ram.memory)
            .expect("the image is mapped");
        VirtAddr(PHYS_MAP + page.start.0 + at.0 % PAGE_SIZE)
    };
    write(alias(code()));
    execute(alias(code()));
    write(alias(address(&CONSTANT)));
}

fn unmapped(at: VirtAddr) {
    let fault = arch::probe::read(at).expect_err("something is mapped there");
    assert_eq!((fault.address, fault.access), (at, units::Access::Read));
    assert!(matches!(fault.reason, FaultReason::Unmapped { .. }), "{fault:?}");
}

fn guards() {
    let cpus = kernel::lock().info.cpus.len() as u8;
    for cpu in (0..cpus).map(CpuId) {
        let top = layout::stack_top(cpu, 0).0;
        assert!(arch::probe::read(VirtAddr(top - 8)).is_ok(), "{cpu:?} has no stack");
        let pages = (1..16).map(|page| VirtAddr(top - page * PAGE_SIZE));
        let lowest = pages.take_while(|&at| arch::probe::read(at).is_ok()).last();
        let lowest = lowest.expect("a stack has a page");
        unmapped(VirtAddr(lowest.0 - 8));
        unmapped(VirtAddr(lowest.0 - PAGE_SIZE));
        unmapped(VirtAddr(top));
    }
    let kernel = &mut *kernel::lock();
    let Ram { space, memory, frames, .. } = &mut kernel.vm.ram;
    let registers = PhysAddr(0x1000)..PhysAddr(0x1008);
    let window = space.map_device(registers, memory, frames).expect("a window");
    unmapped(VirtAddr(window.0 + PAGE_SIZE));
}

fn lower_half() {
    unmapped(VirtAddr(0));
    unmapped(VirtAddr(0x40_0000));
    unmapped(VirtAddr(0x7fff_ffff_f000));
}

/// What belongs to user code the kernel neither reads, writes nor executes by mistake, as far as the
/// CPU can see to that.
fn user_pages() {
    let features = arch::cpu::features();
    let has = |wanted: &[&str]| features.split(' ').any(|feature| wanted.contains(&feature));
    let frame = kernel::lock().vm.ram.frames.alloc().expect("there is memory");
    map_as(frame, Access::WRITE | Access::USER);
    if has(&["pan", "SMAP"]) {
        let fault = arch::probe::read(SPARE).expect_err("the kernel reads a user's page");
        assert_eq!(fault.reason, FaultReason::Permission);
        write(SPARE);
    } else {
        info!("skipped: reads and writes, for this CPU has neither PAN nor SMAP");
    }
    unmap();
    map_as(frame, Access::EXECUTE | Access::USER);
    if has(&["pxn", "SMEP"]) {
        execute(SPARE);
    } else {
        info!("skipped: execution, for this CPU has neither PXN nor SMEP");
    }
    unmap();
}
