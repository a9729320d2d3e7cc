//! What several of the tests need: objects to try things on, threads that wait, other processes.

use crate::check;
use rt::abi::{Error, Kind, MAP_WRITE, MachineRights, MemoryRights, PAGE};
use rt::files::Files;
use rt::loader::Child;
use rt::object::ThreadState;
use rt::space::Mapping;
use rt::thread::{self, Options, Spawned};
use rt::time::{MILLISECOND, SECOND, now, sleep};
use rt::{Memory, Object, Port, Process, Thread, Timer};

/// An address that is never mapped.
pub const NOWHERE: u64 = 0x1000;
/// An address of the kernel's.
pub const KERNEL: u64 = 0xffff_8000_0010_0000;
/// The last page that user code may have.
pub const LAST_PAGE: u64 = rt::abi::USER_END - PAGE;
/// What no handle looks like.
pub const NO_HANDLE: u64 = 0xdead_beef_0bad_cafe;
/// A quota that suffices for a small process.
pub const QUOTA: u64 = 4 << 20;

/// What the tests share.
pub struct World<'a> {
    /// The initrd.
    pub files: &'a Files,
    /// The page that all processes of the test share.
    pub page: &'a Memory,
}

/// A line of the interrupt controller that nobody uses.
pub fn free_line() -> Option<u64> {
    let port = Port::create(0).ok()?;
    // Low lines are most often timers and what the kernel has for itself.
    (3..200).rev().find(|&line| rt::Interrupt::create(&rt::machine(), line, &port, 1).is_ok())
}

/// Pages that are mapped, writable, here.
pub fn pages(count: u64) -> Mapping {
    Mapping::fresh(count, MAP_WRITE).expect("some pages")
}

/// A process of which nothing runs.
pub fn empty_process() -> Process {
    Process::create(QUOTA, 10).expect("a process")
}

/// A thread of this process that never runs.
pub fn idle_thread() -> Thread {
    Thread::create(&rt::process(), NOWHERE, NOWHERE, 0, 0, 5).expect("a thread")
}

/// A handle to an object of this kind, with all rights, and what keeps the object alive.
pub fn specimen(kind: Kind) -> Option<u64> {
    let port = || Port::create(1).ok();
    Some(match kind {
        Kind::Process => empty_process().into_raw(),
        Kind::Thread => idle_thread().into_raw(),
        Kind::Port => port()?.into_raw(),
        Kind::Memory => Memory::create(1).ok()?.into_raw(),
        Kind::Timer => Timer::create(&port()?, 1).ok()?.into_raw(),
        Kind::Machine => rt::machine().duplicate(MachineRights::all()).ok()?.into_raw(),
        Kind::Interrupt => {
            let line = free_line()?;
            rt::Interrupt::create(&rt::machine(), line, &port()?, 1).ok()?.into_raw()
        }
        Kind::IoPorts => rt::IoPorts::create(&rt::machine(), 0x80, 1).ok()?.into_raw(),
        Kind::Reply => return None,
    })
}

/// Gives up a specimen. What could run is ended.
pub fn bury(kind: Kind, handle: u64) {
    match kind {
        Kind::Process => drop(Process::from_raw(handle).kill(0)),
        Kind::Thread => drop(Thread::from_raw(handle).kill()),
        _ => drop(rt::object::close(handle)),
    }
}

/// Runs something on another thread, and comes back when that waits or has ended.
pub fn in_background(run: impl FnOnce() + Send + 'static) -> Spawned {
    let spawned = thread::spawn(Options::default(), run).expect("a thread");
    until(|| {
        let state = spawned.thread.info().map(|info| info.state);
        matches!(state, Ok(ThreadState::Waiting | ThreadState::Ended))
    });
    spawned
}

/// Waits until something is so, but not for ever.
#[track_caller]
pub fn until(is_so: impl Fn() -> bool) {
    let end = now() + 5 * SECOND;
    let mut so = is_so();
    while !so && now() < end {
        sleep(MILLISECOND);
        so = is_so();
    }
    check::holds(so);
}

/// A process with this very program in it, which will play a role.
pub fn actor(world: &World, role: u64, quota: u64) -> Result<Child, Error> {
    let file = world.files.program("abitest").ok_or(Error::NotFound)?;
    let child = Child::load(file, quota, 20)?;
    let page = child.give(world.page.duplicate(MemoryRights::all())?)?;
    let rights = MachineRights::LOG | MachineRights::INSPECT | MachineRights::DEVICES;
    child.with_machine(&rt::machine(), rights).map(|child| child.with_words([role, page]))
}
