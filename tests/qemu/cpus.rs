//! Several CPUs: arrival, interrupts between them, TLB shootdown, the lock under contention. With
//! one CPU these hold trivially, and have to.

use crate::table::Test;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst};
use ochre::arch::{self, Access, Entry};
use ochre::kernel::{self, Kernel};
use ochre::mm::Ram;
use ochre::units::{CpuId, Frame, MAX_CPUS, VirtAddr};
use spin::Mutex;

pub const TESTS: &[Test] = &[
    Test::pass("kernel", "cpus-arrive", arrive),
    Test::pass("kernel", "cpus-know-themselves", know_themselves),
    Test::pass("kernel", "ipi-reaches-each", ipi_reaches_each),
    Test::pass("memory", "tlb-shootdown", || shootdown(1)),
    Test::pass("stress", "tlb-shootdown-storm", || shootdown(200)),
    Test::pass("stress", "ipi-storm", ipi_storm),
    Test::pass("stress", "lock-contention", lock_contention),
    Test::panic("panic-on-another-cpu", "was asked to panic", panic_elsewhere),
    Test::panic("panic-on-all-cpus", "and so was everyone", panic_everywhere),
    Test::panic("panic-among-writers", "backtrace:", panic_among_writers),
];

/// What the other CPUs are to do next, and how many times they were told.
static JOB: Mutex<Option<fn(CpuId)>> = Mutex::new(None);
static TOLD: AtomicU32 = AtomicU32::new(0);
static DONE: AtomicU32 = AtomicU32::new(0);

/// Where a page that these tests map and unmap lies: in the stacks' window, after the stacks.
pub const SPARE: VirtAddr = VirtAddr(ochre::layout::STACKS + (128 << 20));

/// What a CPU does that was called up: each job, once.
pub extern "C" fn other() -> ! {
    let mut seen = 0;
    loop {
        let told = TOLD.load(SeqCst);
        if told == seen {
            arch::cpu::wait();
            continue;
        }
        seen = told;
        let job = *JOB.lock();
        if let Some(job) = job {
            job(arch::cpu::current());
        }
        DONE.fetch_add(1, SeqCst);
    }
}

/// Runs `job` on every CPU at once, this one included, and waits for all.
pub fn everyone(job: fn(CpuId)) {
    let others = online() - 1;
    DONE.store(0, SeqCst);
    *JOB.lock() = Some(job);
    TOLD.fetch_add(1, SeqCst);
    (1..MAX_CPUS as u8).map(CpuId).for_each(wake);
    job(CpuId::BOOT);
    while DONE.load(SeqCst) < others {
        arch::tlb::serve();
        arch::cpu::relax();
    }
}

fn wake(cpu: CpuId) {
    if kernel::lock().cpus[cpu.index()].online {
        arch::interrupts::send_ipi(cpu);
    }
}

pub fn online() -> u32 {
    kernel::lock().cpus.iter().filter(|cpu| cpu.online).count() as u32
}

fn arrive() {
    let kernel = kernel::lock();
    for (index, cpu) in kernel.cpus.iter().enumerate() {
        assert_eq!(cpu.online, index < kernel.info.cpus.len(), "CPU {index}");
    }
}

static SEEN: [AtomicBool; MAX_CPUS] = [const { AtomicBool::new(false) }; MAX_CPUS];

fn know_themselves() {
    everyone(|cpu| {
        assert!(!SEEN[cpu.index()].swap(true, SeqCst), "two CPUs think they are {cpu:?}")
    });
    assert_eq!(SEEN.iter().filter(|seen| seen.load(SeqCst)).count() as u32, online());
}

fn ipi_reaches_each() {
    for cpu in (1..online() as u8).map(CpuId) {
        let before = kernel::lock().cpus[cpu.index()].ipis;
        arch::interrupts::send_ipi(cpu);
        while kernel::lock().cpus[cpu.index()].ipis == before {
            arch::cpu::relax();
        }
    }
}

fn ipi_storm() {
    everyone(|me| {
        for _ in 0..1000 {
            let others = (0..online() as u8).map(CpuId).filter(|&cpu| cpu != me);
            others.for_each(arch::interrupts::send_ipi);
            arch::cpu::interrupts_on();
            arch::cpu::relax();
            arch::cpu::interrupts_off();
        }
    });
}

