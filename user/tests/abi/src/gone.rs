//! What has ended: calls about it say so.

use crate::Test;
use crate::check::{call, fails};
use crate::support::{World, empty_process, idle_thread, until};
use rt::abi::{ANY_CPU, Call, Error, REGISTERS};
use rt::object::ThreadState;
use rt::{Memory, Object};

pub const TESTS: &[Test] = &[("ended-thread", thread), ("ended-process", process)];

/// Where nothing of this program's is.
const AT: u64 = 0x30_0000_0000;

fn thread(_: &World) {
    let thread = idle_thread();
    thread.kill().expect("its end");
    until(|| thread.info().is_ok_and(|info| info.state == ThreadState::Ended));
    let all = [0u64; REGISTERS];
    let (handle, at) = (thread.raw(), all.as_ptr() as u64);
    fails(call(Call::ThreadKill, &[handle]), Error::PeerGone);
    fails(call(Call::ThreadSuspend, &[handle]), Error::PeerGone);
    fails(call(Call::ThreadResume, &[handle]), Error::PeerGone);
    fails(call(Call::ThreadCancel, &[handle]), Error::PeerGone);
    fails(call(Call::ThreadSchedule, &[handle, 5, 1_000_000, ANY_CPU]), Error::PeerGone);
    fails(call(Call::RegistersGet, &[handle, 0, at]), Error::PeerGone);
    fails(call(Call::RegistersSet, &[handle, 0, at]), Error::PeerGone);
}

fn process(_: &World) {
    let (process, memory) = (empty_process(), Memory::create(1).expect("a page"));
    process.kill(0).expect("its end");
    let (handle, own, text) = (process.raw(), rt::process().raw(), [0u8; 8]);
    let here = text.as_ptr() as u64;
    fails(call(Call::Map, &[handle, memory.raw(), AT, 0, 1, 0]), Error::PeerGone);
    fails(call(Call::Unmap, &[handle, AT, 1]), Error::PeerGone);
    fails(call(Call::Protect, &[handle, AT, 1, 0]), Error::PeerGone);
    fails(call(Call::SpaceClone, &[handle, own]), Error::PeerGone);
    fails(call(Call::ProcessRead, &[handle, AT, here, 8]), Error::PeerGone);
    fails(call(Call::ProcessWrite, &[handle, AT, here, 8]), Error::PeerGone);
    fails(call(Call::Translation, &[rt::machine().raw(), handle, AT]), Error::PeerGone);
}
