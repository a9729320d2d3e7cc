//! Processes: their beginning, their end, and who is told.

use crate::Test;
use crate::check::{call, call_until, fails, holds, same, saw, works};
use crate::support::{NO_HANDLE, QUOTA, World, actor, empty_process, idle_thread, until};
use rt::abi::{Call, Error, FOREVER, PRIORITIES, PortRights, THREAD_START};
use rt::object::State;
use rt::{Memory, Object, Port, Process, Thread};

pub const TESTS: &[Test] = &[
    ("process-create", create),
    ("process-exit", exit),
    ("process-kill-watch", kill_watch),
    ("process-handler", handler),
    ("process-quota", quota),
];

pub const ROLE: u64 = 1;
const CODE: u64 = 0xfeed_0042;

/// The second process ends itself.
pub fn act() -> u64 {
    CODE
}

fn create(_: &World) {
    let process = works(call(Call::ProcessCreate, &[QUOTA, 5]))[1];
    let out = works(call(Call::ProcessInfo, &[process]));
    same((out[1], out[2], out[4], out[5]), (State::Alive as u64, 0, QUOTA, 0));
    holds(out[3] > 0 && out[3] < QUOTA);
    // Its threads have no higher priority than it allows.
    let flags = |priority| [process, 0x20_0000, 0x30_0000, 0, 0, priority];
    fails(call(Call::ThreadCreate, &flags(6)), Error::Invalid);
    works(call(Call::ProcessKill, &[process, 3]));
    until(|| process_state(process) == State::Ended as u64);
    same(works(call(Call::ProcessInfo, &[process]))[2], 3);
    fails(call(Call::ThreadCreate, &flags(5)), Error::PeerGone);
    works(call(Call::Close, &[process]));
    for priority in [PRIORITIES.into(), u64::MAX] {
        fails(call(Call::ProcessCreate, &[QUOTA, priority]), Error::Invalid);
    }
    for quota in [0, 100, 1 << 60, u64::MAX] {
        fails(call(Call::ProcessCreate, &[quota, 5]), Error::NoMemory);
    }
}

fn process_state(process: u64) -> u64 {
    call(Call::ProcessInfo, &[process]).map_or(9, |out| out[1])
}

/// `Exit` does not come back; that it works is seen from outside.
fn exit(world: &World) {
    let child = actor(world, ROLE, QUOTA).expect("a process");
    same(child.run(FOREVER), Ok(CODE));
    saw(Call::Exit, None);
    same(works(call(Call::ProcessInfo, &[child.process.raw()]))[2], CODE);
}

fn kill_watch(_: &World) {
    let (process, port) = (empty_process(), Port::create(0).expect("a port"));
    let signaller = port.duplicate(PortRights::SIGNAL).expect("a handle");
    works(call(Call::ProcessWatch, &[process.raw(), signaller.raw(), 0x30]));
    fails(call(Call::Receive, &[port.raw()]), Error::TimedOut);
    works(call(Call::ProcessKill, &[process.raw(), 77]));
    let out = works(call_until(Call::Receive, &[port.raw()], FOREVER));
    same(out[2], 0x30);
    let out = works(call(Call::ProcessInfo, &[process.raw()]));
    same((out[1], out[2]), (State::Ended as u64, 77));
    // The second time changes nothing, and who comes late is told at once.
    works(call(Call::ProcessKill, &[process.raw(), 78]));
    same(works(call(Call::ProcessInfo, &[process.raw()]))[2], 77);
    works(call(Call::ProcessWatch, &[process.raw(), signaller.raw(), 1]));
    same(works(call(Call::Receive, &[port.raw()]))[2], 1);
}

fn handler(_: &World) {
    let (process, port) = (empty_process(), Port::create(0).expect("a port"));
    works(call(Call::ProcessHandler, &[process.raw(), port.raw()]));
    works(call(Call::ProcessHandler, &[process.raw(), 0]));
    fails(call(Call::ProcessHandler, &[process.raw(), NO_HANDLE]), Error::BadHandle);
    fails(call(Call::ProcessHandler, &[process.raw(), process.raw()]), Error::WrongKind);
    let weak = port.duplicate(PortRights::RECEIVE).expect("a handle");
    fails(call(Call::ProcessHandler, &[process.raw(), weak.raw()]), Error::NoRight);
    process.kill(0).expect("its end");
}

/// What a process is given its parent has no more, and gets back when it ends.
fn quota(_: &World) {
    let used = || rt::process().info().map(|info| info.used);
    let warm = empty_process();
    warm.kill(0).expect("its end");
    until(|| warm.info().is_ok_and(|info| info.state == State::Ended));
    drop(warm);
    let before = used().expect("a figure");
    let process = Process::create(QUOTA, 5).expect("a process");
    holds(used().is_ok_and(|used| used >= before + QUOTA));
    // It pays for what is made in it.
    let own = process.info().expect("its state").used;
    let thread = Thread::create(&process, 0x20_0000, 0x30_0000, 0, 0, 1).expect("a thread");
    holds(process.info().is_ok_and(|info| info.used > own && info.threads == 1));
    thread.kill().expect("its end");
    drop(thread);
    process.kill(0).expect("its end");
    until(|| process.info().is_ok_and(|info| info.state == State::Ended));
    drop(process);
    same(used(), Ok(before));
    // The second time nothing is left to be touched for the first time.
    objects();
    let before = used();
    objects();
    until(|| used() == before);
    same(used(), before);
    crash();
}

/// Makes one of everything, and lets go of it.
fn objects() {
    let before = rt::process().info().expect("its state").used;
    let port = Port::create(256).expect("a port");
    let memory = Memory::create(3).expect("pages");
    memory.write(0, &[1; 64]).expect("room");
    let thread = idle_thread();
    thread.kill().expect("its end");
    let _timer = rt::Timer::create(&port, 1).expect("a timer");
    holds(rt::process().info().is_ok_and(|info| info.used > before));
}

/// A thread that starts where nothing is mapped ends its process with a fault.
fn crash() {
    let process = empty_process();
    let flags = THREAD_START | 1;
    Thread::create(&process, 0x20_0000, 0x30_0000, 0, 0, flags).expect("a thread");
    until(|| process.info().is_ok_and(|info| info.state == State::Ended));
    same(process.info().map(|info| info.code), Ok(rt::abi::EXIT_FAULT));
}