static ROUND: AtomicU64 = AtomicU64::new(0);

/// Maps a page, has every CPU read it (so that its TLB knows it), maps another frame in its place,
/// and has every CPU see that.
fn shootdown(rounds: u64) {
    let frames = [(); 2].map(|()| kernel::lock().vm.ram.frames.alloc().expect("memory for a test"));
    for round in 0..rounds {
        for frame in frames {
            fill(&mut kernel::lock(), frame, 2 * round + u64::from(frame == frames[1]));
        }
        for (nth, frame) in frames.into_iter().enumerate() {
            map(frame);
            ROUND.store(2 * round + nth as u64, SeqCst);
            everyone(|cpu| {
                let found = arch::probe::read(SPARE);
                assert_eq!(found, Ok(ROUND.load(SeqCst)), "CPU {} uses an old translation", cpu.0);
            });
            unmap();
            everyone(|cpu| {
                assert!(
                    arch::probe::read(SPARE).is_err(),
                    "CPU {} still reads an unmapped page",
                    cpu.0
                );
            });
        }
    }
}

fn fill(kernel: &mut Kernel, frame: Frame, value: u64) {
    crate::memory::write(kernel, frame, 0, value);
}

/// Maps `SPARE` to `frame`, for the kernel to read and write.
pub fn map(frame: Frame) {
    map_as(frame, Access::WRITE | Access::GLOBAL);
}

/// Maps `SPARE` to `frame`.
pub fn map_as(frame: Frame, access: Access) {
    let kernel = &mut *kernel::lock();
    let Ram { memory, frames, space, .. } = &mut kernel.vm.ram;
    let phys = frame.start()..Frame(frame.0 + 1).start();
    space.table.map(SPARE, phys, access, memory, frames).expect("the page is free");
}

/// Unmaps `SPARE`, for all CPUs.
pub fn unmap() {
    change(&mut kernel::lock(), |_| Entry::EMPTY);
}

/// Changes the entry of `SPARE`, for all CPUs. The kernel itself never does that to its table.
pub fn change(kernel: &mut Kernel, new: impl FnOnce(Entry) -> Entry) {
    let Ram { memory, space, .. } = &mut kernel.vm.ram;
    let mut table = space.table.root();
    for level in 0..4 {
        let index = (SPARE.0 >> (39 - 9 * level)) as usize % 512;
        // SAFETY: a table on the way to `SPARE`, which is the tests'.
        let entry = Entry::from_bits(unsafe { memory.read(table, index) });
        if entry.is_leaf(level) {
            // SAFETY: the same.
            unsafe { memory.write(table, index, new(entry).bits()) };
            break;
        }
        table = entry.frame();
    }
    arch::tlb::flush_all();
}

fn lock_contention() {
    let before = kernel::lock().vm.ram.frames.stats();
    everyone(|_| {
        for _ in 0..2000 {
            let frame = kernel::lock().vm.ram.frames.alloc().expect("there is memory");
            kernel::lock().vm.ram.frames.free(frame).expect("it was ours");
        }
    });
    assert_eq!(kernel::lock().vm.ram.frames.stats(), before);
}

fn panic_everywhere() {
    everyone(|cpu| panic!("CPU {} was asked to panic, and so was everyone", cpu.0));
}

/// The log is taken from whoever writes to it.
fn panic_among_writers() {
    everyone(|cpu| {
        if cpu == CpuId::BOOT {
            (0..100_000).for_each(|_| arch::cpu::relax());
            panic!("enough has been written");
        }
        loop {
            ochre::info!("CPU {} writes another line", cpu.0);
        }
    });
}

fn panic_elsewhere() {
    let last = CpuId(online() as u8 - 1);
    if last == CpuId::BOOT {
        panic!("CPU 0 was asked to panic");
    }
    everyone(|cpu| {
        let last = online() as u8 - 1;
        if cpu.0 == last {
            panic!("CPU {last} was asked to panic");
        }
    });
    loop {
        arch::cpu::relax();
    }
}
