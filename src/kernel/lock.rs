//! The one lock. Whoever has it has the kernel.

#[cfg(feature = "lock-stats")]
#[path = "../../tests/kernel/hold.rs"]
mod hold;

use super::{Current, Kernel};
use crate::arch;
use crate::mm::Id;
use crate::object::Thread;
use core::cell::UnsafeCell;
use core::mem::MaybeUninit;
use core::ops::{Deref, DerefMut};
use core::sync::atomic::{
    AtomicBool, AtomicU8,
    Ordering::{Acquire, Relaxed, Release},
};

/// The one lock, and what it guards.
struct Lock {
    /// `FREE`, or not: someone has it, there is no kernel yet, or there never will be one again.
    state: AtomicU8,
    kernel: UnsafeCell<MaybeUninit<Kernel>>,
}

const TAKEN: u8 = 0;
const FREE: u8 = 1;

// SAFETY: whoever sets `state` from `FREE` to `TAKEN` is the only one who touches the kernel until it is
// `FREE` again; and it is first `FREE` when the kernel has been written.
unsafe impl Sync for Lock {}

static LOCK: Lock =
    Lock { state: AtomicU8::new(TAKEN), kernel: UnsafeCell::new(MaybeUninit::uninit()) };

/// A panic is under way: whoever waits for the lock stops instead.
static STOPPING: AtomicBool = AtomicBool::new(false);

/// The kernel, for as long as this lives.
pub struct Guard(());

impl Deref for Guard {
    type Target = Kernel;

    #[inline(always)]
    fn deref(&self) -> &Kernel {
        // SAFETY: this CPU has the lock, and the kernel was written before anyone could take it.
        unsafe { (*LOCK.kernel.get()).assume_init_ref() }
    }
}

impl DerefMut for Guard {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut Kernel {
        // SAFETY: as in `deref`; borrowed together with the guard.
        unsafe { (*LOCK.kernel.get()).assume_init_mut() }
    }
}

impl Drop for Guard {
    #[inline(always)]
    fn drop(&mut self) {
        #[cfg(feature = "lock-stats")]
        hold::end();
        LOCK.state.store(FREE, Release);
    }
}

/// Puts the finished value behind the lock, once.
pub fn install(kernel: Kernel) {
    static INSTALLED: AtomicBool = AtomicBool::new(false);
    assert!(!INSTALLED.swap(true, Relaxed), "there is one kernel");
    // SAFETY: the lock is not free before the next line, and nobody else comes here.
    unsafe { (*LOCK.kernel.get()).write(kernel) };
    LOCK.state.store(FREE, Release);
}

/// Takes the lock. Interrupts must be off: the trap that one raises would wait for it for ever.
#[inline(always)]
pub fn lock() -> Guard {
    match try_lock() {
        Some(guard) => guard,
        None => wait(),
    }
}

/// Waits for the lock. A CPU that does still serves what others need from it: TLB shootdowns, and the end
/// of the world.
#[cold]
#[inline(never)]
fn wait() -> Guard {
    loop {
        if stopping() {
            arch::cpu::park();
        }
        arch::tlb::serve();
        arch::cpu::relax();
        if let Some(guard) = try_lock() {
            return guard;
        }
    }
}

/// Takes the lock, unless someone has it.
#[inline(always)]
pub fn try_lock() -> Option<Guard> {
    LOCK.state.compare_exchange(FREE, TAKEN, Acquire, Relaxed).ok()?;
    #[cfg(feature = "lock-stats")]
    hold::begin();
    Some(Guard(()))
}

/// Gives up the lock, and goes on with the current thread of this CPU.
#[inline(always)]
pub fn run(mut kernel: Guard, thread: Id<Thread>) -> ! {
    let current = Current::of(&mut kernel.threads[thread]);
    drop(kernel);
    current.resume()
}

/// Tells every CPU to stop when it next looks. True for the first to say so.
pub fn stop_all() -> bool {
    !STOPPING.swap(true, Relaxed)
}

/// Whether a panic is under way.
pub fn stopping() -> bool {
    STOPPING.load(Relaxed)
}
